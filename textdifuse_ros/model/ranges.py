"""Which values reach each convolution: what 8-bit arithmetic has to know before it computes.

Measured once for a weight file, on the examples that it is trained with, and kept inside it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode


class Range(NamedTuple):
    """What the levels of a convolution's input have to span, low <= 0 <= high: zero pads the edges.

    scales: one a channel, which is divided by it first; () for all 1. Channels reach differently far, and
    without scales the widest one would set the levels of all. bits: 8 for 256 levels, 16 for the square.
    """

    low: float
    high: float
    scales: tuple[float, ...] = ()
    bits: int = 8


Ranges = Mapping[str, Range]  # by the convolution's name
OUTSIDE = 1e-4  # share of a channel's values, at either end, that do not count: the rest gets finer levels
# The scales are the channels' reaches to this power: with 1 each channel has all 256 levels to itself, and
# any that reaches farther in a scene that nobody has measured is cut off; 0.5 leaves most of them room.
EVENNESS = 0.5
LEAST = 0.05  # of the farthest reach: what counts as the reach of a channel that says next to nothing
# What reads 16 bits, by name, and how much wider its range is than what was measured. These two follow the
# stem: bright lights and fine texture reach far beyond all else there, and nothing mends what is cut off.
FINE = ("down.0", "encoder.1.0.first")
ROOM = 2.0
_SAMPLES = 700  # values of a channel noted of each run of a convolution


def convolutions(network: nn.Module) -> dict[str, nn.Conv2d]:
    """The 3x3 convolutions to several channels, by name: nine tenths of the network's products.

    The stem is none of them. It reads the cameras, and eight bits of its own would be coarser than theirs.
    """
    return {
        name: layer
        for name, layer in network.named_modules()
        if isinstance(layer, nn.Conv2d) and layer.kernel_size == (3, 3) and layer.out_channels > 1
    }


class ConvolutionWatch(TorchFunctionMode):
    """While it is active `read` is called with what each convolution of a network reads, just before."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        # Weights in other precisions join them, and stay here so that nothing else can take their place.
        self._weights = {
            id(layer.weight): (name, layer.weight) for name, layer in convolutions(network).items()
        }

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func is F.conv2d and (known := self._weights.get(id(args[1]))) is not None:
            self.read(known[0], args[0])
        result = func(*args, **(kwargs or {}))
        if func is Tensor.to and (known := self._weights.get(id(args[0]))) is not None:
            self._weights[id(result)] = (known[0], result)
        return result

    def read(self, name: str, values: Tensor) -> None:
        raise NotImplementedError


class RangeWatch(ConvolutionWatch):
    """While it is active it notes what the convolutions of a network read.

    >>> with RangeWatch(network) as watch:
    ...     network(...)
    >>> network.ranges = watch.ranges()
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__(network)
        self._seen: dict[str, list[Tensor]] = {}
        self._random = torch.Generator().manual_seed(0)

    def read(self, name: str, values: Tensor) -> None:
        channels = values.detach().cpu().transpose(0, 1).flatten(1)
        some = torch.randint(channels.shape[1], (_SAMPLES,), generator=self._random)
        self._seen.setdefault(name, []).append(channels[:, some].half())

    def ranges(self, outside: float = OUTSIDE) -> dict[str, Range]:
        """Of each that has run: what it read, but for the share `outside` of a channel at either end."""
        each = {name: _range(torch.cat(parts, 1), outside) for name, parts in self._seen.items()}
        return {name: _finer(read) if name in FINE else read for name, read in each.items()}


def _range(values: Tensor, outside: float) -> Range:
    """values: (C, any number)."""
    count = values.shape[1]
    ordered, beyond = values.float().sort(dim=1).values, int(outside * count)
    lows, highs = ordered[:, beyond].clamp(max=0), ordered[:, count - 1 - beyond].clamp(min=1e-3)
    reach = torch.maximum(highs, -lows)
    scales = (reach / reach.max()).clamp(min=LEAST) ** EVENNESS
    low, high = float((lows / scales).min()), float((highs / scales).max())
    return Range(low, high, tuple(scales.tolist()))


def _finer(read: Range) -> Range:
    return read._replace(low=ROOM * read.low, high=ROOM * read.high, bits=16)


def to_json(ranges: Ranges) -> str:
    """For `from_json`: name -> low, high, scales, bits, in four digits."""
    return json.dumps(
        {
            name: [_short(each.low), _short(each.high), [_short(s) for s in each.scales], each.bits]
            for name, each in ranges.items()
        }
    )


def _short(value: float) -> float:
    return float(f"{value:.4g}")


def from_json(text: str, network: nn.Module) -> dict[str, Range]:
    """Raises ValueError for a text that `to_json` did not write for such a network; it may leave some out."""
    try:
        ranges = {str(name): _read(*each) for name, each in json.loads(text).items()}
    except (TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"ranges: {error}") from error
    layers = convolutions(network)
    if not ranges.keys() <= layers.keys():
        raise ValueError("ranges: not of this network's convolutions")
    for name, (low, high, scales, bits) in ranges.items():
        if not (math.isfinite(low) and math.isfinite(high) and low <= 0 <= high and low < high):
            raise ValueError(f"ranges: {name} is {low:g} to {high:g}")
        if scales and not (len(scales) == layers[name].in_channels and all(0 < s < math.inf for s in scales)):
            raise ValueError(f"ranges: {name} needs a scale above 0 for each of its channels")
        if bits not in (8, 16):
            raise ValueError(f"ranges: {name} has {bits} bits, not 8 or 16")
    return ranges


def _read(low: float, high: float, scales: Sequence[float] = (), bits: int = 8) -> Range:
    return Range(float(low), float(high), tuple(map(float, scales)), int(bits))
