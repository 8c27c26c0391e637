"""What a restoration wish is to move, one measure a fault: pure functions of one picture.

Each takes a picture uint8 (H, W, 3) RGB, 48 pixels a side at least, and returns a float. A picture that is
only brighter or of more contrast must not look noisier, sharper or more colourful, so all but the level and
the glare are ratios. Definitions in words: docs/metrics.md.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from textdifuse_ros.evaluation.baselines import luminance

Bytes = NDArray[np.uint8]
Grey = NDArray[np.float64]
Measure = Callable[[Bytes], float]

GLARING = 240.0  # grey levels from which a pixel counts as glare
_SCENE = 4.0  # pixels: what varies more slowly is the scene, not noise or stripes
_SPOT = 2.0  # pixels: deviation of the smoothing before the dark channel
_WINDOW = 15  # pixels: side of the neighbourhood of the dark channel
_FINE, _COARSE = 0.7, 3.0  # pixels: scales at which edges are compared
_MEDIAN_OF_NORMAL = 1.2533  # deviation of a median over that of a mean
_TO_SIGMA = 0.6745  # median absolute deviation of a normal distribution, in standard deviations
_IMMERKAER = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float64)
_LEAST = 1.0  # grey levels: keeps the ratios of a flat picture finite


def noise(picture: Bytes) -> float:
    """Noise over the scene's contrast: deviation of fine residue in both directions. Stripes do not count."""
    grey = _grey(picture)
    return _noise_deviation(grey) / _scene_contrast(grey)


def level(picture: Bytes) -> float:
    """Mean luminance, grey levels."""
    return float(_grey(picture).mean())


def glare(picture: Bytes) -> float:
    """Share of the picture at or above GLARING, in per cent."""
    return float(100 * (_grey(picture) >= GLARING).mean())


def stripes(picture: Bytes) -> float:
    """Column offsets over the scene's contrast: deviation of what all rows of a column share, noise aside."""
    grey = _grey(picture)
    residue = grey - np.asarray(cv2.GaussianBlur(grey, (0, 0), sigmaX=_SCENE, sigmaY=1e-3))
    offsets = np.median(residue, axis=0)
    found = float(np.median(np.abs(offsets - np.median(offsets)))) / _TO_SIGMA
    by_noise = _MEDIAN_OF_NORMAL * _noise_deviation(grey) / np.sqrt(len(grey))
    return float(np.sqrt(max(0.0, found * found - by_noise * by_noise)) / _scene_contrast(grey))


def haze(picture: Bytes) -> float:
    """Dark channel over the bright level, in [0, 1]: what even the darkest spot and channel scatter."""
    calm = np.asarray(cv2.GaussianBlur(picture, (0, 0), _SPOT), np.uint8)  # the darkest pixel would be noise
    smallest = np.ascontiguousarray(calm.min(axis=2))
    dark = cv2.erode(smallest, np.ones((_WINDOW, _WINDOW), np.uint8))
    return float(np.asarray(dark, np.float64).mean() / max(float(np.percentile(picture, 99)), _LEAST))


def contrast(picture: Bytes) -> float:
    """Deviation of the scene (without fine detail) over its mean level."""
    grey = _grey(picture)
    return _scene_contrast(grey) / max(float(grey.mean()), _LEAST)


def colour_cast(picture: Bytes) -> float:
    """How far the mean of the three channels lies from grey, over its luminance."""
    red, green, blue = picture.reshape(-1, 3).mean(axis=0)
    grey = (red + green + blue) / 3
    away = np.sqrt(((red - grey) ** 2 + (green - grey) ** 2 + (blue - grey) ** 2) / 3)
    return float(away / max(grey, _LEAST))


