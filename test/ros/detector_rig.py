"""A detector node under test, with a camera in front of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from gate import Gate
from harness import RELIABLE, Rig
from node_process import NodeProcess
from pictures import image
from sensor_msgs.msg import Image
from tiny_models import SIDE
from vision_msgs.msg import Detection2DArray
from waiting import Collector, until

NODE = "/fused_detector"
MODULE = "textdifuse_ros.nodes.detector_node"
IMAGES = "/fused/image_raw"


def picture(seed: int = 0, width: int = 64, height: int = 48) -> np.ndarray:
    """Noise: the tiny models find something everywhere."""
    return np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)


class DetectorRig:
    """Starts detector nodes in a rig, sends them images and listens to what they find."""

    def __init__(self, rig: Rig) -> None:
        rig.target = NODE
        self.rig = rig
        self.found: Collector[Detection2DArray] = rig.listen("/fused/detections", Detection2DArray)

    def start(self, model: Path | str, gate: Gate | None = None, **parameters: Any) -> NodeProcess:
        """Parameters with dots as two underscores; images are taken reliably, so that none may be lost."""
        given = {
            "model": str(model),
            "device": "cpu",
            "image_size": SIDE,
            f"qos_overrides.{IMAGES}.subscription.reliability": "reliable",
        }
        given.update({name.replace("__", "."): value for name, value in parameters.items()})
        return self.rig.start(given, module=MODULE, gate=gate)

    def ready(self) -> DetectorRig:
        """Wait until both sides of every connection know each other."""
        self.rig.wait_subscribed(IMAGES, Image)
        diagnostics = self.rig.diagnostics()
        diagnostics.wait("image", publishers="1")
        diagnostics.wait("output", subscribers="1")
        return self

    def send(self, stamp: int, array: np.ndarray | None = None, encoding: str = "rgb8") -> None:
        array = picture(stamp % 97) if array is None else array
        message = image(array, encoding, stamp, "rgb_optical_frame")
        self.rig.publisher(IMAGES, Image, RELIABLE).publish(message)

    def detect(self, stamp: int, array: np.ndarray | None = None) -> Detection2DArray:
        """What is found in one image."""
        self.send(stamp, array)
        wanted = divmod(stamp, 1_000_000_000)
        return self.found.wait(lambda m: (m.header.stamp.sec, m.header.stamp.nanosec) == wanted)

    def annotated_subscribers(self, count: int) -> None:
        """Until the node has noticed that so many listen to the annotated image."""
        topic = "/fused/detections_image"
        until(lambda: self.rig.probe.count_subscribers(topic) == count, f"{count} subscribers of {topic}")


def classes_of(message: Detection2DArray) -> list[str]:
    return [one.results[0].hypothesis.class_id for one in message.detections]
