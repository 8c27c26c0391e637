"""Deterministic noise textures."""

from __future__ import annotations

import cv2
import numpy as np

from .geometry import Array


def fractal_noise(
    rng: np.random.Generator, size: int = 256, octaves: int = 5, base: int = 4, persistence: float = 0.55
) -> Array:
    """Tileable cloud noise (size,size) float32 scaled to 0..1; `base` cells in the coarsest octave."""
    total = np.zeros((size, size), np.float32)
    weight, cells = 1.0, base
    for _ in range(octaves):
        if cells > size:
            break
        grid = rng.random((cells, cells), dtype=np.float32)
        # One wrapped cell on every side makes the enlarged octave meet itself at the borders.
        wrapped = np.pad(grid, 2, mode="wrap")
        step = size // cells
        big = cv2.resize(wrapped, None, fx=step, fy=step, interpolation=cv2.INTER_CUBIC)
        total += weight * big[2 * step : 2 * step + size, 2 * step : 2 * step + size]
        weight *= persistence
        cells *= 2
    low, high = float(total.min()), float(total.max())
    return np.asarray((total - low) / (high - low), np.float32)


def sample(texture: Array, u: Array, v: Array) -> Array:
    """Nearest sample of a tileable texture at real coordinates in texels; same shape as u."""
    rows, cols = texture.shape
    return texture[np.mod(v.astype(np.int32), rows), np.mod(u.astype(np.int32), cols)]
