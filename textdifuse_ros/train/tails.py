"""What keeps a network's values together: a few far ones would take the room of all in 8 bits."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from textdifuse_ros.model.ranges import ConvolutionWatch, Range, Ranges

SHARE = 2e-4  # of the values that the first network makes, at either end, are drawn in


class TailWatch(ConvolutionWatch):
    """While it is active it adds up how far the convolutions' inputs reach beyond these ranges.

    The ranges stay what they were at first: with bounds that follow the values, in units of their root mean
    square, each pull on the far ones moves the bounds, and within 300 updates the deep features were gone.
    loss: mean square of the excess in units of the range, summed over the convolutions.
    """

    def __init__(self, network: nn.Module, ranges: Ranges) -> None:
        super().__init__(network)
        self._ranges = ranges
        self.loss = torch.zeros(())

    def read(self, name: str, values: Tensor) -> None:
        if values.requires_grad:  # a run without gradients has nothing to learn
            self.loss = self.loss + excess(
                values, self._ranges[name.removeprefix("module.").removeprefix("network.")]
            )


def excess(values: Tensor, within: Range) -> Tensor:
    """Mean of the squares of what lies outside a range, in units of its width. values: (N, C, H, W)."""
    low, high, scales, _ = within
    if scales:
        values = values / values.new_tensor(scales)[None, :, None, None]
    return ((values - values.clamp(low, high)) / (high - low)).square().mean()
