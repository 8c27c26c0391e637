"""What a picture changes by where it lies over the network's cells, as a term of the loss."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from training_samples import log_of, one_thread, short, write_data

from textdifuse_ros.model.config import ModelConfig
from textdifuse_ros.model.estimate import Estimate
from textdifuse_ros.model.network import FusionNetwork
from textdifuse_ros.train.batches import draw
from textdifuse_ros.train.data import load_training
from textdifuse_ros.train.distill import distill
from textdifuse_ros.train.moved import unmoved
from textdifuse_ros.train.paths import Point, own_path


class Says:
    """A network whose luminance is a function of the visible one."""

    def __init__(self, luminance: Callable[[Tensor], Tensor]) -> None:
        self.config, self._luminance = ModelConfig(), luminance

    def __call__(self, state: Tensor, start: Tensor, visible: Tensor, *others: Tensor) -> Estimate:
        return Estimate(self._luminance(visible[:, :1]), visible[:, 1:])


def in_cells(image: Tensor) -> Tensor:
    return F.interpolate(F.avg_pool2d(image, 16), scale_factor=16.0)


def neighbours(image: Tensor) -> Tensor:
    return F.avg_pool2d(image, 3, stride=1, padding=1)


def off(data: Path, luminance: Callable[[Tensor], Tensor]) -> float:
    sets, network = load_training(data), cast(FusionNetwork, Says(luminance))
    batch = draw(sets, short(1, batch=4), np.random.default_rng(0), 0.0)
    point = Point(1.0, 1.0, 1.0)
    return float(unmoved(network, batch, own_path(network, batch, point), point, np.random.default_rng(1)))


def test_a_picture_that_moves_with_its_scene_costs_nothing_and_one_of_cells_does(tmp_path: Path) -> None:
    write_data(tmp_path)
    assert off(tmp_path, torch.clone) == 0
    assert off(tmp_path, neighbours) < 1e-6
    assert off(tmp_path, in_cells) > 0.001  # means of 16x16 pixels of noise are that far apart


@pytest.mark.parametrize("weight", [0.0, 3.0])
def test_a_distillation_with_a_weight_for_it_logs_the_term(tmp_path: Path, weight: float) -> None:
    write_data(tmp_path / "data")
    with one_thread():
        torch.manual_seed(0)
        teacher = FusionNetwork(short(1).model)
        config = short(2, bank_share=0.0, moved_weight=weight)
        distill(tmp_path / "data", None, tmp_path / "run", config, teacher)
    rows = log_of(tmp_path / "run")
    assert len(rows) == 2
    assert all(("moved" in row) == (weight > 0) for row in rows)
