"""Smoke that drifts across the street: hides what stands behind it from the visible camera."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .geometry import Array, Camera
from .textures import fractal_noise

_SCALE = 4
_STEPS_PER_TAU = 48.0
_LOOKUP = np.rint(255.0 * np.exp(-np.arange(256) / _STEPS_PER_TAU)).astype(np.uint8)


@dataclass(frozen=True)
class _Layer:
    depth: float
    drift: float  # widths of the picture per second
    rise: float  # heights per second
    density: float
    phase: float


_LAYERS = (_Layer(4.6, 0.055, 0.010, 4.2, 0.0), _Layer(8.4, 0.036, 0.006, 4.0, 0.31))

PASS_SECONDS = 16.0
"""A dense cloud crosses the picture once in this time."""


class Smoke:
    """Two drifting sheets of noise, at known depths; optical thickness is a function of time only."""

    def __init__(self, camera: Camera, seed: int, density: float, background: Array) -> None:
        """density: 0 = clear air, 1 = people behind a cloud vanish. background: (H,W,3) display RGB of the
        street.
        """
        rng = np.random.default_rng([seed, 2])
        self.density = density
        self.size = (camera.width, camera.height)
        self._small = (-(-camera.width // _SCALE), -(-camera.height // _SCALE))
        self._billows = fractal_noise(rng, 512, octaves=7, base=4, persistence=0.58)
        self._shreds = fractal_noise(rng, 512, octaves=6, base=8, persistence=0.6)
        glow = cv2.GaussianBlur(background, (0, 0), 0.09 * camera.width)
        lit = np.clip(0.55 * glow.mean(axis=2, keepdims=True) + 0.65 * glow + 26.0, 0.0, 200.0)
        self._colour = np.rint(lit).astype(np.uint8)

    def thickness(self, time: float) -> tuple[tuple[float, Array], ...]:
        """Sheets at a time [s]: (depth [m], optical thickness (h,w) float32 at a quarter of the picture's
        size).
        """
        width, height = self._small
        across = (np.arange(width, dtype=np.float32) + 0.5) / width
        up = (np.arange(height, dtype=np.float32) + 0.5) / height
        sheets = []
        for k, layer in enumerate(_LAYERS):
            shift = time * layer.drift
            slow = self._window(self._billows, 0.5 * shift + layer.phase, 0.4 * time * layer.rise, 0.62)
            fast = self._window(self._shreds, shift + 2.0 * layer.phase, time * layer.rise, 0.50)
            body = np.clip(1.9 * slow + 0.75 * fast - 0.98, 0.0, 1.25)
            centre = np.mod(time / PASS_SECONDS + 0.38 + 0.09 * k, 1.0) * 2.1 - 0.55
            cloud = 0.10 + np.exp(-(((across - centre) / 0.32) ** 2))
            falling = np.clip(1.15 - 0.75 * (1.0 - up), 0.25, 1.0)
            sheets.append(
                (
                    layer.depth,
                    np.asarray(self.density * layer.density * body * cloud * falling[:, None], np.float32),
                )
            )
        return tuple(sheets)

    def _window(self, texture: Array, across: float, up: float, zoom: float) -> Array:
        """A window of the tileable texture, moved by a share of its size, sampled smoothly."""
        width, height = self._small
        size = texture.shape[0]
        u = (np.arange(width, dtype=np.float32) / width * zoom - np.float32(across % 1.0)) * size
        v = (np.arange(height, dtype=np.float32) / width * zoom + np.float32(up % 1.0)) * size
        cols, rows = np.meshgrid(u, v)
        return np.asarray(
            cv2.remap(texture, cols, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP), np.float32
        )

    def transmission(self, time: float, depth: Array) -> NDArray[np.uint8]:
        """Share of light that arrives from each pixel (H,W), 255 = clear, given the depth (H,W) [m]."""
        total = np.zeros(depth.shape, np.float32)
        for distance, sheet in self.thickness(time):
            full = cv2.resize(sheet, self.size, interpolation=cv2.INTER_LINEAR)
            # A metre and a half of cloud: bodies sink into it instead of being cut.
            share = np.clip((depth - np.float32(distance - 0.75)) * np.float32(1.0 / 1.5), 0.0, 1.0)
            total += full * share
        return np.asarray(cv2.LUT(cv2.convertScaleAbs(total, alpha=_STEPS_PER_TAU), _LOOKUP), np.uint8)

    def apply(self, rgb: NDArray[np.uint8], transmission: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The visible picture (H,W,3) behind smoke."""
        through = cv2.merge([transmission] * 3)
        clear = cv2.multiply(rgb, through, scale=1.0 / 255.0)
        veil = cv2.multiply(self._colour, cv2.bitwise_not(through), scale=1.0 / 255.0)
        return np.asarray(cv2.add(clear, veil), np.uint8)
