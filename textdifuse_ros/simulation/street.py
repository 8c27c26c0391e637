"""The street without anything that moves: cast once, kept as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from . import layout
from .facades import facade, roof_height
from .geometry import EYE_HEIGHT, Array, Camera, tone
from .ground import ground
from .lights import AMBIENT, LAMPS, irradiance
from .textures import fractal_noise, sample

EXPOSURE = 4.2
"""Scale from linear light to the display curve."""

HAZE = np.array([0.013, 0.013, 0.017], np.float32)


@dataclass(frozen=True)
class Street:
    """Static layers, all (H,W): display RGB 0..255, albedo 0..1, temperature [deg C], depth [m].

    obstacle is depth without the ground: what can hide somebody standing behind it.
    """

    rgb: Array
    albedo: Array
    temperature: Array
    depth: Array
    obstacle: Array


def build_street(camera: Camera, seed: int, oversample: int = 2) -> Street:
    """Cast one ray per (over)sample into ground, two rows of houses, the end of the street and the sky."""
    big = Camera(camera.width * oversample, camera.height * oversample)
    rng = np.random.default_rng([seed, 1])
    noise = fractal_noise(rng, 512, octaves=7, base=8, persistence=0.72)
    cols, rows = np.meshgrid(
        np.arange(big.width, dtype=np.float32) + 0.5, np.arange(big.height, dtype=np.float32) + 0.5
    )
    dx = ((cols - big.cx) / big.focal).ravel()
    dy = ((big.cy - rows) / big.focal).ravel()
    linear, albedo, temperature, depth, on_ground = _cast(dx, dy, seed, noise)
    obstacle = np.where(on_ground, np.float32(layout.MAX_DEPTH), depth)
    shape = (big.height, big.width)
    size = (camera.width, camera.height)

    def shrink(values: Array, channels: int = 1) -> Array:
        image = values.reshape(shape if channels == 1 else (*shape, channels))
        return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.float32)

    street = Street(
        shrink(tone(linear, EXPOSURE), 3),
        shrink(albedo, 3),
        shrink(temperature),
        _thin(depth, shape, oversample),
        _thin(obstacle, shape, oversample),
    )
    _draw_lamps(street, camera)
    return street


def _thin(values: Array, shape: tuple[int, int], oversample: int) -> Array:
    return np.ascontiguousarray(values.reshape(shape)[::oversample, ::oversample])


def _cast(
    dx: Array, dy: Array, seed: int, noise: Array
) -> tuple[Array, Array, Array, Array, NDArray[np.bool_]]:
    """Nearest surface along each ray (dx, dy, 1): light (N,3), albedo (N,3), temperature, depth, is ground
    (N,).
    """
    count = len(dx)
    linear, temperature = _sky(dx, dy, noise)
    albedo = np.zeros((count, 3), np.float32)
    depth = np.full(count, layout.MAX_DEPTH, np.float32)

    on_ground = np.zeros(count, np.bool_)
    with np.errstate(divide="ignore", invalid="ignore"):
        to_ground = np.where(dy < -1e-4, -EYE_HEIGHT / dy, np.inf)
        to_left = np.where(dx < -1e-4, layout.WALL_LEFT / dx, np.inf)
        to_right = np.where(dx > 1e-4, layout.WALL_RIGHT / dx, np.inf)
    surfaces = (
        (to_ground, None, (0.0, 1.0, 0.0)),
        (to_left, 0, (1.0, 0.0, 0.0)),
        (to_right, 1, (-1.0, 0.0, 0.0)),
        (np.full(count, layout.STREET_END, np.float32), 2, (0.0, 0.0, -1.0)),
    )
    for distance, side, normal in surfaces:
        z = distance.astype(np.float32)
        candidates = np.flatnonzero((z < depth) & (z <= layout.STREET_END))
        at = z[candidates]
        points = np.stack([dx[candidates] * at, EYE_HEIGHT + dy[candidates] * at, at], axis=1)
        if side is not None:
            along: Array = np.asarray(points[:, 0] + 100.0 if side == 2 else points[:, 2], np.float32)
            hit = points[:, 1] < roof_height(along, side, seed)
            candidates, points, along = candidates[hit], points[hit], along[hit]
        if not len(candidates):
            continue
        if side is None:
            look, warmth = ground(points[:, 0], points[:, 2], noise)
            own = np.zeros_like(look)
        else:
            look, own, warmth = facade(along, points[:, 1], side, seed, noise)
        normals = np.broadcast_to(np.array(normal, np.float32), points.shape)
        light = own + look * irradiance(points, normals)
        clear = np.exp(-points[:, 2] / 90.0)[:, None]
        linear[candidates] = light * clear + HAZE * (1.0 - clear)
        albedo[candidates] = look
        temperature[candidates] = warmth
        depth[candidates] = points[:, 2]
        on_ground[candidates] = side is None
    return linear, albedo, temperature, depth, on_ground


def _sky(dx: Array, dy: Array, noise: Array) -> tuple[Array, Array]:
    """Night sky glow and clouds: light (N,3) and apparent temperature (N,) [deg C]."""
    rise = np.clip(dy, 0.0, 1.0)
    cloud = sample(noise, dx * 140.0 + 77.0, dy * 320.0 + 31.0)
    cloud = np.clip((cloud - 0.45) * 2.2, 0.0, 1.0)
    glow = np.exp(-rise * 5.0)
    colour = AMBIENT * 0.45 + glow[:, None] * np.array([0.022, 0.017, 0.015], np.float32)
    colour = colour + cloud[:, None] * np.array([0.006, 0.006, 0.007], np.float32)
    temperature = -19.0 + 13.0 * np.exp(-rise * 4.0) + 5.0 * cloud
    return np.asarray(colour, np.float32), np.asarray(temperature, np.float32)


def _draw_lamps(street: Street, camera: Camera) -> None:
    """Posts, arms and heads, farthest first, and the glow around each head."""
    for lamp in sorted(LAMPS, key=lambda item: -item.z):
        if lamp.z < 1.0:
            continue
        side = 1.0 if lamp.x > layout.ROAD_CENTRE else -1.0
        foot_x = lamp.x + side * 1.4
        line = np.array(
            [
                [foot_x, 0, lamp.z],
                [foot_x, lamp.y - 0.1, lamp.z],
                [foot_x, lamp.y + 0.15, lamp.z],
                [lamp.x, lamp.y + 0.1, lamp.z],
            ],
            np.float32,
        )
        pixels = camera.project(line)
        thickness = max(1, round(0.13 * camera.focal / lamp.z))
        for a, b in ((pixels[0], pixels[1]), (pixels[2], pixels[3])):
            ends = tuple(round(float(v)) for v in a), tuple(round(float(v)) for v in b)
            cv2.line(street.rgb, *ends, (26.0, 24.0, 22.0), thickness, cv2.LINE_8)
            cv2.line(street.albedo, *ends, (0.05, 0.05, 0.05), thickness, cv2.LINE_8)
            cv2.line(street.temperature, *ends, layout.AIR - 0.5, thickness, cv2.LINE_8)
            cv2.line(street.depth, *ends, lamp.z, thickness, cv2.LINE_8)
            cv2.line(street.obstacle, *ends, lamp.z, thickness, cv2.LINE_8)
        _glow(street, camera, lamp.x, lamp.y, lamp.z, lamp.colour)


def _glow(
    street: Street, camera: Camera, x: float, y: float, z: float, colour: tuple[float, float, float]
) -> None:
    u, v = camera.project(np.array([[x, y, z]], np.float32))[0]
    rows, cols = np.mgrid[0 : camera.height, 0 : camera.width].astype(np.float32)
    unit = camera.focal / z
    square = ((cols - u) / unit) ** 2 + ((rows - v) / unit) ** 2
    core = np.clip(1.35 - np.sqrt(square) / 0.16, 0.0, 1.0)
    halo = 0.30 * np.exp(-square / 0.25) + 0.16 * np.exp(-np.sqrt(square) / 0.9)
    tint = np.array([max(c, 0.25) ** 0.5 for c in colour], np.float32)
    street.rgb[:] = np.minimum(street.rgb + 255.0 * halo[..., None] * tint + 255.0 * core[..., None], 255.0)
    street.temperature[:] = np.maximum(street.temperature, core * 31.0 + (1.0 - core) * street.temperature)
    street.depth[core > 0.5] = z
    street.obstacle[core > 0.5] = z
