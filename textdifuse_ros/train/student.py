"""Direct training of the few-step student: `textdifuse train`.

The network is trained on its own path: at t = 1 on the anchored start, at t < 1 on the state that
its own first step leads to, so that 1, 2 and 4 steps come from one set of weights.
"""

from __future__ import annotations

import json
import math
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

from textdifuse_ros.model import sampler, weights
from textdifuse_ros.model.colour import ycbcr_to_rgb
from textdifuse_ros.model.config import ModelConfig
from textdifuse_ros.model.network import Estimate, FusionNetwork
from textdifuse_ros.train import losses
from textdifuse_ros.train.batches import Batch, draw
from textdifuse_ros.train.config import TrainConfig
from textdifuse_ros.train.data import load_training
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
    target = losses.salient(target, source_t, batch.relevance)
    boost = 1 + 0.8 * batch.relevance
    edges = losses.strongest_gradient(luminance, source_t, transmission) * boost
    terms = {
        "intensity": config.intensity * F.l1_loss(estimate.luminance, target),
        "gradient": config.gradient * F.l1_loss(losses.gradients(estimate.luminance), edges),
        "chroma": config.chroma * F.l1_loss(estimate.chroma, source_v[:, 1:] * (0.2 + 0.8 * transmission)),
    }
    if detector is not None:
        fused = ycbcr_to_rgb(torch.cat((estimate.luminance, estimate.chroma), dim=1)).clamp(0, 1)
        with torch.no_grad():
            best_visible = source_v if restore > 0.5 else batch.visible
            seen = torch.maximum(detector(ycbcr_to_rgb(best_visible).clamp(0, 1)), detector(ycbcr_to_rgb(batch.visible).clamp(0, 1)))  # fmt: skip
            warm = detector(source_t.expand(-1, 3, -1, -1))
        labels = cells_inside(batch.boxes, config.crop, fused.device)
        terms["detector"] = config.detector_weight * losses.as_good_as_the_better(
            detector(fused), seen, warm, labels
        )
    total = torch.stack(list(terms.values())).sum()
    return total, {name: float(value.detach()) for name, value in terms.items()}


class Average:
    """Exponential moving average of a network's parameters."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.shadow = {name: value.detach().clone() for name, value in network.state_dict().items()}

    def update(self, network: nn.Module, step: int) -> None:
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, value in network.state_dict().items():
            self.shadow[name].lerp_(value.detach(), 1 - decay)


def train(data: Path, detector_folder: Path, output: Path, config: TrainConfig) -> Path:
    """Run or resume a training; returns the exported weight file. Checkpoints hold tensors and numbers only."""
    torch.manual_seed(config.seed)
    rng = np.random.default_rng(config.seed)
    device = torch.device(
        ("cuda" if torch.cuda.is_available() else "cpu") if config.device == "auto" else config.device
    )
    output.mkdir(parents=True, exist_ok=True)
    (output / "config.json").write_text(json.dumps(asdict(config), indent=2))
    network = FusionNetwork(ModelConfig()).to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=config.learning_rate, weight_decay=1e-4, betas=(0.9, 0.98)
    )
    average = Average(network, config.average)
    start, spent = _resume(output, network, optimiser, average)
    rng = np.random.default_rng(config.seed + start)
    detector = None
    if config.detector_weight > 0:
        detector = FrozenDetector(detector_folder / config.detector).to(device)
    batches = draw(load_training(data), config, rng)
    began = time.monotonic() - spent
    log = (output / "log.jsonl").open("a")
    step = start
    progress = tqdm(range(start, config.iterations), initial=start, total=config.iterations, mininterval=10)
    for step in progress:
        elapsed = (time.monotonic() - began) / 60
        done = max(step / config.iterations, elapsed / config.minutes if config.minutes else 0.0)
        if done >= 1:
            break
        for group in optimiser.param_groups:
            ramp = min(1.0, (step + 1) / config.warm_up)
            group["lr"] = config.learning_rate * ramp * (0.02 + 0.49 * (1 + math.cos(math.pi * done)))
        batch = _to(next(batches), device)
        restore = 1.0 if rng.random() < config.restore_share else 0.0
        with torch.autocast(device.type, dtype=torch.bfloat16):
            estimate = run_path(network, batch, restore, rng.random() < config.later_step_share, rng)
            loss, terms = objective(estimate, batch, restore, detector, config)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        if torch.isfinite(norm):
            optimiser.step()
            average.update(network, step)
        if step % 20 == 0:
            log.write(
                json.dumps(
                    {"step": step, "minutes": round(elapsed, 2), "loss": float(loss.detach()), **terms}
                )
                + "\n"
            )
            log.flush()
            progress.set_postfix(loss=f"{float(loss.detach()):.3f}")
        if step and step % config.checkpoint_every == 0:
            _checkpoint(output, network, optimiser, average, step + 1, time.monotonic() - began)
    _checkpoint(output, network, optimiser, average, step + 1, time.monotonic() - began)
    return output / "student.safetensors"


def _to(batch: Batch, device: torch.device) -> Batch:
    return Batch(
        *(value.to(device) if isinstance(value, Tensor) else value for value in vars(batch).values())  # type: ignore[arg-type]
    )


def _checkpoint(output: Path, network: FusionNetwork, optimiser: torch.optim.Optimizer, average: Average, step: int, spent: float) -> None:  # fmt: skip
    """Everything a resumed run needs, and the averaged weights ready to use."""
    state = {"network": network.state_dict(), "optimiser": optimiser.state_dict(), "average": average.shadow, "step": step, "spent": spent}  # fmt: skip
    temporary = output / "checkpoint.partial"
    torch.save(state, temporary)
    temporary.replace(output / "checkpoint.pt")
    shipped = FusionNetwork(network.config)
    shipped.load_state_dict({k: v.float().cpu() for k, v in average.shadow.items()})
    weights.save(shipped, output / "student.safetensors", {"step": str(step)})


def _resume(output: Path, network: FusionNetwork, optimiser: torch.optim.Optimizer, average: Average) -> tuple[int, float]:  # fmt: skip
    path = output / "checkpoint.pt"
    if not path.is_file():
        return 0, 0.0
    state = torch.load(path, weights_only=True, map_location="cpu")
    network.load_state_dict(state["network"])
    optimiser.load_state_dict(state["optimiser"])
    average.shadow = {
        name: value.to(next(network.parameters()).device) for name, value in state["average"].items()
    }
    return int(state["step"]), float(state["spent"])
