"""`textdifuse train`: the teacher, a conditional restoration diffusion of both cameras.

Stage 1 trains encoder and decoder on single cameras, degraded to clean. Stages 2 and 3 follow together: pairs
with fusion control at every level, four of ten with a relevance map. Nothing is frozen between the stages:
the network is small, and a camera's restoration and its fusion help each other.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from textdifuse_ros.model.network import FusionNetwork
from textdifuse_ros.train.batches import Batch, draw
from textdifuse_ros.train.config import TrainConfig
from textdifuse_ros.train.data import load_training
from textdifuse_ros.train.detector import FrozenDetector
from textdifuse_ros.train.loop import Loop, make_detector, pick_device, to_device
from textdifuse_ros.train.objective import make_target, objective
from textdifuse_ros.train.paths import diffused
from textdifuse_ros.train.run import Run, Terms

FILE = "teacher.safetensors"


def train(
    data: Path, detector_folder: Path, output: Path, config: TrainConfig, initial: FusionNetwork | None = None
) -> Path:
    """Run or resume a training; returns the exported weight file."""
    device = pick_device(config)
    run = Run(output, config, config.model, device, initial)
    detector = make_detector(detector_folder, config, device)
    rng = np.random.default_rng(config.seed + run.step)
    sets = load_training(data)
    alone, together = draw(sets, config, rng, 1.0), draw(sets, config, rng, config.single_share)
    loop = Loop(run, FILE)
    while loop.goes_on():
        batch = to_device(next(alone if run.step < config.stage_one else together), device)
        loop.note(run.update(lambda network, batch=batch: loss(network, batch, detector, config, rng)))  # type: ignore[misc]
    return run.save(FILE)


def loss(
    network: FusionNetwork,
    batch: Batch,
    detector: FrozenDetector | None,
    config: TrainConfig,
    rng: np.random.Generator,
) -> Terms:
    """Diffusion loss of one batch."""
    target = make_target(batch, detector, config)
    estimate = diffused(network, batch, target.luminance, rng)
    return objective(estimate, target, detector, config)
