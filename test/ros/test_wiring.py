"""Remaps that are wrong although all topics are there: diagnostics name the topic, and the log does once."""

from __future__ import annotations

import pytest
from harness import Cameras, Rig
from pictures import at
from sensor_msgs.msg import Image
from waiting import keep_doing, until

pytestmark = pytest.mark.ros

WARN = 1


def test_both_cameras_on_one_topic(rig: Rig) -> None:
    diagnostics = rig.diagnostics()
    process = rig.start(None, "-r", "thermal/image_raw:=/rgb/image_raw")
    text = "/rgb/image_raw is the topic of the rgb camera as well: remap rgb/image_raw and thermal/image_raw"
    diagnostics.wait("thermal", text, level=WARN)
    until(lambda: text in process.output(), "the log")


def test_the_output_remapped_onto_an_input(rig: Rig) -> None:
    diagnostics = rig.diagnostics()
    process = rig.start(None, "-r", "fused/image_raw:=/rgb/image_raw")
    diagnostics.wait("rgb", "/rgb/image_raw is this node's own output: remap rgb/image_raw", level=WARN)
    until(lambda: "own output" in process.output(), "the log")


def test_somebody_else_who_publishes_the_fused_image(rig: Rig) -> None:
    diagnostics = rig.diagnostics()
    process = rig.start()
    cameras = Cameras(rig).ready()
    rig.publisher("/fused/image_raw", Image)
    text = "/fused/image_raw has 2 publishers (/probe, /textdifuse)"

    def told(array: object) -> bool:
        return any(s.level == b"\x01" and text in s.message for s in array.status)  # type: ignore[attr-defined]

    keep_doing(lambda i: cameras.pair(at(40 * i)), diagnostics.collector, told)
    until(lambda: f"output: {text}" in process.output(), "the log")
