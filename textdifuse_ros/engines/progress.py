"""A line every few seconds while something takes long."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

EVERY = 5.0  # seconds


@contextmanager
def reported(describe: Callable[[], str], say: Callable[[str], None]) -> Iterator[None]:
    """While the block runs `say` is given, from another thread, what `describe` answers then."""
    done = threading.Event()

    def report() -> None:
        while not done.wait(EVERY):
            say(describe())

    threading.Thread(target=report, name="progress", daemon=True).start()
    try:
        yield
    finally:
        done.set()
