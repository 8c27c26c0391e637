"""Levels put right: a gain and an offset for each channel of an RGB image (pure functions)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

# Faults that a gain and an offset undo, names of training's.
LIGHT = ("low_light", "over_exposure", "visible_contrast")
COLOUR = ("colour_cast",)
KINDS = (LIGHT, COLOUR)
# Beyond this gain a dark or flat image is mostly noise, which a detector minds more than the dark.
MOST = 2.0
# Most that is added to black: a dark image is multiplied, as far as it bears, and not veiled.
_VEIL = 0.03
LUMINANCE = np.array((0.299, 0.587, 0.114), np.float32)  # of red, green and blue (BT.601)


@dataclass(frozen=True)
class Tone:
    """What an image lacks: gain (3,) is to be multiplied with, after which its mean levels are to be at
    `level` (3,) in [0, 1], where they are at `mean` (3,) now."""

    gain: Floats
    level: Floats
    mean: Floats


def table(tone: Tone, share: float, kept: Collection[str] = (), asked: float = 0.0) -> Bytes | None:
    """Levels after a correction by a share in [0, 1] of what is lacking, uint8 (256, 1, 3); None for none.

    kept: faults that are to stay as they are, of LIGHT and COLOUR. asked: share of the cast that is to go
    at least, by itself.
    """
    keeps_light, keeps_colour = any(each in kept for each in LIGHT), any(each in kept for each in COLOUR)
    light, cast = (0.0 if keeps_light else share), (0.0 if keeps_colour else share)
    further = max(cast, asked) - min(light, cast)  # light that is put right takes as much of the cast along
    if light <= 0 and further <= 0:
        return None
    values: Floats = np.tile(np.arange(256, dtype=np.float32)[:, None] / 255, 3)
    if light > 0:
        values = _corrected(values, tone, light, keeps_colour)
    if further > 0:  # the light stays: only how far the channels go apart
        ratio = _ratio(tone, further)
        values = values * np.clip(ratio / float(LUMINANCE @ ratio), 1 / MOST, MOST)
    return np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)[:, None]


def _ratio(tone: Tone, share: float) -> Floats:
    """By what each channel's mean is to be multiplied: (3,)."""
    return np.asarray(((tone.level + 1e-3) / (tone.mean + 1e-3)) ** share, np.float32)


def _corrected(values: Floats, tone: Tone, share: float, keeps_colour: bool) -> Floats:
    """values (256, 3) in [0, 1]."""
    gain: Floats = np.asarray(tone.gain**share, np.float32)
    level = _ratio(tone, share) * tone.mean
    if keeps_colour:
        gain = np.full(3, LUMINANCE @ gain, np.float32)
        level = tone.mean + LUMINANCE @ (level - tone.mean)
    limited = gain * min(1.0, MOST / float(gain.max()))
    offset = level - limited * tone.mean
    lifted = np.minimum((level - _VEIL) / (tone.mean + 1e-3), MOST)
    limited = np.where(offset > _VEIL, np.maximum(lifted, limited), limited)
    offset = np.minimum(level - limited * tone.mean, _VEIL)
    return np.asarray(values * limited + offset, np.float32)


def applied(rgb: Bytes, levels: Bytes) -> Bytes:
    """rgb uint8 (H, W, 3) with the levels of a `table`; the caller's own."""
    return np.asarray(cv2.LUT(rgb, levels), np.uint8)


def lacking(tone: Tone) -> float:
    """How much of the gain is beyond what an image bears, in [0, 1]: 1 for a factor of two and more."""
    return float(np.clip(np.log2(float(LUMINANCE @ tone.gain) / MOST), 0, 1))