def sharpness(picture: Bytes) -> float:
    """Steepness of the strongest edges: root of their gradient energy at a fine over that at a coarse scale.

    The energy that noise alone would have at the fine scale is taken off.
    """
    grey = _grey(picture)
    fine, coarse = _gradient_energy(grey, _FINE), _gradient_energy(grey, _COARSE)
    edges = coarse >= np.percentile(coarse, 90)
    by_noise = _noise_deviation(grey) ** 2 * _noise_gain(_FINE)
    return float(np.sqrt(max(0.0, fine[edges].mean() - by_noise) / max(float(coarse[edges].mean()), 1e-6)))


def _grey(picture: Bytes) -> Grey:
    return luminance(picture).astype(np.float64)


def _scene_contrast(grey: Grey) -> float:
    """Standard deviation of what varies slowly, at least one grey level."""
    return max(float(np.asarray(cv2.GaussianBlur(grey, (0, 0), _SCENE)).std()), _LEAST)


def _noise_deviation(grey: Grey) -> float:
    """Standard deviation of white noise, robustly, from a mask that no plane and no stripe passes."""
    residue = np.asarray(cv2.filter2D(grey, cv2.CV_64F, _IMMERKAER))
    return float(np.median(np.abs(residue)) / _TO_SIGMA / 6)


def _gradient_energy(grey: Grey, sigma: float) -> Grey:
    dy, dx = np.gradient(np.asarray(cv2.GaussianBlur(grey, (0, 0), sigma), np.float64))
    return np.asarray(dx * dx + dy * dy, np.float64)


@functools.cache
def _noise_gain(sigma: float) -> float:
    """Gradient energy of white noise of deviation 1: that of a single impulse, summed."""
    impulse = np.zeros((31, 31))
    impulse[15, 15] = 1
    return float(_gradient_energy(impulse, sigma).sum())


MEASURES: Mapping[str, Measure] = {
    "level": level, "glare": glare, "noise": noise, "stripes": stripes, "haze": haze, "contrast": contrast,
    "colour cast": colour_cast, "sharpness": sharpness,
}  # fmt: skip


@dataclass(frozen=True)
class WishCase:
    """A wish in the grammar's words, what spoils the pair, the measure it asks for, more (1) or less (-1)."""

    wish: str
    degradations: tuple[str, ...]
    measure: str
    way: int


CASES = (
    WishCase("brighten the dark", ("low_light",), "level", 1),
    WishCase("remove the glare", ("over_exposure",), "glare", -1),
    WishCase("remove the noise", ("visible_noise", "thermal_noise"), "noise", -1),
    WishCase("remove the noise in the rgb image", ("visible_noise",), "noise", -1),
    WishCase("remove the noise in the thermal image", ("thermal_noise",), "noise", -1),
    WishCase("remove the stripes", ("thermal_stripes",), "stripes", -1),
    WishCase("remove the haze", ("fog",), "haze", -1),
    WishCase("see through the smoke", ("smoke",), "haze", -1),
    WishCase("more contrast", ("visible_contrast", "thermal_contrast"), "contrast", 1),
    WishCase("correct the colours", ("colour_cast",), "colour cast", -1),
    WishCase("sharpen", ("visible_blur", "thermal_blur"), "sharpness", 1),
)
DEGREES = ("slightly", "somewhat", "", "strongly")  # in the order of what they ask for


def measure(picture: Bytes) -> dict[str, float]:
    """All measures by name."""
    return {name: function(picture) for name, function in MEASURES.items()}


def in_units(moved: Mapping[str, float], units: Mapping[str, float]) -> dict[str, float]:
    """Movements over the units; 0 where a unit is 0 and nothing can be said."""
    return {name: moved[name] / units[name] if units[name] > 0 else 0.0 for name in moved}


def units_of(spoilt: Mapping[str, list[float]]) -> dict[str, float]:
    """One unit of each measure: the median of how far its own faults moved it, over cases and pairs."""
    return {name: float(np.median(np.abs(values))) if values else 0.0 for name, values in spoilt.items()}


def ordered(effects: list[float]) -> bool:
    """Whether effects, from the weakest degree word to the strongest, never fall, and rise to above 0."""
    return all(a <= b for a, b in itertools.pairwise(effects)) and effects[-1] > max(0.0, effects[0])
