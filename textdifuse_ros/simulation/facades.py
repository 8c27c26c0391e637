"""House fronts: bricks and plaster, windows (some lit), doors and shops; colour, emission, temperature."""

from __future__ import annotations

import numpy as np

from .geometry import Array
from .layout import AIR, BUILDING_LENGTH, FLOOR_HEIGHT
from .textures import sample

WALL_COLOURS = np.array(
    [
        [0.30, 0.13, 0.09],
        [0.34, 0.29, 0.22],
        [0.24, 0.23, 0.23],
        [0.38, 0.22, 0.14],
        [0.20, 0.17, 0.15],
        [0.40, 0.36, 0.30],
    ],
    np.float32,
)
LIGHT_COLOURS = np.array(
    [[1.0, 0.72, 0.36], [1.0, 0.80, 0.52], [0.80, 0.88, 1.0], [1.0, 0.62, 0.28]], np.float32
)


def _hash(*parts: Array | float, seed: int) -> Array:
    """Repeatable numbers 0..1 from whole-number coordinates."""
    total = np.asarray(float(seed % 9973) * 0.6180339, np.float64)
    for k, part in enumerate(parts):
        total = total + np.asarray(part, np.float64) * (12.9898 + 65.2331 * k)
    value = np.sin(total) * 43758.5453
    return np.asarray(value - np.floor(value), np.float32)


def roof_height(along: Array, side: int, seed: int) -> Array:
    """Height [m] of the house `along` [m] down the street on a side (0 left, 1 right, 2 end)."""
    house = np.floor(along / BUILDING_LENGTH)
    floors = 3.0 + np.floor(_hash(house, float(side), seed=seed) * 3.0)
    return np.asarray(floors * FLOOR_HEIGHT + 0.8, np.float32)


def facade(along: Array, height: Array, side: int, seed: int, noise: Array) -> tuple[Array, Array, Array]:
    """Look of wall points given along-street and height coordinates (N,) [m].

    Returns albedo (N,3), own light (N,3, linear) and temperature (N,) [deg C].
    """
    house = np.floor(along / BUILDING_LENGTH)
    pick = (_hash(house, 3.0 + side, seed=seed) * len(WALL_COLOURS)).astype(np.int32)
    albedo = WALL_COLOURS[pick] * (0.75 + 0.5 * sample(noise, along * 23.0, height * 23.0))[:, None]
    temperature = (
        AIR
        - 1.5
        + 2.0 * _hash(house, 9.0 + side, seed=seed)
        + 0.8 * (sample(noise, along * 9.0, height * 9.0) - 0.5)
    )
    temperature = temperature + 1.5 * np.exp(-height / 1.5)

    bricked = (pick % 2) == 0
    row = np.floor(height / 0.15)
    mortar = (np.mod(height, 0.15) < 0.025) | (np.mod(along + 0.15 * np.mod(row, 2.0), 0.30) < 0.025)
    albedo = np.where((bricked & mortar)[:, None], albedo * 0.62, albedo)

    floor = np.floor(height / FLOOR_HEIGHT)
    up = np.mod(height, FLOOR_HEIGHT)
    bay_width = np.where(_hash(house, 5.0 + side, seed=seed) > 0.5, 2.25, 3.0)
    inside_house = np.mod(along, BUILDING_LENGTH)
    bay = np.floor(inside_house / bay_width)
    across = np.mod(inside_house, bay_width) - bay_width / 2.0
    ledge = (up < 0.14) & (floor > 0)
    albedo = np.where(ledge[:, None], albedo * 1.35 + 0.04, albedo)

    shop = (floor == 0) & (_hash(house, 7.0 + side, seed=seed) > 0.45)
    half = np.where(shop, bay_width / 2.0 - 0.22, 0.58)
    low, high = np.where(shop, 0.55, 0.85), np.where(shop, 2.45, 2.45)
    door = (floor == 0) & (bay == 1) & (np.abs(across) < 0.55) & (up < 2.3)
    frame = (np.abs(across) < half + 0.10) & (up > low - 0.10) & (up < high + 0.10) & ~door
    pane = (np.abs(across) < half) & (up > low) & (up < high) & ~door
    bars = pane & ~shop & ((np.abs(across) < 0.035) | (np.abs(up - 1.95) < 0.03))
    pane &= ~bars
    albedo = np.where(frame[:, None], np.float32(0.42), albedo)
    albedo = np.where(bars[:, None], np.float32(0.38), albedo)
    albedo = np.where(pane[:, None], np.array([0.018, 0.024, 0.034], np.float32), albedo)
    albedo = np.where(door[:, None], np.array([0.11, 0.055, 0.035], np.float32), albedo)

    chance = _hash(house, floor, bay, 11.0 + side, seed=seed)
    lit = pane & (chance < np.where(shop, 0.45, 0.32))
    tint = LIGHT_COLOURS[
        (_hash(house, floor, bay, 17.0 + side, seed=seed) * len(LIGHT_COLOURS)).astype(np.int32)
    ]
    curtain = 0.55 + 0.45 * np.cos(across * 9.0) * (np.abs(across) > half * 0.5) - 0.18 * (up - low)
    room = (0.16 + 0.38 * _hash(house, floor, bay, 23.0 + side, seed=seed)) * np.clip(curtain, 0.15, 1.0)
    room = room * (0.75 + 0.5 * sample(noise, along * 31.0, height * 31.0))
    own = np.where(lit[:, None], tint * room[:, None], np.float32(0.0))

    temperature = np.where(frame, temperature + 0.9, temperature)
    temperature = np.where(pane, AIR + np.where(lit, 3.6, 1.3) - 0.6 * (up - low), temperature)
    temperature = np.where(door, AIR + 1.8, temperature)
    return (np.asarray(albedo, np.float32), np.asarray(own, np.float32), np.asarray(temperature, np.float32))
