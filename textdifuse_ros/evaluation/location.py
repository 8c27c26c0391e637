"""How well a localiser finds what phrases name, and how well it tells what it knows (no torch)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textdifuse_ros.text.localiser import Floats

KNOWN_PHRASES = Path(__file__).with_name("phrases_known.txt")
UNRELATED_PHRASES = Path(__file__).with_name("phrases_unrelated.txt")
_BINS = 256
HALF = 0.5  # relevance from which a pixel counts as found
Mask = NDArray[np.bool_]


@dataclass
class Overlap:
    """Pixels of many frames together, by how relevant they were found and whether the thing is there."""

    there: NDArray[Any] = field(default_factory=lambda: np.zeros(_BINS, np.int64))
    absent: NDArray[Any] = field(default_factory=lambda: np.zeros(_BINS, np.int64))

    def add(self, relevance: Floats, there: Mask, known: Mask) -> None:
        """relevance (H, W) in [0, 1]; pixels outside `known` do not count."""
        bins = np.minimum((relevance * _BINS).astype(np.int64), _BINS - 1).clip(0)
        self.there += np.bincount(bins[there & known], minlength=_BINS)
        self.absent += np.bincount(bins[~there & known], minlength=_BINS)

    @property
    def iou(self) -> float:
        """Intersection over union of what is there and what has a relevance of at least a half."""
        begin = round(HALF * _BINS)
        common = int(self.there[begin:].sum())
        union = int(self.there.sum() + self.absent[begin:].sum())
        return common / union if union else float("nan")

    @property
    def average_precision(self) -> float:
        """Area under precision over recall, pixel by pixel, the most relevant first."""
        found, wrong = np.cumsum(self.there[::-1]), np.cumsum(self.absent[::-1])
        if not found[-1]:
            return float("nan")
        precision = found / np.maximum(found + wrong, 1)
        return float((precision * np.diff(found, prepend=0)).sum() / found[-1])


@dataclass(frozen=True)
class Robustness:
    """Shares of the held-out phrases: right (accepted, the concept expected) and refused, and those wrong."""

    right: float
    refused: float
    wrong: tuple[str, ...]
    accepted: tuple[str, ...]


def read_known(path: Path = KNOWN_PHRASES) -> dict[str, frozenset[str]]:
    """Phrases with the concepts that they name."""
    rows = (line.split("=>") for line in _lines(path))
    return {phrase.strip(): frozenset(concepts.split()) for phrase, concepts in rows}


def read_unrelated(path: Path = UNRELATED_PHRASES) -> tuple[str, ...]:
    return _lines(path)


def robustness(strongest: Callable[[str], str]) -> Robustness:
    """strongest: the concept that a phrase names above all, "" for a phrase that is refused."""
    known, unrelated = read_known(), read_unrelated()
    wrong = tuple(phrase for phrase, concepts in known.items() if strongest(phrase) not in concepts)
    accepted = tuple(phrase for phrase in unrelated if strongest(phrase))
    return Robustness(1 - len(wrong) / len(known), 1 - len(accepted) / len(unrelated), wrong, accepted)


def durations(action: Callable[[str], object], inputs: Iterable[str]) -> Floats:
    """Milliseconds that each call takes: float32 (N,)."""
    taken = []
    for each in inputs:
        began = time.perf_counter()
        action(each)
        taken.append((time.perf_counter() - began) * 1e3)
    return np.asarray(taken, np.float32)


def _lines(path: Path) -> tuple[str, ...]:
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))
