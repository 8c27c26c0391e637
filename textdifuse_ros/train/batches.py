"""Random degraded batches with relevance maps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from textdifuse_ros.model.colour import rgb_to_ycbcr
from textdifuse_ros.train.config import TrainConfig
from textdifuse_ros.train.data import DataSet, Pair, random_crop
from textdifuse_ros.train.degrade import cloud, degrade

Float = NDArray[Any]  # float32; the stubs of OpenCV lose the dtype


@dataclass
class Batch:
    """Tensors of one step; luminance (N, 1, S, S), chroma included in the YCbCr ones."""

    visible: Tensor  # degraded YCbCr
    thermal: Tensor
    clean_visible: Tensor
    clean_thermal: Tensor
    transmission: Tensor
    relevance: Tensor
    boxes: list[Tensor]


def draw(
    sets: list[tuple[DataSet, list[Pair]]], config: TrainConfig, rng: np.random.Generator
) -> Iterator[Batch]:
    """Endless random batches."""
    shares = np.array([each.share for each, _ in sets])
    shares = shares / shares.sum()
    while True:
        rows = [_example(sets, shares, config, rng) for _ in range(config.batch)]
        stacked = [torch.from_numpy(np.stack([row[i] for row in rows])) for i in range(6)]
        visible, thermal, clean_visible, clean_thermal, transmission, relevance = stacked
        yield Batch(
            rgb_to_ycbcr(visible.permute(0, 3, 1, 2)), thermal[:, None],
            rgb_to_ycbcr(clean_visible.permute(0, 3, 1, 2)), clean_thermal[:, None],
            transmission[:, None], relevance[:, None], [torch.from_numpy(row[6]) for row in rows],
        )  # fmt: skip


def _example(
    sets: list[tuple[DataSet, list[Pair]]],
    shares: NDArray[np.float64],
    config: TrainConfig,
    rng: np.random.Generator,
) -> tuple[Float, Float, Float, Float, Float, Float, Float]:
    """Visible, thermal, both clean, transmission, relevance, boxes."""
    data_set, pairs = sets[int(rng.choice(len(sets), p=shares))]
    pair = random_crop(pairs[int(rng.integers(len(pairs)))], data_set.scale, config.crop, rng)
    visible = pair.visible.astype(np.float32) / 255
    thermal = pair.thermal.astype(np.float32) / 255
    # Thermal gain and offset are the driver's choice: every look of the same scene must work.
    gain = np.float32(rng.uniform(0.7, 1.25))
    level = thermal.mean()
    thermal = np.clip((thermal - level) * gain + level + np.float32(rng.uniform(-0.1, 0.1)), 0, 1)
    amount = 1.0 if data_set.name != "msrs128" else 0.7
    seen = degrade(visible, thermal, rng, amount)
    relevance = _relevance(pair, thermal, config, rng)
    return seen.visible, seen.thermal, visible, thermal, seen.transmission, relevance, pair.boxes


def _soften(mask: Float, sigma: float) -> Float:
    return cv2.GaussianBlur(mask, (0, 0), sigma).astype(np.float32)


def _relevance(pair: Pair, thermal: Float, config: TrainConfig, rng: np.random.Generator) -> Float:
    """A map as a localiser gives it: soft boxes, heat, or a blob; signed; often nothing."""
    size = config.crop
    if rng.random() >= config.relevance_share:
        return np.zeros((size, size), np.float32)
    kind = rng.random()
    if kind < 0.45 and len(pair.boxes):
        mask = np.zeros((size, size), np.float32)
        wanted = pair.boxes[int(rng.integers(len(pair.boxes))), 0]
        for _, x, y, w, h in pair.boxes[pair.boxes[:, 0] == wanted]:
            axes = (max(1, round(w * size * 0.5)), max(1, round(h * size * 0.52)))
            cv2.ellipse(mask, (round(x * size), round(y * size)), axes, 0, 0, 360, 1.0, -1)
        mask = _soften(mask, rng.uniform(0.8, 4))
    elif kind < 0.85:
        surroundings = cv2.GaussianBlur(thermal, (0, 0), 14)
        mask = np.clip((thermal - surroundings) / 0.15, 0, 1).astype(np.float32)
        mask = _soften(mask, rng.uniform(0.8, 3))
    else:
        mask = np.clip((cloud((size, size), rng) - 0.5) * 6, 0, 1).astype(np.float32)
    sign = -1 if rng.random() < 0.3 else 1
    return (sign * rng.uniform(0.25, 1.0) * np.clip(mask, 0, 1)).astype(np.float32)
