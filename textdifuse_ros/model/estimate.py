"""From what the network says to the fused image (pure functions).

It does not draw one: it says how far to move from the anchor towards a camera, how much to smooth, and by
how much to raise contrast, level and colours, which is why a few million weights suffice.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from textdifuse_ros.model.maps import enlarged, soften
from textdifuse_ros.model.prompted import apart, surely, surroundings
from textdifuse_ros.model.wished import Wished, cleared, gains_of

FINE = 4  # outputs of every pixel: towards visible, towards thermal, luminance residual, smoothing
COARSE = 7  # of every 2x2: gains of contrast and chroma, Cb, Cr, both again per luminance, gain of the level
RESERVE = 2.0  # an untrained network takes an eighth of the way from the anchor to each camera
CALM = 3.0  # and smooths by a twentieth
LARGEST = 2.0  # logarithm of a gain: up to 7.4
LEVEL = 0.5  # share of that for the level, which half precision would round by more than a grey level
SALIENT = 0.12  # logarithm of the contrast's gain where a prompt points for sure, on top of what was learnt


class Estimate(NamedTuple):
    """The clean fused image: luminance (N, 1, H, W) in [0, 1], chroma (N, 2, H, W) in [-0.5, 0.5]."""

    luminance: Tensor
    chroma: Tensor


class Scene(NamedTuple):
    """What an estimate is made of: the anchor and both cameras, as `FusionNetwork.forward` has them, what a
    prompt has still to raise, (N, 1, H, W), its `weight_around`, None where it points nowhere, wishes, and
    whether any of them is for light or clear air.
    """

    start: Tensor
    visible: Tensor
    thermal: Tensor
    relevance: Tensor
    weight: Tensor | None
    asked: Wished
    clearer: bool


def estimate(fine: Tensor, coarse: Tensor, scene: Scene) -> Estimate:
    """The anchor, moved towards a camera where that shows more, smoothed where noisy, its contrast, level
    and colours raised or lowered, plus residuals: what noise, light and haze did is then easy to undo.

    fine: (N, FINE, H, W); coarse: (N, COARSE, H/2, W/2).
    """
    calm = torch.sigmoid(2 * fine[:, 3:] - CALM)
    contrast = coarse[:, :1] + scene.asked.contrasted
    if scene.weight is not None:
        contrast = contrast + SALIENT * torch.clamp(F.avg_pool2d(scene.relevance, 2), min=0)
    gains = torch.cat((contrast, coarse[:, 1:2], LEVEL * coarse[:, 6:]), dim=1)
    gains = torch.expm1(gains.clamp(-LARGEST, LARGEST))
    luminance, colours = _luminance(fine, calm, gains, scene)
    chroma = _chroma(coarse, calm, gains, scene.visible)
    return Estimate(luminance, chroma if colours is None else chroma * colours)


def _luminance(fine: Tensor, calm: Tensor, gains: Tensor, scene: Scene) -> tuple[Tensor, Tensor | None]:
    """And the factor of the colours that wishes ask for, None for 1.

    What is noisy is smoothed, not sharpened.
    """
    towards = torch.sigmoid(2 * fine[:, :2] - RESERVE)
    luminance = torch.lerp(scene.start, scene.visible[:, :1], towards[:, :1])
    luminance = torch.lerp(luminance, scene.thermal, towards[:, 1:])
    luminance = torch.lerp(luminance, soften(luminance), calm - scene.asked.sharpened * (1 - calm))
    raised = F.interpolate(gains[:, ::2], scale_factor=2.0, mode="nearest")
    before = F.avg_pool2d(luminance, 4)
    mean = surroundings(before, scene.weight)
    around = enlarged(mean, 16)
    detail = luminance - around
    luminance = torch.addcmul(luminance, raised[:, :1], detail)
    luminance = torch.addcmul(luminance, raised[:, 1:], around)
    luminance = torch.add(luminance, fine[:, 2:3], alpha=0.5)

    prompted = scene.weight is not None
    if not (prompted or scene.clearer):
        return luminance, None
    images = torch.cat((before, F.avg_pool2d(luminance, 4), F.avg_pool2d(scene.thermal, 4)), dim=1)
    means = torch.cat((mean, surroundings(images[:, 1:], scene.weight)), dim=1)
    if prompted:
        moved = apart(images, means, scene.relevance)
        luminance = torch.addcmul(luminance, surely(scene.relevance), enlarged(moved, 16))
    if not scene.clearer:
        return luminance, None
    wanted = gains_of(scene.asked, means, images[:, 1:2])
    return cleared(luminance, detail, wanted), wanted[:, 3:]


def _chroma(coarse: Tensor, calm: Tensor, gains: Tensor, visible: Tensor) -> Tensor:
    """Colour is coarse: it is smoothed, raised and shifted at half the resolution."""
    small = F.interpolate(visible, scale_factor=0.5, mode="bilinear", align_corners=False)
    calmed = soften(small[:, 1:])
    shift = torch.addcmul(0.25 * coarse[:, 2:4], gains[:, 1:2], calmed)
    shift = torch.addcmul(shift, coarse[:, 4:6], small[:, :1])
    both = torch.cat((calmed, shift), dim=1)
    both = F.interpolate(both, scale_factor=2.0, mode="bilinear", align_corners=False)
    return torch.lerp(visible[:, 1:], both[:, :2], calm) + both[:, 2:]
