"""The whole way from 8-bit sources to the 8-bit image as one module with static control flow.

Eager runs it as it is, torch.compile and torch.export take it whole. Padding to the network's multiple and
cropping back stay outside (`engines.frames`), so that no shape depends on another.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from textdifuse_ros.model import sampler
from textdifuse_ros.model.colour import rgb_to_ycbcr, ycbcr_to_rgb
from textdifuse_ros.model.network import FusionNetwork

INPUT_NAMES = ("rgb", "thermal", "relevance", "controls")
OUTPUT_NAME = "fused"
Graph = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]  # `FusionGraph.forward`


class FusionGraph(nn.Module):
    """`steps` steps of the sampler, unrolled, with the colour conversions around them.

    as_bytes: False leaves the image as float, rounded and within 0..255, for a runtime without 8-bit casts.
    """

    def __init__(self, network: FusionNetwork, steps: int, as_bytes: bool = True) -> None:
        super().__init__()
        self.network = network
        self.steps = steps
        self.as_bytes = as_bytes

    def forward(self, rgb: Tensor, thermal: Tensor, relevance: Tensor, controls: Tensor) -> Tensor:
        """One fused image, (1, 3, H, W) uint8 (float32 unless `as_bytes`).

        rgb (1, 3, H, W) and thermal (1, 1, H, W): uint8, or float in 0..255; relevance: float (1, 1, H, W) in
        [-1, 1]; controls: float (1, K) from 0 to `model.controls.most`. H, W: multiples of
        `network.config.multiple`.
        """
        # Plane after plane: all that follows reads one of them at a time (5 % of a step on a CPU).
        visible = rgb_to_ycbcr(rgb.float(), white=255).contiguous()
        warm = thermal.float() / 255
        estimate = sampler.sample(
            self.network, self.network.config, visible, warm, relevance, self.steps, controls
        )
        # Interleaved before the colours are mixed, so that the picture comes out as an array wants it.
        estimated = torch.cat(estimate, dim=1).contiguous(memory_format=torch.channels_last)
        fused = ycbcr_to_rgb(estimated, white=255).round().clamp(0, 255)
        return fused.to(torch.uint8) if self.as_bytes else fused
