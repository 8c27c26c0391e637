"""The tables that bring one camera's image into the other's frame, made once and applied to every frame."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .camera_model import CameraModel

Size = tuple[int, int]
OUTSIDE = -4.0  # pixels; where a map points that sees nothing: no neighbour of it is in the image


@dataclass(frozen=True, eq=False)
class Resampling:
    """How the other camera's image is brought over, as numbers, for who does it elsewhere than in `apply`.

    scaled: (width, height) to which it is brought first, None for as it is; by means over areas, or bilinear
    where `area` is False. maps: float32 (2, H, W), x and y of every output pixel in that image, OUTSIDE where
    there is none; None where scaling is all. Whole 32nds of a pixel, between which it is bilinear.
    """

    scaled: Size | None
    area: bool
    maps: np.ndarray | None


class _Scale:
    """Both cameras see the same: images are scaled."""

    def __init__(self, source: Size, target: Size) -> None:
        area = source[0] >= target[0] and source[1] >= target[1]
        self.resampling = Resampling(target, area, None)
        self._method = cv2.INTER_AREA if area else cv2.INTER_LINEAR

    def __call__(self, image: np.ndarray) -> np.ndarray:
        return cv2.resize(image, self.resampling.scaled, interpolation=self._method)


class _Warp:
    """Resamples images of one size by fixed-point maps; optionally shrinks them first against aliasing."""

    def __init__(self, map_x: np.ndarray, map_y: np.ndarray, source: Size) -> None:
        width, height = source
        with np.errstate(invalid="ignore"):
            self.valid = (map_x >= -0.5) & (map_x <= width - 0.5) & (map_y >= -0.5) & (map_y <= height - 0.5)
        factor = min(_shrinkage(map_x, map_y, self.valid), height, width)
        self.shrunk: Size | None = None
        if factor > 1:
            self.shrunk = (width // factor, height // factor)
            map_x = (map_x + 0.5) * (self.shrunk[0] / width) - 0.5
            map_y = (map_y + 0.5) * (self.shrunk[1] / height) - 0.5
        # Half a pixel of border belongs to the image; maps beyond 16 bits must not wrap round.
        inner = self.shrunk or source
        map_x = np.where(self.valid, np.clip(map_x, 0, inner[0] - 1), OUTSIDE).astype(np.float32)
        map_y = np.where(self.valid, np.clip(map_y, 0, inner[1] - 1), OUTSIDE).astype(np.float32)
        self._maps = cv2.convertMaps(map_x, map_y, cv2.CV_16SC2)

    @property
    def resampling(self) -> Resampling:
        return Resampling(self.shrunk, True, np.stack(cv2.convertMaps(*self._maps, cv2.CV_32FC1)))

    def __call__(self, image: np.ndarray) -> np.ndarray:
        if self.shrunk is not None:
            image = cv2.resize(image, self.shrunk, interpolation=cv2.INTER_AREA)
        return cv2.remap(image, *self._maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)


class Remap:
    """Brings an RGB and a thermal image into the frame and size of the reference camera.

    size: (width, height) of the output; rgb_size, thermal_size: of what it is made for. valid: bool (H, W),
    True where the other camera sees the scene; elsewhere its image is 0 after `apply`. coverage: the share of
    the output where it does. passes_through: nothing has to be done.
    """

    def __init__(
        self,
        reference: str,
        rgb_size: Size,
        thermal_size: Size,
        warp: _Warp | _Scale | None,
        valid: np.ndarray | None = None,
    ) -> None:
        self.reference = reference
        self.size = rgb_size if reference == "rgb" else thermal_size
        self.rgb_size, self.thermal_size = rgb_size, thermal_size
        self._warp = warp
        self.valid = np.ones(self.size[::-1], bool) if valid is None else valid
        self.valid.flags.writeable = False
        self.all_valid = bool(self.valid.all())
        self.coverage = float(self.valid.mean())
        self._outside = None if self.all_valid else (~self.valid).astype(np.uint8)

    @property
    def passes_through(self) -> bool:
        """True when `apply` hands back the very arrays it was given."""
        return self._warp is None

    @property
    def resampling(self) -> Resampling | None:
        """What `apply` does to the image of the camera that is not the reference; None for nothing."""
        return None if self._warp is None else self._warp.resampling

    def check(self, rgb: np.ndarray, thermal: np.ndarray) -> None:
        """Raises ValueError for images of other sizes than this was made for."""
        made, got = (self.rgb_size, self.thermal_size), (_size_of(rgb), _size_of(thermal))
        if got != made:
            raise ValueError(f"remap for rgb and thermal of {made} was given images of {got}")

    def apply(self, rgb: np.ndarray, thermal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """rgb (H, W, 3), thermal (H, W), any of uint8, uint16 or float32, of the sizes this was made for.

        Returns both in the reference camera's frame; the reference's own image is never touched or copied.
        """
        self.check(rgb, thermal)
        if self._warp is None:
            return rgb, thermal
        if self.reference == "rgb":
            return rgb, self._warp(thermal)
        return self._warp(rgb), thermal

    @property
    def restores(self) -> bool:
        """Whether `restore_outside` changes anything."""
        return self._outside is not None

    def restore_outside(self, fused: np.ndarray, reference: np.ndarray) -> np.ndarray:
        """Copy the reference camera's image over the pixels that the other camera does not see.

        fused (H, W, 3) uint8 is changed in place and returned; reference (H, W, 3) or (H, W) uint8.
        """
        if self._outside is None:
            return fused
        if reference.ndim == 2:
            reference = cv2.cvtColor(reference, cv2.COLOR_GRAY2RGB)
        return cv2.copyTo(reference, self._outside, fused)


def build_scaling(rgb_size: Size, thermal_size: Size, reference: str) -> Remap:
    """Both cameras are taken to see the same scene: the other image is scaled to the reference's size."""
    if rgb_size == thermal_size:
        return Remap(reference, rgb_size, thermal_size, None)
    source, target = (thermal_size, rgb_size) if reference == "rgb" else (rgb_size, thermal_size)
    return Remap(reference, rgb_size, thermal_size, _Scale(source, target))


