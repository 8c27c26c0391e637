"""The same picture wherever it lies: a part that begins beside the network's cells is fused as the whole is.

Strides make a network depend on where its cells lie, and a camera that moves by a few pixels moves the scene
over them. What is compared is what a crop's picture must be, the same place of the whole one's.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from textdifuse_ros.model.estimate import Estimate
from textdifuse_ros.model.network import FusionNetwork
from textdifuse_ros.train.batches import Batch
from textdifuse_ros.train.paths import Point, own_path

MARGIN = 48  # pixels at a part's border that lack their surroundings; not compared (a quarter at most)
ROUGH = 0.02  # differences from which on they count by their squares: edges, which a few pixels' move shows


def unmoved(
    network: FusionNetwork, batch: Batch, estimate: Estimate, point: Point, rng: np.random.Generator
) -> Tensor:
    """How far a part of every second example is from `estimate`, which was made of the whole, in its middle.

    The part begins up to a cell of the coarsest level beside the whole's first pixel.
    """
    cell = network.config.multiple
    side = batch.thermal.shape[-1] - cell
    top, left = (int(each) for each in rng.integers(1, cell, 2))

    def part(image: Tensor) -> Tensor:
        return image[::2, :, top : top + side, left : left + side]

    cut = replace(
        batch,
        visible=part(batch.visible),
        thermal=part(batch.thermal),
        relevance=part(batch.relevance),
        controls=batch.controls[::2],
    )  # all that an estimate reads
    again = own_path(network, cut, point)
    margin = min(MARGIN, side // 4)
    middle = (..., slice(margin, side - margin), slice(margin, side - margin))
    off = torch.cat([part(a)[middle] - b[middle] for a, b in zip(estimate, again, strict=True)], dim=1).abs()
    return (off * (1 + off / ROUGH)).mean()
