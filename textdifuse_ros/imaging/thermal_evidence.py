"""What a thermal image gives away by itself: how far its contrast was lowered or overdriven, and the gain and
level that undo it. As `imaging.evidence` does for RGB images.

A camera's gain control leaves no end of the range empty for long; a picture that fills a quarter of it, far
from black and white alike, was flattened. What could as well be how the camera shows its scene gets a low
level: wrongly repaired is worse than left.

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
from textdifuse_ros.imaging.evidence import CONTRASTS, SHARES
from textdifuse_ros.imaging.perceptron import EvidenceError as EvidenceError
from textdifuse_ros.imaging.perceptron import Perceptron, levels_at, share_of
from textdifuse_ros.imaging.small import small_copy

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

FORMAT = "textdifuse-thermal-evidence-1"
SHIPPED = Path(__file__).resolve().parent.parent / "weights" / "textdifuse_thermal_evidence.safetensors"
# Degradations (names of training's) whose level is told, in this order; both are kept by the same control.
FAULTS = ("thermal_contrast", "thermal_saturation")
CONTROL = "thermal_contrast"
# Level from which on a fault is repaired, and at which all the way. No clean picture of the validation split
# gets there, nor does a frame of either clip.
SIGNS: Mapping[str, tuple[float, float]] = {
    "thermal_contrast": (0.3, 0.5),
    "thermal_saturation": (0.45, 0.65),
}
# How much of a fault is undone. An overdriven image has lost its highlights, but persons stand out in it:
# where all of it is undone a detector's strict mAP falls.
MOST_OF: Mapping[str, float] = {"thermal_contrast": 1.0, "thermal_saturation": 0.5}
TOLD = len(FAULTS) + 2  # of each fault its level; the logarithm of the gain, the change of the mean level
# Beyond this gain a flat image is mostly noise; below its inverse it is how the camera shows it.
MOST = 2.5
SAMPLED = (160, 120)  # width, height of the pixels that are looked at by themselves: means hide the ends
_ENDS = np.array((0.0005, 0.002, 0.005, 0.01, 0.99, 0.995, 0.998, 0.9995))
_INNER = np.array((0.002, 0.998))
_LEAST_INNER = 0.01  # share of the pixels, of those that are neither black nor white, that says something


@dataclass(frozen=True)
class ThermalFound:
    """levels: of FAULTS, 0 for no sign of it, 1 for the worst of training. The picture is to be multiplied by
    `gain`, after which its mean is to be at `level` in [0, 1], where it is at `mean` now. low, high: between
    which nearly all lies that is neither black nor white."""

    levels: Mapping[str, float]
    gain: float
    level: float
    mean: float
    low: float = 0.0
    high: float = 1.0

    @property
    def shares(self) -> dict[str, float]:
        """Of the faults that are plain to see: how far each is to be repaired, above 0 and up to 1."""
        shares = {name: MOST_OF[name] * share_of(self.levels.get(name, 0.0), SIGNS[name]) for name in FAULTS}
        return {name: share for name, share in shares.items() if share > 0}


@dataclass(frozen=True)
class ThermalEvidence(Perceptron):
    """Of what `describe` returns: what TOLD says."""

    FORMAT = FORMAT
    TOLD_OF = FAULTS
    TOLD = TOLD

    def look(self, thermal: Bytes) -> ThermalFound:
        """thermal: uint8 (H, W), 255 = hot."""
        seen = reduced(thermal)
        told = self.of(describe(seen)[None])[0].tolist()
        low, high = _inner_ends(seen.sample)
        levels = dict(zip(FAULTS, told, strict=False))
        level = min(1.0, max(0.0, seen.mean + told[-1]))
        return ThermalFound(levels, float(np.exp(told[-2])), level, seen.mean, low, high)


@dataclass(frozen=True)
class Reduced:
    """What is looked at, uint8. small: means, (60, 80). sample: pixels as they are, (120, 160)."""

    small: Bytes
    sample: Bytes

    @property
    def mean(self) -> float:
        """In [0, 1]."""
        return float(cv2.mean(self.small)[0]) / 255


def reduced(thermal: Bytes) -> Reduced:
    """thermal: uint8 (H, W)."""
    sample = cv2.resize(thermal, SAMPLED, interpolation=cv2.INTER_NEAREST)
    return Reduced(small_copy(thermal), np.asarray(sample, np.uint8))


def describe(seen: Reduced) -> Floats:
    """What `reduced` returns, in numbers of order one: float32 (F,).

    Gaps in the histogram are not among them: they tell a gain in 8 bits, which no camera has.
    """
    levels, ends = levels_at(seen.small, SHARES), levels_at(seen.sample, _ENDS)
    sample = seen.sample
    clipped = np.array(
        [(sample == 0).mean(), (sample <= 4).mean(), (sample >= 251).mean(), (sample == 255).mean()]
    )
    widths = np.array((ends[-2] - ends[1], ends[4] - ends[3], levels[9] - levels[5], levels[8] - levels[6]))
    places = (levels[[5, 7, 9]] - ends[3]) / (widths[1] + 0.02)
    numbers = (
        levels,
        ends,
        np.log(clipped + 1e-3) / 3,
        np.log(widths + 0.004) / 2,
        places,
        _contrast(seen.small),
    )
    return np.concatenate([np.asarray(each, np.float32) for each in numbers])


def _contrast(small: Any) -> NDArray[np.float64]:
    """Local contrast, as it is and relative to that of the picture; level and contrast by thirds."""
    light = small.astype(np.float32) / 255
    mean = cv2.blur(light, (3, 3))
    spread = np.sqrt(np.maximum(cv2.blur(light * light, (3, 3)) - mean * mean, 0))
    whole = float(light.std())
    at = np.sort(spread, axis=None)[(CONTRASTS * (spread.size - 1)).astype(int)]
    absolute, relative = np.log(at + 0.002) / 3, np.log(at / (whole + 0.005) + 0.02) / 3
    by_thirds = [plane.reshape(3, -1).mean(axis=1) for plane in (light, np.log(spread + 0.002) / 3)]
    return np.concatenate(([np.log(whole + 0.004) / 2, light.mean()], absolute, relative, *by_thirds))


def _inner_ends(sample: Bytes) -> tuple[float, float]:
    """In [0, 1]: without what is black or white already, as edges and dead pixels are."""
    inner = sample[(sample > 0) & (sample < 255)]
    if inner.size < _LEAST_INNER * sample.size:
        return 0.0, 1.0
    low, high = levels_at(inner, _INNER).tolist()
    return low, high


def table(found: ThermalFound, shares: Mapping[str, float]) -> Bytes | None:
    """Levels after a correction by the largest of the shares in [0, 1] of what was found, uint8 (256,) for
    `cv2.LUT`; None for none. Nothing of what shows is driven into black or white."""
    share = max(shares.values(), default=0.0)
    if share <= 0:
        return None
    gain = min(MOST, max(1 / MOST, found.gain**share))
    if gain > 1:
        gain = max(1.0, min(gain, 1 / max(found.high - found.low, 1e-3)))
    offset = found.mean + share * (found.level - found.mean) - gain * found.mean
    lowest, highest = -gain * found.low, 1 - gain * found.high
    if lowest <= highest:
        offset = min(highest, max(lowest, offset))
    values = np.arange(256, dtype=np.float64) / 255 * gain + offset
    return np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)


def put_right(thermal: Bytes, found: ThermalFound) -> Bytes:
    """thermal uint8 (H, W) with the levels of a `table`, itself where nothing is lacking."""
    levels = table(found, found.shares)
    return thermal if levels is None else np.asarray(cv2.LUT(thermal, levels), np.uint8)


def save(evidence: ThermalEvidence, path: Path, notes: Mapping[str, str] | None = None) -> None:
    """Write as safetensors."""
    perceptron.save(evidence, path, notes)


def load(path: Path = SHIPPED) -> ThermalEvidence:
    """Raises EvidenceError."""
    return perceptron.load(path, ThermalEvidence, len(describe(reduced(np.zeros((16, 16), np.uint8)))))
