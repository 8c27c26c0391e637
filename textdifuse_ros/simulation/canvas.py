"""A small oversampled drawing surface that carries colour and temperature together.

Channels 0..2 are display RGB, channel 3 is a temperature code (0 = nothing drawn), so one fill paints a part
for both cameras and the silhouette comes for free.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .geometry import EYE_HEIGHT, NEAR, Array, Camera, clip_near

OVERSAMPLE = 2
CODE_STEP = 0.25
CODE_ZERO = -12.0
_SHIFT = 3
_EYE = np.array([0.0, EYE_HEIGHT], np.float32)
_UPRIGHT = np.array([1.0, -1.0], np.float32)
_CIRCLE = np.stack(
    [
        np.cos(np.linspace(0, 2 * np.pi, 12, endpoint=False)),
        np.sin(np.linspace(0, 2 * np.pi, 12, endpoint=False)),
    ],
    axis=1,
).astype(np.float32)


def code(temperature: float) -> float:
    """Temperature [deg C] to its code 1..255."""
    return float(min(max(round((temperature - CODE_ZERO) / CODE_STEP), 1), 255))


@dataclass(frozen=True)
class Patch:
    """A drawn object in picture coordinates.

    x, y: column and row of its upper left pixel. colour (h,w,3) 0..255 and temperature (h,w) [deg C] are
    premultiplied by alpha (h,w) 0..1; depth is the distance of the object [m].
    """

    x: int
    y: int
    colour: Array
    temperature: Array
    alpha: Array
    depth: float


class Canvas:
    """Collects filled parts of one object within its box of pixels."""

    def __init__(self, camera: Camera, box: tuple[int, int, int, int]) -> None:
        """Cover the pixels x0 <= x < x1, y0 <= y < y1 of `box` = (x0, y0, x1, y1)."""
        self.camera = camera
        self.x0, self.y0, x1, y1 = box
        self.size = (x1 - self.x0, y1 - self.y0)
        self.image: NDArray[np.uint8] = np.zeros(
            (self.size[1] * OVERSAMPLE, self.size[0] * OVERSAMPLE, 4), np.uint8
        )

    def _pixels(self, points: Array) -> NDArray[np.int32]:
        at = self.camera.project(points)
        at = (at - (self.x0, self.y0)) * (OVERSAMPLE << _SHIFT)
        return np.clip(np.rint(at), -(1 << 22), 1 << 22).astype(np.int32)

    def polygon(self, points: Array, colour: Array, temperature: float) -> None:
        """Fill a planar 3-D polygon (N,3) [m]; colour (3,) display RGB 0..255."""
        points = clip_near(points)
        if len(points) >= 3:
            value = (float(colour[0]), float(colour[1]), float(colour[2]), code(temperature))
            cv2.fillPoly(self.image, [self._pixels(points)], value, cv2.LINE_8, _SHIFT)

    def hull(self, balls: Array, colour: Array, temperature: float) -> None:
        """Fill the outline around balls (N,4) = x, y, z, radius [m]: one ball is a disc, two a limb."""
        self.hulls(balls, [len(balls)], colour[None], [temperature])

    def hulls(
        self, balls: Array, sizes: Sequence[int], colours: Array, temperatures: Sequence[float]
    ) -> None:
        """Fill many outlines in order: the next sizes[k] of the balls (N,4), with colours[k] and
        temperatures[k].
        """
        depth = np.maximum(balls[:, 2:3], NEAR)
        unit = self.camera.focal / depth * (OVERSAMPLE << _SHIFT)
        centre = np.array([(self.camera.cx - self.x0), (self.camera.cy - self.y0)], np.float32) * (
            OVERSAMPLE << _SHIFT
        )
        offset = (balls[:, :2] - _EYE) * _UPRIGHT
        outlines = (centre + unit * offset)[:, None, :] + (unit * balls[:, 3:])[:, None, :] * _CIRCLE
        outlines = np.clip(np.rint(outlines), -(1 << 22), 1 << 22).astype(np.int32)
        values = colours.tolist()
        begin = 0
        for k, size in enumerate(sizes):
            points = outlines[begin : begin + size].reshape(-1, 2)
            begin += size
            if size > 1:
                points = np.asarray(cv2.convexHull(points), np.int32)
            cv2.fillConvexPoly(self.image, points, (*values[k], code(temperatures[k])), cv2.LINE_8, _SHIFT)

    def line(self, points: Array, colour: Array, temperature: float, width: float) -> None:
        """Draw a 3-D polyline (N,3) [m], `width` [m] wide at its first point."""
        points = points[points[:, 2] >= NEAR]
        if len(points) >= 2:
            thick = max(1, round(width * self.camera.focal / float(points[0, 2]) * OVERSAMPLE))
            value = (float(colour[0]), float(colour[1]), float(colour[2]), code(temperature))
            cv2.polylines(self.image, [self._pixels(points)], False, value, thick, cv2.LINE_8, _SHIFT)

    def finish(self, depth: float, soften: float = 0.0, grain: Array | None = None) -> Patch:
        """Shrink to picture resolution. `soften`: blur of the interior in pixels; `grain`: texture 0..1,
        tiled.
        """
        image = self.image
        drawn = (image[..., 3] > 0).astype(np.float32)
        values: Array = image.astype(np.float32)
        if soften > 0.3:
            sigma = soften * OVERSAMPLE
            weight = cv2.GaussianBlur(drawn, (0, 0), sigma)
            scale = drawn / np.maximum(weight, 1e-3)
            values = np.asarray(cv2.GaussianBlur(values, (0, 0), sigma) * scale[..., None], np.float32)
        values = np.asarray(cv2.resize(values, self.size, interpolation=cv2.INTER_AREA), np.float32)
        alpha = cv2.resize(drawn, self.size, interpolation=cv2.INTER_AREA)
        colour = values[..., :3]
        if grain is not None:
            rows = np.arange(self.size[1]) % grain.shape[0]
            cols = np.arange(self.size[0]) % grain.shape[1]
            colour = colour * (0.82 + 0.36 * grain[np.ix_(rows, cols)])[..., None]
        temperature = values[..., 3] * CODE_STEP + alpha * CODE_ZERO
        return Patch(
            self.x0,
            self.y0,
            np.asarray(colour, np.float32),
            np.asarray(temperature, np.float32),
            np.asarray(alpha, np.float32),
            depth,
        )


def bounding_box(camera: Camera, balls: Array, margin: int = 2) -> tuple[int, int, int, int] | None:
    """Pixel box (x0, y0, x1, y1) around balls (N,4) inside the picture, or None where nothing of it shows."""
    near = np.maximum(balls[:, 2], NEAR)
    at = camera.project(np.concatenate([balls[:, :2], near[:, None]], axis=1))
    reach = camera.focal / near * balls[:, 3]
    x0 = max(int(np.floor(np.min(at[:, 0] - reach))) - margin, 0)
    y0 = max(int(np.floor(np.min(at[:, 1] - reach))) - margin, 0)
    x1 = min(int(np.ceil(np.max(at[:, 0] + reach))) + margin, camera.width)
    y1 = min(int(np.ceil(np.max(at[:, 1] + reach))) + margin, camera.height)
    return (x0, y0, x1, y1) if x1 - x0 >= 2 and y1 - y0 >= 2 else None
