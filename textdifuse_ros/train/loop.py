"""What both trainings share: device, progress, log, checkpoints."""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from textdifuse_ros.train.batches import Batch
from textdifuse_ros.train.config import TrainConfig
from textdifuse_ros.train.detector import FrozenDetector
from textdifuse_ros.train.run import Run

LOG_EVERY = 20


def pick_device(config: TrainConfig) -> torch.device:
    name = ("cuda" if torch.cuda.is_available() else "cpu") if config.device == "auto" else config.device
    return torch.device(name)


def make_detector(folder: Path, config: TrainConfig, device: torch.device) -> FrozenDetector | None:
    if config.detector_weight <= 0:
        return None
    return FrozenDetector(folder / config.detector).to(device)


def to_device(batch: Batch, device: torch.device) -> Batch:
    moved = (value.to(device) if isinstance(value, Tensor) else value for value in vars(batch).values())
    return Batch(*moved)  # type: ignore[arg-type]


class Loop:
    """Counts, logs and saves a run until it is done."""

    def __init__(self, run: Run, file: str) -> None:
        self._run, self._file = run, file
        run.output.mkdir(parents=True, exist_ok=True)
        (run.output / "config.json").write_text(json.dumps(dataclasses.asdict(run.config), indent=2))
        self._began = time.monotonic() - run.spent
        self._log = (run.output / "log.jsonl").open("a")
        self._progress = tqdm(total=run.config.iterations, initial=run.step)

    def goes_on(self) -> bool:
        if self._run.done() < 1:
            return True
        self._progress.close()
        self._log.close()
        return False

    def note(self, terms: dict[str, float]) -> None:
        """After each update."""
        run = self._run
        run.spent = time.monotonic() - self._began
        self._progress.update()
        if run.step % LOG_EVERY == 1:
            row = {"step": run.step, "minutes": round(run.spent / 60, 2), **terms}
            self._log.write(json.dumps(row) + "\n")
            self._log.flush()
            self._progress.set_postfix(loss=f"{terms['loss']:.3f}")
        if run.step % run.config.checkpoint_every == 0:
            run.save(self._file)
