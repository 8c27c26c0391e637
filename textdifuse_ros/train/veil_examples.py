"""What `train-veil` learns from: pictures with smoke or fog drawn over them, and the same without."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from textdifuse_ros.imaging.small import SMALL
from textdifuse_ros.train.degrade import DEGRADATIONS, Draw, degrade, drawn
from textdifuse_ros.train.evidence_examples import (
    SEEN,
    Bytes,
    Rng,
    Scenes,
    as_another_camera,
    edged,
    part_of,
    tinted,
    turned,
)
from textdifuse_ros.train.faults import Float

VEILS = ("smoke", "fog")
VEILED = 0.6  # share of the examples with one of them
# What else may be wrong with a picture, as often as not told from a veil, and how often. It stays.
OTHERS = (
    "low_light", "visible_contrast", "over_exposure", "colour_cast",
    "visible_noise", "visible_jpeg", "visible_blur",
)  # fmt: skip
OTHER = 0.4
LEAST = 0.1  # level from which each is drawn


@dataclass(frozen=True)
class Batch:
    """seen, goal (N, 3, 120, 160): with and without the veil, in [0, 1]. density (N, 1, 60, 80): share of the
    light that is the veil's own."""

    seen: Tensor
    goal: Tensor
    density: Tensor

    def to(self, device: torch.device) -> Batch:
        return Batch(self.seen.to(device), self.goal.to(device), self.density.to(device))


def draw(scenes: Scenes, count: int, rng: Rng) -> Batch:
    """One batch; the same generator draws the same one."""
    seen, goal, density = zip(*(_example(scenes, rng) for _ in range(count)), strict=True)
    return Batch(_stacked(seen), _stacked(goal), _stacked(density))


def _stacked(images: tuple[Bytes, ...]) -> Tensor:
    """uint8 (H, W, C) each -> (N, C, H, W) in [0, 1]."""
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255


def _example(scenes: Scenes, rng: Rng) -> tuple[Bytes, Bytes, Bytes]:
    picture, _ = scenes.draw(rng)
    picture = turned(part_of(picture, rng), rng)
    picture = np.asarray(cv2.resize(picture, SEEN, interpolation=cv2.INTER_AREA), np.uint8)  # one on its side
    visible = as_another_camera(picture, rng)
    veil, others = _drawn(VEILS, VEILED, rng), _drawn(OTHERS, OTHER, rng)
    nothing = np.zeros(visible.shape[:2], np.float32)
    state, goal = degrade(visible, nothing, veil + others), degrade(visible, nothing, others)
    smoky = any(each.degradation.name == "smoke" for each in veil)
    density = cv2.resize(1 - state.transmission, SMALL, interpolation=cv2.INTER_AREA)[..., None]
    place = int(rng.integers(2**31))  # of black edges, the same in all three
    images = (tinted(state, rng) if smoky else state.visible, goal.visible, density)
    return _edged(images[0], place), _edged(images[1], place), _edged(images[2], place)


def _drawn(names: tuple[str, ...], share: float, rng: Rng) -> list[Draw]:
    if rng.random() >= share:
        return []
    return drawn(DEGRADATIONS[names[int(rng.integers(len(names)))]], LEAST, rng)


def _edged(image: Float, place: int) -> Bytes:
    whole = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
    return np.ascontiguousarray(edged(whole, np.random.default_rng(place)))
