"""Maps over an image, smoothed and enlarged (pure functions)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def smooth(image: Tensor) -> Tensor:
    """Binomial 7x7 (sigma 1.2 pixels), edges repeated; every channel by itself."""
    kernel = torch.tensor((1.0, 6.0, 15.0, 20.0, 15.0, 6.0, 1.0), dtype=image.dtype, device=image.device) / 64
    channels = image.shape[1]
    image = F.pad(image, (3, 3, 3, 3), mode="replicate")
    image = F.conv2d(image, kernel.view(1, 1, 1, 7).expand(channels, 1, 1, 7), groups=channels)
    return F.conv2d(image, kernel.view(1, 1, 7, 1).expand(channels, 1, 7, 1), groups=channels)


def smooth_apart(image: Tensor) -> Tensor:
    """`smooth`, a product for every channel: its bits do not depend on what it is smoothed beside.

    On some processors (AMD's EPYC) torch takes one routine for a single channel and another one for several.
    """
    if image.device.type != "cpu" or torch.compiler.is_compiling():  # exporting is compiling, too
        return smooth(image)
    return torch.cat([smooth(channel) for channel in image.split(1, dim=1)], dim=1)


def soften(image: Tensor) -> Tensor:
    """Binomial 5x5 (sigma 1 pixel), edges repeated.

    Sums of shifted images: on a CPU a tenth of what a convolution of single channels costs.
    """
    image = F.pad(image, (2, 2, 2, 2), mode="replicate")
    image = _binomial(
        image[..., :-4, :], image[..., 1:-3, :], image[..., 2:-2, :], image[..., 3:-1, :], image[..., 4:, :]
    )
    return _binomial(image[..., :-4], image[..., 1:-3], image[..., 2:-2], image[..., 3:-1], image[..., 4:])


def _binomial(a: Tensor, b: Tensor, c: Tensor, d: Tensor, e: Tensor) -> Tensor:
    return (a + e + 4 * (b + d) + 6 * c) / 16


def enlarged(image: Tensor, factor: int) -> Tensor:
    """`factor` times as wide and high."""
    return F.interpolate(image, scale_factor=float(factor), mode="bilinear", align_corners=False)
