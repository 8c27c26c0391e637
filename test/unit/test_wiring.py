"""Remaps that cannot be meant, and what is said of them."""

from __future__ import annotations

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2")

from textdifuse_ros.nodes import health
from textdifuse_ros.nodes.loss import CAMERAS, RGB, THERMAL, Loss
from textdifuse_ros.nodes.wiring import shared_output, wrong_input

OWN = ("/fused/image_raw", "/fused/salience")


def test_cameras_of_their_own_topics_are_right() -> None:
    topics = {RGB: "/rgb/image_raw", THERMAL: "/thermal/image_raw"}
    assert [wrong_input(camera, topics, OWN) for camera in CAMERAS] == ["", ""]


@pytest.mark.parametrize("suffix", ["", "/compressed"])
def test_one_topic_for_both_cameras_is_said_once(suffix: str) -> None:
    topics = {RGB: "/camera/image_raw", THERMAL: "/camera/image_raw" + suffix}
    assert wrong_input(RGB, topics, OWN) == ""
    text = wrong_input(THERMAL, topics, OWN)
    assert "/camera/image_raw" in text and "the topic of the rgb camera as well: remap" in text


@pytest.mark.parametrize("topic", OWN)
@pytest.mark.parametrize("camera", CAMERAS)
def test_an_input_that_is_the_output_is_named(camera: str, topic: str) -> None:
    topics = {RGB: "/rgb/image_raw", THERMAL: "/thermal/image_raw", camera: topic}
    text = wrong_input(camera, topics, OWN)
    assert text.startswith(f"{topic} is this node's own output: remap {camera}/image_raw")


@pytest.mark.parametrize("loss", [None, Loss("silent", 2.0), Loss("unusable", 2.0, "its stamp stands still")])
def test_the_wrong_remap_is_said_and_not_what_it_leads_to(loss: Loss | None) -> None:
    facts = health.CameraFacts(RGB, "/t", True, 30.0, 9, loss, frame_id="rgb", wiring="remap it")
    report = health.camera_report(facts)
    assert (report.level, report.message, report.cause) == (health.WARN, "remap it", "wiring")


def test_an_output_that_others_publish_as_well_is_named_with_them() -> None:
    assert shared_output("/f", []) == shared_output("/f", ["/textdifuse"]) == ""
    text = shared_output("/f", ["/textdifuse", "/bag"])
    assert text.startswith("/f has 2 publishers (/bag, /textdifuse)") and "namespace" in text
    facts = health.OutputFacts("/f", True, published=9, shared=text)
    camera = health.CameraFacts(RGB, "/r", True)
    report = health.output_report(facts, (camera, camera), ())
    assert (report.level, report.cause, report.message) == (health.WARN, "shared", text)
    assert report.cause in health.OWN  # nobody else says it to the log
