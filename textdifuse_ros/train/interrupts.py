"""SIGINT and SIGTERM: at once while nothing would be lost, after a checkpoint while training."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
# torchrun passes on a signal that everybody may have had from the terminal: one, within this time (s).
_ONE_WISH = 2.0


class Interrupts:
    """A context in which both signals raise KeyboardInterrupt, or are `asked` inside `postponed()`.

    A second signal later on is meant: it raises KeyboardInterrupt even there.
    """

    def __init__(self) -> None:
        self._asked_at: float | None = None
        self._postponed = False
        self._before: dict[signal.Signals, Any] = {}

    @property
    def asked(self) -> bool:
        """Whether a signal came while they were postponed."""
        return self._asked_at is not None

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            self._before = {each: signal.signal(each, self._handle) for each in _SIGNALS}
        return self

    def __exit__(self, *error: object) -> None:
        for each, handler in self._before.items():
            signal.signal(each, handler)

    @contextmanager
    def postponed(self) -> Iterator[None]:
        self._postponed = True
        try:
            yield
        finally:
            self._postponed = False

    def _handle(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if not self._postponed or (self._asked_at is not None and now - self._asked_at > _ONE_WISH):
            raise KeyboardInterrupt
        if self._asked_at is None:
            self._asked_at = now
