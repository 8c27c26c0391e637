"""A command that waits for an engine says every few seconds what it is waiting for."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from textdifuse_ros.engines.progress import reported

if TYPE_CHECKING:
    from textdifuse_ros.fuser import Fuser


@contextmanager
def said_while_building(engine: object, name: str) -> Iterator[None]:
    """Lines on stderr while the block prepares an engine: the results have stdout."""
    began = time.monotonic()

    def line() -> str:
        doing = getattr(engine, "progress", "") or "recording"
        return f"engine {name}, {time.monotonic() - began:.0f} s: {doing}"

    with reported(line, lambda said: print(said, file=sys.stderr, flush=True)):
        yield


def build(fuser: Fuser, height: int, width: int, steps: int) -> None:
    """What the first frame of a size would wait for. Raises EngineError."""
    with said_while_building(fuser, fuser.engine):
        fuser.prepare(height, width, steps)
