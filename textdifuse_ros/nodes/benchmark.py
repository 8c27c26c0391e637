"""Measures the fusion node through real DDS: python -m textdifuse_ros.nodes.benchmark [--only NAME ...].

live   30 Hz into the node with steps=1: images lost in transport, topic-to-topic latency, fused images
       a second, the node's own work, parameter changes meanwhile, idle CPU once the cameras have stopped
slow   the same with steps=4, slower than the camera: the age of every output, at the beginning and at the end
soak   many small images: growth of resident memory
detection  (only with --model) fusion and detector in one process and in two, in turn: time from the camera's
       stamp to the detections, detections a second, drops, CPU
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from textdifuse_ros.demo.machine import machine, versions
from textdifuse_ros.demo.processes import ChildFailed
from textdifuse_ros.nodes.bench_detection import measure_detection
from textdifuse_ros.nodes.bench_rig import (
    BenchFailed,
    Heard,
    Rig,
    Source,
    cpu_seconds,
    p50_p95,
    resident_mb,
)

COUNTERS = ("superseded", "unmatched_rgb", "late", "duplicate", "invalid", "by_policy")
CHANGES: tuple[dict[str, Any], ...] = (
    {"prompt": "warm objects"}, {"steps": 2}, {"prompt": "no hot"}, {"steps": 1}, {"prompt": ""},
    {"prompt": "warm objects*2", "steps": 2}, {"prompt": "", "steps": 1},
)  # fmt: skip


def measure_live(source: Source, rate: float, seconds: float, logs: Path, idle: float) -> dict[str, Any]:
    """Transport, latency, rate, overhead, parameter changes and idle CPU with one sampler step."""
    pairs = round(seconds * rate)
    with Rig(logs / "live", {}) as rig:
        camera = rig.start_camera(source, rate, pairs)
        rig.spin(seconds * 2 + 60.0, lambda: not camera.running())
        rig.settle()
        heard = rig.heard
        quiet_from = cpu_seconds(rig.fusion.pid)
        rig.spin(idle)
        idle_share = (cpu_seconds(rig.fusion.pid) - quiet_from) / idle
        result = {
            "transport": _transport(heard, pairs),
            "latency_ms": p50_p95(heard.latencies_ms()),
            "age_ms": p50_p95([heard.age_ms(s) for s in heard.statuses]),
            "fused_hz": round(_rate(heard), 2),
            "model_ms": p50_p95([s.model_ms for s in heard.statuses]),
            "own_work_ms": p50_p95([s.total_ms - s.model_ms for s in heard.statuses]),
            "idle_cpu_percent_of_a_core": round(100.0 * idle_share, 2),
        }
        rig.family.children.pop("camera")
        result["changes"] = _changes(rig, source, rate, logs)
    return result


def _changes(rig: Rig, source: Source, rate: float, logs: Path) -> dict[str, Any]:
    """Change prompt and steps again and again while images flow."""
    camera = rig.start_camera(source, rate)
    done = [rig.conductor.change(change, "", 0.0) for change in CHANGES]
    camera.stop()
    shown = [c for c in done if c.accepted and c.frames >= 0]
    return {
        "made": len(done),
        "accepted": sum(c.accepted for c in done),
        "shown": len(shown),
        "lost": len(done) - len(shown),
        "frames_until_shown_max": max((c.frames for c in shown), default=-1),
        "answer_ms": p50_p95([c.answered_ms for c in done]),
    }


def _transport(heard: Heard, pairs: int) -> dict[str, int]:
    """Images that got lost between the processes, by the counters of the node and what the listener heard."""
    last = heard.statuses[-1]
    accounted = int(last.frames_published) + sum(int(getattr(last, f"dropped_{name}")) for name in COUNTERS)
    return {
        "pairs_sent": pairs,
        "pairs_accounted_for_by_the_node": accounted,
        "lost_before_the_node": max(pairs - accounted, 0),
        "fused_sent": int(last.frames_published),
        "fused_heard": len(heard.fused),
        "lost_after_the_node": int(last.frames_published) - len(heard.fused),
    }


def _rate(heard: Heard) -> float:
    times = sorted(heard.fused.values())
    return (len(times) - 1) * 1e9 / (times[-1] - times[0]) if len(times) > 1 else 0.0


def measure_slow(source: Source, rate: float, seconds: float, logs: Path) -> dict[str, Any]:
    """Age of the outputs when the network is slower than the camera; windows of at most a minute."""
    period = 1e3 / rate
    with Rig(logs / "slow", {"steps": 4}) as rig:
        rig.start_camera(source, rate)
        rig.spin(seconds)
        statuses, heard = list(rig.heard.statuses), rig.heard
    rows = [(heard.age_ms(s), s.model_ms, s.header.stamp.sec) for s in statuses]
    rows = [row for row in rows if np.isfinite(row[0])]
    if len(rows) < 2:
        raise BenchFailed(f"only {len(rows)} images were fused in {seconds:.0f} s")
    window = min(60.0, seconds / 2)
    begin, end = rows[0][2], rows[-1][2]
    # The first image meets cold caches; it is counted and named apart.
    excess = np.array([age - model - 2 * period for age, model, _ in rows])
    return {
        "seconds": seconds,
        "fused": len(rows),
        "model_ms": p50_p95([row[1] for row in rows]),
        "model_slower_than_camera": bool(np.median([row[1] for row in rows]) > period),
        "age_first_window_ms": p50_p95([age for age, _, at in rows if at - begin <= window]),
        "age_last_window_ms": p50_p95([age for age, _, at in rows if end - at <= window]),
        "age_max_ms": round(max(row[0] for row in rows), 1),
        "bound": "age <= model time of the image + two frame periods",
        "outside_bound": int(np.sum(excess > 0)),
        "largest_excess_ms": round(float(excess.max()), 1),
    }


def measure_soak(images: int, logs: Path, size: tuple[int, int] = (160, 120)) -> dict[str, Any]:
    """Growth of resident memory over many small images, after a tenth of them as warm-up."""
    warm_up = max(images // 10, 1)
    with Rig(logs / "soak", {}) as rig:
        rig.start_camera(Source(size=size), 100.0)

        def fused() -> int:
            return int(rig.heard.statuses[-1].frames_published)

        rig.spin(3600.0, lambda: fused() >= warm_up)
        before = resident_mb(rig.fusion.pid)
        rig.spin(3600.0, lambda: fused() >= warm_up + images)
        after = resident_mb(rig.fusion.pid)
        return {
            "images": fused() - warm_up,
            "size": f"{size[0]}x{size[1]}",
            "resident_before_mb": round(before, 1),
            "resident_after_mb": round(after, 1),
            "growth_mb": round(after - before, 1),
        }


def main(argv: Sequence[str] | None = None) -> int:
    """Run the chosen measurements and print them; exit code 1 when one could not be made."""
    chosen = _parse(argv)
    source = Source(chosen.rgb, chosen.thermal)
    failed = False
    results: dict[str, Any] = {"machine": machine(), "versions": versions(), "source": str(source)}
    with tempfile.TemporaryDirectory(prefix="textdifuse_bench_") as folder:
        logs = Path(folder)
        measurements: dict[str, Callable[[], dict[str, Any]]] = {
            "live": lambda: measure_live(source, chosen.rate, chosen.seconds, logs, chosen.idle_seconds),
            "slow": lambda: measure_slow(source, chosen.rate, chosen.slow_seconds, logs),
            "soak": lambda: measure_soak(chosen.soak_images, logs),
            "detection": lambda: measure_detection(
                source,
                chosen.rate,
                chosen.detection_seconds,
                chosen.rounds,
                {"model": chosen.model, "image_size": chosen.image_size},
                logs,
            ),
        }
        for name in chosen.only:
            print(f"measuring {name}", file=sys.stderr, flush=True)
            try:
                results[name] = measurements[name]()
            except (BenchFailed, ChildFailed, TimeoutError) as error:
                failed = True
                results[name] = {"error": str(error)}
    print(json.dumps(results, indent=2) if chosen.json else as_text(results))
    return 1 if failed else 0


def as_text(results: dict[str, Any], indent: int = 0) -> str:
    """Nested results as aligned lines."""
    lines = []
    for key, value in results.items():
        name = " " * indent + key.replace("_", " ")
        if isinstance(value, dict) and set(value) == {"p50", "p95"}:
            lines.append(f"{name:<38} p50 {value['p50']:>9}   p95 {value['p95']:>9}")
        elif isinstance(value, dict):
            lines += [name, as_text(value, indent + 2)]
        else:
            lines.append(f"{name:<38} {value}")
    return "\n".join(lines)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m textdifuse_ros.nodes.benchmark",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = ("live", "slow", "soak")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=(*names, "detection"),
        help="measurements to make (without a model: live, slow and soak; with one: detection)",
    )
    parser.add_argument("--rgb", default="", help="RGB clip; without clips the rendered street is played")
    parser.add_argument("--thermal", default="", help="thermal clip")
    parser.add_argument("--rate", type=float, default=30.0, help="pairs a second (30)")
    parser.add_argument("--seconds", type=float, default=60.0, help="length of live (60)")
    parser.add_argument(
        "--idle-seconds", type=float, default=20.0, help="how long to watch the idle CPU (20)"
    )
    parser.add_argument("--slow-seconds", type=float, default=310.0, help="length of slow (310)")
    parser.add_argument("--soak-images", type=int, default=10000, help="images of soak (10000)")
    parser.add_argument("--model", default="", help="detection: the detector's model, a file or a name")
    parser.add_argument(
        "--image-size", type=int, default=0, help="detection: as the detector's parameter (0)"
    )
    parser.add_argument(
        "--detection-seconds", type=float, default=30.0, help="detection: length of each run (30)"
    )
    parser.add_argument("--rounds", type=int, default=2, help="detection: runs of each arrangement (2)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    chosen = parser.parse_args(argv)
    if bool(chosen.rgb) != bool(chosen.thermal):
        parser.error("--rgb and --thermal belong together")
    if chosen.only is None:
        chosen.only = ["detection"] if chosen.model else list(names)
    if "detection" in chosen.only and not chosen.model:
        parser.error("detection needs --model")
    return chosen


if __name__ == "__main__":
    raise SystemExit(main())
