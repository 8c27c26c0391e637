"""What `train-evidence` of the thermal camera learns from: images as they are and spoiled on purpose, in
numbers.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from textdifuse_ros.imaging.thermal import ThermalNormaliser
from textdifuse_ros.imaging.thermal_evidence import FAULTS, describe, reduced
from textdifuse_ros.train.degrade import DEGRADATIONS, Draw, degrade, drawn
from textdifuse_ros.train.evidence_examples import (
    Example,
    Examples,
    Scenes,
    bundled,
    edged,
    inverse,
    load_folders,
    part_of,
)
from textdifuse_ros.train.seeds import EXAMPLES, generator

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Rng = np.random.Generator

# How often a picture of each folder is drawn: many different cameras before many pictures of one.
SHARES = {"msrs128": 0.2, "msrs": 0.12, "roadscene": 0.2, "m3fd": 0.16, "llvip": 0.16, "m3svd": 0.16}
SEEN = (240, 180)  # width, height in which they are spoiled
KINDS = (0.4, 0.3, 0.3)  # how often an example is flat, overdriven, or neither
# Faults that are not to be taken for one, and how often.
OTHERS = ("thermal_noise", "thermal_stripes", "thermal_fixed_pattern", "thermal_blur", "thermal_dead_pixels")
OTHER = 0.35
LEAST = 0.15  # level from which one of FAULTS is drawn
LEAST_OTHER = 0.1
# How often a picture was stretched between percentiles or equalised by its camera, and how often the node has
# done so with one that was flat: then nothing is lacking any more.
STRETCHED, EQUALISED, STRETCHED_AFTER = 0.15, 0.1, 0.12
TURNED = 0.05


def load_scenes(root: Path) -> Scenes:
    """Thermal images of all folders, (H, W, 3) of equal channels, without those that never train. Raises
    TrainingError."""
    return load_folders(root, SHARES, "ir")


def draw_examples(scenes: Scenes, seed: int, part: int, count: int) -> Examples:
    """The examples of one part of a training; the same ones each time."""
    rng = generator(EXAMPLES, seed, part)
    return bundled([_example(scenes, rng) for _ in range(count)])


def _example(scenes: Scenes, rng: Rng) -> Example:
    picture, place = scenes.draw(rng)
    thermal = as_another_camera(part_of(picture, rng, SEEN)[..., 0], rng)
    draws = _faults(rng)
    image = _spoilt(thermal, draws)
    levels, mends = {each.degradation.name: each.level for each in draws}, draws
    if "thermal_saturation" not in levels and rng.random() < STRETCHED_AFTER:
        image, levels, mends = stretched(image), {}, []
    seen = reduced(edged(image, rng))
    told = np.asarray([levels.get(name, 0.0) for name in FAULTS], np.float32)
    return describe(seen), told, undoing(thermal, mends, seen.mean), place


def _spoilt(thermal: Floats, draws: list[Draw]) -> Bytes:
    nothing = np.zeros((*thermal.shape, 3), np.float32)
    return np.rint(degrade(nothing, thermal, draws).thermal * 255).astype(np.uint8)


def undoing(thermal: Floats, draws: list[Draw], mean: float) -> Floats:
    """Gain and offset that bring a thermal image, float32 (H, W), back, nearest in the mean square where it
    is not clipped: the logarithm of the gain and the change of a mean level that is at `mean`: (2,)."""
    of_levels = [each for each in draws if each.degradation.name in FAULTS]
    if not of_levels:
        return np.zeros(2, np.float32)
    seen = degrade(np.zeros((*thermal.shape, 3), np.float32), thermal, of_levels).thermal
    return np.asarray(inverse(seen.ravel(), thermal.ravel(), mean), np.float32)


def as_another_camera(image: Bytes, rng: Rng) -> Floats:
    """uint8 (H, W) to [0, 1], with another gain control, and as much more or less gain, level and gamma as
    cameras differ by anyway."""
    image = np.ascontiguousarray(np.rot90(image, 2) if rng.random() < TURNED else image)
    kind = rng.random()
    if kind < STRETCHED:
        image = stretched(image)
    elif kind < STRETCHED + EQUALISED:
        image = equalised(image, rng)
    thermal = image.astype(np.float32) / 255
    if rng.random() < 0.5:
        thermal = np.power(thermal, rng.uniform(0.8, 1.25))
    if rng.random() < 0.6:
        middle = rng.uniform(0.2, 0.6)
        thermal = (thermal - middle) * rng.uniform(0.88, 1.08) + middle + rng.uniform(-0.04, 0.04)
    return np.clip(thermal, 0, 1).astype(np.float32)


def stretched(image: Bytes) -> Bytes:
    """As the node shows a camera by default."""
    return np.asarray(ThermalNormaliser("percentile").normalise(np.ascontiguousarray(image), 0), np.uint8)


def equalised(image: Bytes, rng: Rng) -> Bytes:
    """By its histogram, of the whole or tile by tile."""
    if rng.random() < 0.5:
        return np.asarray(cv2.equalizeHist(image), np.uint8)
    return np.asarray(cv2.createCLAHE(float(rng.uniform(1, 5)), (8, 8)).apply(image), np.uint8)


def _faults(rng: Rng) -> list[Draw]:
    draws: list[Draw] = []
    kind = int(rng.choice(len(KINDS), p=KINDS))
    if kind < len(FAULTS):
        draws += drawn(DEGRADATIONS[FAULTS[kind]], LEAST, rng)
    if rng.random() < OTHER:
        draws += drawn(DEGRADATIONS[OTHERS[int(rng.integers(len(OTHERS)))]], LEAST_OTHER, rng)
    return draws[::-1] if rng.random() < 0.5 else draws
