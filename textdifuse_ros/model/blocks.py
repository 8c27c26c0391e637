"""Building blocks. Convolutions only, no normalisation over the frame: a crop sees what the whole sees."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LEAST = 0.1  # weight of a camera's features in the fused ones
SLOPE = 0.1  # of the negative half of what follows a convolution: a unit that rests can wake up again


def active(x: Tensor) -> Tensor:
    """Leaky ReLU."""
    return F.leaky_relu(x, SLOPE)


def active_(x: Tensor) -> Tensor:
    """The same in place."""
    return F.leaky_relu_(x, SLOPE)


def rested(x: Tensor) -> Tensor:
    """The same, in place where nobody asks for gradients: for features that all others have read already."""
    return active(x) if torch.is_grad_enabled() else active_(x)


def zero_(layer: nn.Conv2d | nn.Linear) -> None:
    """Start as nothing: the branch that ends here grows out of the identity."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)


def conv3(in_channels: int, out_channels: int, stride: int = 1) -> nn.Conv2d:
    """A 3x3 convolution that keeps the size of active features (He), without normalisation."""
    layer = nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1)
    nn.init.kaiming_normal_(layer.weight, a=SLOPE)
    return layer


def shifted(x: Tensor, weight: Tensor, bias: Tensor | None, shift: Tensor | None) -> Tensor:
    """The convolution of x that keeps its size, plus shift (N, C) or (1, C), or none.

    One shift for the whole batch, which is a running camera's case, goes into the bias: on a CPU the
    sum would be a pass over memory as dear as a small convolution. An exported program keeps the sum,
    because converters want constant biases.
    """
    reach = weight.shape[-1] // 2
    if shift is None:
        return F.conv2d(x, weight, bias, padding=reach)
    if shift.shape[0] != 1 or torch.compiler.is_exporting():
        return F.conv2d(x, weight, bias, padding=reach).add_(shift[:, :, None, None])
    return F.conv2d(x, weight, shift[0] if bias is None else bias + shift[0], padding=reach)


class Settled(nn.Module):
    """In the place of a modulation whose answer, always the same, a bias holds already."""

    def forward(self, embedding: Tensor) -> None:
        return None


@torch.no_grad()
def settle(convolution: nn.Conv2d, modulation: nn.Linear, embedding: Tensor) -> Settled:
    """Take into the bias what the modulation says of an embedding (1, C) that never changes."""
    convolution.bias += modulation(embedding)[0]  # type: ignore[operator]
    return Settled()


class Embedding(nn.Sequential):
    """(t, step size, restoration controls) in [0, 1], float (N, scalars) -> a vector each (N, channels)."""

    def __init__(self, scalars: int, channels: int) -> None:
        super().__init__(nn.Linear(scalars, channels), nn.SiLU(), nn.Linear(channels, channels), nn.SiLU())


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with the embedding added between them.

    Leaky ReLU and a shift alone, not SiLU and scale with shift: on a CPU these passes over memory cost
    more than the convolutions themselves.
    """

    def __init__(self, channels: int, embedding: int) -> None:
        super().__init__()
        self.first = conv3(channels, channels)
        self.modulation = nn.Linear(embedding, channels)
        self.second = conv3(channels, channels)
        zero_(self.second)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        rested, shift = active(x), self.modulation(embedding)
        hidden = shifted(rested, self.first.weight, self.first.bias, shift)
        return self.second(active_(hidden)).add_(x)


class Level(nn.ModuleList):
    """Residual blocks of one resolution, in a row."""

    def __init__(self, channels: int, count: int, embedding: int) -> None:
        super().__init__(ResidualBlock(channels, embedding) for _ in range(count))

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        for block in self:
            x = block(x, embedding)
        return x


class FusionControl(nn.Module):
    """Fusion control module (Text-DiFuse, section 3.2): fused = w1 f1 + w2 f2, w in (0.1, 0.9), w1 + w2 = 1.

    Channel attention looks at the local mean of both features, spatial attention at their
    joint activity. Both are local: with a pooled frame average a hot object that enters at one
    edge would change the picture at the other one, which shows as flicker.
    The paper's two weights are independent and reach 0. Both then closed at the deep levels early in the
    training, where features are no help yet, and what is closed gets no gradient to open again: half of
    the network was dead.

    coarse: the local mean is that of every 2x2 cell (sides must be even), else that of 3x3 neighbours.
    """

    def __init__(self, channels: int, embedding: int, coarse: bool = False) -> None:
        super().__init__()
        hidden = max(16, channels // 4)
        self.coarse = coarse
        self.squeeze = nn.Conv2d(2 * channels, hidden, 1)
        self.modulation = nn.Linear(embedding, hidden)
        self.channel = nn.Conv2d(hidden, channels, 1)
        self.spatial = conv3(hidden, 1)
        zero_(self.channel)
        zero_(self.spatial)

    def forward(self, visible: Tensor, thermal: Tensor, embedding: Tensor) -> Tensor:
        """Two feature maps (N, C, H, W) -> one."""
        joint = active_(self._joint(visible, thermal, self.modulation(embedding)))
        of_visible = torch.add(self._channel(joint), self.spatial(joint)).sigmoid_()
        return torch.lerp(thermal, visible, of_visible.mul(1 - 2 * LEAST).add_(LEAST))

    def _joint(self, visible: Tensor, thermal: Tensor, shift: Tensor | None) -> Tensor:
        """The squeezed pair; two products and a sum are cheaper than to put both side by side first."""
        weight, half = self.squeeze.weight, visible.shape[1]
        seen = shifted(visible, weight[:, :half], self.squeeze.bias, shift)
        return seen.add_(F.conv2d(thermal, weight[:, half:]))

    def _channel(self, joint: Tensor) -> Tensor:
        if not self.coarse:
            local = F.avg_pool2d(joint, 3, stride=1, padding=1, count_include_pad=False)
            return self.channel(local)  # type: ignore[no-any-return]
        return F.interpolate(self.channel(F.avg_pool2d(joint, 2)), scale_factor=2.0, mode="nearest")


class PlainControl(nn.Module):
    """Fusion of features by a fixed rule, the ablation of `FusionControl`: "max" or "mean"."""

    def __init__(self, rule: str) -> None:
        super().__init__()
        self.rule = rule

    def forward(self, visible: Tensor, thermal: Tensor, embedding: Tensor) -> Tensor:
        return torch.maximum(visible, thermal) if self.rule == "max" else 0.5 * (visible + thermal)


def make_coupling(name: str, channels: int, embedding: int, coarse: bool) -> FusionControl | PlainControl:
    """ "attention" (the method), "max" or "mean" (ablations)."""
    return FusionControl(channels, embedding, coarse) if name == "attention" else PlainControl(name)
