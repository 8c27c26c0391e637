"""The sequence: a street, its movers and smoke at any time, with ground truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .canvas import Patch
from .cast import CAR, CLASS_NAMES, PERSON, START, movers, parked_cars
from .geometry import Array, Camera
from .headlights import Headlights
from .layout import MAX_DEPTH
from .pedestrians import Person, draw_person
from .smoke import Smoke
from .street import Street, build_street
from .textures import fractal_noise
from .truth import SimObject, measure
from .vehicles import Car, draw_car

__all__ = ["CLASS_NAMES", "SimFrame", "SimObject", "StreetSequence"]


@dataclass(frozen=True)
class SimFrame:
    """One moment of the scene, before the cameras' noise.

    rgb (H,W,3) uint8; temperature (H,W) float32, apparent [deg C]; depth (H,W) float32 [m]; mask (H,W) uint8
    of class ids (0 background, 1 person, 2 car); instances (H,W) uint8 of object ids; objects: ground truth
    of every object with a visible pixel; transmission (H,W) uint8, 255 where no smoke is in the way of the
    visible camera.
    """

    time: float
    rgb: NDArray[np.uint8]
    temperature: Array
    depth: Array
    mask: NDArray[np.uint8]
    instances: NDArray[np.uint8]
    objects: tuple[SimObject, ...]
    transmission: NDArray[np.uint8]


class StreetSequence:
    """A night street of any length: `render(t)` depends on nothing but the constructor's arguments and t."""

    def __init__(self, width: int = 640, height: int = 480, seed: int = 0, smoke: float = 1.0) -> None:
        """width, height: 32..4096 pixels; seed: another street, other people; smoke: density, 0 = clear air,
        1 = dense.

        Raises ValueError for sizes or densities outside their ranges. Takes about a second at 640x480.
        """
        if not (32 <= width <= 4096 and 32 <= height <= 4096):
            raise ValueError(f"simulated picture size {width}x{height} is outside 32..4096 pixels")
        if not 0.0 <= smoke <= 3.0:
            raise ValueError(f"smoke density {smoke} is outside 0..3")
        self.camera = Camera(width, height)
        self.seed = seed
        rng = np.random.default_rng([seed, 0])
        self._grain = fractal_noise(rng, 128, octaves=6, base=8)
        self._paths = movers(rng)
        self._looks: dict[tuple[int, int], Person | Car] = {}
        self._street = build_street(self.camera, seed)
        self._parked = np.zeros((height, width), np.uint8)
        self._kinds = np.zeros(256, np.uint8)
        self._amodal: dict[int, int] = {}
        self._park(rng)
        self._street_rgb = np.clip(np.rint(self._street.rgb), 0, 255).astype(np.uint8)
        self._smoke = Smoke(self.camera, seed, smoke, self._street.rgb)
        self._headlights = Headlights(self.camera, self._street.albedo, self._street.obstacle >= MAX_DEPTH)

    def _park(self, rng: np.random.Generator) -> None:
        """Bake the parked cars into the street, farthest first."""
        street: Street = self._street
        for car in sorted(parked_cars(rng), key=lambda item: -item.z):
            patch = draw_car(
                self.camera,
                Car.random(rng, lights=False, heat=car.heat),
                car.x,
                car.z,
                car.heading,
                self._grain,
            )
            self._kinds[car.ident] = CAR
            if patch is None:
                continue
            _shadow(street.rgb, street.temperature, self.camera, car.x, car.z, 0.5 + 4.0 * car.heat)
            solid = _compose(street.rgb, street.temperature, street.depth, street.obstacle, patch)
            view = _view(street.depth, patch)
            view[solid] = patch.depth
            _view(street.obstacle, patch)[solid] = patch.depth
            _view(self._parked, patch)[solid] = car.ident
            self._amodal[car.ident] = int(np.count_nonzero(patch.alpha > 0.5))

    def _look(self, ident: int, kind: int, lap: int) -> Person | Car:
        key = (ident, lap)
        if key not in self._looks:
            if len(self._looks) > 500:
                self._looks.clear()
            rng = np.random.default_rng([self.seed, 7, ident, lap & 0xFFFF])
            self._looks[key] = (
                Person.random(rng) if kind == PERSON else Car.random(rng, lights=True, heat=1.0)
            )
        return self._looks[key]

    def render(self, time: float) -> SimFrame:
        """The scene `time` seconds after its beginning (any time >= 0)."""
        street = self._street
        rgb = self._street_rgb.copy()
        temperature, depth = street.temperature.copy(), street.depth.copy()
        instances = self._parked.copy()
        amodal = dict(self._amodal)
        moving = [(path, place) for path in self._paths if (place := path.at(START + time)) is not None]
        cars = [place for path, place in moving if path.kind == CAR]
        self._headlights.light_road(rgb, [(x, z, heading) for _, x, z, heading, _ in cars])
        for path, (lap, x, z, heading, gone) in sorted(moving, key=lambda item: -item[1][2]):
            look = self._look(path.ident, path.kind, lap)
            if isinstance(look, Person):
                patch = draw_person(
                    self.camera, look, x, z, heading, gone * look.pace / path.speed, self._grain
                )
            else:
                patch = draw_car(self.camera, look, x, z, heading, self._grain)
            if patch is None:
                continue
            if path.kind == CAR:
                _shadow(rgb, temperature, self.camera, x, z, 3.0)
            solid = _compose(rgb, temperature, depth, street.obstacle, patch)
            _view(depth, patch)[solid] = patch.depth
            _view(instances, patch)[solid] = path.ident
            self._kinds[path.ident] = path.kind
            amodal[path.ident] = int(np.count_nonzero(patch.alpha > 0.5))
        self._headlights.glare(
            rgb, instances, [(path.ident, place) for path, place in moving if path.kind == CAR]
        )
        transmission = self._smoke.transmission(time, depth)
        rgb = self._smoke.apply(rgb, transmission)
        objects = measure(instances, self._kinds, amodal, depth, transmission)
        return SimFrame(
            time,
            rgb,
            temperature,
            depth,
            np.asarray(cv2.LUT(instances, self._kinds), np.uint8),
            instances,
            objects,
            transmission,
        )


