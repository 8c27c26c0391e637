"""The ranges that a student's weight file names, for its 8-bit arithmetic, measured on training examples."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import torch

from textdifuse_ros.model import sampler, weights
from textdifuse_ros.model.config import ModelConfig
from textdifuse_ros.model.network import FusionNetwork
from textdifuse_ros.model.ranges import OUTSIDE, Range, RangeWatch
from textdifuse_ros.train import files
from textdifuse_ros.train.batches import Sets, draw
from textdifuse_ros.train.config import TrainConfig
from textdifuse_ros.train.seeds import RANGES, generator

EXAMPLES = 96  # crops with all degradations, prompts and wishes of the training
_AT_ONCE = 8


@torch.no_grad()
def measure(
    network: FusionNetwork,
    shape: ModelConfig,
    sets: Sets,
    config: TrainConfig,
    outside: float = OUTSIDE,
) -> dict[str, Range]:
    """What each convolution reads of EXAMPLES, as `RangeWatch.ranges` has it; seeded.

    shape: whose sampler runs, for each of its numbers of steps; a teacher's network may take its student's.
    """
    few = dataclasses.replace(config, batch=_AT_ONCE)
    with RangeWatch(network) as watch:
        for index in range(EXAMPLES // _AT_ONCE):
            batch = draw(sets, few, generator(RANGES, config.seed, index), config.single_share)
            for steps in shape.steps:
                sampler.sample(
                    network, shape, batch.visible, batch.thermal, batch.relevance, steps, batch.controls
                )
    return watch.ranges(outside)


def add(path: Path, output: Path, sets: Sets, config: TrainConfig, exact: tuple[str, ...] = ()) -> Path:
    """A student's weights with its ranges but for layers that are to stay exact, by how their names begin;
    `output` may be `path`. Raises WeightsError, TrainingError.
    """
    network = weights.load(path)
    measured = measure(network, network.config, sets, config).items()
    network.ranges = {name: each for name, each in measured if not name.startswith(exact)}
    with files.replacing(output) as temporary:
        weights.save(network, temporary, weights.notes(path))
    return output
