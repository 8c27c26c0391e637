"""The text report of a run: rates, latencies, drops, prompt changes, machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from textdifuse_ros.demo.machine import machine, versions
from textdifuse_ros.demo.recording import Recording
from textdifuse_ros.nodes.bag_writer import bag_size
from textdifuse_ros.nodes.demo_conductor import Change

DROPS = (
    ("superseded", "a newer pair took the place of a waiting one"),
    ("unmatched_rgb", "no thermal image close enough in time"),
    ("unmatched_thermal", "no RGB image close enough in time"),
    ("late", "older than what was already fused"),
    ("duplicate", "same stamp as an image before"),
    ("invalid", "refused input"),
    ("by_policy", "a camera is lost and the policy says stop"),
)


def render_report(recording: Recording, changes: Sequence[Change], source: str) -> str:
    """The whole report as text."""
    sections = [
        ["textdifuse_ros demo", "===================", f"source    {source}", f"machine   {machine()}",
         f"versions  {versions()}", *_engine(recording.statuses)],
        ["", "Rates (at the recorder, a process of its own)", *_rates(recording)],
        ["", "Latency [ms]", *_latencies(recording)],
        ["", "Pairs not fused, by cause", *_drops(recording.statuses)],
        ["", "Parameters changed while running", *(_change(change) for change in changes)],
        ["", "Recording", f"  {recording.path}",
         f"  {recording.messages} messages, {bag_size(recording.path) / 1e6:.0f} MB;"
         f" look at it with: ros2 bag info {recording.path}"],
    ]  # fmt: skip
    return "\n".join(line for section in sections for line in section) + "\n"


def _engine(statuses: Sequence[Any]) -> list[str]:
    if not statuses:
        return []
    last = statuses[-1]
    modes = Counter(str(status.mode) for status in statuses)
    return [
        f"network   engine {last.engine} on {last.device}",
        f"images    {', '.join(f'{count} {mode}' for mode, count in modes.most_common())}",
    ]


def _rates(recording: Recording) -> list[str]:
    rows = (("rgb", recording.rgb), ("thermal", recording.thermal), ("fused", recording.fused),
            ("salience", recording.salience))  # fmt: skip
    lines = []
    for name, track in rows:
        line = f"  {name:<9}{len(track.stamps):6d} images  {track.rate():6.1f} Hz"
        if name in ("rgb", "thermal"):
            line += f"  {track.gaps()} missing between neighbours"
        lines.append(line)
    return lines


def percentiles(values: np.ndarray | Sequence[float]) -> str:
    """p50 and p95 in words, or a dash without values."""
    array = np.asarray(values, np.float64)
    array = array[np.isfinite(array)]
    if not len(array):
        return "-"
    low, high = np.percentile(array, (50, 95))
    return f"p50 {low:7.1f}   p95 {high:7.1f}"


def _latencies(recording: Recording) -> list[str]:
    lines = [
        f"  topic to topic  {percentiles(recording.latencies_ms())}   RGB image heard -> fused image heard",
        f"  age             {percentiles(recording.ages_ms())}   stamp -> fused image heard",
    ]
    for steps in sorted({int(s.steps) for s in recording.statuses if s.steps}):
        chosen = [s for s in recording.statuses if s.steps == steps]
        own = [s.total_ms - s.model_ms for s in chosen]
        lines.append(f"  network         {percentiles([s.model_ms for s in chosen])}   steps {steps}")
        lines.append(f"  node's own work {percentiles(own)}   steps {steps}: convert, register, publish")
    return lines


def _drops(statuses: Sequence[Any]) -> list[str]:
    if not statuses:
        return ["  no status was recorded"]
    last = statuses[-1]
    lines = [f"  {getattr(last, f'dropped_{name}'):6d}  {name:<18} {text}" for name, text in DROPS]
    lines.append(f"  {last.resets:6d}  {'resets':<18} time went backwards")
    return lines


def _change(change: Change) -> str:
    what = ", ".join(f"{name} = {value!r}" for name, value in change.parameters.items())
    head = f"  {change.asked_at:5.1f} s  {what}: "
    if not change.accepted:
        return head + f"refused in {change.answered_ms:.0f} ms\n           {change.reason}"
    if change.frames < 0:
        return head + f"accepted in {change.answered_ms:.0f} ms, but no fused image showed it"
    return head + (
        f"accepted in {change.answered_ms:.0f} ms, shown by fused image {change.frames} after that "
        f"({change.shown_ms:.0f} ms)"
    )
