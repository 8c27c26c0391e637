"""From the cameras to detections through real DDS: fusion and detector in one process, and in two."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray

from textdifuse_ros.demo.processes import Child
from textdifuse_ros.nodes.bench_rig import (
    START_TIMEOUT,
    BenchFailed,
    Rig,
    Source,
    cpu_seconds,
    noting,
    p50_p95,
    resident_mb,
)
from textdifuse_ros.nodes.launch_spec import Composition, NodeSpec
from textdifuse_ros.nodes.perception_node import DETECTOR, FUSION
from textdifuse_ros.nodes.qos import detections_output

ARRANGEMENTS = ("composed", "apart")
_WARM_UP_S = 3.0
_OUTPUT = "/fused_detector: output"
_IMAGE = "/fused_detector: image"


@dataclass
class Window:
    """What happened within some seconds."""

    seconds: float
    latencies_ms: list[float]
    cpu_seconds: float
    resident_mb: float
    counts: dict[str, int] = field(default_factory=dict)


class DetectionRig(Rig):
    """Both nodes, in the arrangement asked for, and a listener to the detections."""

    def __init__(self, logs: Path, arrangement: str, parameters: Mapping[str, Any]) -> None:
        """parameters: of the detector."""
        super().__init__(logs, {}, hear_images=False)
        self._composed = arrangement == "composed"
        self._detector = NodeSpec("fused_detector", "fused_detector", parameters=dict(parameters))
        self.found: dict[int, int] = {}  # arrival [ns of the epoch] by stamp [ns]
        self._values: dict[str, dict[str, str]] = {}
        self.nodes: list[Child] = []

    def start_nodes(self) -> Child:
        from vision_msgs.msg import Detection2DArray

        fusion = self.fusion_spec()
        start, modules = self.family.start, "textdifuse_ros.nodes."
        if self._composed:
            together = Composition("perception", {FUSION: fusion, DETECTOR: self._detector})
            self.nodes = [start("perception", f"{modules}perception_node", together.arguments())]
        else:
            self.nodes = [
                start("fusion", f"{modules}fusion_node", fusion.ros_arguments()),
                start("detector", f"{modules}detector_node", self._detector.ros_arguments()),
            ]
        listen, qos = self.conductor.listen, detections_output()
        listen(Detection2DArray, "fused/detections", qos, noting(self.found), raw=True)
        listen(DiagnosticArray, "/diagnostics", 10, self._on_diagnostics)
        return self.nodes[0]

    def wait_for_detections(self) -> None:
        """Until the first image has gone all the way."""
        if not self.conductor.spin_until(lambda: bool(self.found), START_TIMEOUT):
            raise BenchFailed(f"nothing was detected: {self.conductor.seen.diagnosis}")

    def watch(self, seconds: float) -> Window:
        """Let it run and count."""
        self.spin(_WARM_UP_S)
        before, used = self._counts(), self._cpu()
        self.found.clear()
        began = time.monotonic()
        self.spin(seconds)
        passed = time.monotonic() - began
        latencies = [(at - stamp) / 1e6 for stamp, at in self.found.items()]
        cpu, memory = self._cpu() - used, sum(resident_mb(node.pid) for node in self.nodes)
        counts = {name: value - before[name] for name, value in self._counts().items()}
        return Window(passed, latencies, cpu, memory, counts)

    def _on_diagnostics(self, message: Any) -> None:
        for status in message.status:
            if status.name in (_OUTPUT, _IMAGE):
                self._values[status.name] = {pair.key: pair.value for pair in status.values}

    def _counts(self) -> dict[str, int]:
        """What the nodes have counted so far; the detector's come once a second."""
        output, image = self._values.get(_OUTPUT, {}), self._values.get(_IMAGE, {})
        status = self.heard.statuses[-1]
        return {
            "pairs_superseded": int(status.dropped_superseded),
            "fused": int(status.frames_published),
            "fused_received": int(image.get("received", 0)),
            "fused_superseded": int(output.get("dropped_superseded", 0)),
            "failed": int(output.get("dropped_failed", 0)) + int(output.get("dropped_invalid", 0)),
        }

    def _cpu(self) -> float:
        return sum(cpu_seconds(node.pid) for node in self.nodes)


def measure_detection(
    source: Source, rate: float, seconds: float, rounds: int, parameters: Mapping[str, Any], logs: Path
) -> dict[str, Any]:
    """Both arrangements in turn, ``rounds`` times, so that neither has the quieter machine.

    parameters: of the detector, ``model`` among them.
    """
    windows: dict[str, list[Window]] = {name: [] for name in ARRANGEMENTS}
    for round_ in range(rounds):
        for name in ARRANGEMENTS:
            with DetectionRig(logs / f"{name}{round_}", name, parameters) as rig:
                rig.start_camera(source, rate)
                rig.wait_for_detections()
                windows[name].append(rig.watch(seconds))
    result: dict[str, Any] = {name: _summary(windows[name]) for name in ARRANGEMENTS}
    saved = [
        result["apart"]["camera_to_detections_ms"][key] - result["composed"]["camera_to_detections_ms"][key]
        for key in ("p50", "p95")
    ]
    result["saved_by_composition_ms"] = {"p50": round(saved[0], 2), "p95": round(saved[1], 2)}
    return result


def _summary(windows: Sequence[Window]) -> dict[str, Any]:
    seconds = sum(window.seconds for window in windows)
    latencies = np.array([value for window in windows for value in window.latencies_ms])
    if not len(latencies):
        raise BenchFailed(f"nothing was detected in {seconds:.0f} s")
    counts = {name: sum(window.counts[name] for window in windows) for name in windows[0].counts}
    return {
        "seconds": round(seconds, 1),
        "detections_hz": round(len(latencies) / seconds, 2),
        "camera_to_detections_ms": p50_p95(latencies),
        "dropped": counts,
        "cpu_percent_of_a_core": round(100 * sum(w.cpu_seconds for w in windows) / seconds, 1),
        "resident_mb": round(max(window.resident_mb for window in windows), 1),
    }
