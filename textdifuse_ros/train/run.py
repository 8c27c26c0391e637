"""A training in one folder: network, optimiser, average, where it stands; saved whole, resumed whole."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from textdifuse_ros.model import weights
from textdifuse_ros.model.config import ModelConfig
from textdifuse_ros.model.network import FusionNetwork
from textdifuse_ros.train.config import TrainConfig

Terms = tuple[Tensor, dict[str, float]]


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
    """Network in training. `initial`: weights to start from; a checkpoint in the folder goes before it."""

    def __init__(
        self,
        output: Path,
        config: TrainConfig,
        model: ModelConfig,
        device: torch.device,
        initial: FusionNetwork | None = None,
    ) -> None:
        torch.manual_seed(config.seed)
        self.output, self.config, self.device = output, config, device
        network = FusionNetwork(model)
        if initial is not None:
            network.load_state_dict(initial.state_dict())
        self.network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
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

    def update(self, loss_of: Callable[[FusionNetwork], Terms]) -> dict[str, float]:
        """One optimiser step on what `loss_of` makes of the network; returns the terms of the loss."""
        ramp = min(1.0, (self.step + 1) / self.config.warm_up)
        fall = 0.02 + 0.49 * (1 + math.cos(math.pi * min(1.0, self.done())))
        for group in self.optimiser.param_groups:
            group["lr"] = self.config.learning_rate * ramp * fall
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            loss, terms = loss_of(self.network)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        if torch.isfinite(norm):
            self.optimiser.step()
            self.average.update(self.network, self.step)
        self.step += 1
        return {"loss": float(loss.detach()), **terms}

    def averaged(self) -> FusionNetwork:
        """A copy of the network with the averaged weights, on the CPU, ready to run."""
        network = FusionNetwork(self.network.config)
        network.load_state_dict({name: value.float().cpu() for name, value in self.average.shadow.items()})
        return network.eval()

    def save(self, name: str) -> Path:
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
        path = self.output / name
        weights.save(self.averaged(), path, {"updates": str(self.step)})
        return path

    def _resume(self) -> None:
        state = torch.load(self.output / "checkpoint.pt", weights_only=True, map_location="cpu")
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.average.shadow = {name: value.to(self.device) for name, value in state["average"].items()}
        self.step, self.spent = int(state["step"]), float(state["spent"])
