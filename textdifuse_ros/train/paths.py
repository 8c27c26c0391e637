"""One estimate with gradients: at a drawn point of the teacher's path, or on the student's own."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from textdifuse_ros.model import sampler
from textdifuse_ros.model.anchor import anchor
from textdifuse_ros.model.estimate import Estimate
from textdifuse_ros.model.network import FusionNetwork
from textdifuse_ros.train.batches import Batch


def diffused(network: FusionNetwork, batch: Batch, rng: np.random.Generator) -> Estimate:
    """Diffusion training: x_t = (1 - t) x_0 + t (anchor + kappa noise), a t of its own for every image.

    x_0 is the network's own first estimate, as it will be when it samples, not the target: a state that
    knows the target teaches the network to believe its state, and over 25 steps small errors then grow into
    blotches.
    Half of the batches are made at t = 1, where the picture is decided. The noise is drawn on the CPU, so
    every device has the same.
    """
    config, steps, count = network.config, network.config.steps[0], len(batch.visible)
    start = anchor(batch.visible, batch.thermal)
    sources = (start, batch.visible, batch.thermal, batch.relevance)
    noise = torch.from_numpy(rng.standard_normal(start.shape, dtype=np.float32)).to(start.device)
    state = sampler.starting_state(config, start, noise)

    def conditions(t: Tensor) -> Tensor:
        return torch.cat((t, torch.full_like(t, 1 / steps), batch.controls), dim=1)

    t = torch.ones(count, 1, device=start.device)
    if config.start != "none" and rng.random() < 0.5:
        with torch.no_grad():
            early = network(state, *sources, conditions(t))
        drawn = rng.integers(1, steps, size=count) / steps
        t = torch.from_numpy(drawn.astype(np.float32)).to(start.device)[:, None]
        state = torch.lerp(early.luminance, state, t[:, :, None, None])
    estimate: Estimate = network(state, *sources, conditions(t))
    return estimate


class Point(NamedTuple):
    """Where on its path a student estimates: the time, the size of this step, and of the first one."""

    t: float
    step: float
    first: float


def draw_point(later: bool, rng: np.random.Generator) -> Point:
    """At t = 1, or one of the student's own steps further down (3/4, 1/2, 1/4)."""
    step = float(rng.choice([1.0, 0.5, 0.25], p=[0.6, 0.25, 0.15]))
    if not later:
        return Point(1.0, step, step)
    t = float(rng.choice([0.75, 0.5, 0.25], p=[0.2, 0.6, 0.2]))
    step = t if t == 0.5 and rng.random() < 0.7 else 0.25
    return Point(t, step, 0.5 if t == 0.5 else 0.25)


def own_path(network: FusionNetwork, batch: Batch, point: Point) -> Estimate:
    """The student's estimate there: from the anchor, or from the state that its own first step leads to."""
    start = anchor(batch.visible, batch.thermal)
    sources = (start, batch.visible, batch.thermal, batch.relevance)
    state = start
    if point.t < 1:
        with torch.no_grad():
            early = network(state, *sources, sampler.scalars(1.0, point.first, batch.controls))
        state = sampler.advance(state, early.luminance, 1.0, point.t)
    estimate: Estimate = network(state, *sources, sampler.scalars(point.t, point.step, batch.controls))
    return estimate
