"""What a training leaves to look at: log.jsonl, and the same with pictures for TensorBoard."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from textdifuse_ros.train import files
from textdifuse_ros.train.board import Board
from textdifuse_ros.train.errors import TrainingError

FIRST, EVERY = 20, 20  # the first updates are all logged, then every twentieth


class Journal:
    """Rows from update `step` on, in a folder; silent where `active` is false (processes beside the first).

    Raises TrainingError where the folder cannot be written.
    """

    def __init__(self, output: Path, step: int, active: bool = True) -> None:
        self._path = output / "log.jsonl"
        self._board: Board | None = None
        if active:
            self._cut(step)
            self._board = Board(output / "tensorboard", step)

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *error: object) -> None:
        if self._board is not None:
            self._board.close(quiet=error[0] is not None)

    def row(self, step: int, minutes: float, values: dict[str, float]) -> None:
        """The scalars of update number `step`, counted from 1, if it is one that is logged."""
        if self._board is None or (step > FIRST and step % EVERY != 1):
            return
        line = json.dumps({"step": step, "minutes": round(minutes, 2), **values})
        try:
            with self._path.open("a") as file:
                file.write(line + "\n")
        except OSError as error:
            raise TrainingError(
                f"{self._path}: cannot be written ({error.strerror or error}); "
                "mend that and give the same command again"
            ) from error
        self._board.scalars(step, values)

    def picture(self, step: int, image: NDArray[np.uint8]) -> None:
        """An RGB picture (H, W, 3) of the state after update `step`, for TensorBoard."""
        if self._board is not None:
            self._board.picture(step, image)

    def _cut(self, step: int) -> None:
        """Drop what an earlier start logged after its last checkpoint: those updates come again."""
        lines = self._path.read_text().splitlines() if self._path.is_file() else []
        kept = [line for line in lines if _step_of(line) <= step]
        files.write(self._path, "".join(line + "\n" for line in kept).encode())


def _step_of(line: str) -> float:
    """Infinity for a line that a crash left half-written."""
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return float("inf")
