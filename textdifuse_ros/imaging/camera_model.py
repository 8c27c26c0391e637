"""Pinhole camera with the distortion models of ROS's CameraInfo: plumb_bob and rational_polynomial."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class CameraModel:
    """size (width, height) in pixels; matrix (3, 3); distortion k1, k2, p1, p2[, k3[, k4, k5, k6]]."""

    size: tuple[int, int]
    matrix: np.ndarray
    distortion: np.ndarray

    def scaled(self, size: tuple[int, int]) -> CameraModel:
        """The same camera read out at another size (width, height); pixel centres are whole numbers."""
        sx, sy = size[0] / self.size[0], size[1] / self.size[1]
        matrix = self.matrix.copy()
        matrix[0, :2] *= sx
        matrix[1, 1] *= sy
        matrix[0, 2] = (matrix[0, 2] + 0.5) * sx - 0.5
        matrix[1, 2] = (matrix[1, 2] + 0.5) * sy - 0.5
        return CameraModel((int(size[0]), int(size[1])), matrix, self.distortion)

    def rays(self, pixels: np.ndarray) -> np.ndarray:
        """(N, 2) pixels to (N, 2) undistorted directions (x, y) at depth 1, float64."""
        points = np.ascontiguousarray(pixels, dtype=np.float64).reshape(-1, 1, 2)
        criteria = (cv2.TERM_CRITERIA_COUNT + cv2.TERM_CRITERIA_EPS, 30, 1e-9)
        # The plain form has five iterations, too few at the corners of a wide lens.
        if hasattr(cv2, "undistortPointsIter"):
            rays = cv2.undistortPointsIter(points, self.matrix, self.distortion, None, None, criteria)
        else:
            rays = cv2.undistortPoints(points, self.matrix, self.distortion, None, None, None, criteria)
        return rays.reshape(-1, 2)

    def project(self, rays: np.ndarray) -> np.ndarray:
        """(N, 2) directions at depth 1 to (N, 2) pixels, float64; NaN for directions the lens cannot see.

        Distortion polynomials fold back far outside the picture: whatever is wider than the widest pixel of
        the image border is not seen.
        """
        x, y = rays[:, 0], rays[:, 1]
        d = np.zeros(8)
        d[: self.distortion.size] = self.distortion
        r2 = x * x + y * y
        radial = (1.0 + r2 * (d[0] + r2 * (d[1] + r2 * d[4]))) / (1.0 + r2 * (d[5] + r2 * (d[6] + r2 * d[7])))
        xd = x * radial + 2.0 * d[2] * x * y + d[3] * (r2 + 2.0 * x * x)
        yd = y * radial + d[2] * (r2 + 2.0 * y * y) + 2.0 * d[3] * x * y
        k = self.matrix
        pixels = np.stack([k[0, 0] * xd + k[0, 1] * yd + k[0, 2], k[1, 1] * yd + k[1, 2]], axis=1)
        if self.distortion.any():
            pixels[r2 > self._widest_squared()] = np.nan
        return pixels

    def _widest_squared(self) -> float:
        """Square of the largest undistorted radius on the image border, a little widened."""
        width, height = self.size
        xs, ys = np.linspace(-0.5, width - 0.5, 65), np.linspace(-0.5, height - 0.5, 65)
        sides = [
            np.stack([xs, np.full_like(xs, -0.5)], axis=1),
            np.stack([xs, np.full_like(xs, height - 0.5)], axis=1),
            np.stack([np.full_like(ys, -0.5), ys], axis=1),
            np.stack([np.full_like(ys, width - 0.5), ys], axis=1),
        ]
        rays = self.rays(np.concatenate(sides))
        return float((rays**2).sum(axis=1).max() * 1.05)
