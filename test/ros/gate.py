"""Holds a node's model in its loading for as long as a test wants to look at it."""

from __future__ import annotations

import os
from pathlib import Path

from waiting import until


class Gate:
    """The node's import of torch, with which loading a model begins, waits until `open`.

    How long loading takes depends on the machine: a test that only hopes to see it fails on a fast one.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        os.mkfifo(path)

    def environment(self, python_path: str) -> dict[str, str]:
        """What the node's process needs, where its modules are looked for in `python_path`."""
        held = str(Path(__file__).parent / "held")
        return {
            "TEXTDIFUSE_TEST_GATE": str(self._path),
            "PYTHONPATH": os.pathsep.join(filter(None, (held, python_path))),
        }

    def open(self) -> None:
        """Let the node go on, once it is there."""
        until(self._opened, "the node to import torch")

    def _opened(self) -> bool:
        try:
            os.close(os.open(self._path, os.O_WRONLY | os.O_NONBLOCK))
        except OSError:  # nobody waits yet
            return False
        return True
