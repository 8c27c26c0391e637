"""What the package's modules without ROS say (engines: progress of a build, what had to be done without)
goes into the node's log."""

from __future__ import annotations

import logging
from typing import Protocol

PACKAGE = "textdifuse_ros"


class NodeLog(Protocol):
    """As much of rclpy's logger as is used."""

    def info(self, message: str) -> object: ...

    def warning(self, message: str) -> object: ...


class _ToNode(logging.Handler):
    def __init__(self, log: NodeLog) -> None:
        super().__init__(logging.INFO)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        # Two calls on purpose: rclpy ties a severity to the line that logs.
        if record.levelno >= logging.WARNING:
            self._log.warning(record.getMessage())
        else:
            self._log.info(record.getMessage())


def forward(log: NodeLog) -> None:
    """From now on, and instead of any node before: a process has one node."""
    package = logging.getLogger(PACKAGE)
    for handler in [each for each in package.handlers if isinstance(each, _ToNode)]:
        package.removeHandler(handler)
    package.addHandler(_ToNode(log))
    package.setLevel(logging.INFO)
    package.propagate = False
