"""A flag that signal handlers set and the main thread waits for."""

from __future__ import annotations

import contextlib
import os


class StopFlag:
    """Like threading.Event, without its lock: a handler runs in the middle of whatever the main thread does,
    another handler included, and would wait for ever for a lock that the interrupted code holds."""

    def __init__(self) -> None:
        self._flag = False
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)

    def set(self) -> None:
        self._flag = True
        with contextlib.suppress(BlockingIOError):  # full: whoever waits has been woken long ago
            os.write(self._write, b".")

    def is_set(self) -> bool:
        return self._flag

    def wait(self) -> None:
        """Until it is set."""
        while not self._flag:
            os.read(self._read, 1)
