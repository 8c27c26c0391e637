"""Where the sampler starts: the visible image with the thermal image's local detail (pure functions).

Closed form and local: visible + share * (thermal - its surroundings), share = e_t^3 / (e_t^3 + e_v^3) with e
the local variance of each camera. It keeps what either camera shows, without the thermal image's grey
level, so the network has only to correct it: restore, choose a camera where one is better, follow the prompt.

A network that fuses, not one that trains, is given the cameras as `prepared` has them. Colour is the visible
camera's word alone. Where the thermal one sees much and the visible one next to nothing, as in smoke, it is
the colour of what hides the scene, and somebody shown by heat in the blue of smoke is nobody to a detector:
there the visible image is grey, and flat, for what texture it has drifts with the smoke. And the thermal
image has a tenth more contrast than it came with, since a detector finds more in a picture that has more of
it (docs/ablations.md).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from textdifuse_ros.model.maps import enlarged, smooth

_FLOOR = 4 / 255**2  # variance below which nothing counts as detail: two grey levels
# Colour goes by e_t^2 / (e_t^2 + (BLIND e_v)^2): half of it where the thermal camera's variance is that many
# times the visible one's, a thirtieth where both are the same.
BLIND = 6.0
# Variances are made this much larger before they are squared: torch's ONNX exporter leaves out what is added
# where it takes it for 0, and the floor's square is 4e-9. A power of two changes no bit of the result.
_SCALE = 2.0**14
# Luminance up to which a dark place keeps its colour, and from which it can lose all of it: in the dark the
# visible camera shows little of anything, lamps and what they light apart, and no colour that would mislead.
DARK, LIT = 35 / 255, 70 / 255
FLAT = 0.6  # share of the visible image's own texture that goes where its colour goes
# Contrast of the thermal image, around a level that lies below most of what is warm: a gain of every pixel by
# itself, so that a part of an image is fused as the whole is.
RAISED, LEVEL = 1.1, 0.25


def anchor(visible: Tensor, thermal: Tensor) -> Tensor:
    """State x_1 (N, 1, H, W) of luminances (N, 1 or more, H, W) in [0, 1]; sides multiples of 16.

    Statistics are taken at a quarter, the surroundings at a sixteenth of the resolution.
    """
    return _anchored(visible[:, :1], thermal, *_seen(visible, thermal))


def prepared(visible: Tensor, thermal: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The anchor (N, 1, H, W) and both cameras as a network that fuses is given them.

    visible: luminance and two colour differences (N, 3, H, W), which come back in grey and flattened where
    the thermal camera alone sees (over some 30 pixels); thermal (N, 1, H, W) with more contrast, which may
    lie somewhat outside [0, 1].
    """
    thermal = RAISED * thermal + (1 - RAISED) * LEVEL
    both, small, mean = _seen(visible, thermal)
    maps = enlarged(enlarged(_blind(small, mean), 4), 4)
    gone = maps[:, :1]
    luminance = torch.lerp(visible[:, :1], maps[:, 1:], FLAT * gone)
    start = _anchored(luminance, thermal, both, small, mean)
    return start, torch.cat((luminance, visible[:, 1:] * (1 - gone)), dim=1), thermal


def _seen(visible: Tensor, thermal: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Both luminances (N, 2, H, W), the same at a quarter, and that smoothed: twice (N, 2, H/4, W/4)."""
    both = torch.cat((visible[:, :1], thermal), dim=1)
    small = F.avg_pool2d(both, 4)
    return both, small, smooth(small)


def _anchored(luminance: Tensor, thermal: Tensor, both: Tensor, small: Tensor, mean: Tensor) -> Tensor:
    """x_1 (N, 1, H, W), by what `_seen` tells of both cameras."""
    energy = (smooth(F.avg_pool2d(both * both, 4)) - mean * mean).clamp(min=0) + _FLOOR
    energy = energy * energy * energy
    share = energy[:, 1:] / energy.sum(dim=1, keepdim=True)
    surroundings = smooth(F.avg_pool2d(small[:, 1:], 4))
    maps = enlarged(torch.cat((share, share * enlarged(surroundings, 4)), dim=1), 4)
    return torch.addcmul(luminance, maps[:, :1], thermal) - maps[:, 1:]


def _blind(small: Tensor, mean: Tensor) -> Tensor:
    """How far the visible image's colour and texture are to go, and its mean luminance all around, from both
    cameras at a quarter, as they are and smoothed: (N, 2, H/16, W/16).

    What they see is judged at a quarter, where little is left of their noise.
    """
    detail = (small - mean) * (small - mean)
    around = smooth(F.avg_pool2d(torch.cat((detail, small[:, :1]), dim=1), 4))
    seen, felt, light = around[:, :1], around[:, 1:2], around[:, 2:]
    felt, seen, floor = _SCALE * felt, _SCALE * BLIND * seen, _SCALE * _FLOOR
    felt, seen = felt * felt, seen * seen
    share = felt / (felt + seen + floor * floor)
    share = share * torch.clamp((light - DARK) / (LIT - DARK), 0.0, 1.0)
    return torch.cat((share, smooth(light)), dim=1)