def build_homography(matrix: np.ndarray, rgb_size: Size, thermal_size: Size, reference: str) -> Remap:
    """matrix (3, 3) takes thermal pixels to RGB pixels, both of the given sizes (width, height)."""
    if rgb_size == thermal_size and np.allclose(matrix / matrix[2, 2], np.eye(3), atol=1e-9, rtol=0.0):
        return Remap(reference, rgb_size, thermal_size, None)
    target, source = (rgb_size, thermal_size) if reference == "rgb" else (thermal_size, rgb_size)
    to_source = np.linalg.inv(matrix) if reference == "rgb" else matrix
    x, y = _grid(target)
    u, v, w = (row[0] * x + row[1] * y + row[2] for row in to_source)
    # Behind the camera w changes sign; the source's centre tells which sign is in front.
    centre = np.linalg.solve(to_source, [(source[0] - 1) / 2, (source[1] - 1) / 2, 1.0])
    w = np.where(w * np.sign(centre[2]) > 1e-12, w, np.nan)
    return _remap(u / w, v / w, rgb_size, thermal_size, reference)


def build_extrinsics(
    rgb: CameraModel,
    thermal: CameraModel,
    rotation: np.ndarray,
    translation: np.ndarray,
    plane_depth: float,
    reference: str,
) -> Remap:
    """Scene taken as a plane at plane_depth metres before the reference camera, square to its axis.

    X_rgb = rotation @ X_thermal + translation. The output keeps the reference camera's own distortion, so
    that its CameraInfo stays true.
    """
    target, source = (rgb, thermal) if reference == "rgb" else (thermal, rgb)
    if reference == "rgb":
        rotation, translation = rotation.T, -rotation.T @ translation
    rays = _all_rays(target)
    points = np.concatenate([rays, np.ones((len(rays), 1))], axis=1) * plane_depth
    points = points @ rotation.T + translation
    depth = np.where(points[:, 2] > 1e-6, points[:, 2], np.nan)
    pixels = source.project(points[:, :2] / depth[:, None])
    map_x, map_y = (pixels[:, i].reshape(target.size[::-1]) for i in (0, 1))
    return _remap(map_x, map_y, rgb.size, thermal.size, reference)


def _all_rays(camera: CameraModel) -> np.ndarray:
    """(H*W, 2) undistorted directions of all pixels.

    Undistortion is iterative, so it is done at every fourth pixel and interpolated linearly between: with the
    strongest usual distortions the error stays below a hundredth of a pixel.
    """
    xs, weights_x = _knots(camera.size[0])
    ys, weights_y = _knots(camera.size[1])
    grid = np.stack(np.meshgrid(xs, ys), axis=-1)
    coarse = camera.rays(grid.reshape(-1, 2)).reshape(*grid.shape)
    fine = [weights_y @ coarse[..., i] @ weights_x.T for i in (0, 1)]
    return np.stack(fine, axis=-1).reshape(-1, 2)


def _knots(length: int) -> tuple[np.ndarray, np.ndarray]:
    """Every fourth of `length` pixels, the last one included, and the (length, knots) linear weights."""
    knots = np.unique(np.append(np.arange(0, length, 4), length - 1)).astype(np.float64)
    return knots, np.stack([np.interp(np.arange(length), knots, row) for row in np.eye(len(knots))], axis=1)


def _remap(map_x: np.ndarray, map_y: np.ndarray, rgb_size: Size, thermal_size: Size, reference: str) -> Remap:
    warp = _Warp(map_x, map_y, thermal_size if reference == "rgb" else rgb_size)
    return Remap(reference, rgb_size, thermal_size, warp, warp.valid)


def _size_of(image: np.ndarray) -> Size:
    return int(image.shape[1]), int(image.shape[0])


def _grid(size: Size) -> tuple[np.ndarray, np.ndarray]:
    """Pixel coordinates x and y, (H, W) float64 each, of an image of size (width, height)."""
    y, x = np.mgrid[0 : size[1], 0 : size[0]].astype(np.float64)
    return x, y


def _shrinkage(map_x: np.ndarray, map_y: np.ndarray, valid: np.ndarray) -> int:
    """How many source pixels fall on one output pixel side, rounded down: the area to average beforehand."""
    if min(map_x.shape) < 2:
        return 1
    inside = valid[:-1, :-1] & valid[1:, :-1] & valid[:-1, 1:]
    if not inside.any():
        return 1
    along_x = np.hypot(np.diff(map_x, axis=1)[:-1], np.diff(map_y, axis=1)[:-1])[inside]
    along_y = np.hypot(np.diff(map_x, axis=0)[:, :-1], np.diff(map_y, axis=0)[:, :-1])[inside]
    return max(1, int(min(np.median(along_x), np.median(along_y)) + 1e-6))
