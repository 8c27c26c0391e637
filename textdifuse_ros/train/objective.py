"""What the fused image should be for one batch, and how far an estimate is from it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from textdifuse_ros.model.colour import ycbcr_to_rgb
from textdifuse_ros.model.controls import CONTROLS
from textdifuse_ros.model.estimate import Estimate
from textdifuse_ros.model.wished import beyond
from textdifuse_ros.train import losses
from textdifuse_ros.train.batches import Batch
from textdifuse_ros.train.config import TrainConfig
from textdifuse_ros.train.detector import FrozenDetector, cells_inside, of_cells

AS_SEEN = 0.008  # mean difference from the goal below which there is nothing to restore but a sensor's noise


@dataclass
class Target:
    """What one batch should become.

    luminance (N, 1, S, S), gradients (N, 2, S, S), chroma (N, 2, S, S); care: weight of each pixel;
    best: largest class logits among both goal cameras and the target, None without a detector; ahead: by how
    much they are to be passed.
    """

    luminance: Tensor
    gradients: Tensor
    chroma: Tensor
    care: Tensor
    best: Tensor | None
    labels: Tensor | None
    ahead: Tensor | float = losses.AHEAD


@torch.no_grad()
def make_target(batch: Batch, detector: FrozenDetector | None, config: TrainConfig) -> Target:
    """Clean x_0 for this batch: experts, the detector's preference between the cameras, the prompt."""
    thermal, transmission = batch.goal_thermal, batch.transmission
    visible = losses.lit(batch.goal_visible[:, :1], _wish(batch, "low_light"))
    visible = losses.raised(visible, _wish(batch, "visible_contrast"), _wish(batch, "visible_blur"))
    thermal = losses.raised(thermal, _wish(batch, "thermal_contrast"), _wish(batch, "thermal_blur"))
    dark = losses.darkness(visible)
    target = losses.expert(visible, thermal, transmission, batch.visible[:, :1], dark)
    edges = losses.contrast_gain(dark) * losses.strongest_gradient(visible, thermal, transmission)
    near = torch.maximum(batch.relevance.abs(), batch.meant.abs())  # what a wide map holds beside is to stay
    care = 1 + config.prompt_care * near + config.smoke_care * (1 - transmission)
    care = care + config.clear_care * _left_alone(batch)
    best = labels = None
    ahead: Tensor | float = losses.AHEAD
    if detector is not None:
        seen = detector(ycbcr_to_rgb(batch.goal_visible).clamp(0, 1))
        warm = detector(batch.goal_thermal.expand(-1, 3, -1, -1))
        prefer = losses.preferred(seen, warm, config.crop)
        # Each object the way the better camera shows it; the visible one only where it is not hidden.
        of_visible, of_thermal = 0.75 * prefer.clamp(min=0) * transmission, 0.6 * (-prefer).clamp(min=0)
        target = target + of_visible * (visible - target) + of_thermal * (thermal - target)
        edges = edges + of_visible * (losses.gradients(visible) - edges)
        care = care + config.object_care * prefer.abs()
        shown = torch.cat((target, batch.goal_visible[:, 1:]), dim=1)
        best = torch.maximum(torch.maximum(seen, warm), detector(ycbcr_to_rgb(shown).clamp(0, 1)))
        ahead = losses.AHEAD + losses.PROMPTED * of_cells(batch.meant)
        labels = cells_inside(batch.boxes, config.crop, thermal.device)
    target = losses.salient(target, thermal, batch.meant)
    edges = edges * (1 + 0.8 * batch.meant)
    # Stage 1: one camera twice, nothing to fuse, only to restore.
    target = torch.lerp(target, visible, batch.single)
    edges = torch.lerp(edges, losses.gradients(visible), batch.single)
    chroma = batch.goal_visible[:, 1:] * (0.2 + 0.8 * transmission)
    return Target(target, edges, chroma, care, best, labels, ahead)


def _wish(batch: Batch, name: str) -> Tensor:
    """How far one of ENHANCE is asked for, of each example: (N, 1, 1, 1) in [0, 1]."""
    return beyond(batch.controls)[:, CONTROLS.index(name)].view(-1, 1, 1, 1)


def _left_alone(batch: Batch) -> Tensor:
    """Examples whose visible image is to stay as it is, or nearly: 1.0, others 0.0; (N, 1, 1, 1).

    Flat ground is not to be taken for smoke, nor a bright sky for glare.
    """
    away = (batch.visible - batch.goal_visible).abs().mean(dim=(1, 2, 3), keepdim=True)
    return (away < AS_SEEN).float()


def _steering(estimate: Estimate, target: Target) -> Tensor:
    """How far what a wish or a prompt changes is from what it should: of the differences between twins."""
    whole = len(target.luminance) // 2 * 2
    off = torch.cat((estimate.luminance - target.luminance, estimate.chroma - target.chroma), dim=1)[:whole]
    if whole == 0:
        return off.sum()
    care = torch.maximum(target.care[0:whole:2], target.care[1:whole:2])
    return (care * (off[0::2] - off[1::2]).abs()).mean()


def objective(
    estimate: Estimate, target: Target, detector: FrozenDetector | None, config: TrainConfig
) -> tuple[Tensor, dict[str, float]]:
    """Weighted sum of the terms, and each term for the log."""
    away = (estimate.luminance - target.luminance).abs()
    detail = (losses.gradients(estimate.luminance) - target.gradients).abs()
    terms = {
        "intensity": config.intensity * (target.care * away).mean(),
        "gradient": config.gradient * (target.care * detail).mean(),
        "chroma": config.chroma * (estimate.chroma - target.chroma).abs().mean(),
        "steering": config.steering * _steering(estimate, target),
    }
    if detector is not None and target.best is not None and target.labels is not None:
        fused = ycbcr_to_rgb(torch.cat((estimate.luminance, estimate.chroma), dim=1)).clamp(0, 1)
        terms["detector"] = config.detector_weight * losses.as_good_as_the_best(
            detector(fused), target.best, target.labels, target.ahead
        )
    total = torch.stack(list(terms.values())).sum()
    return total, {name: float(value.detach()) for name, value in terms.items()}
