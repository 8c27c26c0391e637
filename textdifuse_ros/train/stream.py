"""Batches for one update after the other, drawn in this process or ahead by others."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator

import cv2
from torch.utils.data import DataLoader, Dataset, Sampler

from textdifuse_ros.train.batches import Batch, Sets, draw
from textdifuse_ros.train.config import TrainConfig
from textdifuse_ros.train.seeds import EXAMPLES, generator

_AHEAD = 4  # batches that each process draws ahead


class _Examples(Dataset[Batch]):
    """The batch of an update, by the update's number."""

    def __init__(
        self, sets: Sets, config: TrainConfig, rank: int, single_share: Callable[[int], float]
    ) -> None:
        self._sets, self._config, self._rank, self._single_share = sets, config, rank, single_share

    def __getitem__(self, step: int) -> Batch:
        rng = generator(EXAMPLES, self._config.seed, self._rank, step)
        return draw(self._sets, self._config, rng, self._single_share(step))


class _Steps(Sampler[int]):
    """The updates from `first` on that need a batch."""

    def __init__(self, first: int, last: int, needs: Callable[[int], bool]) -> None:
        self._first, self._last, self._needs = first, last, needs

    def __iter__(self) -> Iterator[int]:
        return (step for step in range(self._first, self._last) if self._needs(step))


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
    if config.workers:
        # Before the fork: a child would wait for ever for threads that it did not inherit.
        cv2.setNumThreads(1)
    return iter(
        DataLoader(
            _Examples(sets, config, rank, single_share),
            batch_size=None,
            sampler=_Steps(first, config.iterations, needs),
            num_workers=config.workers,
            prefetch_factor=_AHEAD if config.workers else None,
            multiprocessing_context="fork" if config.workers else None,
            worker_init_fn=_quiet,
        )
    )


def _quiet(worker: int) -> None:
    """Signals to the group are the training process's to answer: it still needs examples."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
