"""Random degraded batches with relevance maps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from textdifuse_ros.model.colour import rgb_to_ycbcr
from textdifuse_ros.model.controls import Controls
from textdifuse_ros.train.config import TrainConfig
from textdifuse_ros.train.data import DataSet, Pair, random_crop
from textdifuse_ros.train.degrade import (
    Draw,
    a_moment_later,
    degrade,
    draw_asked,
    draw_controls,
    guessable,
    shift,
)
from textdifuse_ros.train.degrade import draw as draw_degradations
from textdifuse_ros.train.faults import Log, cloud, normal

Float = NDArray[Any]  # float32; the stubs of OpenCV lose the dtype
Sets = list[tuple[DataSet, list[Pair]]]
ASKED = 0.35  # of the pairs have one fault and the wish that it be removed
AGAIN = 0.3  # of the pairs without a twin that another prompt makes are seen again a moment later
FLAT = 0.15  # of the pairs have a part without any detail, as skies, walls and roads are
SLOPPY = 0.5  # of the maps from boxes are wider and surer than the objects that they point at
UNTOUCHED = 0.4  # of the others are spared all degradations: most of what a robot sees is to be left alone


@dataclass
class Batch:
    """Tensors of one step; luminance (N, 1, S, S), colour images in YCbCr (N, 3, S, S).

    The goal is the pair without what the controls remove; `transmission` says how much of it the degraded
    visible image still shows. In a `single` example both cameras are the same one (stage 1 of the method).
    `relevance` is what a localiser may say, `meant` where the objects are that it speaks of.
    """

    visible: Tensor
    thermal: Tensor
    goal_visible: Tensor
    goal_thermal: Tensor
    transmission: Tensor
    relevance: Tensor
    meant: Tensor
    controls: Tensor  # (N, K)
    single: Tensor  # (N, 1, 1, 1), 1.0 for single-camera examples
    boxes: list[Tensor]
    # What was done to the examples, "degraded/NAME/PARAMETER": its mean over those that it was done to.
    parameters: dict[str, float] = field(default_factory=dict)

    def to(self, device: torch.device) -> Batch:
        """The same batch with its images there; the boxes, which become labels, stay."""
        moved = (value.to(device) if isinstance(value, Tensor) else value for value in vars(self).values())
        return Batch(*moved)  # type: ignore[arg-type]


@dataclass
class Example:
    """One row of a batch as float32 arrays, RGB in [0, 1]; boxes (K, 5)."""

    visible: Float
    thermal: Float
    goal_visible: Float
    goal_thermal: Float
    transmission: Float
    relevance: Float
    meant: Float
    controls: Float
    single: Float
    boxes: Float
    done: Mapping[str, float] = field(default_factory=dict)  # "NAME/PARAMETER" of what was done to it


def draw(sets: Sets, config: TrainConfig, rng: np.random.Generator, single_share: float) -> Batch:
    """A random batch; single_share of it shows one camera alone.

    Rows 2 i and 2 i + 1 are twins: the same degraded pair under other controls or another relevance map, so
    that what a wish or a prompt changes stands beside what it was without; or a moment later, when only the
    sensors' noise is another and smoke has drifted, and the picture should change no more than its target.
    """
    shares = np.array([each.share for each, _ in sets])
    shares = shares / shares.sum()
    rows: list[Example] = []
    while len(rows) < config.batch:
        rows += _twins(sets, shares, config, rng, single_share)
    return collate(rows[: config.batch])


def collate(rows: list[Example]) -> Batch:
    """Rows of one size -> tensors."""

    def stack(name: str) -> Tensor:
        return torch.from_numpy(np.stack([getattr(row, name) for row in rows]))

    def colour(name: str) -> Tensor:
        return rgb_to_ycbcr(stack(name).permute(0, 3, 1, 2))

    return Batch(
        colour("visible"), stack("thermal")[:, None],
        colour("goal_visible"), stack("goal_thermal")[:, None],
        stack("transmission")[:, None], stack("relevance")[:, None], stack("meant")[:, None],
        stack("controls"), stack("single").view(-1, 1, 1, 1), [torch.from_numpy(row.boxes) for row in rows],
        _parameters(rows),
    )  # fmt: skip


def _parameters(rows: list[Example]) -> dict[str, float]:
    """Means to four digits, which is what a line of the log has room for."""
    names = sorted({name for row in rows for name in row.done})
    means = ((name, fmean(row.done[name] for row in rows if name in row.done)) for name in names)
    return {f"degraded/{name}": float(f"{mean:.4g}") for name, mean in means}


def _done(log: Log, gain: float, level: float, offset: NDArray[np.float64] | None) -> dict[str, float]:
    """Everything that was drawn of an example: degradations, the thermal driver's look, misregistration."""
    done = {f"{name}/{each}": value for name, parts in log.items() for each, value in parts.items()}
    moved = {} if offset is None else {"shift": float(np.hypot(*offset))}  # pixels
    return {**done, "thermal_look/gain": gain, "thermal_look/level": level, **moved}


