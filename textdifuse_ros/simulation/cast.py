"""Who moves where and when: a cycle of traffic and walkers that repeats with new faces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import layout

CYCLE = 20.0
"""Seconds between two cars in a lane; people use the zebra crossing while both lanes are free."""

START = 249.0
"""Street time of the first frame [s]: late enough that every path is populated."""

PERSON, CAR = 1, 2
CLASS_NAMES = {PERSON: "person", CAR: "car"}


@dataclass(frozen=True)
class Path:
    """A mover: its polyline (x, z) [m], speed [m/s], when it starts [s] and after how many seconds the next
    one does.
    """

    ident: int
    kind: int
    points: tuple[tuple[float, float], ...]
    speed: float
    start: float
    period: float

    def at(self, time: float) -> tuple[int, float, float, float, float] | None:
        """Place at a street time: (lap, x, z, heading [rad], distance gone [m]), None while away."""
        lap, since = divmod(time - self.start, self.period)
        gone = since * self.speed
        left = gone
        for (x0, z0), (x1, z1) in zip(self.points[:-1], self.points[1:], strict=True):
            length = float(np.hypot(x1 - x0, z1 - z0))
            if left <= length:
                share = left / length
                heading = float(np.arctan2(x1 - x0, z1 - z0))
                return int(lap), x0 + (x1 - x0) * share, z0 + (z1 - z0) * share, heading, gone
            left -= length
        return None


@dataclass(frozen=True)
class Parked:
    """A parked car: place [m], heading [rad], engine heat 0..1."""

    ident: int
    x: float
    z: float
    heading: float
    heat: float


def parked_cars(rng: np.random.Generator) -> tuple[Parked, ...]:
    """Cars along both kerbs, one of them just arrived and still warm."""
    cars = []
    for k, (x, z, heading) in enumerate(
        (
            (layout.PARKED_LEFT, 16.8, np.pi),
            (layout.PARKED_LEFT, 22.6, np.pi),
            (layout.PARKED_LEFT, 35.0, np.pi),
            (layout.PARKED_LEFT, 41.0, np.pi),
            (layout.PARKED_RIGHT, 17.5, 0.0),
            (layout.PARKED_RIGHT, 31.5, 0.0),
            (layout.PARKED_RIGHT, 37.5, 0.0),
        )
    ):
        heat = (0.0, 0.12, 0.55, 0.0, 0.3, 0.0, 0.1)[k]
        cars.append(
            Parked(
                100 + k,
                x + float(rng.uniform(-0.1, 0.1)),
                z + float(rng.uniform(-0.4, 0.4)),
                float(heading + rng.uniform(-0.03, 0.03)),
                heat,
            )
        )
    return tuple(cars)


def movers(rng: np.random.Generator) -> tuple[Path, ...]:
    """Walkers and driving cars of one street."""

    def near(value: float, spread: float = 0.15) -> float:
        return value + float(rng.uniform(-spread, spread))

    paths: list[tuple[int, tuple[tuple[float, float], ...], float, float, float]] = []
    for x, start in ((near(2.1), 2.0), (near(1.5), 29.0), (near(2.5), 44.0)):
        paths.append((PERSON, ((x, 74.0), (x, 8.0), (x - 0.3, 0.9)), 1.3, start, 60.0))
    for x, start in ((near(3.2), 8.0), (near(2.8), 39.0)):
        paths.append((PERSON, ((x, 1.2), (x, 74.0)), 1.25, start, 60.0))
    for start in (1.65, 21.65):
        z = near(10.6, 0.3)
        paths.append((PERSON, ((2.6, 1.0), (2.6, z), (-9.2, z), (-9.2, 34.0)), 1.3, start, 40.0))
    for start in (4.4, 24.4, 44.4):
        z = near(11.9, 0.3)
        paths.append((PERSON, ((-9.2, 45.0), (-9.2, z), (2.9, z), (2.9, 40.0)), 1.3, start, 60.0))
    for x, z0, z1, start in ((-9.9, 62.0, 15.0, 6.0), (-9.5, 15.0, 62.0, 21.0), (-10.2, 60.0, 15.0, 33.0)):
        paths.append((PERSON, ((near(x), z0), (near(x), z1)), near(1.25, 0.08), start, 40.0))
    paths.append((CAR, ((layout.LANE_ONCOMING, 76.0), (layout.LANE_ONCOMING, -2.0)), 8.0, -3.6, CYCLE))
    paths.append((CAR, ((layout.LANE_AWAY, -2.2), (layout.LANE_AWAY, 76.0)), 7.0, 6.2, CYCLE))
    return tuple(Path(k + 1, *path) for k, path in enumerate(paths))
