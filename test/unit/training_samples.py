"""Trainings that take a second: small random pairs, a tiny network, and the command for it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from textdifuse_ros.train.config import TrainConfig, teacher_model
from textdifuse_ros.train.data import DATA_SETS

TINY = {"widths": [8, 8, 8, 8], "embedding": 16}


def write_data(root: Path) -> None:
    """A folder of each data set with two small pairs and one box each."""
    rng = np.random.default_rng(4)
    for data_set in DATA_SETS:
        folder = root / data_set.name
        for part in ("vis", "ir", "boxes"):
            (folder / part).mkdir(parents=True)
        (folder / "classes.txt").write_text("person\ncar\n")
        for stem in ("a", "b"):
            visible = rng.integers(0, 255, (96, 96, 3), dtype=np.uint8)
            cv2.imwrite(str(folder / "vis" / f"{stem}.png"), visible)
            cv2.imwrite(str(folder / "ir" / f"{stem}.png"), rng.integers(0, 255, (96, 96), dtype=np.uint8))
            (folder / "boxes" / f"{stem}.txt").write_text("0 0.5 0.5 0.3 0.6\n")


def short(iterations: int, **changes: Any) -> TrainConfig:
    """A checkpoint after every second update; stage 1 ends after two. changes: other fields."""
    fields: dict[str, Any] = {
        "iterations": iterations, "batch": 2, "crop": 64, "detector_weight": 0.0, "device": "cpu",
        "checkpoint_every": 2, "stage_one": 2, "bank": 4,
        "model": teacher_model(widths=(8, 8, 8, 8), embedding=16), **changes,
    }  # fmt: skip
    return TrainConfig(**fields)


def short_file(path: Path, **changes: Any) -> Path:
    """The same as a file for --config."""
    fields = {
        "batch": 2, "crop": 64, "detector_weight": 0.0, "device": "cpu", "checkpoint_every": 2,
        "stage_one": 2, "bank": 4, "model": TINY, **changes,
    }  # fmt: skip
    path.write_text(json.dumps(fields))
    return path


def before_call(
    patch: pytest.MonkeyPatch, kind: type, name: str, count: int, action: Callable[[], None]
) -> None:
    """Do something before call number `count`, from 0, of a method."""
    original, calls = getattr(kind, name), itertools.count()

    def wrapped(self: Any, *arguments: Any) -> Any:
        if next(calls) == count:
            action()
        return original(self, *arguments)

    patch.setattr(kind, name, wrapped)


@contextmanager
def one_thread() -> Iterator[None]:
    """Arithmetic that repeats bit for bit."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def log_of(run: Path) -> list[dict[str, float]]:
    """The rows of log.jsonl."""
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def losses_of(run: Path) -> list[tuple[float, float]]:
    """(number of the update, loss) of every row."""
    return [(row["step"], row["loss"]) for row in log_of(run)]
