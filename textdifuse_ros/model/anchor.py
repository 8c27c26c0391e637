"""Where the sampler starts: the visible image with the thermal image's local detail (pure functions).

Closed form and local: visible + share * (thermal - its surroundings), share = e_t^3 / (e_t^3 + e_v^3) with e
the local variance of each camera. It keeps what either camera shows, without the thermal image's grey
level, so the network has only to correct it: restore, choose a camera where one is better, follow the prompt.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

_FLOOR = 4 / 255**2  # variance below which nothing counts as detail: two grey levels


def anchor(visible: Tensor, thermal: Tensor) -> Tensor:
    """State x_1 (N, 1, H, W) of luminances (N, 1 or more, H, W) in [0, 1]; sides multiples of 16.

    Statistics are taken at a quarter, the surroundings at a sixteenth of the resolution.
    """
    luminance = visible[:, :1]
    both = torch.cat((luminance, thermal), dim=1)
    small = F.avg_pool2d(both, 4)
    mean = smooth(small)
    energy = (smooth(F.avg_pool2d(both * both, 4)) - mean * mean).clamp(min=0) + _FLOOR
    energy = energy * energy * energy
    share = energy[:, 1:] / energy.sum(dim=1, keepdim=True)
    surroundings = smooth(F.avg_pool2d(small[:, 1:], 4))
    maps = enlarged(torch.cat((share, share * enlarged(surroundings, 4)), dim=1), 4)
    return torch.addcmul(luminance, maps[:, :1], thermal) - maps[:, 1:]


def enlarged(image: Tensor, factor: int) -> Tensor:
    """`factor` times as wide and high."""
    return F.interpolate(image, scale_factor=float(factor), mode="bilinear", align_corners=False)


def smooth(image: Tensor) -> Tensor:
    """Binomial 7x7 (sigma 1.2 pixels), edges repeated; every channel by itself."""
    kernel = torch.tensor((1.0, 6.0, 15.0, 20.0, 15.0, 6.0, 1.0), dtype=image.dtype, device=image.device) / 64
    channels = image.shape[1]
    image = F.pad(image, (3, 3, 3, 3), mode="replicate")
    image = F.conv2d(image, kernel.view(1, 1, 1, 7).expand(channels, 1, 1, 7), groups=channels)
    return F.conv2d(image, kernel.view(1, 1, 7, 1).expand(channels, 1, 7, 1), groups=channels)
