"""The network with its 3x3 convolutions in 8 bits, for processors with VNNI (torch only).

What a convolution reads is rounded to 256 levels of the range that the weight file names for it, its weights
to 255 for each output channel; products are added in 32 bits, and everything else stays in fp32. So a
convolution takes a quarter of its time in fp32, where the processor has the instructions for it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from textdifuse_ros.engines.base import EngineError
from textdifuse_ros.engines.device import cpu_has_int8
from textdifuse_ros.model.blocks import ResidualBlock, active, active_
from textdifuse_ros.model.network import FusionNetwork
from textdifuse_ros.model.ranges import Range, convolutions

_LEVELS = 255  # of what is read, from zero on; weights have 127 of either sign


def why_not(network: FusionNetwork) -> str:
    """What keeps this processor, this torch or these weights from 8 bits, and what to do; "" for nothing."""
    if not cpu_has_int8():
        return "dtype int8 needs a processor with VNNI or AMX; use auto"
    if not hasattr(torch.ops.onednn, "qconv2d_pointwise"):
        return f"dtype int8 needs oneDNN, which this torch ({torch.__version__}) is built without; use auto"
    if not network.ranges:
        return "dtype int8 needs to know which values these weights make: run textdifuse ranges on them"
    return ""


def rewritten(network: FusionNetwork) -> FusionNetwork:
    """The same network with these convolutions in 8 bits, in place; it takes one frame at a time from now on.

    Raises EngineError where `why_not` has a reason.
    """
    if reason := why_not(network):
        raise EngineError(reason)
    ranges = network.ranges
    blocks = {name: each for name, each in network.named_modules() if isinstance(each, ResidualBlock)}
    for name, block in blocks.items():
        first, second = (ranges.get(f"{name}.{part}") for part in ("first", "second"))
        if first and second:  # a block has one precision
            network.set_submodule(name, Int8Block(block, first, second))
    for name, layer in convolutions(network).items():
        if name in ranges and name.rpartition(".")[0] not in blocks:
            network.set_submodule(name, Int8Conv(layer, ranges[name]))
    return network


class Int8Conv(nn.Module):
    """A convolution by oneDNN's 8-bit product: float32 in, float32 out."""

    def __init__(self, layer: nn.Conv2d, read: Range) -> None:
        super().__init__()
        self._scale = (read[1] - read[0]) / _LEVELS
        self._zero = round(-read[0] / self._scale)
        weight = layer.weight.detach().float().contiguous()
        self._scales = weight.abs().amax(dim=(1, 2, 3)).clamp(min=1e-8) / 127
        self._zeros = torch.zeros(layer.out_channels, dtype=torch.int64)
        self._bias = torch.zeros(layer.out_channels) if layer.bias is None else layer.bias.detach().float()
        self._shape = (list(layer.stride), list(layer.padding), list(layer.dilation), layer.groups)
        whole = (weight / self._scales[:, None, None, None]).round().to(torch.int8)
        self._weight = torch.ops.onednn.qconv_prepack(
            whole, self._scales, self._scale, self._zero, *self._shape, None
        )

    def forward(self, x: Tensor, shift: Tensor | None = None) -> Tensor:
        """x: (1 or 2, C, H, W); shift (1, C) is added to the bias."""
        bias = self._bias if shift is None else self._bias + shift[0]
        return torch.ops.onednn.qconv2d_pointwise(  # type: ignore[no-any-return]
            self._rounded(x), self._scale, self._zero, self._weight, self._scales, self._zeros, bias,
            *self._shape, 1.0, 0, torch.float32, "none", [], "",
        )  # fmt: skip

    def _rounded(self, x: Tensor) -> Tensor:
        """uint8 levels, those beyond the range at its ends. Half a level more, for what follows cuts off."""
        levels = torch.add(x.mul(1 / self._scale), self._zero + 0.5)
        return levels.clamp_(0, _LEVELS).to(torch.uint8)


class Int8Block(nn.Module):
    """`ResidualBlock` with both convolutions in 8 bits."""

    def __init__(self, block: ResidualBlock, first: Range, second: Range) -> None:
        super().__init__()
        self.first = Int8Conv(block.first, first)
        self.modulation = block.modulation
        self.second = Int8Conv(block.second, second)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        hidden = self.first(active(x), self.modulation(embedding))
        result: Tensor = self.second(active_(hidden)).add_(x)
        return result
