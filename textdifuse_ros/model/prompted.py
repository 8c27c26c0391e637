"""Where a prompt points: what an object is compared with, how far it stands out already (pure functions)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from textdifuse_ros.model.maps import enlarged, smooth, smooth_apart

FAR = 0.05  # weight of the wider surroundings where a prompted object takes all of the near ones
# By how much what is asked for outshines its surroundings, in [0, 1] of luminance: up to here it is raised
# wholly, from there not at all. Behind smoke the thermal camera shows persons in white as it is; raised
# further they lose what is inside their outlines, and a detector loses them.
WEAK, STRONG = 0.11, 0.33
# What the difference between a prompted object and its surroundings, d in [-1, 1] of luminance, must become:
# d + (MORE * |d| + LEAST) * sign(d), whatever the network made of it.
MORE, LEAST = 0.3, 0.12
FARTHEST = 0.25  # by which an object is moved for that, at most
SURE = 0.4  # relevance from which it is moved by as much of that
WARM = 0.055  # of the prepared thermal range above its surroundings, from which it never gets darker
UNSURE = 0.02  # differences about which nobody can say which way the object stands out


def weight_around(relevance: Tensor) -> Tensor:
    """How much each place counts in the mean around it: (N, 1, H, W) to (N, 1, H/4, W/4).

    Little where a prompt points, whichever way.
    """
    return torch.clamp(1 - 3 * F.avg_pool2d(relevance, 4).abs(), min=0.02)


def surroundings(small: Tensor, weight: Tensor | None) -> Tensor:
    """Mean around every pixel (sigma about 20 pixels of the image): (N, C, H/4, W/4) to (N, C, H/16, W/16).

    What a prompt points at counts little in it, and there the mean reaches farther: an object is compared
    with what is around it, not with itself, so that one gain moves it as a whole, up or down. weight: as
    `weight_around` gives it, None for a prompt that points nowhere.
    """
    if weight is None:
        return smooth_apart(F.avg_pool2d(small, 4))
    near = smooth_apart(F.avg_pool2d(torch.cat((small * weight, weight), dim=1), 4))
    both = near + FAR * (1 - near[:, -1:]) * smooth(smooth(near))
    return both[:, :-1] / both[:, -1:]


def still_weak(start: Tensor, relevance: Tensor, weight: Tensor) -> Tensor:
    """The relevance (N, 1, H, W) of what a prompt has still to raise; what it calms stays.

    start: the anchor (N, 1, H, W); weight: as `weight_around` gives it. An object that is brighter than what
    is around it, over some 15 pixels, by `STRONG` or more stays natural.
    """
    small = F.avg_pool2d(start, 4)
    above = smooth(smooth(small)) - enlarged(surroundings(small, weight), 4)
    return torch.clamp(relevance, max=0) + enlarged(_room(above), 4) * torch.clamp(relevance, min=0)


def _room(above: Tensor) -> Tensor:
    """How much of it is left to raise for what stands out by this: all up to WEAK, nothing from STRONG."""
    return torch.clamp((STRONG - above) / (STRONG - WEAK), 0.0, 1.0)


def surely(relevance: Tensor) -> Tensor:
    """The relevance, next to nothing where a map only hints at something: [-1, 1] to [0, 1]."""
    positive = torch.clamp(relevance, min=0)
    return positive * torch.clamp(positive / SURE, max=1)


def apart(images: Tensor, around: Tensor, relevance: Tensor) -> Tensor:
    """What to add to a prompted object so that it stands out farther the way that it did: (N, 1, H/16, W/16).

    images: what the network starts from, what it made of that, and the thermal image, (N, 3, H/4, W/4);
    around: their `surroundings`; relevance: (N, 1, H, W).
    A gain raises what is inside an object as well, and one that is bright in parts and dark in others on the
    whole stands out no more than before; some were even moved towards what is around them. Here the object's
    mean (sigma about 27 pixels) keeps its side of that and goes farther where it is weak. Nothing that is
    warmer than its surroundings gets darker: a detector looks for what is hot among the bright.
    """
    share = torch.clamp(F.avg_pool2d(relevance, 4), min=0) + 1e-5
    parts = smooth(smooth(F.avg_pool2d(torch.cat((share * images, share), dim=1), 4)))
    above = parts[:, :-1] / parts[:, -1:] - around
    first, then, warmth = above[:, :1], above[:, 1:2], above[:, 2:]
    side, size = first / torch.sqrt(first * first + UNSURE * UNSURE), first.abs()
    missing = _room(size) * side * torch.clamp((1 + MORE) * size + LEAST - side * then, 0.0, FARTHEST)
    cold = torch.clamp(1 - warmth / WARM, 0.0, 1.0)
    return torch.clamp(missing, min=0) + cold * torch.clamp(missing, max=0)
