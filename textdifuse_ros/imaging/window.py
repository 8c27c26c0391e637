"""A raw thermal image and the window of values through which it is shown."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

_SAMPLES = 5000
"""About how many pixels `Windowed.beyond` looks at: a share of them is good for a percent."""


@dataclass(frozen=True)
class Beyond:
    """Shares of the values that lie below and above a window, and the least and the largest value."""

    below: float
    above: float
    least: float
    most: float


@dataclass(frozen=True, eq=False)
class Windowed:
    """raw: (H, W) uint8, uint16 or float32, finite. low..high: the raw values shown as 0 and 255, low < high.
    inverted: the small values are the hot ones.
    """

    raw: np.ndarray
    low: float
    high: float
    inverted: bool

    def image(self) -> np.ndarray:
        """(H, W) uint8, 255 = hot: round(255 (raw - low) / (high - low)), saturated. May be `raw` itself."""
        image = _applied(self.raw, self.low, self.high)
        return cv2.bitwise_not(image) if self.inverted else image

    @property
    def as_it_came(self) -> bool:
        """Whether the values are shown as they are, hot or cold ones first, in whatever type they came."""
        return self.low == 0 and self.high == 255

    def beyond(self) -> Beyond:
        """What of the values the window cannot show, by a regular subsample."""
        stride = max(1, math.isqrt(self.raw.size // _SAMPLES))
        values = self.raw[::stride, ::stride]
        below, above = float((values < self.low).mean()), float((values > self.high).mean())
        return Beyond(below, above, float(values.min()), float(values.max()))


def _applied(raw: np.ndarray, low: float, high: float) -> np.ndarray:
    """round(255 * (raw - low) / (high - low)), saturated to 0..255, in whole-image passes."""
    scale = 255.0 / (high - low)
    if raw.dtype == np.uint8:
        if low == 0.0 and high == 255.0:
            return raw
        values = (np.arange(256, dtype=np.float64) - low) * scale
        return cv2.LUT(raw, np.rint(np.clip(values, 0.0, 255.0)).astype(np.uint8))
    if raw.dtype == np.uint16:
        return _applied16(raw, low, high, scale)
    # Subtract before scaling: kelvins in float32 would lose their last digits the other way round.
    kind = np.float32 if high - low < 1e37 else np.float64  # the difference must not overflow
    values = np.clip(raw.astype(kind, copy=False), kind(low), kind(high))
    values -= kind(low)
    return cv2.convertScaleAbs(values, alpha=scale)


def _applied16(raw: np.ndarray, low: float, high: float, scale: float) -> np.ndarray:
    if low >= 65535.0 or high <= 0.0:
        return np.full(raw.shape, 0 if low >= 65535.0 else 255, np.uint8)
    floor = max(math.ceil(low), 0)
    if scale < 0.5:
        # convertScaleAbs rounds and saturates above but folds negatives up: cut them off first. A count
        # is less than half a grey level, so that the rest below `floor` does not show.
        return cv2.convertScaleAbs(np.maximum(raw, np.uint16(floor)), alpha=scale, beta=-low * scale)
    first, last = max(floor - 1, 0), min(math.ceil(high), 65535)
    values = (np.arange(first, last + 1, dtype=np.float64) - low) * scale
    table = np.rint(np.clip(values, 0.0, 255.0)).astype(np.uint8)
    return table.take(np.clip(raw, np.uint16(first), np.uint16(last)) - np.uint16(first), mode="clip")
