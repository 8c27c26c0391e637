"""Road, zebra crossing, kerbs and pavements: albedo and temperature."""

from __future__ import annotations

import numpy as np

from .geometry import Array
from .layout import AIR, KERB_LEFT, KERB_RIGHT, LANE_AWAY, LANE_ONCOMING, ROAD_CENTRE, ZEBRA_FAR, ZEBRA_NEAR
from .textures import sample


def ground(x: Array, z: Array, noise: Array) -> tuple[Array, Array]:
    """Look of ground points (N,) [m]: albedo (N,3) and temperature (N,) [deg C]."""
    fine = 0.55 * sample(noise, x * 61.0, z * 61.0) + 0.45 * sample(noise, x * 397.0, z * 211.0)
    coarse = sample(noise, x * 7.0 + 40.0, z * 7.0)
    grey = 0.085 * (0.55 + 0.9 * fine) * (0.75 + 0.5 * coarse)
    # Tyres polish two tracks in each lane and keep them a little warmer.
    tracks = np.zeros_like(x)
    for lane in (LANE_ONCOMING, LANE_AWAY):
        for side in (-0.75, 0.75):
            tracks += np.exp(-(((x - lane - side) / 0.28) ** 2))
    grey = grey * (1.0 - 0.16 * tracks)
    temperature = AIR + 1.2 + 0.5 * (coarse - 0.5) + 0.25 * (fine - 0.5) + 0.45 * tracks

    wear = np.clip(0.35 + 0.9 * coarse, 0.0, 1.0) * (0.7 + 0.5 * fine)
    dash = (
        (np.abs(x - ROAD_CENTRE) < 0.08)
        & (np.mod(z, 6.0) < 3.0)
        & ~((z > ZEBRA_NEAR - 1.5) & (z < ZEBRA_FAR + 1.5))
    )
    stripe = (z > ZEBRA_NEAR) & (z < ZEBRA_FAR) & (np.mod(x - KERB_LEFT, 1.0) < 0.52)
    grey = np.where(dash | stripe, 0.42 * wear + grey * (1.0 - wear), grey)
    temperature = np.where(dash | stripe, temperature - 0.6, temperature)
    albedo = grey[:, None] * np.array([1.0, 0.98, 0.95], np.float32)

    walk = (x > KERB_RIGHT) | (x < KERB_LEFT)
    row = np.floor(z / 0.8)
    joint = (np.mod(z, 0.8) < 0.03) | (np.mod(x + 0.4 * np.mod(row, 2.0), 0.8) < 0.03)
    slab = sample(noise, np.floor(x / 0.8) * 17.0 + row * 5.0, row * 29.0)
    stone = (0.17 + 0.09 * slab) * (0.8 + 0.4 * fine) * np.where(joint, 0.55, 1.0)
    albedo = np.where(walk[:, None], stone[:, None] * np.array([1.0, 0.95, 0.88], np.float32), albedo)
    temperature = np.where(walk, AIR + 0.4 + 0.6 * (slab - 0.5) + 0.2 * (fine - 0.5), temperature)

    from_kerb = np.minimum(np.abs(x - KERB_RIGHT), np.abs(x - KERB_LEFT))
    albedo = np.where((from_kerb < 0.13)[:, None], np.float32(0.36) * (0.75 + 0.5 * fine)[:, None], albedo)
    gutter = (from_kerb >= 0.13) & (from_kerb < 0.24) & ~walk
    albedo = np.where(gutter[:, None], albedo * 0.45, albedo)
    temperature = np.where(gutter, temperature - 0.5, temperature)
    return np.asarray(albedo, np.float32), np.asarray(temperature, np.float32)
