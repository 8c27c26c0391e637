"""`textdifuse train`: the teacher, a conditional restoration diffusion of both cameras.

Stage 1 trains encoder and decoder on single cameras, degraded to clean. Stages 2 and 3 follow together: pairs
with fusion control at every level, half with a relevance map. Nothing is frozen between the stages:
the network is small, and a camera's restoration and its fusion help each other.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from textdifuse_ros.model.network import FusionNetwork
from textdifuse_ros.train.batches import Batch
from textdifuse_ros.train.config import TrainConfig
from textdifuse_ros.train.detector import FrozenDetector
from textdifuse_ros.train.distributed import joined
from textdifuse_ros.train.interrupts import Interrupts
from textdifuse_ros.train.loop import Loop, finished, load_pairs, make_detector
from textdifuse_ros.train.objective import make_target, objective
from textdifuse_ros.train.paths import diffused
from textdifuse_ros.train.run import Run, Terms
from textdifuse_ros.train.samples import Samples, first_of
from textdifuse_ros.train.stream import stream

FILE = "teacher.safetensors"


def train(
    data: Path,
    detector_folder: Path | None,
    output: Path,
    config: TrainConfig,
    initial: FusionNetwork | None = None,
) -> Path:
    """Run or resume a training; returns the exported weight file.

    Raises Interrupted after a signal, TrainingError or EngineError when it cannot start or go on.
    """
    with Interrupts() as interrupts, joined(config.device) as ranks:
        run = Run(output, config, ranks, initial)
        if (before := finished(run, FILE)) is not None:
            return before
        detector = make_detector(detector_folder, config, run)
        sets = load_pairs(data, run)
        views = (first_of(config.model.steps[0]),)
        pictures = Samples(sets, config, detector, run.device, views) if ranks.first else None

        def single_share(step: int) -> float:
            return 1.0 if step < config.stage_one else config.single_share

        batches = stream(sets, config, ranks.rank, run.step, single_share)

        def lesson(step: int) -> Callable[[FusionNetwork], Terms]:
            rng, batch = run.randomness(), next(batches).to(run.device)
            return lambda network: loss(network, batch, detector, config, rng)

        return Loop(run, FILE, pictures, interrupts).train(lesson)


def loss(
    network: FusionNetwork,
    batch: Batch,
    detector: FrozenDetector | None,
    config: TrainConfig,
    rng: np.random.Generator,
) -> Terms:
    """Diffusion loss of one batch."""
    target = make_target(batch, detector, config)
    estimate = diffused(network, batch, rng)
    total, terms = objective(estimate, target, detector, config)
    return total, terms | batch.parameters
