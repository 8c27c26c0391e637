"""Does what a prompt names stand out, and does the rest stay as it was: pure figures on single frames.

Boxes are (K, 4) corners x0, y0, x1, y1 in pixels; pictures uint8 (H, W, 3) RGB; masks bool (H, W).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from textdifuse_ros.evaluation.baselines import luminance

Bytes = NDArray[np.uint8]
Boxes = NDArray[np.float64]
Mask = NDArray[np.bool_]
Floats = NDArray[np.float32]

LEAST_SIDE = 6.0  # pixels: below it an object is a few blurred pixels
LEAST_AROUND = 20  # pixels of surroundings that belong to no other object
LEAST_CONTRAST = (
    1.0  # grey levels; a smaller one without the prompt counts as this, so that ratios stay finite
)
LEAST_ENERGY = 1.0  # grey levels squared
_GROWN = 0.5  # surroundings reach half a box further on each side
_LEAST_GROWTH = 4.0  # pixels
_SOFTNESS = 2.0  # pixels, standard deviation of a soft mask's edge


@dataclass(frozen=True)
class Target:
    """One labelled object: the ellipse in its box, and what lies around the box and belongs to no object."""

    inside: Mask
    around: Mask


@dataclass(frozen=True)
class Change:
    """One object with the prompt over without: ratios of local contrast and of gradient energy."""

    contrast: float
    energy: float


def soft_mask(boxes: Boxes, shape: tuple[int, ...]) -> Floats:
    """The relevance map of a perfect localiser: ellipses in the boxes with a soft edge, float32 in [0, 1]."""
    mask = np.zeros(shape, bool)
    for box in boxes:
        mask |= _ellipse(box, shape)
    return np.asarray(cv2.GaussianBlur(mask.astype(np.float32), (0, 0), _SOFTNESS), np.float32)


def targets(boxes: Boxes, every: Boxes, shape: tuple[int, ...]) -> list[Target]:
    """The objects that can be measured: not too small, and with surroundings of their own.

    boxes: of the class that is asked for; every: of all labelled objects, these among them.
    """
    taken = box_mask(every, shape)
    found = []
    for box in boxes:
        wide, high = box[2] - box[0], box[3] - box[1]
        if min(wide, high) < LEAST_SIDE:
            continue
        inside = _ellipse(box, shape)
        more = np.maximum(np.array([wide, high]) * _GROWN, _LEAST_GROWTH)
        grown = np.concatenate((box[:2] - more, box[2:] + more))
        around = box_mask(grown[None], shape) & ~taken
        if inside.any() and around.sum() >= LEAST_AROUND:
            found.append(Target(inside, around))
    return found


def box_mask(boxes: Boxes, shape: tuple[int, ...]) -> Mask:
    """Where any of the boxes is."""
    mask = np.zeros(shape, bool)
    for x0, y0, x1, y1 in boxes:
        rows = slice(max(0, int(np.floor(y0))), max(0, int(np.ceil(y1))))
        mask[rows, max(0, int(np.floor(x0))) : max(0, int(np.ceil(x1)))] = True
    return mask


def _ellipse(box: Boxes, shape: tuple[int, ...]) -> Mask:
    """The pixels whose middle lies in the ellipse that touches the box's sides."""
    x0, y0, x1, y1 = (float(value) for value in box)
    y, x = np.ogrid[: shape[0], : shape[1]]
    across, down = (2 * x + 1 - x0 - x1) / (x1 - x0), (2 * y + 1 - y0 - y1) / (y1 - y0)
    return np.asarray(across * across + down * down <= 1)


def local_contrast(grey: NDArray[np.float64], target: Target) -> float:
    """|mean of the object - mean of its surroundings| of a luminance, grey levels."""
    return float(abs(grey[target.inside].mean() - grey[target.around].mean()))


def gradient_energy(grey: NDArray[np.float64], target: Target) -> float:
    """Mean of dx^2 + dy^2 (central differences) of a luminance in the object, grey levels squared."""
    dy, dx = np.gradient(grey)
    squared = np.asarray(dx * dx + dy * dy)
    return float(squared[target.inside].mean())


def changes(without: Bytes, prompted: Bytes, objects: Sequence[Target]) -> list[Change]:
    """The ratios of every object, from the two pictures of a pair."""
    plain, acted = (luminance(picture).astype(np.float64) for picture in (without, prompted))
    return [
        Change(
            local_contrast(acted, each) / max(local_contrast(plain, each), LEAST_CONTRAST),
            gradient_energy(acted, each) / max(gradient_energy(plain, each), LEAST_ENERGY),
        )
        for each in objects
    ]


def mean_change(without: Bytes, prompted: Bytes, where: Mask | None = None) -> float:
    """Mean absolute difference over all channels, of the whole frame or a part, in grey levels; 0 of none."""
    difference = np.abs(prompted.astype(np.int16) - without)
    part = difference if where is None else difference[where]
    return float(part.mean()) if part.size else 0.0


def stray_map(shape: tuple[int, ...], seed: int, strength: float = 0.2) -> Floats:
    """What a localiser may see where nothing is: smooth noise, uniform in [0, strength] on a coarse grid."""
    coarse = (max(2, shape[0] // 16), max(2, shape[1] // 16))
    grid = np.random.default_rng(seed).random(coarse, dtype=np.float32)
    return np.asarray(cv2.resize(grid, shape[1::-1], interpolation=cv2.INTER_LINEAR) * strength, np.float32)


def quartiles(values: Sequence[float]) -> dict[str, Any]:
    """{"count", "q1", "median", "q3"}, rounded; None where there are no values."""
    if not len(values):
        return {"count": 0, "q1": None, "median": None, "q3": None}
    low, middle, high = (round(float(value), 4) for value in np.percentile(values, (25, 50, 75)))
    return {"count": len(values), "q1": low, "median": middle, "q3": high}
