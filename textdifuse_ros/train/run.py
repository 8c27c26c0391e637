"""A training in one folder: network, optimiser, average, where it stands; saved whole, resumed whole."""

from __future__ import annotations

import dataclasses
import io
import json
import math
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call

from textdifuse_ros.engines.eager import cpu_has_fast_bf16
from textdifuse_ros.engines.memory import EVERYTHING, keep_freed_memory
from textdifuse_ros.model import weights
from textdifuse_ros.model.config import ModelConfig
from textdifuse_ros.model.estimate import Estimate
from textdifuse_ros.model.network import FusionNetwork
from textdifuse_ros.train import files, seeds
from textdifuse_ros.train.config import TrainConfig
from textdifuse_ros.train.distributed import Ranks
from textdifuse_ros.train.errors import TrainingError

Terms = tuple[Tensor, dict[str, float]]
ASKED_PACE = 10.0  # learning rate of the layer from the controls to the gains, over that of the rest
_BAD_IN_A_ROW = 50  # updates without a finite gradient, after which a training is given up


class Average:
    """Exponential moving average of a network's parameters."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.shadow = {name: value.detach().clone() for name, value in network.state_dict().items()}

    def update(self, network: nn.Module, step: int) -> None:
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, value in network.state_dict().items():
            self.shadow[name].lerp_(value.detach(), 1 - decay)


def arithmetic(precision: str, device: torch.device) -> torch.dtype:
    """What `precision` (auto, bf16, fp32) asks for."""
    if precision == "auto":
        if device.type == "cuda":
            bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
        else:
            bf16 = cpu_has_fast_bf16()
    else:
        bf16 = precision == "bf16"
    return torch.bfloat16 if bf16 else torch.float32


class Rounded(nn.Module):
    """A network in training as an engine runs it: its weights in bf16, all between its convolutions in fp32.

    Not autocast, which rounds every convolution, those of anchors, surroundings and targets as well: what
    is left of a variance is then the rounding of the mean's square.
    """

    def __init__(self, network: FusionNetwork, dtype: torch.dtype) -> None:
        super().__init__()
        self.network, self._dtype = network, dtype

    @property
    def config(self) -> ModelConfig:
        return self.network.config

    def forward(self, *sources: Tensor) -> Estimate:
        rounded = {name: value.to(self._dtype) for name, value in self.network.named_parameters()}
        estimate: Estimate = functional_call(self.network, rounded, sources)
        return estimate


def _groups(network: FusionNetwork) -> list[dict[str, Any]]:
    """All parameters; what only wishes reach learns faster, since each of them is in few examples."""
    asked = list(network.asked.parameters())
    others = [each for name, each in network.named_parameters() if not name.startswith("asked.")]
    return [{"params": others, "pace": 1.0}, {"params": asked, "pace": ASKED_PACE}]


class Run:
    """Network in training. `initial`: weights to start from; a checkpoint in the folder goes before it.

    Raises TrainingError for initial weights of another shape, and for a checkpoint that is broken or of
    another network.
    """

    def __init__(
        self, output: Path, config: TrainConfig, ranks: Ranks, initial: FusionNetwork | None = None
    ) -> None:
        torch.manual_seed(config.seed)
        keep_freed_memory(EVERYTHING)  # on a CPU a fifth of an update's time went into fetching it again
        self.output, self.config, self.ranks, self.device = output, config, ranks, ranks.device
        network = FusionNetwork(config.model)
        if initial is not None:
            _check_shape(initial.config, config.model)
            network.load_state_dict(initial.state_dict())
        self.network = network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimiser = torch.optim.AdamW(
            _groups(network), lr=config.learning_rate, weight_decay=1e-4, betas=(0.9, 0.98)
        )
        self.average = Average(network, config.average)
        self.step, self.spent = 0, 0.0  # updates made, seconds trained
        if self.checkpoint.is_file():
            self._resume()
        ranks.check_same(self.step)
        self.dtype = arithmetic(config.precision, self.device)
        runs = self.network if self.dtype == torch.float32 else Rounded(self.network, self.dtype)
        self._shared = ranks.wrap(cast(FusionNetwork, runs))
        self._bad = 0

    @property
    def checkpoint(self) -> Path:
        return self.output / "checkpoint.pt"

    def done(self) -> float:
        """Share of the training that is behind, by updates or by the clock, whichever is further."""
        by_time = self.spent / 60 / self.config.minutes if self.config.minutes else 0.0
        return max(self.step / self.config.iterations, by_time)

    def learning_rate(self) -> float:
        """Of the update to come."""
        ramp = min(1.0, (self.step + 1) / self.config.warm_up)
        fall = 0.02 + 0.49 * (1 + math.cos(math.pi * min(1.0, self.done())))
        return self.config.learning_rate * ramp * fall

    def randomness(self) -> np.random.Generator:
        """Random numbers of the update to come, in this process."""
        return seeds.for_update(self.config.seed, self.ranks.rank, self.step)

    def update(self, loss_of: Callable[[FusionNetwork], Terms]) -> dict[str, float]:
        """One optimiser step on what `loss_of` makes of the network; returns the terms of the loss.

        Raises TrainingError when the gradients have not been finite for many updates.
        """
        for group in self.optimiser.param_groups:
            group["lr"] = self.learning_rate() * group["pace"]
        loss, terms = loss_of(self._shared)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        finite = bool(torch.isfinite(norm))
        if finite:
            self.optimiser.step()
            self.average.update(self.network, self.step)
        self._bad = 0 if finite else self._bad + 1
        if self._bad == _BAD_IN_A_ROW:
            raise TrainingError(
                f"no finite gradient in the {_BAD_IN_A_ROW} updates up to {self.step + 1}: lower "
                f"learning_rate or set precision to fp32; the checkpoint in {self.output} is from before"
            )
        self.step += 1
        return {"loss": float(loss.detach()), **terms}

    def averaged(self) -> FusionNetwork:
        """A copy of the network with the averaged weights, on the CPU, ready to run."""
        network = FusionNetwork(self.network.config)
        network.load_state_dict({name: value.float().cpu() for name, value in self.average.shadow.items()})
        return network.eval()

    def save(self, name: str) -> Path:
        """Everything a resumed run needs (tensors, numbers, text), and the averaged weights ready to use.

        Raises TrainingError, with the files of before intact.
        """
        state = {
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "average": self.average.shadow,
            "step": self.step,
            "spent": self.spent,
            "model": self.config.model.to_json(),
        }
        data = io.BytesIO()
        torch.save(state, data)
        # In this order: weights of a checkpoint that is there are there too, whatever happens in between.
        path = self.export(name)
        files.write(self.checkpoint, data.getvalue())
        return path

    def export(self, name: str) -> Path:
        """The averaged weights alone, ready to use. Raises TrainingError."""
        path = self.output / name
        with files.replacing(path) as temporary:
            weights.save(self.averaged(), temporary, {"updates": str(self.step)})
        return path

    def _resume(self) -> None:
        state = self._read()
        there = state.get("model")
        here = self.config.model.to_json()
        if there is not None and there != here:
            raise TrainingError(
                f"{self.checkpoint}: is of another network ({difference(there, here)}); "
                "take another --output, or the configuration that it was trained with"
            )
        try:
            self.network.load_state_dict(state["network"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.average.shadow = {name: value.to(self.device) for name, value in state["average"].items()}
            self.step, self.spent = int(state["step"]), float(state["spent"])
        except (RuntimeError, KeyError, ValueError, TypeError) as error:
            raise TrainingError(f"{self.checkpoint}: is of another network; take another --output") from error

    def _read(self) -> dict[str, Any]:
        try:
            state = torch.load(self.checkpoint, weights_only=True, map_location="cpu")
        except (RuntimeError, EOFError, KeyError, ValueError, pickle.UnpicklingError) as error:
            raise TrainingError(
                f"{self.checkpoint}: cannot be read as a checkpoint; delete it to begin anew"
            ) from error
        if not isinstance(state, dict):
            raise TrainingError(f"{self.checkpoint}: is not a checkpoint; delete it to begin anew")
        return state


def _check_shape(there: ModelConfig, here: ModelConfig) -> None:
    """Raises TrainingError naming the field. How a sampler starts and steps has no part in the weights."""
    alike = dataclasses.replace(there, start=here.start, start_noise=here.start_noise, steps=here.steps)
    if alike != here:
        raise TrainingError(
            f"--initial: is of another network ({difference(alike.to_json(), here.to_json())}); "
            "take other weights, or set model to their shape"
        )


def difference(old: str, new: str, there: str = "there", here: str = "here") -> str:
    """The first field in which two networks differ, in words."""
    before, now = json.loads(old), json.loads(new)
    name = next((each for each in sorted({*before, *now}) if before.get(each) != now.get(each)), "model")
    return f"{name} is {before.get(name)} {there} and {now.get(name)} {here}"
