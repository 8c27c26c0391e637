"""Parameters that nobody reads are named: unknown names, and files that are for another node."""

from __future__ import annotations

from pathlib import Path

import pytest

from textdifuse_ros.nodes.overrides import parameter_files, unheard_reason, unknown_reason


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
