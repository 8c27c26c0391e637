"""Walking people: an articulated body of balls and limbs, dressed, lit by the street lamps, warm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .canvas import Canvas, Patch, bounding_box
from .geometry import Array, Camera, tone
from .lights import light_at
from .street import EXPOSURE

JACKETS = (
    (0.05, 0.06, 0.10),
    (0.30, 0.05, 0.05),
    (0.10, 0.16, 0.09),
    (0.34, 0.30, 0.24),
    (0.04, 0.04, 0.045),
    (0.08, 0.15, 0.32),
    (0.42, 0.31, 0.06),
    (0.22, 0.22, 0.24),
)
TROUSERS = ((0.045, 0.06, 0.13), (0.03, 0.03, 0.035), (0.16, 0.13, 0.09), (0.10, 0.10, 0.11))
SKINS = ((0.52, 0.33, 0.24), (0.40, 0.24, 0.16), (0.20, 0.11, 0.07), (0.56, 0.38, 0.29))
HAIRS = ((0.03, 0.02, 0.015), (0.10, 0.055, 0.03), (0.22, 0.15, 0.07), (0.20, 0.20, 0.20))


@dataclass(frozen=True)
class Person:
    """Looks of one pedestrian: lengths [m], linear RGB albedo, pace [m/s], phase of gait [rad], surface deg
    C.
    """

    height: float
    jacket: tuple[float, float, float]
    trousers: tuple[float, float, float]
    skin: tuple[float, float, float]
    hair: tuple[float, float, float]
    long_coat: bool
    backpack: bool
    pace: float
    phase: float
    coat_warmth: float

    @staticmethod
    def random(rng: np.random.Generator) -> Person:
        """Draw a pedestrian."""

        def pick(options: tuple[tuple[float, float, float], ...]) -> tuple[float, float, float]:
            return options[int(rng.integers(len(options)))]

        return Person(
            float(rng.uniform(1.58, 1.88)),
            pick(JACKETS),
            pick(TROUSERS),
            pick(SKINS),
            pick(HAIRS),
            bool(rng.random() < 0.3),
            bool(rng.random() < 0.3),
            float(rng.uniform(1.15, 1.5)),
            float(rng.uniform(0, 6.28)),
            float(rng.uniform(18.0, 23.0)),
        )


_SHADES = ((1.0, 0.0, 0.45, 1.5), (0.74, 0.22, 0.85, 0.4), (0.42, 0.42, 1.15, 0.0))
"""Per layer: share of the radius, shift towards the light [radii], brightness, degrees below the core."""


@dataclass(frozen=True)
class _Part:
    balls: Array
    albedo: tuple[float, float, float]
    warmth: float


def draw_person(
    camera: Camera, person: Person, x: float, z: float, heading: float, walked: float, grain: Array
) -> Patch | None:
    """Draw a person standing at (x, z) [m], facing `heading` [rad] (0 = away from the camera), after `walked`
    metres.
    """
    parts = _body(person, x, z, heading, walked)
    balls = np.concatenate([part.balls for part in parts])
    box = bounding_box(camera, balls)
    if box is None or float(balls[:, 2].min()) < 0.5:
        return None
    canvas = Canvas(camera, box)
    light, direction = light_at(x, 1.2, z)
    side = float(np.clip(direction[0], -0.8, 0.8))
    unit = camera.focal / z
    _paint(canvas, sorted(parts, key=lambda item: -float(item.balls[0, 2])), light, side, fine=unit > 30.0)
    return canvas.finish(z, soften=min(0.014 * unit, 1.6), grain=grain)


def _paint(canvas: Canvas, parts: Sequence[_Part], light: Array, side: float, fine: bool) -> None:
    """Paint parts as round things: a dark rim, the body, a lighter core moved towards the light.

    Far away (not `fine`) the body alone is enough.
    """
    shades = _SHADES if fine else _SHADES[1:2]
    balls, sizes, temperatures = [], [], []
    for part in parts:
        for shrink, shift, _, cooler in shades:
            radius = part.balls[:, 3:]
            move = np.array([shift * side, 0.5 * shift, 0.0], np.float32)
            balls.append(
                np.concatenate(
                    [part.balls[:, :3] + radius * move, radius * (shrink if fine else 1.0)], axis=1
                )
            )
            sizes.append(len(part.balls))
            temperatures.append(part.warmth - cooler)
    albedo = np.array([part.albedo for part in parts], np.float32)
    bright = np.array([shade[2] for shade in shades], np.float32)
    colours = tone(albedo[:, None, :] * light * bright[None, :, None], EXPOSURE).reshape(-1, 3)
    canvas.hulls(np.concatenate(balls), sizes, colours, temperatures)


class _Stance:
    """Where somebody stands, which way and how tall: from places in the body's own lengths to the world's."""

    def __init__(self, x: float, z: float, heading: float, size: float) -> None:
        """x, z [m]; heading [rad]; size: height over 1.75 m."""
        self._size = size
        self._forward = np.array([np.sin(heading), 0.0, np.cos(heading)], np.float32)
        self._right = np.array([np.cos(heading), 0.0, -np.sin(heading)], np.float32)
        self._up = np.array([0.0, 1.0, 0.0], np.float32)
        self._base = np.array([x, 0.0, z], np.float32)

    def at(self, ahead: float, sideways: float, height: float) -> Array:
        """A point [m] in the world."""
        moved = ahead * self._forward + sideways * self._right + height * self._up
        return np.asarray(self._base + self._size * moved, np.float32)

    def limb(self, radii: tuple[float, ...], *joints: Array) -> Array:
        """Balls (N, 4) around points of the world."""
        balls = np.empty((len(radii), 4), np.float32)
        balls[:, :3] = joints
        balls[:, 3] = radii
        balls[:, 3] *= self._size
        return balls


def _body(person: Person, x: float, z: float, heading: float, walked: float) -> list[_Part]:
    """Balls of every part in world coordinates [m]."""
    size = person.height / 1.75
    stance = _Stance(x, z, heading, size)
    phase = person.phase + walked / (1.45 * size) * 2.0 * np.pi  # one stride (two steps) in 1.45 m
    bob = 0.022 * np.cos(2.0 * phase) - 0.02
    parts: list[_Part] = []
    for sign in (-1.0, 1.0):
        swing = phase if sign > 0 else phase + np.pi
        parts += _leg(person, stance, sign, swing, 0.92 + bob)
        parts += _arm(person, stance, sign, swing, 1.42 + bob)
    return parts + _trunk(person, stance, bob)


def _leg(person: Person, stance: _Stance, sign: float, swing: float, hip_height: float) -> list[_Part]:
    """sign: -1 left, 1 right; swing: where its stride is [rad]."""
    at, limb, coat = stance.at, stance.limb, person.coat_warmth
    thigh = 0.44 * np.sin(swing)
    knee = 0.12 + 0.85 * max(0.0, float(np.cos(swing))) ** 1.5
    knee_ahead, knee_up = 0.43 * np.sin(thigh), hip_height - 0.43 * np.cos(thigh)
    shin = thigh - knee
    ankle_ahead, ankle_up = knee_ahead + 0.42 * np.sin(shin), knee_up - 0.42 * np.cos(shin)
    hip, middle = at(0, 0.09 * sign, hip_height), at(knee_ahead, 0.095 * sign, knee_up)
    ankle = at(ankle_ahead, 0.10 * sign, max(ankle_up, 0.07))
    toe_ahead, toe_up = ankle_ahead + 0.17 * np.cos(shin * 0.6), ankle_up - 0.03 + 0.12 * np.sin(shin * 0.6)
    toe = at(toe_ahead, 0.11 * sign, max(toe_up, 0.045))
    return [
        _Part(limb((0.092, 0.064), hip, middle), person.trousers, coat - 1.0),
        _Part(limb((0.064, 0.046), middle, ankle), person.trousers, coat - 2.5),
        _Part(limb((0.048, 0.036), ankle, toe), (0.03, 0.028, 0.026), 14.0),
    ]


def _arm(person: Person, stance: _Stance, sign: float, swing: float, shoulder_height: float) -> list[_Part]:
    """It swings against the leg of its side."""
    at, limb, coat = stance.at, stance.limb, person.coat_warmth
    arm = -0.42 * np.sin(swing)
    bend = 0.30 + 0.25 * max(0.0, float(np.sin(arm)))
    shoulder = at(0, 0.19 * sign, shoulder_height)
    elbow = at(0.29 * np.sin(arm), 0.235 * sign, shoulder_height - 0.29 * np.cos(arm))
    wrist = at(
        0.29 * np.sin(arm) + 0.25 * np.sin(arm + bend),
        0.24 * sign,
        shoulder_height - 0.29 * np.cos(arm) - 0.25 * np.cos(arm + bend),
    )
    hand = wrist + (wrist - elbow) * 0.28
    return [
        _Part(limb((0.062, 0.052), shoulder, elbow), person.jacket, coat),
        _Part(limb((0.052, 0.040), elbow, wrist), person.jacket, coat - 0.5),
        _Part(limb((0.040, 0.036), wrist, hand), person.skin, 29.5),
    ]


def _trunk(person: Person, stance: _Stance, bob: float) -> list[_Part]:
    """Torso, neck, face, hair, and a backpack if there is one. bob: up and down with the steps."""
    at, limb = stance.at, stance.limb
    shoulder_height, hem = 1.42 + bob, 0.62 if person.long_coat else 0.86
    torso = limb(
        (0.075, 0.075, 0.115, 0.115, 0.12, 0.12),
        at(0, -0.165, shoulder_height),
        at(0, 0.165, shoulder_height),
        at(0.02, -0.07, 1.20 + bob),
        at(0.02, 0.07, 1.20 + bob),
        at(0, -0.07, hem + bob),
        at(0, 0.07, hem + bob),
    )

    def upright(radii: tuple[float, float], low: tuple[float, float], high: tuple[float, float]) -> Array:
        return limb(radii, at(low[0], 0, low[1] + bob), at(high[0], 0, high[1] + bob))

    parts = [
        _Part(torso, person.jacket, person.coat_warmth + 0.8),
        _Part(upright((0.052, 0.055), (0, 1.45), (0.01, 1.53)), person.skin, 32.5),
        _Part(upright((0.082, 0.060), (0.015, 1.645), (0.035, 1.575)), person.skin, 33.5),
        _Part(upright((0.086, 0.070), (-0.022, 1.665), (-0.045, 1.61)), person.hair, 26.5),
    ]
    if person.backpack:
        balls = upright((0.11, 0.12), (-0.19, 1.32), (-0.19, 1.08))
        parts.append(_Part(balls, (0.06, 0.06, 0.07), 11.0))
    return parts
