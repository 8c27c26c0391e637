"""What a network costs, counted rather than timed."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from textdifuse_ros.model import sampler
from textdifuse_ros.model.network import FusionNetwork


@dataclass(frozen=True)
class Cost:
    """Learnt numbers, and multiply-accumulate operations for one image."""

    parameters: int
    macs: int


def count(network: FusionNetwork, height: int, width: int, steps: int) -> Cost:
    """Cost of `steps` sampler steps at a size. Runs on torch's meta device: shapes only, no arithmetic.

    The network is copied to that device and cannot be used afterwards.
    """
    multiple = network.config.multiple
    height, width = height + -height % multiple, width + -width % multiple
    parameters = sum(value.numel() for value in network.parameters())
    network = network.to("meta").eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        visible = torch.empty(1, 3, height, width, device="meta")
        plane = torch.empty(1, 1, height, width, device="meta")
        sampler.sample(network, network.config, visible, plane, plane, steps)
    return Cost(parameters, counter.get_total_flops() // 2)
