"""Parameters that nobody reads are named: unknown names, and files that are for another node."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from textdifuse_ros.nodes.overrides import (
    QosWatch,
    idle_overrides,
    parameter_files,
    unheard_reason,
    unknown_reason,
)


def test_an_unknown_name_leads_to_the_nearest_parameter() -> None:
    declared = ["prompt", "steps", "thermal.range_mode"]
    assert unknown_reason("thermal.range_mod", declared).endswith("did you mean thermal.range_mode?")
    assert unknown_reason("stpes", declared).endswith("did you mean steps?")
    assert "did you mean" not in unknown_reason("frobnicate", declared)


def test_the_parameter_files_of_a_command_line() -> None:
    line = ["node", "--ros-args", "--params-file", "a.yaml", "-p", "steps:=2", "--params-file", "b.yaml"]
    assert parameter_files(line) == ["a.yaml", "b.yaml"]
    assert parameter_files(["node", "--ros-args", "--params-file"]) == []


BODY = "{ros__parameters: {steps: 2}}"


@pytest.mark.parametrize(
    "text",
    [
        f"/**: {BODY}",
        f"textdifuse: {BODY}",  # relative names are taken from the root
        f"'*': {BODY}",
        f"front: {{textdifuse: {BODY}}}",
        f"/front/textdifuse: {BODY}",
        f"/front/*: {BODY}",
        f"/**/textdifuse: {BODY}",
        f"/fro*/textdifuse: {BODY}",
        f"other: {BODY}\n/**: {BODY}",
        "",
        "not a mapping",
    ],
)
def test_a_file_for_this_node_is_not_complained_about(tmp_path: Path, text: str) -> None:
    file = tmp_path / "node.yaml"
    file.write_text(text)
    node = "/front/textdifuse" if "fro" in text else "/textdifuse"
    assert unheard_reason(str(file), node) == ""


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (f"fusion_node: {BODY}", "/fusion_node"),
        (f"/front/textdifuse: {BODY}", "/front/textdifuse"),
        (f"/*/textdifuse: {BODY}", "/*/textdifuse"),
        (f"rig: {{fusion: {BODY}}}", "/rig/fusion"),
    ],
)
def test_a_file_for_another_node_is_named_with_what_to_write(tmp_path: Path, text: str, named: str) -> None:
    file = tmp_path / "node.yaml"
    file.write_text(text)
    reason = unheard_reason(str(file), "/textdifuse")
    assert (
        reason == f"it is for {named}, and this node is /textdifuse; begin it with /textdifuse: or with /**:"
    )


def test_a_file_that_cannot_be_read_is_left_to_rcl(tmp_path: Path) -> None:
    assert unheard_reason(str(tmp_path / "nowhere.yaml"), "/textdifuse") == ""


RGB = "qos_overrides./rgb/image_raw.subscription.reliability"


def test_an_override_of_qos_that_no_topic_took_is_found() -> None:
    given = {
        RGB: "reliable",
        "steps": 2,
        "qos_overrides./rgb/image_raw/compressed.subscription.reliability": "reliable",  # of the same camera
        "qos_overrides./rgb/image_raw.subscriber.reliability": "reliable",
        "qos_overrides./rbg/image_raw.subscription.reliability": "reliable",
        "qos_overrides./rgb/image_raw.subscription.relibility": "reliable",
    }
    idle = idle_overrides(given, [RGB])
    assert len(idle) == 3 and all(("rbg" in n) or ("subscriber" in n) or ("relib" in n) for n in idle)


class Logger:
    def __init__(self) -> None:
        self.said: list[str] = []

    def warning(self, text: str) -> None:
        self.said.append(text)


def node(given: list[str], declared: list[str]) -> Any:
    logger = Logger()
    return SimpleNamespace(
        _parameter_overrides=dict.fromkeys(given),
        _parameters=dict.fromkeys(declared),
        get_logger=lambda: logger,
        said=logger.said,
    )


def test_overrides_of_qos_are_judged_once_when_every_node_has_been_active() -> None:
    typo = RGB.replace("rgb", "rbg")
    fusion, detector = node([typo], [RGB]), node([RGB], [])  # what one of them takes is not complained of
    watch = QosWatch([fusion, detector])
    watch.activated(fusion)
    watch.activated(fusion)
    assert fusion.said == detector.said == []
    watch.activated(detector)
    (line,) = fusion.said
    assert line.startswith(f"parameter {typo} is ignored") and line.endswith(f"did you mean {RGB}?")
    assert detector.said == []
    watch.activated(fusion)
    assert len(fusion.said) == 1
