"""Where a prompt points: what an object is compared with, how far it stands out already (pure functions)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from textdifuse_ros.model.anchor import enlarged, smooth

FAR = 0.05  # weight of the wider surroundings where a prompted object takes all of the near ones
# By how much what is asked for outshines its surroundings, in [0, 1] of luminance: up to here it is raised
# wholly, from there not at all. Behind smoke the thermal camera shows persons in white as it is; raised
# further they lose what is inside their outlines, and a detector loses them.
WEAK, STRONG = 0.1, 0.3


def weight_around(relevance: Tensor) -> Tensor:
    """How much each place counts in the mean around it: (N, 1, H, W) to (N, 1, H/4, W/4).

    Little where a prompt points, whichever way.
    """
    return torch.clamp(1 - 3 * F.avg_pool2d(relevance, 4).abs(), min=0.02)


def surroundings(small: Tensor, weight: Tensor) -> Tensor:
    """Mean around every pixel (sigma about 20 pixels of the image): (N, 1, H/4, W/4) to (N, 1, H/16, W/16).

    What a prompt points at counts little in it, and there the mean reaches farther: an object is compared
    with what is around it, not with itself, so that one gain moves it as a whole, up or down.
    """
    near = smooth(F.avg_pool2d(torch.cat((small * weight, weight), dim=1), 4))
    both = near + FAR * (1 - near[:, 1:]) * smooth(smooth(near))
    return both[:, :1] / both[:, 1:]


def still_weak(start: Tensor, relevance: Tensor, weight: Tensor) -> Tensor:
    """The relevance (N, 1, H, W) of what a prompt has still to raise; what it calms stays.

    start: the anchor (N, 1, H, W); weight: as `weight_around` gives it. An object that is brighter than what
    is around it, over some 15 pixels, by `STRONG` or more stays natural.
    """
    small = F.avg_pool2d(start, 4)
    above = smooth(smooth(small)) - enlarged(surroundings(small, weight), 4)
    room = torch.clamp((STRONG - above) / (STRONG - WEAK), 0.0, 1.0)
    return torch.clamp(relevance, max=0) + enlarged(room, 4) * torch.clamp(relevance, min=0)
