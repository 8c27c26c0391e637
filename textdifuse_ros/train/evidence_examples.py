"""What `train-evidence` learns from: pictures as they are and spoiled on purpose, in numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from textdifuse_ros.imaging.evidence import FAULTS, TOLD_OF, describe, mean_levels
from textdifuse_ros.imaging.small import small_copy
from textdifuse_ros.imaging.tone import COLOUR, LIGHT
from textdifuse_ros.train.degrade import DEGRADATIONS, Draw, degrade, drawn
from textdifuse_ros.train.errors import TrainingError
from textdifuse_ros.train.faults import Degraded
from textdifuse_ros.train.seeds import EXAMPLES, generator
from textdifuse_ros.train.stills import held_out, read_image

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Rng = np.random.Generator
Example = tuple[Floats, Floats, Floats, int]  # a row of each field of Examples

# How often a picture of each folder is drawn: many different cameras before many pictures of one.
SHARES = {
    "msrs128": 0.28, "msrs": 0.12, "roadscene": 0.15, "m3fd": 0.08, "llvip": 0.05, "m3svd": 0.03,
    "pennfudan": 0.11, "openimages_vehicles": 0.18,
}  # fmt: skip
KEPT = (320, 240)  # width, height in which pictures are held
SEEN = (160, 120)  # in which they are spoiled: noise of single pixels is averaged away in the small copy
FAULTY = 0.65  # share of the examples with one of FAULTS; of these, with two
TWO = 0.15
# Faults that are not to be taken for one, and how often; smoke, which can be dark, light or flat where dense,
# as often as all others.
OTHERS = ("smoke", "smoke", "smoke", "visible_noise", "visible_jpeg", "visible_blur")
OTHER = 0.4
# How often a camera sees without colours, with red and blue exchanged, upside down or upright, within black
# edges (of a registered or a rectified image): no fault of its light, contrast or colour.
GREY, EXCHANGED, TURNED, EDGED = 0.15, 0.05, 0.1, 0.1
WIDEST_EDGE = 0.2  # of a side
CUT, LEAST_CUT = 0.7, 0.35  # how often part of a picture is taken, and the least share of each side
LEAST, LEAST_OTHER = 0.15, 0.1  # level from which one of FAULTS, of OTHERS, is drawn
_WIDEST_CAST = float(np.log(1.4 / 0.6))  # of the gains of two channels, at level 1


@dataclass(frozen=True)
class Scenes:
    """images: uint8 (240, 320, 3) RGB by folder; weights: how often each folder is drawn."""

    images: tuple[tuple[Bytes, ...], ...]
    weights: NDArray[np.float64]

    def draw(self, rng: Rng) -> tuple[Bytes, int]:
        """One of them, and which of all it is."""
        folder = int(rng.choice(len(self.images), p=self.weights))
        place = int(rng.integers(len(self.images[folder])))
        return self.images[folder][place], place + sum(len(each) for each in self.images[:folder])


@dataclass(frozen=True)
class Examples:
    """numbers (N, F) as `describe` returns them, levels (N, len(TOLD_OF)), tones (N, 6), of thermal images
    (N, 2), as `undoing` returns them, scenes (N,): of which picture."""

    numbers: Floats
    levels: Floats
    tones: Floats
    scenes: NDArray[np.int64]


def load_scenes(root: Path) -> Scenes:
    """Visible images of all folders, without those that never train. Raises TrainingError."""
    return load_folders(root, SHARES, "vis")


def load_folders(root: Path, shares: Mapping[str, float], camera: str) -> Scenes:
    """Images of one camera, vis or ir, of these folders, without those that never train. Raises
    TrainingError."""
    skip, images, weights = held_out(), [], []
    for folder, share in shares.items():
        paths = sorted((root / folder / camera).glob("*"))
        stems = [path.stem for path in paths if f"{folder}/{path.stem}" not in skip]
        found = tuple(_kept(read_image(root / folder / camera, stem)) for stem in stems)
        if found:
            images.append(found)
            weights.append(share)
    if not images:
        raise TrainingError(
            f"{root}: no images; one of {', '.join(shares)} must lie there, with {camera}/ inside"
        )
    return Scenes(tuple(images), np.asarray(weights) / sum(weights))


def _kept(image: Bytes) -> Bytes:
    return np.asarray(cv2.resize(image, KEPT, interpolation=cv2.INTER_AREA), np.uint8)


def draw_examples(scenes: Scenes, seed: int, part: int, count: int) -> Examples:
    """The examples of one part of a training; the same ones each time."""
    rng = generator(EXAMPLES, seed, part)
    return bundled([_example(scenes, rng) for _ in range(count)])


def bundled(drawn: list[Example]) -> Examples:
    numbers, levels, tones, places = zip(*drawn, strict=True)
    return Examples(np.stack(numbers), np.stack(levels), np.stack(tones), np.asarray(places))


def _example(scenes: Scenes, rng: Rng) -> Example:
    picture, place = scenes.draw(rng)
    visible = as_another_camera(turned(part_of(picture, rng), rng), rng)
    draws = _faults(rng)
    state = degrade(visible, np.zeros(visible.shape[:2], np.float32), draws)
    image = tinted(state, rng) if any(each.degradation.name == "smoke" for each in draws) else state.visible
    small = small_copy(edged(np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8), rng))
    tone = undoing(visible, draws, mean_levels(small))
    return describe(small), _levels(draws, state), tone, place


def undoing(visible: Floats, draws: list[Draw], mean: Floats) -> Floats:
    """Gain and offset of each channel that bring a picture, float32 (H, W, 3), back, nearest in the mean
    square where it is not clipped: three logarithms of gains, three changes of the mean levels (3,)."""
    of_tone = [each for each in draws if each.degradation.name in (*LIGHT, *COLOUR)]
    if not of_tone:
        return np.zeros(6, np.float32)
    spoilt = degrade(visible, np.zeros(visible.shape[:2], np.float32), of_tone).visible
    gains, changes = np.zeros(3), np.zeros(3)
    for channel in range(3):
        seen, was = spoilt[..., channel].ravel(), visible[..., channel].ravel()
        gains[channel], changes[channel] = inverse(seen, was, mean[channel])
    return np.concatenate((gains, changes)).astype(np.float32)


def inverse(seen: Floats, was: Floats, mean: float) -> tuple[float, float]:
    """Of one channel, pixels (N,): the logarithm of the gain, and the change of a mean level at `mean`."""
    within = (seen > 0.01) & (seen < 0.99)
    if within.mean() > 0.05:
        seen, was = seen[within], was[within]
    apart = seen - seen.mean()
    spread = float((apart * apart).mean()) + 1e-6
    gain = np.clip((float((apart * (was - was.mean())).mean()) + 1e-6) / spread, 0.2, 10)
    return np.log(gain), was.mean() + gain * (mean - seen.mean()) - mean


def part_of(image: Bytes, rng: Rng, size: tuple[int, int] = SEEN) -> Bytes:
    """A mirrored cut now and then: a night without its lamps is still a night."""
    if rng.random() < 0.5:
        image = image[:, ::-1]
    if rng.random() < CUT:
        height, width = (int(side * rng.uniform(LEAST_CUT, 1)) for side in image.shape[:2])
        top, left = (
            int(rng.integers(0, n - m + 1)) for n, m in zip(image.shape, (height, width), strict=False)
        )
        image = image[top : top + height, left : left + width]
    return np.asarray(cv2.resize(np.ascontiguousarray(image), size, interpolation=cv2.INTER_AREA))


def turned(image: Bytes, rng: Rng) -> Bytes:
    """As it comes from a camera that is mounted or read in another way."""
    if rng.random() < TURNED:
        image = np.asarray(np.rot90(image, int(rng.integers(1, 4))), np.uint8)
    if rng.random() < EXCHANGED:
        image = image[..., ::-1]
    if rng.random() < GREY:
        grey = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY)
        image = np.repeat(np.asarray(grey, np.uint8)[..., None], 3, axis=2)
    return np.ascontiguousarray(image)


def edged(image: Bytes, rng: Rng) -> Bytes:
    """Now and then with black where a registered image shows nothing."""
    if rng.random() >= EDGED:
        return image
    for _ in range(2):  # opposite edges are as wide as each other, or one of them is missing
        image = np.rot90(image).copy()
        wide, far = int(rng.uniform(0, WIDEST_EDGE) * len(image)), rng.random() < 0.5
        image[:wide] = 0
        image[len(image) - wide * far :] = 0
    return np.asarray(np.rot90(image, 2))


def as_another_camera(image: Bytes, rng: Rng) -> Floats:
    """In [0, 1], with as much more or less light, contrast, colour and flare as cameras differ by anyway."""
    visible = image.astype(np.float32) / 255
    if rng.random() < 0.5:
        visible = visible * rng.uniform(0.7, 1.2)
    if rng.random() < 0.5:
        visible = np.power(np.clip(visible, 0, 1), rng.uniform(0.8, 1.25))
    if rng.random() < 0.3:
        visible = visible + rng.uniform(0, 0.08) * (1 - visible)
    if rng.random() < 0.5:
        visible = visible * (1 + rng.uniform(-0.05, 0.05, 3))
    return np.clip(visible, 0, 1).astype(np.float32)


def _faults(rng: Rng) -> list[Draw]:
    draws: list[Draw] = []
    if rng.random() < FAULTY:
        count = 1 + int(rng.random() < TWO)
        for index in rng.choice(len(FAULTS), count, replace=False):
            draws += drawn(DEGRADATIONS[FAULTS[index]], LEAST, rng)
    if rng.random() < OTHER:
        draws += drawn(DEGRADATIONS[OTHERS[int(rng.integers(len(OTHERS)))]], LEAST_OTHER, rng)
    return draws


def tinted(state: Degraded, rng: Rng) -> Floats:
    """Smoke in a colour of its own: it is no cast, for it is not everywhere."""
    tint = rng.uniform(-0.15, 0.15, 3).astype(np.float32) * rng.random()
    return (state.visible + (1 - state.transmission)[..., None] * tint).astype(np.float32)


def _levels(draws: list[Draw], state: Degraded) -> Floats:
    """What each of TOLD_OF came to; of a cast how far channels went apart, which its level only bounds."""
    of = {each.degradation.name: each.level for each in draws}
    if "colour_cast" in of:
        of["colour_cast"] = min(1.0, float(np.log(state.log["colour_cast"]["ratio"])) / _WIDEST_CAST)
    return np.asarray([of.get(name, 0.0) for name in TOLD_OF], np.float32)


def together(parts: list[Examples]) -> Examples:
    names = [field.name for field in fields(Examples)]
    return Examples(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def chosen(examples: Examples, which: NDArray[np.bool_]) -> Examples:
    return Examples(*(getattr(examples, field.name)[which] for field in fields(Examples)))
