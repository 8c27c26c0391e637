"""Between a subscription and a worker: the newest item, never a queue. No ROS import."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class Latest(Generic[T]):
    """Holds one item; a newer one takes its place, which is counted in ``superseded``. Nobody waits for the
    other's work: all that happens under the lock is an assignment."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._item: T | None = None
        self._closed = False
        self.superseded = 0

    def put(self, item: T) -> None:
        with self._condition:
            if self._item is not None:
                self.superseded += 1
            self._item = item
            self._condition.notify()

    def take(self) -> T | None:
        """Wait for an item; None once it is closed."""
        with self._condition:
            while self._item is None and not self._closed:
                self._condition.wait()
            item, self._item = self._item, None
            return None if self._closed else item

    def close(self) -> None:
        """Wake the taker for the last time."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()
