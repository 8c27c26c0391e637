"""A flag that signal handlers set and the main thread waits for."""

from __future__ import annotations

import contextlib
import os
import signal


class StopFlag:
    """Like threading.Event, without its lock: a handler runs in the middle of whatever the main thread does,
    another handler included, and would wait for ever for a lock that the interrupted code holds."""

    def __init__(self) -> None:
        self._flag = False
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)

    def wake_on_signals(self) -> None:
        """Have every signal that Python handles end `wait` for a moment, so that its handler runs.

        The kernel may deliver a signal to any thread, and of two that come together it gives both to the same
        one: then nothing interrupts the main thread, and only there Python runs handlers.
        """
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)

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
