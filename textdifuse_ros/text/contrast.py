"""Local thermal contrast: which pixels are hotter, or colder, than their surroundings."""

from __future__ import annotations

import cv2
import numpy as np

from textdifuse_ros.text.localiser import Bytes, Floats

_DIVISOR = 4  # working resolution
_LEAST_SIDE = 40  # of the working image; smaller frames are divided less
_SURROUNDS = (0.15, 0.3)  # side of the surround over the longer side of the image
_PASSES = 3  # each leaves out of the surround what the one before found hot
_LEAST_WEIGHT = 0.02  # of a hot pixel in the surround: keeps it defined inside large objects
_LOW, _HIGH = 1.0, 2.2  # contrast in units of the spread: relevance 0 and 1
_FLOOR = 5.0  # grey levels: contrast of a featureless frame is measured against this
_GLOBAL_SHARE, _LOCAL_SHARE = 0.35, 0.4  # of the frame's deviation, and of the surround's variance
_NOISE_SHARE = 1.05  # of the sensor noise at working resolution: three deviations after smoothing
_WARMTH = 0.6  # deviations above the frame's mean from which a pixel counts in full
_SMOOTH = 0.8
_LAPLACIAN = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)


def thermal_contrast(thermal: Bytes, hot: float, cold: float) -> Floats:
    """``hot`` x hotness + ``cold`` x coldness, clipped to [-1, 1]: float32 (H, W).

    thermal: uint8 (H, W), white is hot. Hotness is 1 on objects that stand out of their surroundings and 0
    elsewhere, with smooth edges; it does not depend on the gain of the image, and a frame of mere noise has
    none. A pixel is compared with surrounds of two sizes from which other hot pixels are left out; the
    difference is measured in deviations of the surround and of the frame, noise taken into account.
    """
    height, width = thermal.shape
    if hot == 0 and cold == 0:
        return np.zeros((height, width), np.float32)
    small = _shrink(thermal)
    noise = _noise(small)
    small = _soften(small)
    mean, deviation = (float(value[0, 0]) for value in cv2.meanStdDev(small))
    small -= mean
    least = (_GLOBAL_SHARE * deviation) ** 2 + _FLOOR**2 + (_NOISE_SHARE * noise) ** 2
    total = np.zeros_like(small)
    if hot:
        total += hot * _hotness(small, least)
    if cold:
        total += cold * _hotness(-small, least)
    result: Floats = cv2.resize(_soften(total), (width, height), interpolation=cv2.INTER_LINEAR)  # type: ignore
    np.clip(result, -1.0, 1.0, out=result)
    return result


def _hotness(image: Floats, least: float) -> Floats:
    """image: zero mean. least: variance that no surround goes below."""
    contrast = _contrast(image, None, least)
    for _ in range(_PASSES - 1):
        weight = np.clip((_HIGH - contrast) / (_HIGH - _LOW), _LEAST_WEIGHT, 1.0)
        contrast = _contrast(image, weight, least)
    result = np.clip((contrast - _LOW) / (_HIGH - _LOW), 0.0, 1.0)
    # Something that is merely less cold than a cold sky is not hot.
    result *= np.clip(image * (_GLOBAL_SHARE / (_WARMTH * np.sqrt(least))), 0.0, 1.0)
    smooth: Floats = result * result * (3.0 - 2.0 * result)
    return smooth


def _contrast(image: Floats, weight: Floats | None, least: float) -> Floats:
    """The largest difference to a weighted surround, in deviations."""
    best: Floats | None = None
    for share in _SURROUNDS:
        side = max(3, int(share * max(image.shape)) | 1)
        if weight is None:
            mean, square = _box(image, side), _box(image * image, side)
        else:
            seen = 1.0 / _box(weight, side)
            weighted = image * weight
            mean, square = _box(weighted, side) * seen, _box(weighted * image, side) * seen
        variance = np.maximum(square - mean * mean, 0.0)
        deviation: Floats = np.sqrt(_LOCAL_SHARE * variance + np.float32(least), dtype=np.float32)
        found: Floats = (image - mean) / deviation
        best = found if best is None else np.maximum(best, found)
    assert best is not None
    return best


def _box(image: Floats, side: int) -> Floats:
    return np.asarray(cv2.blur(image, (side, side)), np.float32)


def _soften(image: Floats) -> Floats:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), _SMOOTH), np.float32)


def _shrink(thermal: Bytes) -> Floats:
    height, width = thermal.shape
    divisor = max(1, min(_DIVISOR, min(height, width) // _LEAST_SIDE))
    size = (max(1, width // divisor), max(1, height // divisor))
    return cv2.resize(thermal, size, interpolation=cv2.INTER_AREA).astype(np.float32)


def _noise(image: Floats) -> float:
    """Deviation of pixel noise, from the median of second differences: edges and objects do not count."""
    differences = cv2.filter2D(image, -1, _LAPLACIAN)[::2]
    return float(np.median(np.abs(differences))) / (0.6745 * 6.0)
