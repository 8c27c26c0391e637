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
from torch import Tensor, nn
from tqdm import tqdm

from textdifuse_ros.model import weights
from textdifuse_ros.model.config import ModelConfig
from textdifuse_ros.model.network import FusionNetwork
from textdifuse_ros.train.batches import Batch, draw
from textdifuse_ros.train.config import TrainConfig
from textdifuse_ros.train.data import load_training
from textdifuse_ros.train.detector import FrozenDetector
from textdifuse_ros.train.objective import objective, run_path


class Average:
    """Exponential moving average of a network's parameters."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.shadow = {name: value.detach().clone() for name, value in network.state_dict().items()}

    def update(self, network: nn.Module, step: int) -> None:
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, value in network.state_dict().items():
            self.shadow[name].lerp_(value.detach(), 1 - decay)


class Run:
    """A training in one folder: network, optimiser, average, where it stands; saved whole, resumed whole."""

    def __init__(self, output: Path, config: TrainConfig, device: torch.device) -> None:
        torch.manual_seed(config.seed)
        self.output, self.config, self.device = output, config, device
        network = FusionNetwork(ModelConfig()).to(device)
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimiser = torch.optim.AdamW(
            network.parameters(), lr=config.learning_rate, weight_decay=1e-4, betas=(0.9, 0.98)
        )
        self.average = Average(network, config.average)
        self.step, self.spent = 0, 0.0  # updates made, seconds trained
        if (output / "checkpoint.pt").is_file():
            self._resume()

    def done(self) -> float:
        """Share of the training that is behind, by updates or by the clock, whichever is further."""
        by_time = self.spent / 60 / self.config.minutes if self.config.minutes else 0.0
        return max(self.step / self.config.iterations, by_time)

    def update(
        self, batch: Batch, detector: FrozenDetector | None, rng: np.random.Generator
    ) -> dict[str, float]:
        """One optimiser step; returns the terms of the loss."""
        config = self.config
        ramp = min(1.0, (self.step + 1) / config.warm_up)
        rate = config.learning_rate * ramp * (0.02 + 0.49 * (1 + math.cos(math.pi * self.done())))
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        restore = 1.0 if rng.random() < config.restore_share else 0.0
        later = rng.random() < config.later_step_share
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            estimate = run_path(self.network, batch, restore, later, rng)
            loss, terms = objective(estimate, batch, restore, detector, config)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        if torch.isfinite(norm):
            self.optimiser.step()
            self.average.update(self.network, self.step)
        self.step += 1
        return {"loss": float(loss.detach()), **terms}

    def save(self) -> Path:
        """Everything a resumed run needs, and the averaged weights ready to use. Tensors and numbers only."""
        state = {
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "average": self.average.shadow,
            "step": self.step,
            "spent": self.spent,
        }
        temporary = self.output / "checkpoint.partial"
        torch.save(state, temporary)
        temporary.replace(self.output / "checkpoint.pt")
        averaged = FusionNetwork(self.network.config)
        averaged.load_state_dict({name: value.float().cpu() for name, value in self.average.shadow.items()})
        path = self.output / "student.safetensors"
        weights.save(averaged, path, {"updates": str(self.step)})
        return path

    def _resume(self) -> None:
        state = torch.load(self.output / "checkpoint.pt", weights_only=True, map_location="cpu")
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.average.shadow = {name: value.to(self.device) for name, value in state["average"].items()}
        self.step, self.spent = int(state["step"]), float(state["spent"])


def train(data: Path, detector_folder: Path, output: Path, config: TrainConfig) -> Path:
    """Run or resume a training; returns the exported weight file."""
    name = ("cuda" if torch.cuda.is_available() else "cpu") if config.device == "auto" else config.device
    device = torch.device(name)
    output.mkdir(parents=True, exist_ok=True)
    (output / "config.json").write_text(json.dumps(asdict(config), indent=2))
    run = Run(output, config, device)
    detector = None
    if config.detector_weight > 0:
        detector = FrozenDetector(detector_folder / config.detector).to(device)
    rng = np.random.default_rng(config.seed + run.step)
    batches = draw(load_training(data), config, rng)
    began = time.monotonic() - run.spent
    with (output / "log.jsonl").open("a") as log, tqdm(total=config.iterations, initial=run.step) as progress:
        while run.done() < 1:
            terms = run.update(_to(next(batches), device), detector, rng)
            run.spent = time.monotonic() - began
            progress.update()
            if run.step % 20 == 1:
                row = {"step": run.step, "minutes": round(run.spent / 60, 2), **terms}
                log.write(json.dumps(row) + "\n")
                log.flush()
                progress.set_postfix(loss=f"{terms['loss']:.3f}")
            if run.step % config.checkpoint_every == 0:
                run.save()
    return run.save()


def _to(batch: Batch, device: torch.device) -> Batch:
    moved = (value.to(device) if isinstance(value, Tensor) else value for value in vars(batch).values())
    return Batch(*moved)  # type: ignore[arg-type]
