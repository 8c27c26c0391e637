"""COCO average precision: 101 recall points, IoU .50 or the mean over .50:.05:.95 (pure functions)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
THRESHOLDS = tuple(round(0.5 + 0.05 * i, 2) for i in range(10))


@dataclass(frozen=True)
class Judged:
    """One class on one image: scores (K,) falling, boxes (K, 4) and truth (M, 4), corners in pixels."""

    scores: NDArray[np.floating]
    boxes: NDArray[np.floating]
    truth: NDArray[np.floating]


def overlaps(boxes: NDArray[np.floating], truth: NDArray[np.floating]) -> Floats:
    """Intersection over union, (K, M)."""
    low = np.maximum(boxes[:, None, :2], truth[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], truth[None, :, 2:])
    common = np.clip(high - low, 0, None).prod(axis=2)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)[:, None] + (truth[:, 2:] - truth[:, :2]).prod(axis=1)
    return np.asarray(common / np.maximum(areas - common, 1e-9), np.float64)


def average_precision(images: list[Judged], threshold: float) -> float:
    """NaN where no image holds an object of the class."""
    total = sum(len(image.truth) for image in images)
    if not total:
        return float("nan")
    scores: list[float] = []
    hits: list[bool] = []
    for image in images:
        scores += [float(score) for score in image.scores]
        hits += _matches(image, threshold)
    order = np.argsort(-np.asarray(scores), kind="stable")
    correct = np.asarray(hits, bool)[order]
    found = np.cumsum(correct)
    recall = found / total
    precision = found / np.arange(1, len(found) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1] if len(precision) else precision
    points = np.searchsorted(recall, np.linspace(0, 1, 101), side="left")
    return float(np.mean([envelope[i] if i < len(envelope) else 0.0 for i in points]))


def mean_over_thresholds(images: list[Judged]) -> float:
    """AP@[.5:.95]."""
    return float(np.mean([average_precision(images, threshold) for threshold in THRESHOLDS]))


def _matches(image: Judged, threshold: float) -> list[bool]:
    """Greedy, by falling score: each true box is found once, by the best overlap that is left."""
    if not len(image.truth) or not len(image.boxes):
        return [False] * len(image.boxes)
    shared = overlaps(image.boxes, image.truth)
    taken = np.zeros(len(image.truth), bool)
    hits = []
    for row in shared:
        best = int(np.where(taken, -1.0, row).argmax())
        hit = not taken[best] and row[best] >= threshold
        taken[best] |= hit
        hits.append(bool(hit))
    return hits
