"""Headlights of driving cars: light on the road and glare in the lens."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from .geometry import EYE_HEIGHT, Array, Camera

_SCALE = 4


class Headlights:
    """Beams on the ground at a quarter of the resolution, and a glare sprite."""

    def __init__(self, camera: Camera, albedo: Array, ground: NDArray[np.bool_]) -> None:
        """albedo (H,W,3) 0..1; ground (H,W): pixels that show the ground."""
        self.camera = camera
        self.top = min(int(camera.cy) + 2, camera.height - 1)
        below = np.where(ground[..., None], albedo, 0.0)[self.top :]
        self._albedo = np.asarray(255.0 * below ** (1.0 / 2.2), np.float32)
        rows = np.arange(self.top, camera.height, _SCALE, dtype=np.float32) + _SCALE / 2.0
        cols = np.arange(0, camera.width, _SCALE, dtype=np.float32) + _SCALE / 2.0
        depth = np.maximum(EYE_HEIGHT * camera.focal / np.maximum(rows - camera.cy, 0.5), 0.1)
        self._z = np.broadcast_to(depth[:, None], (len(rows), len(cols))).astype(np.float32)
        self._x = np.asarray((cols[None, :] - camera.cx) / camera.focal * depth[:, None], np.float32)
        grid = np.linspace(-1.0, 1.0, 129, dtype=np.float32)
        radius = np.hypot(grid[None, :], grid[:, None])
        flare = 0.9 * np.exp(-((radius / 0.10) ** 2)) + 0.28 * np.exp(-radius / 0.20)
        flare += 0.16 * np.exp(-((grid[:, None] / 0.018) ** 2) - np.abs(grid[None, :]) / 0.35)
        self._flare = np.asarray(255.0 * flare * np.clip(1.0 - radius, 0.0, 1.0), np.float32)

    def light_road(self, rgb: NDArray[np.uint8], cars: Sequence[tuple[float, float, float]]) -> None:
        """Add the beams of cars (x, z, heading) to the road, in place."""
        beam = np.zeros_like(self._z)
        for x, z, heading in cars:
            dx, dz = self._x - np.float32(x), self._z - np.float32(z)
            ahead = dx * np.float32(np.sin(heading)) + dz * np.float32(np.cos(heading)) - np.float32(2.2)
            aside = dx * np.float32(np.cos(heading)) - dz * np.float32(np.sin(heading))
            spread = 0.9 + 0.18 * np.maximum(ahead, 0.0)
            beam += np.where(ahead > 0.2, np.exp(-((aside / spread) ** 2)) * np.exp(-ahead / 11.0), 0.0)
        if float(beam.max()) < 0.02:
            return
        height = rgb.shape[0] - self.top
        full = cv2.resize(beam, (rgb.shape[1], height), interpolation=cv2.INTER_LINEAR)
        active = np.flatnonzero(full.max(axis=1) > 0.02)
        rows = slice(int(active[0]), int(active[-1]) + 1)
        extra = cv2.multiply(self._albedo[rows], cv2.merge([full[rows] * np.float32(1.3)] * 3))
        target = rgb[self.top :][rows]
        target[:] = cv2.add(target, extra, dtype=cv2.CV_8U)

    def glare(
        self,
        rgb: NDArray[np.uint8],
        instances: NDArray[np.uint8],
        cars: Sequence[tuple[int, tuple[int, float, float, float, float]]],
    ) -> None:
        """Add flares where a headlight of a car that comes towards the camera is in sight, in place."""
        for ident, (_, x, z, heading, _) in cars:
            towards = -float(np.cos(heading))
            if towards < 0.3:
                continue
            for side in (-0.65, 0.65):
                lamp = np.array([[x + side, 0.65, z - 2.2 * towards]], np.float32)
                if lamp[0, 2] < 1.5:
                    continue
                u, v = self.camera.project(lamp)[0]
                col, row = int(u), int(v)
                inside = 0 <= col < self.camera.width and 0 <= row < self.camera.height
                if inside and instances[row, col] == ident:
                    self._add_flare(rgb, col, row, float(lamp[0, 2]))

    def _add_flare(self, rgb: NDArray[np.uint8], col: int, row: int, distance: float) -> None:
        reach = int(np.clip(self.camera.width * (0.05 + 1.1 / distance), 8, 0.28 * self.camera.width))
        x0, x1 = max(col - reach, 0), min(col + reach, self.camera.width)
        y0, y1 = max(row - reach, 0), min(row + reach, self.camera.height)
        if x1 - x0 < 2 or y1 - y0 < 2:
            return
        whole = cv2.resize(self._flare, (2 * reach, 2 * reach), interpolation=cv2.INTER_LINEAR)
        part = whole[y0 - row + reach : y1 - row + reach, x0 - col + reach : x1 - col + reach]
        strength = min(1.0, 0.45 + 6.0 / distance)
        tinted = cv2.merge([part * strength, part * (0.97 * strength), part * (0.88 * strength)])
        view = rgb[y0:y1, x0:x1]
        view[:] = cv2.add(view, tinted, dtype=cv2.CV_8U)
