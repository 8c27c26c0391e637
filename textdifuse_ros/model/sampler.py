"""Deterministic few-step sampling from a source-anchored start (pure functions).

The state runs from x_1, the mean of both cameras, to x_0, the fused image. A step from t to s uses
the network's estimate of x_0 (the mean alone, no noise, as Text-DiFuse samples; the straight path
between degraded and clean is that of InDI):  x_s = x_0 + (s / t) (x_t - x_0).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from textdifuse_ros.model.network import Estimate

Denoiser = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Estimate]


def anchor(visible: Tensor, thermal: Tensor) -> Tensor:
    """State x_1 (N, 1, H, W): the mean of both luminances."""
    return 0.5 * (visible[:, :1] + thermal)


def times(steps: int) -> list[float]:
    """Evenly spaced times from 1 down to 0: `steps` + 1 values."""
    if steps < 1:
        raise ValueError(f"steps is {steps}, it must be at least 1")
    return [1 - i / steps for i in range(steps + 1)]


def advance(state: Tensor, luminance: Tensor, t: float, s: float) -> Tensor:
    """x_t -> x_s along the straight path through the estimate of x_0; 0 <= s < t <= 1."""
    return luminance + (s / t) * (state - luminance)


def scalars(t: float, step: float, restore: float, like: Tensor) -> Tensor:
    """Conditioning vector (N, 3) of one step."""
    return torch.tensor([[t, step, restore]], dtype=torch.float32, device=like.device).expand(
        like.shape[0], 3
    )


def sample(
    denoise: Denoiser,
    visible: Tensor,
    thermal: Tensor,
    relevance: Tensor,
    steps: int,
    restore: float = 1.0,
    schedule: Sequence[float] | None = None,
) -> Estimate:
    """Fused image after `steps` calls of the network. Shapes and ranges as in `FusionNetwork.forward`."""
    path = list(schedule) if schedule is not None else times(steps)
    state = anchor(visible, thermal)
    estimate = Estimate(state, visible[:, 1:])
    for t, s in itertools.pairwise(path):
        estimate = denoise(state, visible, thermal, relevance, scalars(t, t - s, restore, state))
        state = advance(state, estimate.luminance, t, s)
    return estimate
