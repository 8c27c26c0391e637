"""Which values reach each convolution: what 8-bit arithmetic has to know before it computes.

Measured once for a weight file, on the examples that it is trained with, and kept inside it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

Range = tuple[float, float]  # smallest and largest value; zero, with which edges are padded, is in between
Ranges = Mapping[str, Range]  # by the convolution's name
OUTSIDE = 3e-5  # share of the values, at either end, that do not count: the rest gets finer levels for it
MARGIN = 1.5  # what is left is widened by this much, for scenes that nobody has measured
# What stays in full precision where nobody says otherwise, by how names begin: all but the decoder. What the
# encoder's convolutions read reaches up to 70 root mean squares, so that eight bits leave few levels for most
# of it; the head gives gains, which raise what errors there are.
EXACT = ("encoder", "down", "head")
_SAMPLES = 40_000  # values noted of each run of a convolution


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
        self._names = {id(layer.weight): name for name, layer in convolutions(network).items()}

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func is F.conv2d and (name := self._names.get(id(args[1]))) is not None:
            self.read(name, args[0])
        return func(*args, **(kwargs or {}))

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
        values = values.detach().flatten().float().cpu()
        some = torch.randint(len(values), (min(len(values), _SAMPLES),), generator=self._random)
        self._seen.setdefault(name, []).append(values[some])

    def ranges(self, outside: float = OUTSIDE, margin: float = MARGIN) -> dict[str, Range]:
        """Of each that has run: `margin` times what it read, but for the share `outside` at either end."""
        return {name: _ends(torch.cat(parts), outside, margin) for name, parts in self._seen.items()}


def _ends(values: Tensor, share: float, margin: float) -> Range:
    outside = int(share * len(values))
    ordered = values.sort().values
    low, high = float(ordered[outside]), float(ordered[len(ordered) - 1 - outside])
    return margin * min(low, 0.0), margin * max(high, 1e-3)


def to_json(ranges: Ranges) -> str:
    return json.dumps({name: [float(f"{value:.4g}") for value in pair] for name, pair in ranges.items()})


def from_json(text: str, network: nn.Module) -> dict[str, Range]:
    """Raises ValueError for a text that `to_json` did not write for such a network; it may leave some out."""
    try:
        ranges = {str(name): (float(low), float(high)) for name, (low, high) in json.loads(text).items()}
    except (TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"ranges: {error}") from error
    if not ranges.keys() <= convolutions(network).keys():
        raise ValueError("ranges: not of this network's convolutions")
    for name, (low, high) in ranges.items():
        if not (math.isfinite(low) and math.isfinite(high) and low <= 0 <= high and low < high):
            raise ValueError(f"ranges: {name} is {low:g} to {high:g}")
    return ranges
