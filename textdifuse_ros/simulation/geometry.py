"""Pinhole camera and the arrays that carry a picture: projection, near clipping, tone curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

NEAR = 0.35
"""Nearest depth that is drawn [m]."""

EYE_HEIGHT = 1.55
"""Height of both cameras above the road [m]."""


@dataclass(frozen=True)
class Camera:
    """A level pinhole camera at the origin, `EYE_HEIGHT` above the ground: x right, y up, z forward [m]."""

    width: int
    height: int

    @property
    def focal(self) -> float:
        """Focal length [px]: about 56 degrees of horizontal view at 4:3, and never a fish-eye when tall."""
        return 0.95 * max(self.width, self.height * 1.1)

    @property
    def cx(self) -> float:
        """Column of the principal point [px]."""
        return self.width / 2.0

    @property
    def cy(self) -> float:
        """Row of the horizon [px]."""
        return 0.46 * self.height

    def project(self, points: Array) -> Array:
        """Project points (N,3) in metres, z > 0, to pixels (N,2)."""
        z = points[:, 2]
        u = self.cx + self.focal * points[:, 0] / z
        v = self.cy - self.focal * (points[:, 1] - EYE_HEIGHT) / z
        return np.stack([u, v], axis=1).astype(np.float32)


def clip_near(polygon: Array, near: float = NEAR) -> Array:
    """Cut a 3-D polygon (N,3) at the plane z = near; returns (M,3), M = 0 where all of it lies before the
    plane.
    """
    z = polygon[:, 2]
    if np.all(z >= near):
        return polygon
    kept: list[Array] = []
    for i in range(len(polygon)):
        a, b = polygon[i], polygon[(i + 1) % len(polygon)]
        if a[2] >= near:
            kept.append(a)
        if (a[2] >= near) != (b[2] >= near):
            kept.append(a + (b - a) * ((near - a[2]) / (b[2] - a[2])))
    return np.asarray(kept, np.float32).reshape(-1, 3)


def tone(linear: Array, exposure: float = 1.0) -> Array:
    """Map linear light (any shape, >= 0) to display values 0..255 (float32) with a soft shoulder and gamma
    2.2.
    """
    out = 255.0 * (1.0 - np.exp(-np.maximum(linear, 0.0) * exposure)) ** (1.0 / 2.2)
    return np.asarray(out, np.float32)
