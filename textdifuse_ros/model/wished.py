"""What wishes do to any picture, whether it has the fault or not (pure functions).

Said outright: what a network that shifts features is to multiply by on some pictures' request, it did not
learn in an hour.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from textdifuse_ros.model.controls import AS_IT_WAS, CONTROLS
from textdifuse_ros.model.maps import enlarged, smooth

# By control; both cameras share a picture, so that of one alone is half.
# Logarithm of the contrast's gain:
CONTRASTED = {"visible_contrast": 0.21, "thermal_contrast": 0.21}
SHARPENED = {"visible_blur": 0.75, "thermal_blur": 0.75}  # of what the 5x5 smoothing would take away
LIGHT = 0.8  # by how much a wish for light makes the darkest brighter, with its detail and its colours
MOST = 2.0  # times, at most, that detail and colours are raised along with what the network adds for light
GREY = 0.1  # added to both sides of that ratio: what grew from black says little
VEIL = 0.4  # of the darkest around, the share that a wish against haze takes for haze
DARKEST = 20.0  # how much more the darkest count in what is around: e^20 times what is white


def beyond(controls: Tensor) -> Tensor:
    """How far controls (N, K) go beyond what undoes a fault: 0 up to AS_IT_WAS, 1 at 1, more where a wish is
    emphatic."""
    return torch.clamp(controls - AS_IT_WAS, min=0) / (1 - AS_IT_WAS)


class Wished(NamedTuple):
    """Each (N, 1, 1, 1): a logarithm of the contrast's gain; sharpness, light and clear air from 0 to 1,
    or to 1.5 where a wish is emphatic.
    """

    contrasted: Tensor
    sharpened: Tensor
    lit: Tensor
    cleared: Tensor


def wished(further: Tensor) -> Wished:
    """further: as `beyond` gives it."""

    def of(name: str) -> Tensor:
        at = CONTROLS.index(name)
        return further[:, at : at + 1, None, None]

    def total(shares: Mapping[str, float]) -> Tensor:
        parts = [share * of(name) for name, share in shares.items()]
        return sum(parts[1:], parts[0])

    return Wished(total(CONTRASTED), total(SHARPENED), of("low_light"), of("haze"))


def cleared(luminance: Tensor, detail: Tensor, gains: Tensor) -> Tensor:
    """The luminance, lit and without haze. gains: as `gains_of` has them; detail: the network's, before."""
    luminance = torch.addcmul(luminance, gains[:, :1], detail)
    # Up to white: a state far beyond it is nothing that the next step has learnt from.
    luminance = torch.maximum(luminance, torch.clamp(luminance * gains[:, 1:2], max=1))
    return torch.addcmul(luminance, gains[:, 2:3], luminance - 1)


def gains_of(asked: Wished, means: Tensor, after: Tensor) -> Tensor:
    """What wishes for light and against haze do beside what the network learnt: a gain of detail, a factor,
    how much of the way from white is added, and a factor of the colours, (N, 4, H, W).

    means: around every pixel, (N, 2 or more, H/16, W/16), before the network lights or clears anything and
    after; after: what it has made of the image, (N, 1, H/4, W/4). What it adds for light is grey: detail and
    colours grow with it. Then all that is dark is multiplied. Haze lies over the darkest that is around (the
    dark channel of He et al., of luminance): the picture is (I - v) / (1 - v), v a share of that, so that
    white stays.
    """
    before, now = means[:, :1], means[:, 1:2]
    grown = (now + GREY) / (torch.clamp(before, min=0) + GREY)
    grown = asked.lit * (torch.clamp(grown, 1.0, MOST) - 1)
    dark = torch.clamp(1 - before, min=0)
    lit = 1 + LIGHT * asked.lit * dark * dark
    # A mean in which the darkest count most instead of a minimum: steady, and a few black pixels are noise.
    darkest = torch.exp(-DARKEST * torch.clamp(after, 0.0, 1.0))
    darkest = torch.log(smooth(smooth(F.avg_pool2d(darkest, 4)))) / -DARKEST
    veil = VEIL * asked.cleared * torch.clamp(darkest, min=0)
    veil = veil / (1 - veil)
    return enlarged(torch.cat((grown, lit, veil, lit * (1 + grown) * (1 + veil)), dim=1), 16)
