"""Cars: an extruded body with windows, lights and wheels, warm where a car is warm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .canvas import Canvas, Patch, bounding_box
from .geometry import Array, Camera, tone
from .lights import irradiance
from .street import EXPOSURE

PAINTS = (
    (0.28, 0.03, 0.03),
    (0.05, 0.09, 0.22),
    (0.32, 0.33, 0.35),
    (0.05, 0.05, 0.055),
    (0.50, 0.50, 0.48),
    (0.09, 0.17, 0.12),
    (0.36, 0.27, 0.13),
)
GLASS = (0.03, 0.036, 0.045)
RUBBER = (0.018, 0.018, 0.02)

# Side outlines (ahead of the middle, above the road) [m]: body below the belt, cabin above it.
_SALOON_BODY = (
    (-2.15, 0.32),
    (-2.2, 0.62),
    (-2.12, 0.95),
    (-1.45, 1.00),
    (0.95, 0.98),
    (1.85, 0.82),
    (2.15, 0.66),
    (2.18, 0.32),
)
_SALOON_CABIN = ((-1.85, 0.97), (-1.10, 1.41), (0.10, 1.43), (1.02, 0.97))
_SUV_BODY = (
    (-2.15, 0.38),
    (-2.2, 0.70),
    (-2.16, 1.08),
    (-1.5, 1.10),
    (1.05, 1.08),
    (2.0, 0.98),
    (2.18, 0.76),
    (2.2, 0.38),
)
_SUV_CABIN = ((-2.12, 1.08), (-1.85, 1.62), (0.15, 1.64), (1.02, 1.08))


@dataclass(frozen=True)
class Car:
    """Looks of a car: linear RGB paint, shape, whether its lights are on, engine heat 0 (cold) .. 1
    (driving).
    """

    paint: tuple[float, float, float]
    suv: bool
    lights: bool
    heat: float

    @staticmethod
    def random(rng: np.random.Generator, lights: bool, heat: float) -> Car:
        """Draw a car."""
        return Car(PAINTS[int(rng.integers(len(PAINTS)))], bool(rng.random() < 0.35), lights, heat)


_Panel = tuple[float, float, float, float, tuple[float, float, float], float]
"""A panel on an end of the car: left, right, low, high [m], display RGB, temperature [deg C]."""


class _Frame:
    """Car coordinates (ahead, leftwards, up) to world coordinates, and light on its faces."""

    def __init__(self, x: float, z: float, heading: float) -> None:
        self.forward = np.array([np.sin(heading), 0.0, np.cos(heading)], np.float32)
        self.left = np.array([-np.cos(heading), 0.0, np.sin(heading)], np.float32)
        self.base = np.array([x, 0.0, z], np.float32)

    def world(self, points: Array) -> Array:
        return np.asarray(
            self.base
            + points[:, :1] * self.forward
            + points[:, 1:2] * self.left
            + points[:, 2:] * np.array([0.0, 1.0, 0.0], np.float32),
            np.float32,
        )

    def faces_camera(self, quad: Array) -> tuple[bool, Array, Array]:
        """Whether a world polygon shows its front, its unit normal and its middle."""
        normal = np.cross(quad[1] - quad[0], quad[2] - quad[0])
        normal = normal / max(float(np.linalg.norm(normal)), 1e-6)
        middle = quad.mean(axis=0) - np.array([0.0, 1.55, 0.0], np.float32)
        return (
            bool(normal @ middle < 0.0),
            np.asarray(normal, np.float32),
            np.asarray(quad.mean(axis=0), np.float32),
        )


def draw_car(camera: Camera, car: Car, x: float, z: float, heading: float, grain: Array) -> Patch | None:
    """Draw a car whose middle stands at (x, z) [m] heading `heading` [rad] (0 = away)."""
    frame = _Frame(x, z, heading)
    corners = np.array(
        [[a, b, h, 0.05] for a in (-2.25, 2.25) for b in (-0.95, 0.95) for h in (0.0, 1.7)], np.float32
    )
    world = np.concatenate([frame.world(corners[:, :3]), corners[:, 3:]], axis=1).astype(np.float32)
    if np.max(world[:, 2]) < 0.6:
        return None
    box = bounding_box(camera, world)
    if box is None:
        return None
    canvas = Canvas(camera, box)
    _wheels(canvas, frame, car, hidden=True)
    _solid(canvas, frame, car, _SUV_BODY if car.suv else _SALOON_BODY, 0.89, 0.86, cabin=False)
    _wheels(canvas, frame, car, hidden=False)
    _lamps(canvas, frame, car)
    _solid(canvas, frame, car, _SUV_CABIN if car.suv else _SALOON_CABIN, 0.82, 0.64, cabin=True)
    return canvas.finish(
        max(z, 0.6), soften=min(0.010 * camera.focal / max(z, 2.0), 0.9), grain=0.5 + 0.25 * grain
    )


def _solid(
    canvas: Canvas,
    frame: _Frame,
    car: Car,
    outline: tuple[tuple[float, float], ...],
    low_half: float,
    high_half: float,
    cabin: bool,
) -> None:
    """Extrude a side outline across the car and paint the faces that the camera sees."""
    top = max(height for _, height in outline)
    low = min(height for _, height in outline)

    def point(index: int, side: float) -> tuple[float, float, float]:
        ahead, height = outline[index % len(outline)]
        mix = (height - low) / (top - low)
        return ahead, side * (low_half + (high_half - low_half) * mix), height

    count = len(outline)
    for i in range(count - 1):
        quad = frame.world(
            np.array([point(i, 1.0), point(i + 1, 1.0), point(i + 1, -1.0), point(i, -1.0)], np.float32)
        )
        roof = cabin and i == 1
        kind = "paint" if not cabin or roof else "glass"
        _face(canvas, frame, car, quad, kind, _warmth(car, cabin, i, count))
        if kind == "glass":
            canvas.line(
                np.concatenate([quad, quad[:1]]),
                tone(np.array(car.paint, np.float32) * 0.25, 1.0),
                8.0,
                0.05,
            )
    for side in (1.0, -1.0):
        polygon = np.array([point(i, side) for i in range(count)], np.float32)
        world = frame.world(polygon if side < 0 else polygon[::-1])
        if not _face(canvas, frame, car, world, "paint", 8.6 + 1.5 * car.heat):
            continue
        if cabin:
            middle = world.mean(axis=0)
            _face(
                canvas,
                frame,
                car,
                np.asarray(middle + (world - middle) * 0.86, np.float32),
                "glass",
                8.0 + car.heat,
            )
            pillar = frame.world(
                np.array([[-0.35, side * low_half, low], [-0.35, side * high_half, top]], np.float32)
            )
            canvas.line(pillar, tone(np.array(car.paint, np.float32) * 0.3, EXPOSURE * 0.3), 8.6, 0.07)
        else:
            for ahead in (-0.38, 0.85):
                seam = frame.world(
                    np.array([[ahead, side * 0.885, 0.42], [ahead, side * 0.87, 0.95]], np.float32)
                )
                canvas.line(seam, np.array([10.0, 10.0, 10.0], np.float32), 8.6, 0.02)


def _warmth(car: Car, cabin: bool, index: int, count: int) -> float:
    """Temperature of the upper faces [deg C]: glass mirrors the cold sky, the bonnet is warm."""
    if cabin:
        return 5.0 + 2.5 * car.heat
    if index >= count - 4:
        return 7.0 + (15.0 if index == count - 4 else 19.0) * car.heat
    return 6.5 + 2.0 * car.heat


def _face(canvas: Canvas, frame: _Frame, car: Car, quad: Array, kind: str, warmth: float) -> bool:
    seen, normal, middle = frame.faces_camera(quad)
    if not seen:
        return False
    light = irradiance(middle[None], normal[None])[0]
    if kind == "glass":
        linear = np.array(GLASS, np.float32) * 0.35 + light * 0.035
    else:
        # Lacquer: its colour, and a colourless sheen from the lamps on faces that look up.
        linear = np.array(car.paint, np.float32) * light + light * 0.10 * max(float(normal[1]), 0.05)
    canvas.polygon(quad, tone(linear, EXPOSURE), warmth)
    return True


def _wheels(canvas: Canvas, frame: _Frame, car: Car, hidden: bool) -> None:
    angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    for ahead in (-1.32, 1.36):
        for side in (-1.0, 1.0):

            def ring(radius: float, offset: float, ahead: float = ahead, side: float = side) -> Array:
                points = np.stack(
                    [
                        ahead + radius * np.cos(angles),
                        np.full(16, side * offset),
                        0.33 + radius * np.sin(angles),
                    ],
                    axis=1,
                ).astype(np.float32)
                return frame.world(points)

            tyre = 9.5 + 10.0 * car.heat
            if hidden:
                tread = np.concatenate([ring(0.31, 0.68), ring(0.31, 0.87)])
                balls = np.concatenate([tread, np.full((len(tread), 1), 0.02, np.float32)], axis=1)
                canvas.hull(np.asarray(balls, np.float32), np.array([9.0, 9.0, 10.0], np.float32), tyre)
                continue
            disc = ring(0.33, 0.895)
            outwards = frame.left * side
            if float(outwards @ (disc.mean(axis=0) - np.array([0, 1.55, 0], np.float32))) >= 0:
                continue
            light = irradiance(disc.mean(axis=0)[None], np.asarray(outwards, np.float32)[None])[0]
            canvas.polygon(ring(0.39, 0.892), np.array([7.0, 7.0, 8.0], np.float32), 9.0 + 3.0 * car.heat)
            canvas.polygon(disc, tone(np.array(RUBBER, np.float32) * light + 0.001, EXPOSURE), tyre)
            canvas.polygon(ring(0.21, 0.9), tone(np.float32(0.34) * light, EXPOSURE), 9.0 + 16.0 * car.heat)
            canvas.polygon(ring(0.07, 0.905), tone(np.float32(0.10) * light, EXPOSURE), 9.0 + 20.0 * car.heat)


def _lamps(canvas: Canvas, frame: _Frame, car: Car) -> None:
    """Headlights, grille, tail lights, number plates, exhaust: panels on the end that the camera sees."""
    raised = 0.12 if car.suv else 0.0
    for end in (1.0, -1.0):
        if float((frame.forward * end) @ (frame.base + frame.forward * end * 2.1)) >= 0:
            continue
        for left, right, low, high, colour, warmth in _front(car) if end > 0 else _rear(car):
            corners = [(left, low), (right, low), (right, high), (left, high)]
            points = np.array(
                [(end * 2.21, across, height + raised) for across, height in corners], np.float32
            )
            canvas.polygon(frame.world(points), np.array(colour, np.float32), warmth)


def _front(car: Car) -> list[_Panel]:
    shine = (255.0, 250.0, 236.0) if car.lights else (90.0, 92.0, 95.0)
    return [
        (-0.82, -0.48, 0.58, 0.72, shine, 9.0 + 16.0 * car.heat),
        (0.48, 0.82, 0.58, 0.72, shine, 9.0 + 16.0 * car.heat),
        (-0.44, 0.44, 0.44, 0.66, (14.0, 14.0, 15.0), 9.0 + 21.0 * car.heat),
        *_plates(car),
    ]


def _rear(car: Car) -> list[_Panel]:
    shine = (255.0, 40.0, 26.0) if car.lights else (96.0, 12.0, 10.0)
    return [
        (-0.84, -0.55, 0.66, 0.84, shine, 9.0 + 6.0 * car.heat),
        (0.55, 0.84, 0.66, 0.84, shine, 9.0 + 6.0 * car.heat),
        *_plates(car),
        (0.45, 0.62, 0.28, 0.36, (30.0, 30.0, 30.0), 10.0 + 40.0 * car.heat),
    ]


def _plates(car: Car) -> list[_Panel]:
    return [
        (-0.26, 0.26, 0.46, 0.57, (150.0, 148.0, 140.0), 9.0),
        (-0.85, 0.85, 0.34, 0.40, (16.0, 16.0, 17.0), 9.0 + 4.0 * car.heat),
    ]
