"""The image side of the embedded localiser: concepts in both cameras' images, cell by cell (torch only).

The encoder has the anatomy of the fusion network's and starts from its weights: a stem for both cameras, one
shared encoder run on each of them, fusion control at every level that is read. What follows is not a decoder
but a small pyramid that says of every cell which concepts it shows.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from textdifuse_ros.model.blocks import Level, conv3
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

    widths: channels at 1/2, 1/4, 1/8 and 1/16 of it; blocks: residual blocks of the encoder at the last
    three; pyramid: channels of what reads them.
    """

    concepts: tuple[str, ...]
    short_side: int = 192
    widths: tuple[int, ...] = (32, 48, 96, 160)
    blocks: tuple[int, ...] = (0, 1, 2)
    embedding: int = 64
    pyramid: int = 48

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


class _Control(nn.Module):
    """Fusion of both cameras' features with two independent weights: w1 f1 + w2 f2, each in (0, 1)."""

    def __init__(self, channels: int, embedding: int) -> None:
        super().__init__()
        hidden = max(16, channels // 4)
        self.squeeze = nn.Conv2d(2 * channels, hidden, 1)
        self.modulation = nn.Linear(embedding, hidden)
        self.channel = nn.Conv2d(hidden, 2 * channels, 1)
        self.spatial = conv3(hidden, 2)

    def forward(self, visible: Tensor, thermal: Tensor, embedding: Tensor) -> Tensor:
        """Two feature maps (N, C, H, W) -> one."""
        joint = self.squeeze(torch.cat((visible, thermal), dim=1))
        joint = F.relu_(joint.add_(self.modulation(embedding)[:, :, None, None]))
        local = F.avg_pool2d(joint, 3, stride=1, padding=1, count_include_pad=False)
        channel_v, channel_t = self.channel(local).chunk(2, dim=1)
        spatial_v, spatial_t = self.spatial(joint).chunk(2, dim=1)
        of_visible = torch.add(channel_v, spatial_v).sigmoid_() * visible
        return torch.addcmul(of_visible, torch.add(channel_t, spatial_t).sigmoid_(), thermal)


class LocaliserNetwork(nn.Module):
    """RGB and thermal in, a logit of every concept for every cell out."""

    def __init__(self, config: LocaliserConfig) -> None:
        super().__init__()
        self.config = config
        widths, width = config.widths, config.pyramid
        self.cameras = nn.Parameter(0.1 * torch.randn(3, config.embedding))  # visible, thermal, both
        self.stem = nn.Conv2d(CAMERAS, 2 * widths[0], 6, stride=2, padding=2)
        self.down = nn.ModuleList(conv3(low, high, stride=2) for low, high in itertools.pairwise(widths))
        self.encoder = nn.ModuleList(
            Level(channels, count, config.embedding, slope=0.0)
            for channels, count in zip(widths[1:], config.blocks, strict=True)
        )
        self.control = nn.ModuleList(_Control(channels, config.embedding) for channels in widths[1:])
        self.lateral = nn.ModuleList(nn.Conv2d(channels, width, 1) for channels in widths[1:])
        self.coarse = conv3(width, width)
        self.middle = conv3(width, width)
        self.fine = nn.Sequential(conv3(width, width), nn.ReLU(), nn.Conv2d(width, len(config.concepts), 1))
        nn.init.constant_(self.fine[-1].bias, -4.0)  # type: ignore[arg-type]  # most cells show nothing

    def forward(self, cameras: Tensor) -> Tensor:
        """Float (N, 4, H, W), RGB and thermal in [-0.5, 0.5], sides multiples of `config.multiple`.

        Returns logits (N, concepts, H / 4, W / 4). A camera that is missing is black, -0.5.
        """
        count = cameras.shape[0]
        of_visible, of_thermal, of_both = (each.expand(count, -1) for each in self.cameras.unbind())
        embedding = torch.cat((of_visible, of_thermal))
        features = self._stem(cameras)
        seen: list[Tensor] = []
        for down, blocks, control, lateral in zip(
            self.down, self.encoder, self.control, self.lateral, strict=True
        ):
            features = blocks(down(F.relu(features)), embedding)
            seen.append(lateral(control(features[:count], features[count:], of_both)))
        fine, middle, coarse = seen
        coarse = F.relu(self.coarse(F.relu(coarse)))
        middle = F.relu(self.middle(F.relu(middle + _doubled(coarse))))
        return self.fine(F.relu(fine + _doubled(middle)))

    def _stem(self, cameras: Tensor) -> Tensor:
        """(2 N, C, H / 2, W / 2), the visible camera's first. Both by themselves: halves of one product's
        channels would have to be moved apart, which takes longer than all that follows.
        """
        weights, biases = self.stem.weight.chunk(2), self.stem.bias.chunk(2)  # type: ignore[union-attr]
        halves = [F.conv2d(cameras, *each, stride=2, padding=2) for each in zip(weights, biases, strict=True)]
        return torch.cat(halves)

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
        self.cameras.copy_(fusion.embedding(torch.ones(1, SCALARS)).expand_as(self.cameras))
        self.down.load_state_dict(fusion.down.state_dict())
        for level, blocks in enumerate(self.encoder, 1):
            for index, block in enumerate(list(blocks)):  # type: ignore[call-overload]
                if index < fusion.config.encoder_blocks[level]:
                    block.load_state_dict(fusion.encoder[level][index].state_dict())  # type: ignore[index]


def _doubled(image: Tensor) -> Tensor:
    return F.interpolate(image, scale_factor=2.0, mode="nearest")
