"""What keeps a network's values together: a few far ones would take the room of all in 8 bits."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from textdifuse_ros.model.ranges import Range, Ranges, convolutions

SHARE = 2e-4  # of the values that the first network makes, at either end, are drawn in


class TailWatch(TorchFunctionMode):
    """While it is active it adds up how far the convolutions' inputs reach beyond these ranges.

    The ranges stay what they were at first: with bounds that follow the values, in units of their root mean
    square, each pull on the far ones moves the bounds, and within 300 updates the deep features were gone.
    loss: mean square of the excess in units of the range, summed over the convolutions.
    """

    def __init__(self, network: nn.Module, ranges: Ranges) -> None:
        super().__init__()
        names = convolutions(network).items()
        self._ranges = {id(layer.weight): ranges[name.removeprefix("module.")] for name, layer in names}
        self.loss = torch.zeros(())

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func is F.conv2d and args[0].requires_grad and id(args[1]) in self._ranges:
            self.loss = self.loss + excess(args[0], self._ranges[id(args[1])])
        return func(*args, **(kwargs or {}))


def excess(values: Tensor, within: Range) -> Tensor:
    """Mean of the squares of what lies outside a range, in units of its width."""
    low, high = within
    return ((values - values.clamp(low, high)) / (high - low)).square().mean()
