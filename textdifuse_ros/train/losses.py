"""What the fused image should be (pure functions on float tensors in [0, 1])."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from textdifuse_ros.model.anchor import anchor
from textdifuse_ros.model.wished import CONTRASTED, SHARPENED
from textdifuse_ros.train.detector import STRIDES

AHEAD = 0.3  # logits by which a detector is to be surer of the fused image than of the better camera's
PROMPTED = 0.9  # and how many more where a prompt asks for the object; fewer where it is suppressed
# By which share a wish for contrast raises it, whatever the picture was like, and one for sharpness the
# finest detail: what the network does for both cameras' wishes together.
CONTRAST_RAISED = math.expm1(CONTRASTED["visible_contrast"] + CONTRASTED["thermal_contrast"])
DETAIL_RAISED = sum(SHARPENED.values())
TIE = 0.6  # share of a common score that speaks for the visible camera


def blur(image: Tensor, sigma: float) -> Tensor:
    """Separable Gaussian, edges repeated. (N, 1, H, W)."""
    reach = max(1, round(2.5 * sigma))
    x = torch.arange(-reach, reach + 1, device=image.device, dtype=image.dtype)
    kernel = torch.exp(-0.5 * (x / sigma) ** 2)
    kernel = kernel / kernel.sum()
    image = F.conv2d(F.pad(image, (reach, reach, 0, 0), mode="replicate"), kernel.view(1, 1, 1, -1))
    return F.conv2d(F.pad(image, (0, 0, reach, reach), mode="replicate"), kernel.view(1, 1, -1, 1))


def wide_blur(image: Tensor, sigma: float) -> Tensor:
    """Gaussian of a large sigma at a quarter of the resolution."""
    small = F.avg_pool2d(image, 4)
    return F.interpolate(blur(small, sigma / 4), size=image.shape[-2:], mode="bilinear", align_corners=False)


def gradients(image: Tensor) -> Tensor:
    """Forward differences (N, 2, H, W), zero at the far border."""
    dx = F.pad(image[..., :, 1:] - image[..., :, :-1], (0, 1, 0, 0))
    dy = F.pad(image[..., 1:, :] - image[..., :-1, :], (0, 0, 0, 1))
    return torch.cat((dx, dy), dim=1)


def darkness(visible: Tensor) -> Tensor:
    """How dark it is around every pixel: 1 in the black, 0 from a level of 0.35 on.

    Of the surroundings and not of the frame: the network sees no more than them either.
    """
    level = (wide_blur(visible, 64) / 0.35).clamp(0, 1)
    return 1 - level * level * (3 - 2 * level)


def lit(visible: Tensor, amount: Tensor | float = 1.0) -> Tensor:
    """Luminance with its dark parts brightened by a gamma of 0.6 at most; lit parts unchanged.

    amount in [0, 1]: 0 keeps the night look, as it is without a wish.
    """
    return visible.clamp(1e-4, 1) ** (1 - 0.4 * amount * darkness(visible))


def raised(image: Tensor, contrast: Tensor, sharpness: Tensor) -> Tensor:
    """A camera's image with more contrast against its surroundings and steeper edges, as far as wished for.

    contrast, sharpness: (N, 1, 1, 1) in [0, 1]; with zeros the image itself.
    """
    if not (contrast.any() or sharpness.any()):
        return image
    apart = CONTRAST_RAISED * contrast * (image - wide_blur(image, 24))
    return (image + apart + DETAIL_RAISED * sharpness * (image - blur(image, 1.0))).clamp(0, 1)


def contrast_gain(dark: Tensor) -> Tensor:
    """Of the fused image over the cameras, from `darkness`: more in the dark, where sensors give little.

    By day next to none: what flickers in the cameras would flicker more in the fused image.
    """
    return 1.02 + 0.48 * dark


def expert(visible: Tensor, thermal: Tensor, transmission: Tensor, hidden: Tensor, dark: Tensor) -> Tensor:
    """Pixel target: the closed-form fusion of the clean cameras, and of what is left of them behind smoke.

    hidden: the visible luminance as the camera saw it; dark: `darkness` of the clean one. Where smoke lets
    less than half through, its own grey stays and carries the thermal image's detail: nobody can tell flat
    smoke from a flat sky, and a target that asks for black in one and white in the other teaches blotches. A
    share of the plain mean keeps what is uniformly warm apart from what is uniformly cold; in the dark, half
    of what is warmer than it is bright is added, for there a detector knows objects by their heat.
    """
    clear = 0.03 * (visible + thermal) + 0.94 * anchor(visible, thermal)
    clear = clear + (0.05 + 0.5 * dark) * (thermal - visible).clamp(min=0)
    surroundings = wide_blur(clear, 40)
    clear = surroundings + contrast_gain(dark) * (clear - surroundings)
    # Smoke has no detail of its own, but noise that would flicker.
    return torch.lerp(anchor(blur(hidden, 1.5), thermal), clear, (2 * transmission).clamp(max=1)).clamp(0, 1)


def preferred(visible: Tensor, thermal: Tensor, size: int) -> Tensor:
    """Which camera shows its objects better, to a detector: (N, 1, size, size), 1 visible ... -1 thermal.

    visible, thermal: logits (N, cells, classes) over strides 8, 16 and 32. 0 where neither sees anything;
    where both see the same, the visible one, whose look a detector for cameras knows. An object's
    cell speaks for the two cells around it, which is about its box.
    """
    of_visible, of_thermal = visible.sigmoid().amax(dim=2), thermal.sigmoid().amax(dim=2)
    advantage = of_visible - of_thermal + TIE * torch.minimum(of_visible, of_thermal)
    total = torch.zeros(len(visible), 1, size, size, device=visible.device)
    start = 0
    for stride in STRIDES:
        grid = size // stride
        cells = advantage[:, start : start + grid * grid].reshape(-1, 1, grid, grid)
        start += grid * grid
        for sign in (1, -1):
            spread = F.max_pool2d((sign * cells).clamp(min=0), 5, stride=1, padding=2)
            total += sign * F.interpolate(spread, size=(size, size), mode="bilinear", align_corners=False)
    return (2 * total).clamp(-1, 1)


def behind(image: Tensor, relevance: Tensor) -> Tensor:
    """What would be there without the prompted objects: the surroundings' level, filled in under them."""
    strongest = relevance.abs().amax(dim=(1, 2, 3), keepdim=True).clamp(min=0.05)
    free = (1 - relevance.abs() / strongest).clamp(min=0.02)
    return wide_blur(image * free, 32) / wide_blur(free, 32)


