"""Fusion and detector in one process under test, with cameras in front of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from harness import Cameras, Rig
from node_process import NodeProcess
from pictures import stamp_of
from tiny_models import SIDE
from vision_msgs.msg import Detection2DArray
from waiting import DEADLINE, Collector, DiagnosticsView, until

MODULE = "textdifuse_ros.nodes.perception_node"
FUSION, DETECTOR = "/textdifuse", "/fused_detector"
_TWO_MODELS = 3 * DEADLINE  # one process imports and loads what takes two of them otherwise


class PerceptionRig:
    """Both nodes; what a test asks of a node it asks within `node(...)`."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.found: Collector[Detection2DArray] = rig.listen("/fused/detections", Detection2DArray)
        self.fusion = rig.diagnostics()
        self.detector = DiagnosticsView(rig.listen("/diagnostics", DiagnosticArray), DETECTOR)
        self.cameras = Cameras(rig)

    def start(self, model: Path, *arguments: str, **parameters: Any) -> NodeProcess:
        """parameters: of both nodes; arguments: as on a command line behind --ros-args."""
        own = {"model": f'"{model}"', "device": '"cpu"', "image_size": str(SIDE)}
        words = [word for name, value in own.items() for word in ("-p", f"fused_detector:{name}:={value}")]
        return self.rig.start({"device": "cpu", **parameters}, *words, *arguments, module=MODULE)

    def ready(self) -> PerceptionRig:
        """Until images flow from the cameras through both nodes to the listener."""
        count = self.rig.probe.count_subscribers
        until(lambda: count("/rgb/image_raw") > 0, "the fusion to become active", _TWO_MODELS)
        until(lambda: count("/textdifuse/prompt") > 0, "the detector to become active", _TWO_MODELS)
        self.cameras.ready()
        self.detector.wait("image", publishers="1")
        self.detector.wait("output", subscribers="1")
        return self

    def detect(self, stamp: int) -> Detection2DArray:
        """What is found in the fused image of one pair."""
        self.cameras.pair(stamp)
        return self.found.wait(lambda message: stamp_of(message) == stamp)

    @contextmanager
    def node(self, name: str) -> Iterator[Rig]:
        """The rig, with services that go to the node of that name."""
        before, self.rig.target = self.rig.target, name
        try:
            yield self.rig
        finally:
            self.rig.target = before


def contents(message: Detection2DArray) -> list[tuple[Any, ...]]:
    """Everything that was found, to be compared."""
    return [
        (
            one.results[0].hypothesis.class_id,
            one.results[0].hypothesis.score,
            one.bbox.center.position.x,
            one.bbox.center.position.y,
            one.bbox.size_x,
            one.bbox.size_y,
        )
        for one in message.detections
    ]