def _view(image: Any, patch: Patch) -> Any:
    height, width = patch.alpha.shape
    return image[patch.y : patch.y + height, patch.x : patch.x + width]


def _compose(rgb: Any, temperature: Array, depth: Array, obstacle: Array, patch: Patch) -> NDArray[np.bool_]:
    """Lay a patch over the picture where nothing static stands before it; returns its solid pixels (h,w)."""
    free = _view(obstacle, patch) > patch.depth
    alpha = patch.alpha * free
    view = _view(rgb, patch)
    mixed = view * (1.0 - alpha)[..., None] + patch.colour * free[..., None]
    view[:] = np.clip(mixed, 0.0, 255.0).astype(rgb.dtype)
    warm = _view(temperature, patch)
    warm[:] = warm * (1.0 - alpha) + patch.temperature * free
    return np.asarray(alpha > 0.5, np.bool_)


def _shadow(rgb: Any, temperature: Array, camera: Camera, x: float, z: float, warmth: float) -> None:
    """Dark, warm road under a car."""
    from .geometry import clip_near

    ground = clip_near(
        np.array(
            [[x - 1.0, 0, z - 2.35], [x + 1.0, 0, z - 2.35], [x + 1.0, 0, z + 2.2], [x - 1.0, 0, z + 2.2]],
            np.float32,
        )
    )
    if len(ground) < 3:
        return
    pixels = camera.project(ground)
    x0, y0 = np.maximum(np.floor(pixels.min(axis=0)).astype(int) - 8, 0)
    x1, y1 = np.minimum(np.ceil(pixels.max(axis=0)).astype(int) + 8, (camera.width, camera.height))
    if x1 - x0 < 2 or y1 - y0 < 2:
        return
    shade = np.zeros((y1 - y0, x1 - x0), np.float32)
    cv2.fillPoly(shade, [np.rint(np.clip(pixels - (x0, y0), -30000, 30000)).astype(np.int32)], 1.0)
    shade = cv2.blur(shade, (9, 5))
    view = rgb[y0:y1, x0:x1]
    view[:] = (view * (1.0 - 0.8 * shade)[..., None]).astype(rgb.dtype)
    temperature[y0:y1, x0:x1] += warmth * shade