def salient(target: Tensor, thermal: Tensor, relevance: Tensor) -> Tensor:
    """Target where a prompt points (Text-DiFuse section 3.3, amortised).

    relevance in [-1, 1]: positive raises the objects' contrast with what is around them and their high
    frequencies, most where they are weak; negative takes the contrast away. An object that is neither
    brighter nor darker than its surroundings goes where its heat points, and up in doubt: a target that
    leaves such an object where it is teaches the network to leave all of them.
    """
    contrast = target - behind(target, relevance)
    heat = thermal - behind(thermal, relevance)
    mask = relevance.clamp(0, 1)
    # An object moves as one: pixel by pixel its parts would move apart.
    whole, warm = _inside(contrast, mask), _inside(heat, mask)
    weak = torch.exp(-((whole / 0.5) ** 2))
    way = torch.tanh((whole + 0.2 * warm + 0.01) / 0.03)
    moved = weak * way * (whole.abs() + 0.3 * warm.abs() + 0.08)
    raised = target + mask * (moved + 1.4 * (target - blur(target, 1.5)))
    calmed = (-relevance).clamp(0, 1) * 0.75 * contrast
    return (raised - calmed).clamp(0, 1)


def _inside(image: Tensor, mask: Tensor) -> Tensor:
    """Local mean of an image over what the mask covers."""
    weight = mask + 1e-3
    return wide_blur(image * weight, 10) / wide_blur(weight, 10)


def strongest_gradient(visible: Tensor, thermal: Tensor, transmission: Tensor) -> Tensor:
    """At every pixel the gradient of the camera that has more of it; smoke's own gradients do not count."""
    of_visible, of_thermal = gradients(visible) * transmission, gradients(thermal)
    stronger = of_visible.square().sum(1, keepdim=True) > of_thermal.square().sum(1, keepdim=True)
    return torch.where(stronger, of_visible, of_thermal)


def as_good_as_the_best(fused: Tensor, best: Tensor, labels: Tensor, ahead: Tensor | float = AHEAD) -> Tensor:
    """Detector logits of the fused image reach the best view's in every cell, and no ghosts appear.

    fused, best, labels (N, cells, classes); best: the largest logits among the cameras and the target. Cells
    where a view has a score above 0.05 or a label count as objects; elsewhere only a score above all views'
    is punished. ahead: by how much the best is to be passed, (N, cells, 1) or one for all.
    """
    weight = torch.sigmoid(best) * (best > -3.0)
    goal = best + ahead
    missing = F.smooth_l1_loss(torch.minimum(fused, goal), goal, reduction="none")
    reach = (weight * missing).sum() / weight.sum().clamp(min=1.0)
    labelled = (labels * F.softplus(-fused)).sum() / labels.sum().clamp(min=1.0)
    quiet = (best <= -3.0) & (labels == 0)
    ghosts = (quiet * F.relu(fused - best.clamp(min=-4.5)) ** 2).sum() / fused.shape[0]
    return reach + 0.15 * labelled + 0.02 * ghosts
