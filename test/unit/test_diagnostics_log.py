"""What the log says when a status changes its cause."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("diagnostic_msgs", reason="needs ROS 2")

from builtin_interfaces.msg import Time

from textdifuse_ros.nodes.diagnostics_publisher import DiagnosticsPublisher
from textdifuse_ros.nodes.health import ERROR, OK, Report


class Scripted(DiagnosticsPublisher):
    """Reports of one camera or of the output, one after the other."""

    def __init__(self, *reports: Report, name: str = "rgb") -> None:
        self._name = name
        self.said: list[str] = []
        logger = SimpleNamespace(
            warning=lambda text: self.said.append("W " + text),
            info=lambda text: self.said.append("I " + text),
        )
        clock = SimpleNamespace(now=lambda: SimpleNamespace(to_msg=Time))
        node: Any = SimpleNamespace(
            create_publisher=lambda *_: SimpleNamespace(publish=lambda _message: None),
            get_logger=lambda: logger,
            get_clock=lambda: clock,
            get_fully_qualified_name=lambda: "/textdifuse",
        )
        super().__init__(node)
        self._script = iter(reports)

    def reports(self, now: float) -> dict[str, tuple[str, Report]]:
        return {self._name: ("", next(self._script))}


NEVER = Report(ERROR, "no image yet", {}, "never")
UNFIT = Report(ERROR, "incompatible QoS", {}, "incompatible_qos")
WELL = Report(OK, "30.0 Hz")


def test_one_cause_in_the_place_of_another_is_not_said_to_be_well_again() -> None:
    diagnostics = Scripted(NEVER, UNFIT, UNFIT, WELL)
    for _ in range(4):
        diagnostics.publish()
    assert diagnostics.said == [
        "W rgb: no image yet", "W rgb: incompatible QoS", "I rgb is well again: 30.0 Hz",
    ]  # fmt: skip


def test_of_the_output_only_what_no_other_status_says_is_logged() -> None:
    slow = Report(ERROR, "the network takes 2.0 s an image", {}, "slow")
    repeated = Report(ERROR, "no image yet", {}, "silent")
    diagnostics = Scripted(repeated, slow, slow, WELL, repeated, WELL, name="output")
    for _ in range(6):
        diagnostics.publish()
    assert diagnostics.said == [
        "W output: the network takes 2.0 s an image", "I output is well again: 30.0 Hz",
    ]  # fmt: skip


def test_a_cause_that_gives_way_to_one_that_another_status_says_is_not_well_again() -> None:
    slow, repeated = Report(ERROR, "slow", {}, "slow"), Report(ERROR, "no image yet", {}, "silent")
    diagnostics = Scripted(slow, repeated, WELL, name="output")
    for _ in range(3):
        diagnostics.publish()
    assert diagnostics.said == ["W output: slow"]
