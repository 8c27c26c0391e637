"""Sample pictures: a few fixed degraded examples and what the network makes of them, side by side."""

from __future__ import annotations

import dataclasses
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
from textdifuse_ros.model.network import FusionNetwork
from textdifuse_ros.train import files
from textdifuse_ros.train.batches import Sets, draw
from textdifuse_ros.train.config import TrainConfig
from textdifuse_ros.train.detector import FrozenDetector
from textdifuse_ros.train.objective import make_target
from textdifuse_ros.train.seeds import SAMPLES, generator

Picture = NDArray[np.uint8]
EXAMPLES = 4
WIDEST = 1200  # pixels
_GAP, _HEADER = 4, 22
_SMALLEST_CELL = 96  # below that the labels do not fit


class Samples:
    """The examples of a seed with everything that does not change, and the steps to look at."""

    def __init__(
        self,
        sets: Sets,
        config: TrainConfig,
        detector: FrozenDetector | None,
        device: torch.device,
        steps: tuple[int, ...],
    ) -> None:
        few = dataclasses.replace(config, batch=EXAMPLES)
        self._device, self._steps = device, steps
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
        for steps in self._steps:
            estimate = sampler.sample(
                network, network.config, batch.visible, batch.thermal, batch.relevance, steps, batch.controls
            )
            name = "1 step" if steps == 1 else f"{steps} steps"
            columns.append((name, _pixels(ycbcr_to_rgb(torch.cat(estimate, dim=1)))))
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