def _twins(
    sets: Sets,
    shares: NDArray[np.float64],
    config: TrainConfig,
    rng: np.random.Generator,
    single_share: float,
) -> list[Example]:
    data_set, pairs = sets[int(rng.choice(len(sets), p=shares))]
    pair = random_crop(pairs[int(rng.integers(len(pairs)))], data_set.scale, config.crop, rng)
    visible = pair.visible.astype(np.float32) / 255
    thermal = pair.thermal.astype(np.float32) / 255
    # Thermal gain and offset are the driver's choice: every look of the same scene must work.
    gain, level = np.float32(rng.uniform(0.8, 1.2)), np.float32(rng.uniform(-0.1, 0.1))
    mean = thermal.mean()
    thermal = np.clip((thermal - mean) * gain + mean + level, 0, 1)
    if rng.random() < FLAT:
        visible, thermal, boxes = _with_flat_part(visible, thermal, pair.boxes, rng)
        pair = replace(pair, boxes=boxes)
    draws, first = _faults(data_set, rng)
    single, keeps_visible = rng.random() < single_share, bool(rng.random() < 0.5)
    nowhere = np.zeros_like(thermal)
    relevance, meant = (nowhere, nowhere) if single else _relevance(pair, thermal, config, rng)
    about_prompt = bool(relevance.any()) and rng.random() < 0.6
    again = about_prompt or rng.random() < AGAIN
    second = first if again else draw_controls(rng, draws, everything=0.15)
    later = second == first and not about_prompt
    offset = rng.uniform(-3, 3, 2) if not single and rng.random() < 0.25 else None
    noise = rng.uniform(0, 0.004, (2, 2)) if later else np.zeros((2, 2))
    rows: list[Example] = []
    seen = degrade(visible, thermal, draws)
    prompts = ((relevance, meant), (nowhere, nowhere) if about_prompt else (relevance, meant))
    for controls, prompt in zip((first, second), prompts, strict=True):
        if rows and later:
            draws = a_moment_later(draws, rng)
            seen = degrade(visible, thermal, draws)
        if not (rows and about_prompt):  # another prompt alone leaves the goal as it was
            goal = guessable(degrade(visible, thermal, draws, controls), seen)
        moved = seen.thermal if offset is None else shift(seen.thermal, *offset)
        # What is hidden beyond what the goal hides itself.
        transmission = np.clip(seen.transmission / np.maximum(goal.transmission, 1e-3), 0, 1)
        row = Example(
            _flickering(seen.visible, noise[0], rng), _flickering(moved, noise[1], rng),
            goal.visible, goal.thermal, transmission.astype(np.float32), *prompt,
            np.asarray(controls, np.float32), np.asarray(single, np.float32), pair.boxes,
            _done(seen.log, float(gain), float(level), offset),
        )  # fmt: skip
        rows.append(_single_camera(row, keeps_visible) if single else row)
    return rows


def _faults(data_set: DataSet, rng: np.random.Generator) -> tuple[list[Draw], Controls]:
    """What is wrong with a pair, and what is asked for first."""
    if rng.random() < ASKED:
        return draw_asked(rng)
    draws = draw_degradations(rng, 1.0 if data_set.name != "msrs128" else 0.7)
    if rng.random() < UNTOUCHED:
        draws = []
    return draws, draw_controls(rng, draws)


