"""Street lamps and what they do to a surface."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .geometry import Array

AMBIENT = np.array([0.008, 0.010, 0.017], np.float32)
"""Light of the night sky (linear RGB)."""


@dataclass(frozen=True)
class Lamp:
    """A lamp head: position [m], colour (linear RGB), power."""

    x: float
    y: float
    z: float
    colour: tuple[float, float, float]
    power: float


WARM = (1.0, 0.70, 0.38)
WHITE = (0.86, 0.93, 1.0)

LAMPS: tuple[Lamp, ...] = (
    Lamp(-0.2, 5.6, 9.0, WARM, 9.0),
    Lamp(-7.2, 5.6, 15.0, WARM, 9.5),
    Lamp(-0.2, 5.6, 26.0, WARM, 9.0),
    Lamp(-7.2, 5.6, 34.0, WHITE, 9.0),
    Lamp(-0.2, 5.6, 44.0, WARM, 9.0),
    Lamp(-7.2, 5.6, 54.0, WARM, 9.0),
    Lamp(-0.2, 5.6, 63.0, WARM, 9.0),
    Lamp(-1.5, 5.6, -4.0, WARM, 10.0),
)


def irradiance(points: Array, normals: Array) -> Array:
    """Linear RGB light (N,3) on surface points (N,3) [m] with unit normals (N,3); ambient included."""
    light = np.tile(AMBIENT, (len(points), 1))
    for lamp in LAMPS:
        to_lamp = np.array([lamp.x, lamp.y, lamp.z], np.float32) - points
        square = np.maximum(np.einsum("ij,ij->i", to_lamp, to_lamp), 0.5)
        distance = np.sqrt(square)
        facing = np.clip(np.einsum("ij,ij->i", to_lamp, normals) / distance, 0.0, 1.0)
        # A shade keeps most of the light below the head.
        down = np.clip(to_lamp[:, 1] / distance, 0.0, 1.0) ** 0.7
        amount = lamp.power * (0.85 * facing + 0.08) * (0.06 + 0.94 * down) / square
        light += amount[:, None] * np.array(lamp.colour, np.float32)
    return np.asarray(light, np.float32)


def light_at(x: float, y: float, z: float) -> tuple[Array, Array]:
    """Light on an upright body at a place: (irradiance RGB (3,), unit direction (3,) towards the brightest
    side).
    """
    here = np.array([x, y, z], np.float32)
    total, direction = AMBIENT.copy() * 1.6, np.array([0.0, 0.4, -0.3], np.float32)
    for lamp in LAMPS:
        to_lamp = np.array([lamp.x, lamp.y, lamp.z], np.float32) - here
        square = max(float(to_lamp @ to_lamp), 0.5)
        amount = lamp.power / square * (0.3 if lamp.z > z else 0.55)  # lamps behind a body light its far side
        total = total + amount * np.array(lamp.colour, np.float32)
        direction = direction + (amount * 4.0 / np.sqrt(square)) * to_lamp
    return np.asarray(total, np.float32), np.asarray(direction / np.linalg.norm(direction), np.float32)
