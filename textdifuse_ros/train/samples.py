"""Sample pictures: a few fixed degraded examples and what the network makes of them, side by side."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from textdifuse_ros.model import sampler
from textdifuse_ros.model.anchor import anchor
from textdifuse_ros.model.colour import ycbcr_to_rgb
from textdifuse_ros.model.network import Estimate, FusionNetwork
from textdifuse_ros.train import files
from textdifuse_ros.train.batches import Batch, Sets, draw
from textdifuse_ros.train.config import TrainConfig
from textdifuse_ros.train.detector import FrozenDetector
from textdifuse_ros.train.objective import make_target
from textdifuse_ros.train.seeds import SAMPLES, generator

Picture = NDArray[np.uint8]
EXAMPLES = 4
WIDEST = 1200  # pixels
_GAP, _HEADER = 4, 22
_SMALLEST_CELL = 96  # below that the labels do not fit


@dataclass(frozen=True)
class View:
    """A column: its name, and what it shows of a network. Cameras are as training has them, not prepared."""

    name: str
    of: Callable[[FusionNetwork, Batch], Estimate]


def after(steps: int) -> View:
    """The result of so many steps."""

    def result(network: FusionNetwork, batch: Batch) -> Estimate:
        sources = (batch.visible, batch.thermal, batch.relevance)
        return sampler.sample(network, network.config, *sources, steps, batch.controls, prepare=False)

    return View("1 step" if steps == 1 else f"{steps} steps", result)


def first_of(steps: int) -> View:
    """The first estimate of so many steps: one call, for a network that knows no wider step."""

    def result(network: FusionNetwork, batch: Batch) -> Estimate:
        start = anchor(batch.visible, batch.thermal)
        state = sampler.starting_state(network.config, start, sampler.fixed_noise(start))
        conditions = sampler.scalars(1.0, 1 / steps, batch.controls)
        estimate: Estimate = network(state, start, batch.visible, batch.thermal, batch.relevance, conditions)
        return estimate

    return View("1 step" if steps == 1 else f"first of {steps}", result)


class Samples:
    """The examples of a seed with everything that does not change, and the views to look at."""

    def __init__(
        self,
        sets: Sets,
        config: TrainConfig,
        detector: FrozenDetector | None,
        device: torch.device,
        views: tuple[View, ...],
    ) -> None:
        few = dataclasses.replace(config, batch=EXAMPLES)
        self._device, self._views = device, views
        self._batch = batch = draw(sets, few, generator(SAMPLES, config.seed), 0.0).to(device)
        target = make_target(batch, detector, few)
        grey = batch.thermal.expand(-1, 3, -1, -1)
        start = torch.cat((anchor(batch.visible, batch.thermal), batch.visible[:, 1:]), dim=1)
        self._fixed = [
            ("rgb", _pixels(ycbcr_to_rgb(batch.visible))),
            ("thermal", _pixels(grey)),
            ("anchor", _pixels(ycbcr_to_rgb(start))),
            ("target", _pixels(ycbcr_to_rgb(torch.cat((target.luminance, target.chroma), dim=1)))),
        ]

    @torch.no_grad()
    def picture(self, network: FusionNetwork) -> Picture:
        """RGB, a row an example, a column a view."""
        batch, network = self._batch, network.to(self._device)
        columns = list(self._fixed)
        for view in self._views:
            columns.append((view.name, _pixels(ycbcr_to_rgb(torch.cat(view.of(network, batch), dim=1)))))
        return grid(columns)


def save(path: Path, picture: Picture) -> None:
    """As PNG. Raises TrainingError where it cannot be written."""
    _, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    files.write(path, data.tobytes())


def grid(columns: list[tuple[str, Picture]]) -> Picture:
    """Labelled columns of square images (N, S, S, 3), at most WIDEST pixels wide altogether."""
    count, size = columns[0][1].shape[:2]
    widest = (WIDEST - _GAP) // len(columns) - _GAP
    cell = min(max(size, _SMALLEST_CELL), widest)
    canvas = np.full((_HEADER + count * (cell + _GAP), _GAP + len(columns) * (cell + _GAP), 3), 255, np.uint8)
    how = cv2.INTER_AREA if cell < size else cv2.INTER_NEAREST
    for column, (name, images) in enumerate(columns):
        left = _GAP + column * (cell + _GAP)
        cv2.putText(canvas, name, (left, 15), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
        for row, image in enumerate(images):
            top = _HEADER + row * (cell + _GAP)
            resized: Any = cv2.resize(image, (cell, cell), interpolation=how)
            canvas[top : top + cell, left : left + cell] = resized
    return canvas


def _pixels(rgb: Tensor) -> Picture:
    """(N, 3, S, S) in [0, 1] -> uint8 (N, S, S, 3)."""
    pixels = rgb.float().clamp(0, 1).mul(255).round().to(torch.uint8)
    return np.ascontiguousarray(pixels.permute(0, 2, 3, 1).cpu().numpy())
