"""Waiting for events, with generous deadlines: a slow machine makes a test slower, never wrong."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus

DEADLINE = 30.0

M = TypeVar("M")


class Collector(Generic[M]):
    """All messages of one topic, in order of arrival, with waiting for a condition on them."""

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.messages: list[M] = []
        self._changed = threading.Condition()

    def add(self, message: M) -> None:
        with self._changed:
            self.messages.append(message)
            self._changed.notify_all()

    def wait(self, wanted: Callable[[M], bool], since: int = 0, timeout: float = DEADLINE) -> M:
        """The first message from index ``since`` on that is wanted; fails after the deadline."""
        end = time.monotonic() + timeout
        with self._changed:
            seen = since
            while True:
                for message in self.messages[seen:]:
                    if wanted(message):
                        return message
                seen = max(seen, len(self.messages))
                left = end - time.monotonic()
                if left <= 0:
                    raise AssertionError(
                        f"{self.topic}: no such message in {timeout:.0f} s; got {len(self.messages)}, "
                        f"the last: {str(self.messages[-1])[:2000] if self.messages else 'none'}"
                    )
                self._changed.wait(left)

    def wait_count(self, count: int, timeout: float = DEADLINE) -> list[M]:
        end = time.monotonic() + timeout
        with self._changed:
            while len(self.messages) < count:
                left = end - time.monotonic()
                assert left > 0, f"{self.topic}: {len(self.messages)} messages, {count} wanted"
                self._changed.wait(left)
            return list(self.messages)

    def mark(self) -> int:
        """Index of the next message."""
        with self._changed:
            return len(self.messages)


class DiagnosticsView:
    """The node's statuses by their short names."""

    def __init__(self, collector: Collector[DiagnosticArray], node: str) -> None:
        self.collector, self.node = collector, node

    def wait(
        self, name: str, contains: str = "", level: int | None = None, since: int | None = None, **values: str
    ) -> DiagnosticStatus:
        """The first status of that name, from now on, that holds the text, the level and the values."""
        since = self.collector.mark() if since is None else since
        full = f"{self.node}: {name}"

        def pick(array: DiagnosticArray) -> DiagnosticStatus | None:
            for status in array.status:
                held = {pair.key: pair.value for pair in status.values}
                if status.name == full and contains in status.message:
                    right_level = level is None or status.level == bytes([level])
                    if right_level and all(held.get(key) == value for key, value in values.items()):
                        return status
            return None

        found = pick(self.collector.wait(lambda array: pick(array) is not None, since))
        assert found is not None
        return found


def values_of(status: DiagnosticStatus) -> dict[str, str]:
    return {pair.key: pair.value for pair in status.values}


def keep_doing(action: Callable[[int], object], collector: Collector[M], wanted: Callable[[M], bool]) -> M:
    """Repeat ``action(i)`` (a camera that goes on sending) until a wanted message arrives; returns it."""
    since = collector.mark()
    for index in range(int(DEADLINE / 0.03)):
        action(index)
        with contextlib.suppress(AssertionError):
            return collector.wait(wanted, since, timeout=0.03)
    return collector.wait(wanted, since, timeout=0.1)


def until(condition: Callable[[], bool], what: str, timeout: float = DEADLINE) -> None:
    """Wait for something that has no event of its own (the graph, a process)."""
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, f"waited {timeout:.0f} s for {what}"
        time.sleep(0.01)
