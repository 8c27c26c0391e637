"""Does a fusion flicker, and does it stay local? Pure functions on frames; what fuses them is handed in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Fuse = Callable[[Bytes, Bytes], Bytes]  # RGB (H, W, 3), thermal (H, W) -> RGB (H, W, 3)
Span = tuple[int, int]

GRID = 16  # crops begin at multiples of it, as the cells of the network's coarsest level do
PADDING = 64  # pixels of surroundings that a crop has on each side
FAR = 200  # pixels beyond which a hot object must not matter
OBJECT_WIDTH, OBJECT_HEIGHT, OBJECT_LEVEL = 32, 96, 255


@dataclass
class Change:
    """Mean absolute change of luminance from frame to frame, in grey levels, of one clip."""

    _steps: list[float] = field(default_factory=list)
    _last: Bytes | None = None

    def see(self, luminance: Bytes) -> None:
        """The next frame: uint8 (H, W)."""
        if self._last is not None:
            self._steps.append(float(cv2.absdiff(self._last, luminance).mean()))
        self._last = luminance

    @property
    def mean(self) -> float:
        """Over all steps seen; 0 before the second frame."""
        return float(np.mean(self._steps)) if self._steps else 0.0


def ratio(fused: float, sources: float) -> float | None:
    """Change of the fused clip over that of its sources; None where the sources stand still."""
    return fused / sources if sources > 0 else None


@dataclass(frozen=True)
class Agreement:
    """Difference of a crop's picture from the same place of the whole frame's, in grey levels."""

    highest: int
    percentile_99: float


def crop_agreement(fuse: Fuse, rgb: Bytes, thermal: Bytes, whole: Bytes) -> Agreement | None:
    """Fuse a crop from the middle and compare it with `whole`, the fused frame, PADDING away from its border.

    None for frames too small to have such a crop whose border lies inside the frame on every side.
    """
    rows, columns = inner(thermal.shape[0]), inner(thermal.shape[1])
    if rows is None or columns is None:
        return None
    window = tuple(slice(first - PADDING, last + PADDING) for first, last in (rows, columns))
    part = fuse(np.ascontiguousarray(rgb[window]), np.ascontiguousarray(thermal[window]))
    part = part[PADDING:-PADDING, PADDING:-PADDING]
    difference = cv2.absdiff(part, np.ascontiguousarray(whole[slice(*rows), slice(*columns)]))
    return Agreement(int(difference.max()), float(np.percentile(difference, 99)))


def inner(side: int) -> Span | None:
    """The middle half of a side or what is left of it, its ends multiples of GRID, room for the padding."""
    first = max(_up(side // 4), _up(PADDING + 1))
    last = min(side * 3 // 4, side - PADDING - 1) // GRID * GRID
    return (first, last) if last > first else None


def _up(value: int) -> int:
    return -(-value // GRID) * GRID


@dataclass(frozen=True)
class Reach:
    """Mean absolute change in grey levels that a hot object made: where it lies, and beyond FAR pixels."""

    there: float
    far: float
    far_highest: int


def reach_of_a_hot_object(fuse: Fuse, rgb: Bytes, thermal: Bytes, whole: Bytes) -> Reach | None:
    """Paste a hot rectangle at the left edge of the thermal image and compare with `whole`, fused without it.

    None for frames that have no pixel farther than FAR from it.
    """
    height = thermal.shape[0]
    high = min(OBJECT_HEIGHT, height // 2)
    top = (height - high) // 2
    there = np.zeros(thermal.shape, np.uint8)
    there[top : top + high, :OBJECT_WIDTH] = 1
    distance = cv2.distanceTransform(1 - there, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    far = distance > FAR
    if not far.any():
        return None
    difference = cv2.absdiff(fuse(rgb, np.where(there == 1, np.uint8(OBJECT_LEVEL), thermal)), whole)
    inside = difference[there == 1]
    return Reach(float(inside.mean()), float(difference[far].mean()), int(difference[far].max()))
