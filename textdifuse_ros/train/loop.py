"""What both trainings share: from update to update, with checkpoints, log, pictures and progress."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable
from pathlib import Path

from safetensors import SafetensorError

from textdifuse_ros.model.network import FusionNetwork
from textdifuse_ros.train import distributed, files, samples
from textdifuse_ros.train.batches import Sets
from textdifuse_ros.train.config import TrainConfig
from textdifuse_ros.train.data import load_training
from textdifuse_ros.train.detector import FrozenDetector
from textdifuse_ros.train.errors import Interrupted, TrainingError
from textdifuse_ros.train.interrupts import Interrupts
from textdifuse_ros.train.journal import Journal
from textdifuse_ros.train.progress import Pace, Progress, duration, remaining, say
from textdifuse_ros.train.run import Run, Terms
from textdifuse_ros.train.samples import Samples

Lesson = Callable[[int], Callable[[FusionNetwork], Terms]]  # number of the update -> its loss


def make_detector(folder: Path | None, config: TrainConfig, run: Run) -> FrozenDetector | None:
    """The detector of the loss, None where its weight is 0. Raises TrainingError for a broken file."""
    if config.detector_weight <= 0:
        return None
    if folder is None:
        raise TrainingError(f"--models: a folder with {config.detector} is needed, or detector_weight 0")
    try:
        return FrozenDetector(folder / config.detector).to(run.device, run.dtype)
    except SafetensorError as error:
        raise TrainingError(f"{folder / config.detector}: is not a safetensors file ({error})") from error


def load_pairs(data: Path, run: Run) -> Sets:
    """The pairs that train; says which folders are not there."""
    sets = load_training(data, run.config.data_sets)
    absent = {each.name for each in run.config.data_sets} - {each.name for each, _ in sets}
    if absent and run.ranks.first:
        say(f"{data}: no pairs of {', '.join(sorted(absent))}; the others are drawn more often")
    return sets


def finished(run: Run, file: str) -> Path | None:
    """The weight file of a training that was finished before, said in a line; None where there is work."""
    if run.done() < 1:
        return None
    path = run.output / file
    if run.ranks.first:
        say(
            f"{run.output}: holds a finished training ({run.step} updates, {run.spent / 60:.1f} minutes); "
            "raise iterations or minutes to go on, or take another --output"
        )
        if not path.is_file():
            run.export(file)
    return path


class Loop:
    """Trains until the updates or the minutes run out, or a signal comes."""

    def __init__(self, run: Run, file: str, pictures: Samples | None, interrupts: Interrupts) -> None:
        """file: of the weights, in the folder of the run; pictures: of the first process, None for none."""
        self._run, self._file, self._pictures, self._interrupts = run, file, pictures, interrupts
        self._saved = run.step if run.step else -1
        self._failure: TrainingError | None = None

    def train(self, lesson: Lesson) -> Path:
        """Returns the exported weight file.

        Raises Interrupted after a signal, with everything saved; TrainingError when it cannot go on.
        """
        run, first = self._run, self._run.ranks.first
        if first:
            text = json.dumps(dataclasses.asdict(run.config), indent=2) + "\n"
            files.write(run.output / "config.json", text.encode())
        with (
            self._interrupts.postponed(),
            Journal(run.output, run.step, first) as journal,
            Progress(first) as progress,
        ):
            verdict = self._updates(lesson, journal, progress)
            if verdict == distributed.FAILED:
                raise self._failure or TrainingError("ended, because process 0 could not go on")
            if first and self._saved != run.step:
                self._save(journal)
            elif first:
                # For the clock alone: a training that it ended must know that it is done.
                run.save(self._file)
        if verdict == distributed.INTERRUPTED:
            line = f"interrupted after update {run.step} and saved; the same command goes on from there"
            raise Interrupted(line if first else "")
        return run.output / self._file

    def _updates(self, lesson: Lesson, journal: Journal, progress: Progress) -> int:
        """Returns what ended them, one of the verdicts in distributed.py."""
        run, pace = self._run, Pace()
        began = time.monotonic() - run.spent
        while True:
            run.spent, verdict = run.ranks.agree(time.monotonic() - began, self._verdict())
            if verdict != distributed.GO_ON or run.done() >= 1:
                return verdict
            rate_of_it = run.learning_rate()
            terms = run.update(lesson(run.step))
            pace.tick()
            extra = {"learning_rate": rate_of_it, "updates_per_second": round(pace.rate, 4)}
            self._keep(journal, {**terms, **extra})
            left = duration(remaining(run.config, run.step, run.spent, pace.rate))
            text = f"update {run.step}/{run.config.iterations}, {pace.rate:.2f}/s, {left} left"
            progress.show(run.done(), f"{text}, loss {terms['loss']:.3f}")

    def _verdict(self) -> int:
        if self._failure is not None:
            return distributed.FAILED
        return distributed.INTERRUPTED if self._interrupts.asked else distributed.GO_ON

    def _keep(self, journal: Journal, values: dict[str, float]) -> None:
        """Log and, if it is time, save; what fails is remembered, so that all processes end together."""
        run = self._run
        if not run.ranks.first:
            return
        try:
            journal.row(run.step, run.spent / 60, values)
            if run.step % run.config.checkpoint_every == 0:
                self._save(journal)
        except TrainingError as error:
            self._failure = error

    def _save(self, journal: Journal) -> None:
        run = self._run
        run.save(self._file)
        self._saved = run.step
        if self._pictures is not None:
            picture = self._pictures.picture(run.averaged())
            samples.save(run.output / "samples" / f"{run.step:06d}.png", picture)
            journal.picture(run.step, picture)
