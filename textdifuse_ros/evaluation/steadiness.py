"""Does a fusion flicker, and does it stay local? Pure functions on frames; what fuses them is handed in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Fuse = Callable[[Bytes, Bytes], Bytes]  # RGB (H, W, 3), thermal (H, W) -> RGB (H, W, 3)
Mask = NDArray[np.bool_]
Span = tuple[int, int]

GRID = 16  # crops begin at multiples of it, as the cells of the network's coarsest level do
PADDING = 64  # pixels of surroundings that a crop has on each side
OFF_GRID = (5, 3)  # rows and columns by which "any crop" begins beside the grid
FAR = 200  # pixels beyond which a hot object must not matter
OBJECT_WIDTH, OBJECT_HEIGHT, OBJECT_LEVEL = 32, 96, 255
# Frames in which an object comes in, pixels by which it moves, and the margin around its old and new place
# in which a picture may change: three cells of the coarsest level, which local attention averages over, and
# nearly twice the sigma (27 pixels) of what a thing is compared with. A network reads further than that, some
# 100 pixels, so what lies beyond may change a little and should not visibly.
ENTRY_FRAMES, ENTRY_STEP, MARGIN = 12, 8, 48


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


def crop_agreement(
    fuse: Fuse, rgb: Bytes, thermal: Bytes, whole: Bytes, beside: tuple[int, int] = (0, 0)
) -> Agreement | None:
    """Fuse a crop from the middle and compare it with `whole`, the fused frame, PADDING away from its border.

    beside: rows and columns by which it begins beside the grid. None for frames too small to have such a crop
    whose border lies inside the frame on every side.
    """
    rows, columns = (inner(side, off) for side, off in zip(thermal.shape, beside, strict=True))
    if rows is None or columns is None:
        return None
    window = tuple(slice(first - PADDING, last + PADDING) for first, last in (rows, columns))
    part = fuse(np.ascontiguousarray(rgb[window]), np.ascontiguousarray(thermal[window]))
    part = part[PADDING:-PADDING, PADDING:-PADDING]
    difference = cv2.absdiff(part, np.ascontiguousarray(whole[slice(*rows), slice(*columns)]))
    return Agreement(int(difference.max()), float(np.percentile(difference, 99)))


def inner(side: int, beside: int = 0) -> Span | None:
    """The middle half of a side or what is left of it, its ends multiples of GRID and `beside` more, room for
    the padding.
    """
    first = max(_up(side // 4), _up(PADDING + 1))
    last = min(side * 3 // 4, side - PADDING - 1 - beside) // GRID * GRID
    return (first + beside, last + beside) if last > first else None


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
    there = _place_of_object(thermal, OBJECT_WIDTH)
    far = _beyond(there, FAR)
    if not far.any():
        return None
    difference = cv2.absdiff(fuse(rgb, np.where(there, np.uint8(OBJECT_LEVEL), thermal)), whole)
    inside = difference[there]
    return Reach(float(inside.mean()), float(difference[far].mean()), int(difference[far].max()))


@dataclass(frozen=True)
class Entry:
    """Change from one frame to the next, in grey levels, beyond MARGIN pixels from an object that comes in.

    mean: over the pixels there, of the frame where it is largest; highest: of any channel, pixel and frame.
    """

    mean: float
    highest: int


def entry_of_a_hot_object(fuse: Fuse, rgb: Bytes, thermal: Bytes, whole: Bytes) -> Entry | None:
    """Slide a hot rectangle in from the left edge over a pair that stands still; `whole` is fused without it.

    None for frames that have no pixel farther than MARGIN from its whole way.
    """
    way = ENTRY_FRAMES * ENTRY_STEP
    if not _beyond(_place_of_object(thermal, way, way), MARGIN).any():
        return None
    mean, highest = 0.0, 0
    before, last = np.zeros(thermal.shape, np.bool_), whole
    for right in range(ENTRY_STEP, way + 1, ENTRY_STEP):
        there = _place_of_object(thermal, right)
        fused = fuse(rgb, np.where(there, np.uint8(OBJECT_LEVEL), thermal))
        change = cv2.absdiff(fused, last)[_beyond(before | there, MARGIN)]
        mean, highest = max(mean, float(change.mean())), max(highest, int(change.max()))
        before, last = there, fused
    return Entry(mean, highest)


def _place_of_object(thermal: Bytes, right: int, width: int = OBJECT_WIDTH) -> Mask:
    """Where the rectangle lies whose right side is at this column; half of the height at most."""
    height = thermal.shape[0]
    high = min(OBJECT_HEIGHT, height // 2)
    top = (height - high) // 2
    there = np.zeros(thermal.shape, np.bool_)
    there[top : top + high, max(0, right - width) : right] = True
    return there


def _beyond(there: Mask, distance: int) -> Mask:
    """Pixels farther than this from the nearest one that is there."""
    away = cv2.distanceTransform((~there).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(away > distance)
