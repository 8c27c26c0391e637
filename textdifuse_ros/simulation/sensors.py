"""What the two cameras make of the scene: noise, blur, fixed pattern, counts and gain control."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .geometry import Array
from .textures import fractal_noise

_BANK_MARGIN = 97


class _NoiseBank:
    """Pre-drawn Gaussian noise; a frame is a window of it at a random place, mirrored at random: cheap and
    repeatable.
    """

    def __init__(self, seed: int, shape: tuple[int, ...], sigma: float) -> None:
        self._seed = seed
        self._shape = shape
        rng = np.random.default_rng([seed, 3])
        self._bank = rng.normal(0.0, sigma, (shape[0] + _BANK_MARGIN, shape[1] + _BANK_MARGIN, *shape[2:]))

    def as_type(self, dtype: type) -> _NoiseBank:
        self._bank = self._bank.astype(dtype) if dtype is np.float32 else np.rint(self._bank).astype(dtype)
        return self

    def frame(self, index: int) -> Any:
        rng = np.random.default_rng([self._seed, 4, index])
        dy, dx = rng.integers(0, _BANK_MARGIN, 2)
        window = self._bank[dy : dy + self._shape[0], dx : dx + self._shape[1]]
        return window[::-1] if rng.random() < 0.5 else window


class RgbSensor:
    """A visible camera at high gain: luminance and colour noise."""

    def __init__(self, width: int, height: int, seed: int = 0, noise: float = 3.5) -> None:
        """noise: standard deviation [grey levels]."""
        self._noise = noise
        self._bank = _NoiseBank(seed * 2 + 11, (height, width, 3), noise).as_type(np.int16)

    def expose(self, rgb: NDArray[np.uint8], index: int) -> NDArray[np.uint8]:
        """Noisy picture (H,W,3) of frame number `index`."""
        if self._noise <= 0.0:
            return rgb
        return np.asarray(cv2.add(rgb, self._bank.frame(index), dtype=cv2.CV_8U), np.uint8)


class ThermalSensor:
    """An uncooled microbolometer: optics blur, fixed pattern, column noise, temporal noise; gives centikelvin
    counts.
    """

    def __init__(self, width: int, height: int, seed: int = 0, noise: float = 0.07) -> None:
        """width, height: detector pixels. noise: standard deviation of one pixel over time [K]."""
        rng = np.random.default_rng([seed, 5])
        self._size = (width, height)
        gradient = cv2.resize(
            fractal_noise(rng, 64, octaves=2, base=2), self._size, interpolation=cv2.INTER_CUBIC
        )
        columns = rng.normal(0.0, 1.1 * noise, (1, width))
        rows = rng.normal(0.0, 0.4 * noise, (height, 1))
        pattern = 0.8 * (gradient - 0.5) + columns + rows + rng.normal(0.0, 0.8 * noise, (height, width))
        self._pattern = np.asarray(pattern, np.float32)
        self._bank = _NoiseBank(seed * 2 + 12, (height, width), noise).as_type(np.float32)
        self._columns = np.asarray(rng.normal(0.0, 0.6 * noise, (64, 1, width)), np.float32)

    def expose(self, temperature: Array, index: int) -> NDArray[np.uint16]:
        """Counts (h,w) uint16 in centikelvin, of an apparent temperature (H,W) [deg C]."""
        scene = cv2.GaussianBlur(temperature, (0, 0), 0.8)
        if (scene.shape[1], scene.shape[0]) != self._size:
            scene = cv2.resize(scene, self._size, interpolation=cv2.INTER_AREA)
        scene = cv2.add(scene, self._pattern)
        scene += self._bank.frame(index)
        scene += self._columns[index % len(self._columns)]
        return centikelvin(np.asarray(scene, np.float32))


def centikelvin(temperature: Array) -> NDArray[np.uint16]:
    """Temperature [deg C] to counts of 0.01 K (uint16)."""
    return np.asarray(np.clip(np.rint((temperature + 273.15) * 100.0), 0, 65535), np.uint16)


def counts_to_8bit(counts: NDArray[np.uint16], low: float, high: float) -> NDArray[np.uint8]:
    """Linear gain: counts low..high to 0..255 (uint8), the same shape."""
    scale = 255.0 / max(high - low, 1.0)
    return np.asarray(np.clip((counts.astype(np.float32) - low) * scale, 0.0, 255.0), np.uint8)
