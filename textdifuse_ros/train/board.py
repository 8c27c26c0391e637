"""TensorBoard logs, which a training can do without: not installed or not writable is a line, not an end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textdifuse_ros.train.progress import say


class Board:
    """Logs into a folder from update `step` on; what an earlier start logged beyond it is purged."""

    def __init__(self, folder: Path, step: int) -> None:
        self._writer: Any = None
        self._hook = threading.excepthook
        try:
            from torch.utils.tensorboard import SummaryWriter

            threading.excepthook = self._without_its_own
            self._writer = SummaryWriter(str(folder), purge_step=step + 1)
        except ImportError:
            say("no TensorBoard logs: the package tensorboard is not installed; log.jsonl has the numbers")
        except OSError as error:
            say(f"no TensorBoard logs: {folder} cannot be written ({error.strerror or error})")

    def scalars(self, step: int, values: dict[str, float]) -> None:
        """By name; all but the speeds, and what has a group of its own, are terms of the loss."""
        for name, value in values.items():
            group = "" if "/" in name or name in ("learning_rate", "updates_per_second") else "loss/"
            self._try(lambda tag=group + name, number=value: self._writer.add_scalar(tag, number, step))  # type: ignore[misc]

    def picture(self, step: int, image: NDArray[np.uint8]) -> None:
        """An RGB picture (H, W, 3)."""
        self._try(lambda: self._writer.add_image("samples", image, step, dataformats="HWC"))
        self._try(lambda: self._writer.flush())

    def close(self, quiet: bool) -> None:
        """quiet: says nothing of what cannot be written any more."""
        self._try(lambda: self._writer.close(), quiet)
        threading.excepthook = self._hook

    def _try(self, action: Callable[[], object], quiet: bool = False) -> None:
        if self._writer is None:
            return
        try:
            action()
        except OSError as error:
            self._writer = None
            if not quiet:
                say(f"no more TensorBoard logs: they cannot be written ({error.strerror or error})")

    def _without_its_own(self, args: threading.ExceptHookArgs) -> None:
        """Without the traceback of the writer's thread: the next call raises its error again."""
        if not type(args.thread).__module__.startswith("tensorboard"):
            self._hook(args)
