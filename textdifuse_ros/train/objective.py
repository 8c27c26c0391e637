"""One estimate on the network's own path, and what it is judged by."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from textdifuse_ros.model import sampler
from textdifuse_ros.model.colour import ycbcr_to_rgb
from textdifuse_ros.model.network import Estimate, FusionNetwork
from textdifuse_ros.train import losses
from textdifuse_ros.train.batches import Batch
from textdifuse_ros.train.config import TrainConfig
from textdifuse_ros.train.detector import FrozenDetector, cells_inside


def run_path(
    network: FusionNetwork, batch: Batch, restore: float, later: bool, rng: np.random.Generator
) -> Estimate:
    """One estimate with gradients, at t = 1 or further down the network's own path."""
    state, t, step = sampler.anchor(batch.visible, batch.thermal), 1.0, 1.0
    if later:
        t = float(rng.choice([0.75, 0.5, 0.25]))
        step = t if t == 0.5 else 0.25
        first = 0.5 if t == 0.5 else 0.25
        with torch.no_grad():
            early = network(
                state,
                batch.visible,
                batch.thermal,
                batch.relevance,
                sampler.scalars(1.0, first, restore, state),
            )
        state = sampler.advance(state, early.luminance, 1.0, t)
    else:
        step = float(rng.choice([1.0, 0.5, 0.25], p=[0.7, 0.15, 0.15]))
    return network(
        state, batch.visible, batch.thermal, batch.relevance, sampler.scalars(t, step, restore, state)
    )


def objective(
    estimate: Estimate, batch: Batch, restore: float, detector: FrozenDetector | None, config: TrainConfig
) -> tuple[Tensor, dict[str, float]]:
    """Weighted sum of the terms, and each term for the log."""
    if restore > 0.5:
        source_v, source_t, transmission = batch.clean_visible, batch.clean_thermal, batch.transmission
    else:
        source_v, source_t, transmission = batch.visible, batch.thermal, torch.ones_like(batch.transmission)
    luminance = losses.lit(source_v[:, :1]) if restore > 0.5 else source_v[:, :1]
    target = losses.expert(luminance, source_t, transmission)
    edges = losses.strongest_gradient(luminance, source_t, transmission)
    if detector is not None:
        with torch.no_grad():
            seen = detector(ycbcr_to_rgb(source_v).clamp(0, 1))
            warm = detector(source_t.expand(-1, 3, -1, -1))
            best = losses.preferred(seen, warm, config.crop)
            # Each object the way the better camera shows it; the visible one only where it is not hidden.
            of_visible, of_thermal = best.clamp(min=0) * transmission, (-best).clamp(min=0)
            target = target + 0.8 * of_visible * (luminance - target) + 0.5 * of_thermal * (source_t - target)
            edges = edges + 0.8 * of_visible * (losses.gradients(luminance) - edges)
    target = losses.salient(target, source_t, batch.relevance)
    edges = edges * (1 + 0.8 * batch.relevance)
    # Prompted objects and what smoke hides are a small part of a frame, and what the network is for.
    care = 1 + config.prompt_care * batch.relevance.abs() + config.smoke_care * (1 - transmission)
    if detector is not None:
        care = care + config.object_care * best.abs()
    detail = losses.gradients(estimate.luminance) - edges
    colour = estimate.chroma - source_v[:, 1:] * (0.2 + 0.8 * transmission)
    terms = {
        "intensity": config.intensity * (care * (estimate.luminance - target).abs()).mean(),
        "gradient": config.gradient * (care * detail.abs()).mean(),
        "chroma": config.chroma * colour.abs().mean(),
    }
    if detector is not None:
        fused = ycbcr_to_rgb(torch.cat((estimate.luminance, estimate.chroma), dim=1)).clamp(0, 1)
        labels = cells_inside(batch.boxes, config.crop, fused.device)
        terms["detector"] = config.detector_weight * losses.as_good_as_the_better(
            detector(fused), seen, warm, labels
        )
    total = torch.stack(list(terms.values())).sum()
    return total, {name: float(value.detach()) for name, value in terms.items()}