def _with_flat_part(
    visible: Float, thermal: Float, boxes: Float, rng: np.random.Generator
) -> tuple[Float, Float, Float]:
    """The pair with a grey sky above its roofs, or a bare wall in it: flat in both cameras, and no fault.

    Boxes (K, 5) of what it covers are left out.

    Smoke, glare and low contrast make pictures flat, too; what tells them apart is what else they do.
    """
    height, width = thermal.shape
    field = cloud((height, width), rng, int(rng.integers(1, 4)))
    if rng.random() < 0.6:  # above a skyline of roofs and trees
        field = 0.3 * field + np.linspace(1.2, 0, height, dtype=np.float32)[:, None]
    edge = float(np.quantile(field, rng.uniform(0.4, 0.8)))
    mask = np.clip((field - edge) / rng.uniform(0.01, 0.08) + 0.5, 0, 1).astype(np.float32)
    shading = 0.08 * (cloud((height, width), rng, 1) - 0.5)
    tint = rng.uniform(0.3, 1.0) + rng.uniform(-0.04, 0.04, 3)
    grey = np.clip(tint.astype(np.float32) + shading[..., None], 0, 1)
    cold = np.clip(np.float32(rng.uniform(0, 0.7)) + np.float32(0.5) * shading, 0, 1)
    free = [
        mask[min(height - 1, int(y * height)), min(width - 1, int(x * width))] < 0.5 for _, x, y, *_ in boxes
    ]
    flat_visible, flat_thermal = (
        visible + mask[..., None] * (grey - visible),
        thermal + mask * (cold - thermal),
    )
    return flat_visible, flat_thermal, boxes[np.asarray(free, bool)]


def _flickering(image: Float, noise: NDArray[np.float64], rng: np.random.Generator) -> Float:
    """The image as a frame of a video shows it. noise: of every pixel, and of the size that coding leaves."""
    if not noise.any():
        return image
    height, width = image.shape[:2]
    blotches = normal((height // 4, width // 4, *image.shape[2:]), rng)
    grown = cv2.resize(blotches, (width, height), interpolation=cv2.INTER_LINEAR)
    fine, coarse = noise.astype(np.float32)
    noisy = image + fine * normal(image.shape, rng) + coarse * grown
    return np.clip(noisy, 0, 1).astype(np.float32)


def _single_camera(example: Example, visible: bool) -> Example:
    """The same camera twice: what is left to do is to restore it."""
    if visible:
        grey = np.array([0.299, 0.587, 0.114], np.float32)
        return replace(example, thermal=example.visible @ grey, goal_thermal=example.goal_visible @ grey)
    return replace(
        example,
        visible=np.repeat(example.thermal[..., None], 3, axis=2),
        goal_visible=np.repeat(example.goal_thermal[..., None], 3, axis=2),
        transmission=np.ones_like(example.transmission),
    )


def _soften(mask: Float, sigma: float) -> Float:
    return cv2.GaussianBlur(mask, (0, 0), sigma).astype(np.float32)


def _relevance(
    pair: Pair, thermal: Float, config: TrainConfig, rng: np.random.Generator
) -> tuple[Float, Float]:
    """A map as a localiser gives it, and what it means: boxes, heat, or a blob; signed; often nothing."""
    size = config.crop
    if rng.random() >= config.relevance_share:
        return np.zeros((size, size), np.float32), np.zeros((size, size), np.float32)
    kind = rng.random()
    sloppy = None
    if kind < 0.6 and len(pair.boxes):
        wanted = pair.boxes[int(rng.integers(len(pair.boxes))), 0]
        boxes = pair.boxes[pair.boxes[:, 0] == wanted, 1:]
        if rng.random() < SLOPPY:
            mask = _soften(_ellipses(boxes, size), rng.uniform(0.8, 3))
            wide = _soften(_ellipses(boxes, size, rng.uniform(1, 2)), rng.uniform(1.5, 8))
            sloppy = rng.uniform(1, 2.5) * wide
        else:
            mask = _soften(_ellipses(boxes, size), rng.uniform(0.8, 10))  # as soft as localisers' maps are
    elif kind < 0.9:
        surroundings = cv2.GaussianBlur(thermal, (0, 0), 14)
        mask = np.clip((thermal - surroundings) / 0.15, 0, 1).astype(np.float32)
        mask = _soften(mask, rng.uniform(0.8, 3))
    else:
        mask = np.clip((cloud((size, size), rng) - 0.5) * 6, 0, 1).astype(np.float32)
    strength = (-1 if rng.random() < 0.3 else 1) * rng.uniform(0.25, 1.0)
    meant = (strength * np.clip(mask, 0, 1)).astype(np.float32)
    if sloppy is None:
        return meant, meant
    return (strength * np.clip(sloppy, 0, 1)).astype(np.float32), meant


def _ellipses(boxes: Float, size: int, wider: float = 1.0) -> Float:
    """1 within the ellipse of each box (K, 4), 0 elsewhere: (size, size)."""
    mask = np.zeros((size, size), np.float32)
    for x, y, w, h in boxes:
        axes = (max(1, round(wider * w * size * 0.5)), max(1, round(wider * h * size * 0.52)))
        cv2.ellipse(mask, (round(x * size), round(y * size)), axes, 0, 0, 360, 1.0, -1)
    return mask
