"""Deterministic sampling from a source-anchored start (pure functions).

The state runs from x_1, the anchor (a closed-form fusion of both cameras, for a teacher with a fixed noise
on it), to x_0, the fused image:  x_t = (1 - t) x_0 + t (anchor + kappa noise).  A step from t to s uses the
network's estimate of x_0 (the mean alone, no new noise, as Text-DiFuse samples; the straight path between
degraded and clean is that of InDI):  x_s = x_0 + (s / t) (x_t - x_0).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import torch
from torch import Tensor

from textdifuse_ros.model.anchor import anchor, prepared
from textdifuse_ros.model.config import ModelConfig
from textdifuse_ros.model.controls import AUTO, Controls
from textdifuse_ros.model.estimate import Estimate

Denoiser = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor], Estimate]
NOISE_SEED = 25


def times(steps: int) -> list[float]:
    """Evenly spaced times from 1 down to 0: `steps` + 1 values."""
    if steps < 1:
        raise ValueError(f"steps is {steps}, it must be at least 1")
    return [1 - i / steps for i in range(steps + 1)]


def advance(state: Tensor, luminance: Tensor, t: float, s: float) -> Tensor:
    """x_t -> x_s along the straight path through the estimate of x_0; 0 <= s < t <= 1."""
    return luminance + (s / t) * (state - luminance)


def scalars(t: float, step: float, controls: Tensor) -> Tensor:
    """Conditioning (N, 2 + K) of one step from restoration controls (N, K)."""
    time = controls.new_full((controls.shape[0], 1), t)
    return torch.cat((time, torch.full_like(time, step), controls), dim=1)


def as_tensor(controls: Controls, like: Tensor) -> Tensor:
    """Controls of every image in the batch: (N, K)."""
    row = torch.tensor(controls, dtype=torch.float32, device=like.device)
    return row.expand(like.shape[0], len(controls))


def fixed_noise(like: Tensor) -> Tensor:
    """The same normal noise for every image and every call: (1, 1, H, W)."""
    generator = torch.Generator().manual_seed(NOISE_SEED)
    return torch.randn(1, 1, *like.shape[-2:], generator=generator).to(like.device)


def starting_state(config: ModelConfig, start: Tensor, noise: Tensor | None) -> Tensor:
    """x_1 as the configuration says. noise: standard normal, None for none."""
    if config.start == "none":
        return torch.full_like(start, 0.5)
    if config.start == "noise":
        start = torch.full_like(start, 0.5)
    return start if noise is None or config.start_noise == 0 else start + config.start_noise * noise


def sample(
    denoise: Denoiser,
    config: ModelConfig,
    visible: Tensor,
    thermal: Tensor,
    relevance: Tensor,
    steps: int,
    controls: Tensor | None = None,
    *,
    prepare: bool = True,
) -> Estimate:
    """Fused image after `steps` calls of the network. Shapes and ranges as in `FusionNetwork.forward`.

    controls: (N, K), see `model.controls`; None for AUTO. prepare: see `prepared`; training answers without
    it, for its targets have the colours and contrasts of the clean cameras.
    """
    wanted = as_tensor(AUTO, thermal) if controls is None else controls
    if prepare:
        start, visible, thermal = prepared(visible, thermal)
    else:
        start = anchor(visible, thermal)
    state = starting_state(config, start, fixed_noise(start) if config.start_noise else None)
    estimate = Estimate(state, visible[:, 1:])
    for t, s in itertools.pairwise(times(steps)):
        estimate = denoise(state, start, visible, thermal, relevance, scalars(t, t - s, wanted))
        if s > 0 and config.start != "none":
            state = advance(state, estimate.luminance, t, s)
    return estimate
