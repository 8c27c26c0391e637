"""Publishes a node's reports on /diagnostics, and logs each cause when it appears and when it is over."""

from __future__ import annotations

import time
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue

from textdifuse_ros.nodes.health import OWN, Report
from textdifuse_ros.nodes.meters import CauseLog


class DiagnosticsPublisher:
    """A node's own class answers ``reports``. Status names are ``<node>: <name>``."""

    def __init__(self, node: Any) -> None:
        self._of = node
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", 10)
        logger = node.get_logger()
        self._log = CauseLog(logger.warning, logger.info)
        self._causes: dict[str, str] = {}

    def reports(self, now: float) -> dict[str, tuple[str, Report]]:
        """Hardware id and report by short name; "output" comes last and repeats what the others say, but for
        the causes `health.OWN`."""
        raise NotImplementedError

    def publish(self) -> None:
        """Publish the present state; called by a timer of a steady clock."""
        now = time.monotonic()
        message = DiagnosticArray()
        message.header.stamp = self._of.get_clock().now().to_msg()
        for name, (hardware, report) in self.reports(now).items():
            message.status.append(self._status(name, hardware, report))
            self._speak(name, report, now)
        self._publisher.publish(message)

    def event(self, cause: str, message: str) -> None:
        """Something that happened between two periods, logged once while it keeps happening."""
        self._log.raised(cause, message, time.monotonic())

    def _status(self, name: str, hardware: str, report: Report) -> DiagnosticStatus:
        return DiagnosticStatus(
            level=bytes([report.level]),
            name=f"{self._of.get_fully_qualified_name()}: {name}",
            message=report.message,
            hardware_id=hardware,
            values=[KeyValue(key=key, value=value) for key, value in report.values.items()],
        )

    def _speak(self, name: str, report: Report, now: float) -> None:
        """Log the cause of a status when it changes; of output, what no other status has said."""
        before = self._causes.get(name, "")
        spoken = bool(report.cause) and (name != "output" or report.cause in OWN)
        cause = f"{name}/{report.cause}" if spoken else ""
        if before and before != cause:
            well = f"{name} is well again: {report.message}" if not report.cause else ""
            self._log.cleared(before, well, now)
        if cause:
            self._log.raised(cause, f"{name}: {report.message}", now)
        self._causes[name] = cause
