"""Which moments of a recording go onto the contact sheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textdifuse_ros.demo.recording import SECOND, Recording
from textdifuse_ros.nodes.demo_conductor import Change


@dataclass(frozen=True)
class Moment:
    """A fused image: its stamp [ns], and what to write above it."""

    stamp: int
    caption: str
    label: str


def choose(recording: Recording, changes: Sequence[Change], per_phase: int = 2) -> list[Moment]:
    """Telling moments of every phase between two changes of what is in force.

    With ground truth, those where smoke hides most of the people; else evenly spaced ones.
    """
    if not recording.fused.stamps:
        return []
    hidden = _hidden_people(recording)
    shown = [change for change in changes if change.accepted and change.first_stamp]
    edges = [recording.fused.stamps[0], *(c.first_stamp for c in shown), recording.fused.stamps[-1] + 1]
    labels = [('prompt ""', "plain fusion"), *((words(c), c.note) for c in shown)]
    moments = []
    for (prompt, note), begin, end in zip(labels, edges[:-1], edges[1:], strict=True):
        inside = [s for s in recording.fused.stamps if begin <= s < end and s in set(recording.rgb.stamps)]
        for stamp in _pick(inside, hidden, per_phase):
            seconds = (stamp - recording.fused.stamps[0]) / SECOND
            extra = _change_words(shown, begin)
            moments.append(Moment(stamp, f"t = {seconds:.1f} s    {prompt}    {note}{extra}", note))
    return moments


def _pick(stamps: list[int], hidden: dict[int, float], count: int) -> list[int]:
    """Up to `count` stamps, one of each part of the phase."""
    picked = []
    for k in range(count):
        part = stamps[k * len(stamps) // count : (k + 1) * len(stamps) // count]
        if part:
            # Without ground truth every moment scores the same: the middle one is taken.
            middle = part[len(part) // 2]
            picked.append(max(part, key=lambda s: (hidden.get(s, 0.0), s == middle)))
    return picked


def _hidden_people(recording: Recording) -> dict[int, float]:
    """For each stamp with ground truth: pixels of people that the smoke hides, limited per person."""
    scores = {}
    for truth in recording.truths:
        stamp = truth["stamp"]["sec"] * SECOND + truth["stamp"]["nanosec"]
        scores[stamp] = sum(
            min(item["pixels"], 6000) * (1.0 - item["clear"])
            for item in truth["objects"]
            if item["class_name"] == "person" and item["clear"] < 0.6
        )
    return scores


def words(change: Change) -> str:
    """The parameters of a change as text."""
    parts = []
    for name, value in change.parameters.items():
        parts.append(f'{name} "{value}"' if isinstance(value, str) else f"{name} {value}")
    return ", ".join(parts)


def _change_words(shown: Sequence[Change], begin: int) -> str:
    for change in shown:
        if change.first_stamp == begin:
            frames = f"{change.frames} frame{'s' if change.frames != 1 else ''}"
            return f"    (in force {frames} after it was accepted)"
    return ""
