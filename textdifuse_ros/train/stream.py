"""Batches for one update after the other, drawn in this process or ahead by others."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from typing import TypeVar

import cv2
from torch.utils.data import DataLoader, Dataset, Sampler

from textdifuse_ros.train.batches import Batch, Sets, draw
from textdifuse_ros.train.config import TrainConfig
from textdifuse_ros.train.seeds import EXAMPLES, generator

T = TypeVar("T")
_AHEAD = 4  # batches that each process draws ahead


class _Drawn(Dataset[T]):
    """What an update needs, by the update's number."""

    def __init__(self, draw: Callable[[int], T]) -> None:
        self._draw = draw

    def __getitem__(self, step: int) -> T:
        return self._draw(step)


class _Steps(Sampler[int]):
    """The updates that need a batch."""

    def __init__(self, steps: range, needs: Callable[[int], bool]) -> None:
        self._steps, self._needs = steps, needs

    def __iter__(self) -> Iterator[int]:
        return filter(self._needs, self._steps)


def stream(
    sets: Sets,
    config: TrainConfig,
    rank: int,
    first: int,
    single_share: Callable[[int], float],
    needs: Callable[[int], bool] = lambda step: True,
) -> Iterator[Batch]:
    """The batches of the updates from number `first` on, in order, of those that `needs` says draw one.

    They are the same for any number of `config.workers`. rank: of this process, whose examples are its own.
    """

    def of_update(step: int) -> Batch:
        rng = generator(EXAMPLES, config.seed, rank, step)
        return draw(sets, config, rng, single_share(step))

    return ahead(of_update, range(first, config.iterations), config.workers, needs)


def ahead(
    draw_one: Callable[[int], T],
    steps: range,
    workers: int,
    needs: Callable[[int], bool] = lambda step: True,
) -> Iterator[T]:
    """What `draw_one` gives for each of the updates that need it, in order, drawn by `workers` processes
    beside this one, or by this one for 0.
    """
    if workers:
        # Before the fork: a child would wait for ever for threads that it did not inherit.
        cv2.setNumThreads(1)
    return iter(
        DataLoader(
            _Drawn(draw_one),
            batch_size=None,
            sampler=_Steps(steps, needs),
            num_workers=workers,
            prefetch_factor=_AHEAD if workers else None,
            multiprocessing_context="fork" if workers else None,
            worker_init_fn=_quiet,
        )
    )


def _quiet(worker: int) -> None:
    """Signals to the group are the training process's to answer: it still needs examples. Its own is not
    ignored, or a training that fails would wait for ever for who draws for it."""
    os.setpgrp()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
