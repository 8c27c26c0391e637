"""`textdifuse distill`: the few-step student learns the teacher's 25-step result.

The teacher answers a bank of examples once (25 steps each); the student starts from the teacher's weights
without noise in its start, regresses on those answers from 1, 2 and 4 steps of its own path, and keeps the
fusion and detector losses beside.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from textdifuse_ros.model import sampler
from textdifuse_ros.model.network import Estimate, FusionNetwork
from textdifuse_ros.train import losses
from textdifuse_ros.train.batches import Batch, draw
from textdifuse_ros.train.config import TrainConfig
from textdifuse_ros.train.data import load_training
from textdifuse_ros.train.detector import FrozenDetector
from textdifuse_ros.train.loop import Loop, make_detector, pick_device, to_device
from textdifuse_ros.train.objective import make_target, objective
from textdifuse_ros.train.paths import own_path
from textdifuse_ros.train.run import Run, Terms

FILE = "student.safetensors"
LATER_SHARE = 0.35  # of the updates are made further down the student's path
Answered = tuple[Batch, Estimate]


def distill(
    data: Path, detector_folder: Path, output: Path, config: TrainConfig, teacher: FusionNetwork
) -> Path:
    """Run or resume a distillation; returns the exported weight file."""
    device = pick_device(config)
    rng = np.random.default_rng(config.seed)
    sets = load_training(data)
    model = dataclasses.replace(teacher.config, start_noise=0.0, steps=(1, 2, 4))
    run = Run(output, config, model, device, teacher)
    bank = answered_by(teacher.to(device), draw(sets, config, rng, config.single_share), config, device)
    detector = make_detector(detector_folder, config, device)
    rng = np.random.default_rng(config.seed + run.step + 1)
    batches = draw(sets, config, rng, config.single_share)
    loop = Loop(run, FILE)
    while loop.goes_on():
        answer: Estimate | None = None
        if rng.random() < config.bank_share:
            batch, answer = bank[int(rng.integers(len(bank)))]
            batch = to_device(batch, device)
            answer = Estimate(*(part.to(device) for part in answer))
        else:
            batch = to_device(next(batches), device)
        loop.note(
            run.update(lambda network, b=batch, a=answer: loss(network, b, a, detector, config, rng))  # type: ignore[misc]
        )
    return run.save(FILE)


@torch.no_grad()
def answered_by(
    teacher: FusionNetwork, batches: Iterator[Batch], config: TrainConfig, device: torch.device
) -> list[Answered]:
    """The teacher's result for `config.bank` examples, kept in main memory."""
    steps = teacher.config.steps[0]
    bank: list[Answered] = []
    for _ in tqdm(range(max(1, config.bank // config.batch)), desc="teacher"):
        batch = next(batches)
        there = to_device(batch, device)
        with torch.autocast(device.type, dtype=torch.bfloat16):
            answer = sampler.sample(
                teacher, teacher.config, there.visible, there.thermal, there.relevance, steps, there.controls
            )
        bank.append((batch, Estimate(*(part.float().cpu() for part in answer))))
    return bank


def loss(
    network: FusionNetwork,
    batch: Batch,
    answer: Estimate | None,
    detector: FrozenDetector | None,
    config: TrainConfig,
    rng: np.random.Generator,
) -> Terms:
    """Fusion losses on the student's own path, and the distance to the teacher's answer if there is one."""
    target = make_target(batch, detector, config)
    estimate = own_path(network, batch, rng.random() < LATER_SHARE, rng)
    total, terms = objective(estimate, target, detector, config)
    if answer is not None:
        far = distance(estimate, answer)
        terms["teacher"] = float(far.detach()) * config.distill_weight
        total = total + config.distill_weight * far
    return total, terms


def distance(estimate: Estimate, answer: Estimate) -> Tensor:
    """Mean absolute difference of luminance, of its gradients and of chroma."""
    detail = losses.gradients(estimate.luminance) - losses.gradients(answer.luminance)
    return (
        (estimate.luminance - answer.luminance).abs().mean()
        + detail.abs().mean()
        + (estimate.chroma - answer.chroma).abs().mean()
    )
