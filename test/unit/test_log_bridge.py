"""What the engines log becomes lines of the node's log."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from textdifuse_ros.nodes.log_bridge import PACKAGE, forward


class NodeLog:
    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def info(self, message: str) -> None:
        self.lines.append(("info", message))

    def warning(self, message: str) -> None:
        self.lines.append(("warning", message))


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    package = logging.getLogger(PACKAGE)
    before = package.level, package.propagate, list(package.handlers)
    yield
    package.setLevel(before[0])
    package.propagate, package.handlers = before[1], before[2]


def test_progress_and_warnings_reach_the_node_with_their_severity_and_once() -> None:
    first, second = NodeLog(), NodeLog()
    forward(first)
    forward(second)  # a new node in the process takes the place of the old one
    engines = logging.getLogger("textdifuse_ros.engines.background")
    engines.info("%s is being built for %d s", "tensorrt", 5)
    engines.warning("eager goes on")
    engines.debug("detail")
    assert second.lines == [("info", "tensorrt is being built for 5 s"), ("warning", "eager goes on")]
    assert first.lines == []
