"""What a picture gives away by itself: how far some fault of light, contrast or colour has gone, and by what
gains and levels it is undone.

A night is dark and has lamps; a picture that is dark and has none was darkened. Such things stand in the
distribution of levels, colours and local contrast of a small copy of the picture, which `describe` puts into
numbers; a network of three layers, trained on pictures that were spoiled on purpose, reads them. What could
as well be how the scene is gets a low level: wrongly repaired is worse than left.

NumPy and OpenCV alone: it runs beside any engine, in well under a millisecond.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from textdifuse_ros.imaging import perceptron
from textdifuse_ros.imaging.perceptron import EvidenceError as EvidenceError
from textdifuse_ros.imaging.perceptron import Perceptron, levels_at, share_of
from textdifuse_ros.imaging.small import small_copy
from textdifuse_ros.imaging.tone import Tone
from textdifuse_ros.imaging.veil import Veil

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

FORMAT = "textdifuse-evidence-3"
SHIPPED = Path(__file__).resolve().parent.parent / "weights" / "textdifuse_evidence.safetensors"
# Degradations (names of training's) whose level is told, in this order.
FAULTS = ("low_light", "over_exposure", "visible_contrast", "colour_cast", "fog")
TOLD_OF = (*FAULTS, "smoke")  # smoke is told so that what it does to a picture is not taken for a fault
# Level from which on a fault is repaired, and at which all the way. No clean picture of the validation split
# gets there, nor does a frame of either clip.
SIGNS: Mapping[str, tuple[float, float]] = {
    "low_light": (0.15, 0.4),
    "over_exposure": (0.25, 0.5),
    "visible_contrast": (0.22, 0.45),
    "colour_cast": (0.12, 0.35),
    "fog": (0.3, 0.55),
}
SMOKY = (0.3, 0.6)  # the same of smoke, behind which nobody can say what else is wrong with a picture
TOLD = len(TOLD_OF) + 6  # of each fault its level; three logarithms of gains, three changes of the mean level
SHARES = np.array((0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999))
_EXTREMES = SHARES[[0, 2, 5, 7, 9, 12, 14]]
_ENDS = SHARES[[2, 7, 12]]
_LIGHT_AND_DARK = np.array((0.9, 0.25))
CONTRASTS = np.array((0.1, 0.25, 0.5, 0.75, 0.9, 0.99))


@dataclass(frozen=True)
class Found:
    """levels: of TOLD_OF, 0 for no sign of it, 1 for the worst of training. tone: what is lacking. veil: what
    lies over the picture, None where nobody looked."""

    levels: Mapping[str, float]
    tone: Tone
    veil: Veil | None = None

    @property
    def shares(self) -> dict[str, float]:
        """Of the faults that are plain to see: how far each is to be repaired, above 0 and up to 1."""
        clear = 1 - share_of(self.levels.get("smoke", 0.0), SMOKY)
        shares = {name: clear * share_of(self.levels.get(name, 0.0), SIGNS[name]) for name in FAULTS}
        return {name: share for name, share in shares.items() if share > 0}


@dataclass(frozen=True)
class Evidence(Perceptron):
    """Of what `describe` returns: what TOLD says."""

    FORMAT = FORMAT
    TOLD_OF = TOLD_OF
    TOLD = TOLD

    def look(self, rgb: Bytes) -> Found:
        """rgb: uint8 (H, W, 3)."""
        small = small_copy(rgb)
        told = self.of(describe(small)[None])[0]
        mean = mean_levels(small)
        gain, level = np.exp(told[-6:-3]), np.clip(mean + told[-3:], 0, 1)
        return Found(dict(zip(TOLD_OF, told.tolist(), strict=False)), Tone(gain, level, mean))


def mean_levels(small: Bytes) -> Floats:
    """Of the three channels, in [0, 1]."""
    return np.asarray(np.divide(cv2.mean(small)[:3], 255), np.float32)


def describe(small: Bytes) -> Floats:
    """What `small_copy` returns, in numbers of order one: float32 (F,)."""
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    planes = cv2.split(small)
    lightest = cv2.max(cv2.max(planes[0], planes[1]), planes[2])
    darkest = cv2.min(cv2.min(planes[0], planes[1]), planes[2])
    levels = np.concatenate((
        levels_at(grey, SHARES), levels_at(lightest, _EXTREMES), levels_at(darkest, _EXTREMES),
        *(levels_at(np.asarray(plane), _ENDS) for plane in planes),
    ))  # fmt: skip
    clipped = ((grey >= 250).mean(), (grey <= 8).mean(), (darkest >= 245).mean(), (lightest >= 250).mean())
    numbers = (levels, clipped, _colours(small, planes, grey), _contrast(grey, darkest))
    return np.concatenate([np.asarray(each, np.float32) for each in numbers])


def _colours(small: Any, planes: Any, grey: Any) -> NDArray[np.float64]:
    """Red and blue against green: of all, of light and dark parts, of edges; how far hues differ."""
    light, dark = np.rint(255 * levels_at(grey, _LIGHT_AND_DARK))
    edges = cv2.absdiff(small[1:, 1:], small[:-1, :-1])
    means = np.array([
        cv2.mean(small)[:3],
        cv2.mean(small, mask=(grey >= light).view(np.uint8))[:3],
        cv2.mean(small, mask=(grey <= dark).view(np.uint8))[:3],
        np.array(cv2.mean(edges)[:3]) * 5,
    ])  # fmt: skip
    logarithms = np.log(means / 255 + 0.01)
    against_green = logarithms[:, [0, 2]] - logarithms[:, [1]]
    red, green, blue = (np.asarray(plane, np.float32) for plane in planes)
    total = red + green + blue + np.float32(0.05 * 255)
    apart = [share - share.mean() for share in (red / total, blue / total)]
    spread = [float(each.std()) for each in apart] + [float(np.abs(each).mean()) for each in apart]
    return np.concatenate((against_green.ravel(), 5 * np.array(spread)))


def _contrast(grey: Any, darkest: Any) -> NDArray[np.float64]:
    """Local contrast, as it is and relative to the light there; by thirds, for fog grows with depth."""
    light = grey.astype(np.float32) / 255
    mean = cv2.blur(light, (3, 3))
    spread = np.sqrt(np.maximum(cv2.blur(light * light, (3, 3)) - mean * mean, 0))
    at = (CONTRASTS * (spread.size - 1)).astype(int)
    absolute = np.log(np.sort(spread, axis=None)[at] + 0.003) / 3
    relative = np.log(np.sort(spread / (mean + 0.03), axis=None)[at] + 0.005) / 3
    thirds = (light, np.log(spread + 0.003) / 3, darkest.astype(np.float32) / 255)
    by_depth = [plane.reshape(3, -1).mean(axis=1) for plane in thirds]
    return np.concatenate((absolute, relative, *by_depth))


def save(evidence: Evidence, path: Path, notes: Mapping[str, str] | None = None) -> None:
    """Write as safetensors."""
    perceptron.save(evidence, path, notes)


def load(path: Path = SHIPPED) -> Evidence:
    """Raises EvidenceError."""
    return perceptron.load(path, Evidence, len(describe(small_copy(np.zeros((16, 16, 3), np.uint8)))))
