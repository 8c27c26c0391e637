"""Full-range BT.601 colour conversion, as in JPEG (pure functions on tensors)."""

from __future__ import annotations

import torch
from torch import Tensor


def rgb_to_ycbcr(rgb: Tensor) -> Tensor:
    """(N, 3, H, W) in [0, 1] -> Y in [0, 1], Cb and Cr in [-0.5, 0.5]."""
    red, green, blue = rgb[:, :1], rgb[:, 1:2], rgb[:, 2:]
    luminance = 0.299 * red + 0.587 * green + 0.114 * blue
    return torch.cat((luminance, (blue - luminance) / 1.772, (red - luminance) / 1.402), dim=1)


def ycbcr_to_rgb(ycbcr: Tensor) -> Tensor:
    """Inverse of `rgb_to_ycbcr`, not clipped."""
    luminance, cb, cr = ycbcr[:, :1], ycbcr[:, 1:2], ycbcr[:, 2:]
    red = luminance + 1.402 * cr
    blue = luminance + 1.772 * cb
    green = luminance - 0.344136 * cb - 0.714136 * cr
    return torch.cat((red, green, blue), dim=1)
