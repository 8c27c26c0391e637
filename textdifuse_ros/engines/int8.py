"""The network with its 3x3 convolutions in 8 bits, for processors with VNNI (torch only).

What a convolution reads is brought to 256 levels of the range that the weight file names for it (two need
the square of that, by two products), its weights to 255 for each output channel; products are added in 32
bits, and everything else stays in fp32. So a convolution takes a quarter of its time in fp32, where the
processor has the instructions for it.

Levels are not rounded to the nearest but cut off after adding an offset from 0 to 1, another one for each of
nine neighbours (ordered dither). On even ground, which is most of a picture, the nearest level is off by as
much everywhere, and so is the sum over a neighbourhood: it shows as patches. With the offsets the errors of a
3x3 window have the mean zero.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import torch
from torch import Tensor, nn

from textdifuse_ros.engines.base import EngineError
from textdifuse_ros.engines.device import cpu_has_int8
from textdifuse_ros.model.blocks import ResidualBlock, active, active_
from textdifuse_ros.model.network import FusionNetwork
from textdifuse_ros.model.ranges import Range, convolutions

_LEVELS = 255  # of what is read, from zero on; weights have 127 of either sign
_GOLDEN = 0.618034


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
            network.set_submodule(name, convolution(layer, ranges[name]))
    return network


class Int8Conv(nn.Module):
    """A convolution by oneDNN's 8-bit product: float32 in, float32 out."""

    def __init__(self, layer: nn.Conv2d, read: Range) -> None:
        super().__init__()
        step, scales = _units(layer, read)
        self._zero = round(-read.low / step)
        self._levels = (1 / (step * scales)).contiguous()  # one unit has, (1, C, 1, 1)
        self._product = Product(layer, scales, step, self._zero)
        self._bias = torch.zeros(layer.out_channels) if layer.bias is None else layer.bias.detach().float()

    def forward(self, x: Tensor, shift: Tensor | None = None) -> Tensor:
        """x: (1 or 2, C, H, W); shift (1, C) is added to the bias. Beyond the range counts as its end."""
        size = tuple(x.shape[1:])
        pinned = _PINNED.get(size)
        levels = torch.addcmul(_kept(*size) if pinned is None else pinned, x, self._levels).add_(self._zero)
        return self._product(levels.clamp_(0, _LEVELS).to(torch.uint8), self._shifted(shift))

    def _shifted(self, shift: Tensor | None) -> Tensor:
        return self._bias if shift is None else self._bias + shift[0]


class Int16Conv(Int8Conv):
    """What it reads has 16 bits: the product of the upper eight, plus that of the lower."""

    def __init__(self, layer: nn.Conv2d, read: Range) -> None:
        super().__init__(layer, read)
        step, scales = _units(layer, read)
        self._lower = Product(layer, scales, step / 256, 0)
        self._half = torch.tensor(self._zero + 0.5 / 256)
        self._no_bias = torch.zeros(layer.out_channels)

    def forward(self, x: Tensor, shift: Tensor | None = None) -> Tensor:
        levels = torch.addcmul(self._half, x, self._levels).clamp_(0, 256 - 1 / 256)
        upper = levels.to(torch.uint8)
        lower = levels.frac_().mul_(256).to(torch.uint8)
        result = self._product(upper, self._shifted(shift))
        return result.add_(self._lower(lower, self._no_bias))


def _units(layer: nn.Conv2d, read: Range) -> tuple[float, Tensor]:
    """What a level is worth, and what the channels of the input are divided by before, (1, C, 1, 1)."""
    scales = torch.tensor(read.scales or (1.0,) * layer.in_channels)
    return (read.high - read.low) / _LEVELS, scales[None, :, None, None]


class Product(nn.Module):
    """The convolution of levels, uint8, each worth `step`, of which `zero` is naught.

    scales: (1, C, 1, 1), what the channels of the input were divided by.
    """

    def __init__(self, layer: nn.Conv2d, scales: Tensor, step: float, zero: int) -> None:
        super().__init__()
        weight = layer.weight.detach().float() * scales
        self._read = (step, zero)
        self._steps = weight.abs().amax(dim=(1, 2, 3)).clamp(min=1e-8) / 127
        self._zeros = torch.zeros(layer.out_channels, dtype=torch.int64)
        self._shape = (list(layer.stride), list(layer.padding), list(layer.dilation), layer.groups)
        whole = (weight / self._steps[:, None, None, None]).round().to(torch.int8).contiguous()
        self._weight = torch.ops.onednn.qconv_prepack(whole, self._steps, *self._read, *self._shape, None)

    def forward(self, levels: Tensor, bias: Tensor) -> Tensor:
        return torch.ops.onednn.qconv2d_pointwise(  # type: ignore[no-any-return]
            levels, *self._read, self._weight, self._steps, self._zeros, bias,
            *self._shape, 1.0, 0, torch.float32, "none", [], "",
        )  # fmt: skip


def pin(network: FusionNetwork, run: Callable[[], None]) -> None:
    """Keeps the offsets of the sizes that a run of the network meets for good: where compiled code reads them
    and does not compute them, a frame takes a seventh less. run: of this network, not compiled.
    """

    def keep(layer: nn.Module, read: tuple[Tensor, ...]) -> None:
        size = tuple(read[0].shape[1:])
        _PINNED.setdefault(size, _kept(*size))

    hooks = [
        layer.register_forward_pre_hook(keep) for layer in network.modules() if isinstance(layer, Int8Conv)
    ]
    try:
        run()
    finally:
        for hook in hooks:
            hook.remove()


def offsets(channels: int, height: int, width: int) -> Tensor:
    """From 0 to 1, (1, C, H, W): in every channel the nine of each 3x3 window are a ninth apart, and channels
    differ by multiples of the golden ratio, so that theirs are spread evenly, too.
    """
    row, column, channel = (torch.arange(count, dtype=torch.float32) for count in (height, width, channels))
    ninths = (row / 9 - torch.floor(row / 3) / 3)[:, None] + (column + 0.5) / 3
    every = ninths + (_GOLDEN * channel + 1 / 18)[:, None, None]
    return torch.frac(every)[None].contiguous(memory_format=torch.channels_last)


_kept = functools.lru_cache(maxsize=16)(offsets)  # of the sizes that eager runs meet
_PINNED: dict[tuple[int, ...], Tensor] = {}


def convolution(layer: nn.Conv2d, read: Range) -> Int8Conv:
    """This one with what it reads in as many bits as its range says."""
    return Int16Conv(layer, read) if read.bits == 16 else Int8Conv(layer, read)


class Int8Block(nn.Module):
    """`ResidualBlock` with both convolutions in 8 bits."""

    def __init__(self, block: ResidualBlock, first: Range, second: Range) -> None:
        super().__init__()
        self.first = convolution(block.first, first)
        self.modulation = block.modulation
        self.second = convolution(block.second, second)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        hidden = self.first(active(x), self.modulation(embedding))
        result: Tensor = self.second(active_(hidden)).add_(x)
        return result
