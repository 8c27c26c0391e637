"""Building blocks. Convolutions only, no normalisation over the frame: a crop sees what the whole sees."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def zero_(layer: nn.Conv2d | nn.Linear) -> None:
    """Start as nothing: the branch that ends here grows out of the identity."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)


def conv3(in_channels: int, out_channels: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1)


class Embedding(nn.Module):
    """(t, step size, restoration controls) in [0, 1] -> a vector each for both cameras and the decoder."""

    def __init__(self, scalars: int, channels: int) -> None:
        super().__init__()
        self.camera = nn.Embedding(3, channels)  # visible, thermal, fused (the decoder)
        self.scalars = nn.Sequential(nn.Linear(scalars, channels), nn.SiLU(), nn.Linear(channels, channels))

    def forward(self, scalars: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """scalars float (N, scalars) -> three times (N, channels)."""
        common = self.scalars(scalars)
        visible, thermal, fused = (F.silu(common + camera) for camera in self.camera.weight.unbind())
        return visible, thermal, fused


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with the embedding added between them.

    ReLU and a shift alone, not SiLU and scale with shift: on a CPU these passes over memory cost
    more than the convolutions themselves.
    """

    def __init__(self, channels: int, embedding: int) -> None:
        super().__init__()
        self.first = conv3(channels, channels)
        self.modulation = nn.Linear(embedding, channels)
        self.second = conv3(channels, channels)
        zero_(self.second)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        hidden = self.first(F.relu(x)).add_(self.modulation(embedding)[:, :, None, None])
        return self.second(F.relu_(hidden)).add_(x)


class Level(nn.ModuleList):
    """Residual blocks of one resolution, in a row."""

    def __init__(self, channels: int, count: int, embedding: int) -> None:
        super().__init__(ResidualBlock(channels, embedding) for _ in range(count))

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        for block in self:
            x = block(x, embedding)
        return x


class FusionControl(nn.Module):
    """Fusion control module (Text-DiFuse, section 3.2): fused = w1 * f1 + w2 * f2, w in (0, 1).

    Channel attention looks at the local mean of both features, spatial attention at their
    joint activity. Both are local: with a pooled frame average a hot object that enters at one
    edge would change the picture at the other one, which shows as flicker.
    """

    def __init__(self, channels: int, embedding: int) -> None:
        super().__init__()
        hidden = max(16, channels // 4)
        self.squeeze = nn.Conv2d(2 * channels, hidden, 1)
        self.modulation = nn.Linear(embedding, hidden)
        self.channel = nn.Conv2d(hidden, 2 * channels, 1)
        self.spatial = conv3(hidden, 2)
        zero_(self.channel)
        zero_(self.spatial)

    def forward(self, visible: Tensor, thermal: Tensor, embedding: Tensor) -> Tensor:
        """Two feature maps (N, C, H, W) -> one."""
        joint = self.squeeze(torch.cat((visible, thermal), dim=1))
        joint = F.relu_(joint.add_(self.modulation(embedding)[:, :, None, None]))
        local = F.avg_pool2d(joint, 3, stride=1, padding=1, count_include_pad=False)
        channel_v, channel_t = self.channel(local).chunk(2, dim=1)
        spatial_v, spatial_t = self.spatial(joint).chunk(2, dim=1)
        of_visible = torch.add(channel_v, spatial_v).sigmoid_() * visible
        return torch.addcmul(of_visible, torch.add(channel_t, spatial_t).sigmoid_(), thermal)


class PlainControl(nn.Module):
    """Fusion of features by a fixed rule, the ablation of `FusionControl`: "max" or "mean"."""

    def __init__(self, rule: str) -> None:
        super().__init__()
        self.rule = rule

    def forward(self, visible: Tensor, thermal: Tensor, embedding: Tensor) -> Tensor:
        return torch.maximum(visible, thermal) if self.rule == "max" else 0.5 * (visible + thermal)


def make_coupling(name: str, channels: int, embedding: int) -> FusionControl | PlainControl:
    """ "attention" (the method), "max" or "mean" (ablations)."""
    return FusionControl(channels, embedding) if name == "attention" else PlainControl(name)
