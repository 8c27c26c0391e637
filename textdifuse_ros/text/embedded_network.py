"""The image side of the embedded localiser: concepts in both cameras' images, cell by cell (torch only).

The encoder has the anatomy of the fusion network's and starts from its weights: a stem for both cameras, one
shared encoder run on each of them, fusion control where the two become one. That is before the deep levels'
blocks and not after them, which halves their cost. What follows is not a decoder but a small pyramid that
says of every cell which concepts it shows.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from textdifuse_ros.model.blocks import SLOPE, FusionControl, Level, active_, conv3, rested, settle, zero_
from textdifuse_ros.model.network import SCALARS, THERMAL_CHROMA, FusionNetwork

CELL = 4  # pixels of the reduced image along the side of a cell
CAMERAS = 4  # input channels: red, green, blue, thermal
# Luminance and chroma of RGB, thermal: what the fusion network's stem reads of each camera, from RGBT.
_VISIBLE = (
    (0, 0, 0, 1), (0.299, 0.587, 0.114, 0), (-0.168736, -0.331264, 0.5, 0), (0.5, -0.418688, -0.081312, 0),
)  # fmt: skip
_THERMAL = ((0.299, 0.587, 0.114, 0), (0, 0, 0, 1), (0, 0, 0, 0), (0, 0, 0, 0))


@dataclass(frozen=True)
class LocaliserConfig:
    """Sizes. concepts: what it finds, in the order of its outputs. short_side: of the reduced image.

    widths: channels at 1/2, 1/4, 1/8 and 1/16 of it; blocks: residual blocks at the last two; pyramid:
    channels of what reads the last three. branch: concepts that have a branch of their own, () for none;
    branch_widths: its channels at 1/4 and 1/8.
    """

    concepts: tuple[str, ...]
    short_side: int = 192
    widths: tuple[int, ...] = (32, 48, 96, 160)
    blocks: tuple[int, ...] = (1, 1)
    embedding: int = 64
    pyramid: int = 48
    branch: tuple[str, ...] = ()
    branch_widths: tuple[int, int] = (32, 64)

    @property
    def multiple(self) -> int:
        """Sides of the reduced image are multiples of this many pixels."""
        return 2 ** len(self.widths)

    def to_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> LocaliserConfig:
        """Raises ValueError for a text that `to_json` did not write."""
        try:
            fields: dict[str, Any] = {
                k: tuple(v) if isinstance(v, list) else v for k, v in json.loads(text).items()
            }
            return cls(**fields)
        except (TypeError, AttributeError, json.JSONDecodeError) as error:
            raise ValueError(f"not a localiser's configuration: {error}") from error


class Branch(nn.Module):
    """Corrections of some concepts' logits, from the features that all concepts share.

    What is learnt for vehicles in shared weights costs persons. Trained alone, this leaves the maps of all
    other concepts as they are, bit for bit.
    """

    def __init__(self, config: LocaliserConfig) -> None:
        super().__init__()
        fine, middle = config.branch_widths
        self.first, self.second = conv3(config.widths[2], middle), conv3(middle, middle)
        self.narrowed = nn.Conv2d(middle, fine, 1)
        self.fine = conv3(config.pyramid, fine)
        self.last = nn.Conv2d(fine, len(config.branch), 1)
        zero_(self.last)  # it starts from what is found already

    def forward(self, middle: Tensor, fine: Tensor) -> Tensor:
        """Active features, the encoder's at 1/8 and the pyramid's at 1/4 -> (N, concepts, H / 4, W / 4)."""
        deep = active_(self.second(active_(self.first(middle))))
        return self.last(active_(self.fine(fine).add_(_doubled(self.narrowed(deep)))))  # type: ignore[no-any-return]


class LocaliserNetwork(nn.Module):
    """RGB and thermal in, a logit of every concept for every cell out."""

    def __init__(self, config: LocaliserConfig) -> None:
        super().__init__()
        self.config = config
        widths, width = config.widths, config.pyramid
        self.condition = nn.Parameter(0.1 * torch.randn(1, config.embedding))
        self.stem = nn.Conv2d(CAMERAS, 2 * widths[0], 6, stride=2, padding=2)
        self.down = nn.ModuleList(conv3(low, high, stride=2) for low, high in itertools.pairwise(widths))
        self.encoder = nn.ModuleList(
            Level(channels, count, config.embedding)
            for channels, count in zip(widths[2:], config.blocks, strict=True)
        )
        self.control = FusionControl(widths[2], config.embedding, coarse=True)
        read = (2 * widths[1], *widths[2:])  # the finest reads both cameras, the others what is fused
        self.lateral = nn.ModuleList(nn.Conv2d(channels, width, 1) for channels in read)
        self.coarse = conv3(width, width)
        self.middle = conv3(width, width)
        self.fine = nn.Sequential(
            conv3(width, width), nn.LeakyReLU(SLOPE), nn.Conv2d(width, len(config.concepts), 1)
        )
        nn.init.constant_(self.fine[-1].bias, -4.0)  # type: ignore[arg-type]  # most cells show nothing
        self.branch = Branch(config) if config.branch else None
        self._branched = [config.concepts.index(name) for name in config.branch]

    def forward(self, cameras: Tensor) -> Tensor:
        """Float (N, 4, H, W), RGB and thermal in [-0.5, 0.5], sides multiples of `config.multiple`.

        Returns logits (N, concepts, H / 4, W / 4). A camera that is missing is black, -0.5.
        """
        both = self._down(0, rested(self.stem(cameras)))
        fine = self.lateral[0](both)
        visible, thermal = self._down(1, rested(both)).chunk(2, dim=1)
        features = self.encoder[0](self.control(visible, thermal, self.condition), self.condition)
        lateral, middle = self.lateral[1](features), rested(features)
        features = self.encoder[1](self.down[2](middle), self.condition)
        coarse = active_(self.coarse(active_(self.lateral[2](features))))
        around = active_(self.middle(active_(lateral.add_(_doubled(coarse)))))
        fine = active_(fine.add_(_doubled(around)))
        found = self.fine(fine)
        if self.branch is None:
            return found  # type: ignore[no-any-return]
        corrections = self.branch(middle, fine)
        if corrections.shape[1] == found.shape[1]:
            return found.add_(corrections)  # type: ignore[no-any-return]
        found[:, self._branched] += corrections
        return found  # type: ignore[no-any-return]

    def _down(self, level: int, both: Tensor) -> Tensor:
        """The layer on each camera's half of the channels: one product takes two thirds of what two do."""
        layer = self.down[level]
        weight, bias = (torch.cat((each, each)) for each in (layer.weight, layer.bias))  # type: ignore[arg-type]
        return F.conv2d(both, weight, bias, stride=2, padding=1, groups=2)

    def settled(self) -> LocaliserNetwork:
        """For looking alone: what the condition, always the same, adds goes into the biases, once, and the
        branch answers for every concept. Changes and returns this network.
        """
        self.control.modulation = settle(self.control.squeeze, self.control.modulation, self.condition)  # type: ignore[assignment]
        for level in self.encoder:
            for block in level:  # type: ignore[union-attr,attr-defined]
                block.modulation = settle(block.first, block.modulation, self.condition)
        if self.branch is not None:
            self.branch.last = self._widened(self.branch.last)
        return self

    @torch.no_grad()
    def _widened(self, last: nn.Conv2d) -> nn.Conv2d:
        """One that answers for every concept, with nothing for those that are not the branch's."""
        wide = nn.Conv2d(last.in_channels, len(self.config.concepts), 1)
        zero_(wide)
        for place, row in enumerate(self._branched):
            wide.weight[row], wide.bias[row] = last.weight[place], last.bias[place]  # type: ignore[index]
        return wide

    @torch.no_grad()
    def start_from(self, fusion: FusionNetwork) -> None:
        """Take over what the fusion network's encoder has learnt. Raises ValueError for other sizes.

        Its state input sees the other camera here, its relevance input nothing.
        """
        if fusion.config.widths != self.config.widths or fusion.config.embedding != self.config.embedding:
            raise ValueError(f"a fusion network of widths {fusion.config.widths} does not fit {self.config}")
        weight = 2 * fusion.stem.weight[:, :4]
        both = (torch.tensor(matrix, dtype=weight.dtype) for matrix in (_VISIBLE, _THERMAL))
        self.stem.weight.copy_(torch.cat([torch.einsum("oikl,ij->ojkl", weight, each) for each in both]))
        marked = THERMAL_CHROMA * weight[:, 2:].sum(dim=(1, 2, 3))  # the mark of the thermal camera
        self.stem.bias.copy_(torch.cat((fusion.stem.bias, fusion.stem.bias + marked)))  # type: ignore[union-attr,arg-type,operator]
        self.condition.copy_(fusion.embedding(torch.ones(1, SCALARS)))
        self.control.load_state_dict(fusion.control[2].state_dict())
        self.down.load_state_dict(fusion.down.state_dict())
        for level, blocks in enumerate(self.encoder, 2):
            for index, block in enumerate(list(blocks)):  # type: ignore[call-overload]
                if index < fusion.config.encoder_blocks[level]:
                    block.load_state_dict(fusion.encoder[level][index].state_dict())  # type: ignore[index]


def _doubled(image: Tensor) -> Tensor:
    return F.interpolate(image, scale_factor=2.0, mode="nearest")
