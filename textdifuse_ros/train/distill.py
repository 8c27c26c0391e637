"""`textdifuse distill`: the few-step student learns the teacher's 25-step result.

The teacher answers a bank of examples once (25 steps each); the student starts from the teacher's weights
without noise in its start, regresses on those answers from 1, 2 and 4 steps of its own path, and keeps the
fusion and detector losses beside.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import numpy as np
from torch import Tensor

from textdifuse_ros.model import weights
from textdifuse_ros.model.config import ModelConfig
from textdifuse_ros.model.estimate import Estimate
from textdifuse_ros.model.network import FusionNetwork
from textdifuse_ros.model.ranges import Ranges
from textdifuse_ros.train import bank, losses, ranges, tails
from textdifuse_ros.train.batches import Batch
from textdifuse_ros.train.config import TrainConfig
from textdifuse_ros.train.detector import FrozenDetector
from textdifuse_ros.train.distributed import joined
from textdifuse_ros.train.errors import TrainingError
from textdifuse_ros.train.interrupts import Interrupts
from textdifuse_ros.train.loop import Loop, finished, load_pairs, make_detector
from textdifuse_ros.train.moved import unmoved
from textdifuse_ros.train.objective import make_target, objective
from textdifuse_ros.train.paths import draw_point, own_path
from textdifuse_ros.train.progress import say
from textdifuse_ros.train.run import Run, Terms
from textdifuse_ros.train.samples import Samples, after
from textdifuse_ros.train.seeds import CHOICE, generator
from textdifuse_ros.train.stream import stream

FILE = "student.safetensors"
LATER_SHARE = 0.35  # of the updates are made further down the student's path


def student_model(teacher: ModelConfig) -> ModelConfig:
    """The student's shape: its teacher's, without noise in the start, for 1, 2 and 4 steps."""
    return dataclasses.replace(teacher, start_noise=0.0, steps=(1, 2, 4))


def distill(
    data: Path,
    detector_folder: Path | None,
    output: Path,
    config: TrainConfig,
    teacher: FusionNetwork,
    initial: FusionNetwork | None = None,
) -> Path:
    """Run or resume a distillation; returns the exported weight file. `config.model` follows the teacher.

    initial: a student to go on from, None to start from the teacher's weights.
    Raises Interrupted after a signal, TrainingError or EngineError when it cannot start or go on.
    """
    config = dataclasses.replace(config, model=student_model(teacher.config))
    initial = initial or teacher
    with Interrupts() as interrupts, joined(config.device) as ranks:
        run = Run(output, config, ranks, initial)
        if (before := finished(run, FILE)) is not None:
            return _with_ranges(before, data, run) if ranks.first else before
        detector = make_detector(detector_folder, config, run)
        sets = load_pairs(data, run)
        views = (after(1), after(2))
        pictures = Samples(sets, config, detector, run.device, views) if ranks.first else None
        answers = (
            bank.prepare(output, teacher.to(run.device), sets, config, ranks) if config.bank_share else None
        )
        kept = None
        if config.tail_weight:
            kept = ranges.measure(initial.cpu(), config.model, sets, config, tails.SHARE)

        def draws_new(step: int) -> bool:
            return bool(generator(CHOICE, config.seed, ranks.rank, step).random() >= config.bank_share)

        batches = stream(sets, config, ranks.rank, run.step, lambda step: config.single_share, draws_new)

        def lesson(step: int) -> Callable[[FusionNetwork], Terms]:
            rng, answer = run.randomness(), None
            if answers is None or draws_new(step):
                batch = next(batches).to(run.device)
            else:
                batch, answer = answers[int(rng.integers(len(answers)))]
                batch = batch.to(run.device)
                answer = Estimate(*(part.to(run.device) for part in answer))
            return lambda network: loss(network, batch, answer, detector, config, rng, kept)

        path = Loop(run, FILE, pictures, interrupts).train(lesson)
        return ranges.add(path, path, sets, config) if ranks.first else path


def _with_ranges(path: Path, data: Path, run: Run) -> Path:
    """The weights of a finished training, whose end may have been interrupted before it measured."""
    try:
        if weights.load(path).ranges:
            return path
    except weights.WeightsError as error:
        raise TrainingError(f"{error}; without that file the same command writes it anew") from error
    say(f"{path}: has no ranges for int8 yet; they are measured now")
    return ranges.add(path, path, load_pairs(data, run), run.config)


def loss(
    network: FusionNetwork,
    batch: Batch,
    answer: Estimate | None,
    detector: FrozenDetector | None,
    config: TrainConfig,
    rng: np.random.Generator,
    kept: Ranges | None = None,
) -> Terms:
    """Fusion losses on the student's own path, the distance to the teacher's answer if there is one, and what
    lies outside the ranges that are to be kept to."""
    target = make_target(batch, detector, config)
    with tails.TailWatch(network, kept) if kept else nullcontext() as watch:
        point = draw_point(rng.random() < LATER_SHARE, rng)
        estimate = own_path(network, batch, point)
    total, terms = objective(estimate, target, detector, config)
    if config.moved_weight:
        moved = config.moved_weight * unmoved(network, batch, estimate, point, rng)
        terms["moved"] = float(moved.detach())
        total = total + moved
    if watch is not None:
        tail = config.tail_weight * watch.loss
        terms["tails"] = float(tail.detach())
        total = total + tail
    if answer is not None:
        far = distance(estimate, answer)
        terms["teacher"] = float(far.detach()) * config.distill_weight
        total = total + config.distill_weight * far
    return total, terms | batch.parameters


def distance(estimate: Estimate, answer: Estimate) -> Tensor:
    """Mean absolute difference of luminance, of its gradients and of chroma."""
    detail = losses.gradients(estimate.luminance) - losses.gradients(answer.luminance)
    return (
        (estimate.luminance - answer.luminance).abs().mean()
        + detail.abs().mean()
        + (estimate.chroma - answer.chroma).abs().mean()
    )
