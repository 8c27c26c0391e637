"""`textdifuse train-veil`: where smoke or fog lies over an RGB image, and what lifts it; see `model.veil`."""

from __future__ import annotations

import dataclasses
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from textdifuse_ros.engines.device import resolve_device
from textdifuse_ros.imaging.small import SMALL
from textdifuse_ros.imaging.veil import GAINS
from textdifuse_ros.model.veil import VeilNetwork, save
from textdifuse_ros.train import checkpoint, files
from textdifuse_ros.train.errors import Interrupted, TrainingError
from textdifuse_ros.train.evidence_examples import load_scenes
from textdifuse_ros.train.fields import check_all, rules_of, setting
from textdifuse_ros.train.interrupts import Interrupts
from textdifuse_ros.train.journal import Journal
from textdifuse_ros.train.progress import Pace, Progress, duration, say
from textdifuse_ros.train.run import Average
from textdifuse_ros.train.seeds import EXAMPLES, generator
from textdifuse_ros.train.stream import ahead
from textdifuse_ros.train.veil_examples import Batch, draw

FILE = "veil.safetensors"
_DENSITY = 0.2  # weight of the cross-entropy of densities beside distances in levels
_NEAR = 1e-4  # squared distance of levels below which nearer is no better
_CLEAR = 0.02  # density up to which a picture has no veil


@dataclass(frozen=True)
class VeilTraining:
    """Fields of `textdifuse train-veil`. Raises FieldError (a ValueError, one line)."""

    iterations: int = setting(6500, "updates until the training is done", low=1)
    batch: int = setting(32, "examples of an update", low=1)
    learning_rate: float = setting(3e-3, "AdamW's at its peak, from where it falls to 2 %", above=0)
    warm_up: int = setting(300, "updates over which the learning rate rises to its peak", low=1)
    average: float = setting(0.995, "decay of the averaged weights, which are what ships", low=0, high=1)
    sound: float = setting(
        4.0, "how much more it counts where there is no veil: wrongly lifted is worse than left", low=0
    )
    seed: int = setting(7, "of every random number", low=0)
    device: str = setting("auto", "auto, cpu, cuda or cuda:N; auto takes CUDA where there is one")
    workers: int = setting(0, "processes that draw examples ahead; 0 draws them between the updates", low=0)
    checkpoint_every: int = setting(500, "updates between two checkpoints", low=1)

    def __post_init__(self) -> None:
        check_all(self, rules_of(VeilTraining))


def train(data: Path, output: Path, config: VeilTraining) -> Path:
    """Run or resume a training; returns the exported weight file.

    Raises Interrupted after a signal, TrainingError or EngineError when it cannot start or go on.
    """
    scenes = load_scenes(data)
    with Interrupts() as interrupts:
        files.write(
            output / "config.json", (json.dumps(dataclasses.asdict(config), indent=2) + "\n").encode()
        )
        run = _Run(output, config)
        if run.step >= config.iterations:
            say(f"{output}: holds a finished training ({run.step} updates); raise iterations to go on")
            return run.save()
        with interrupts.postponed(), Journal(output, run.step) as journal, Progress() as progress:
            batches = ahead(
                lambda step: draw(scenes, config.batch, generator(EXAMPLES, config.seed, step)),
                range(run.step, config.iterations),
                config.workers,
            )
            pace, began = Pace(), time.monotonic() - run.spent
            while run.step < config.iterations and not interrupts.asked:
                terms = run.update(next(batches))
                run.spent = time.monotonic() - began
                pace.tick()
                journal.row(run.step, run.spent / 60, {**terms, "updates_per_second": round(pace.rate, 3)})
                left = duration(run.spent * (config.iterations / run.step - 1))
                progress.show(
                    run.step / config.iterations,
                    f"update {run.step}/{config.iterations}, {pace.rate:.2f}/s, {left} left, "
                    f"loss {terms['loss']:.4f}",
                )
                if run.step % config.checkpoint_every == 0:
                    run.save()
            path = run.save()
    if interrupts.asked:
        raise Interrupted(
            f"interrupted after update {run.step} and saved; the same command goes on from there"
        )
    return path


def without(seen: Tensor, maps: Tensor) -> Tensor:
    """seen (N, 3, H, W) in [0, 1] with all of its veil lifted, by maps as `VeilNetwork` has them: the formula
    of `imaging.veil` to the end, its colours and texture as they are."""
    gain = torch.exp(maps[:, :1].clamp(*GAINS))
    mean = F.interpolate(seen, size=maps.shape[-2:], mode="area")
    both = torch.cat((gain, mean * (1 - gain) + maps[:, 1:4]), dim=1)
    both = F.interpolate(both, size=seen.shape[-2:], mode="bilinear", align_corners=False)
    return seen * both[:, :1] + both[:, 1:]


def loss(network: VeilNetwork, batch: Batch, sound: float) -> tuple[Tensor, dict[str, float]]:
    """Root mean square distance of each picture to its goal, and the cross-entropy of its density. sound: how
    much more those count that have no veil."""
    maps = network(F.interpolate(batch.seen, size=SMALL[::-1], mode="area"))
    apart = (without(batch.seen, maps) - batch.goal).square().mean(dim=(1, 2, 3))
    clear = (batch.density.amax(dim=(1, 2, 3)) <= _CLEAR).float()
    entropy = F.binary_cross_entropy_with_logits(maps[:, 4:], batch.density)
    total = ((1 + (sound - 1) * clear) * (apart + _NEAR).sqrt()).mean() + _DENSITY * entropy

    def mean_of(which: Tensor) -> float:
        return float((apart.detach() * which).sum() / which.sum().clamp(min=1))

    return total, {
        "loss": float(total.detach()), "entropy": float(entropy.detach()),
        "veiled": mean_of(1 - clear), "clear": mean_of(clear),
    }  # fmt: skip


class _Run:
    """Network, optimiser, average and where the training stands."""

    def __init__(self, output: Path, config: VeilTraining) -> None:
        torch.manual_seed(config.seed)
        self.config, self._output = config, output
        self._device = resolve_device(config.device)
        self._network = VeilNetwork().to(self._device)
        self._optimiser = torch.optim.AdamW(self._network.parameters(), weight_decay=1e-4)
        self._average = Average(self._network, config.average)
        self.step, self.spent = 0, 0.0
        if (output / "checkpoint.pt").is_file():
            kept = output / "checkpoint.pt", self._network, self._optimiser, self._average, self._device
            self.step, self.spent = checkpoint.resume(*kept)

    def update(self, batch: Batch) -> dict[str, float]:
        """One optimiser step. Raises TrainingError for a loss that is not finite."""
        ramp = min(1.0, (self.step + 1) / self.config.warm_up)
        fall = 0.02 + 0.49 * (1 + math.cos(math.pi * self.step / self.config.iterations))
        for group in self._optimiser.param_groups:
            group["lr"] = self.config.learning_rate * ramp * fall
        total, terms = loss(self._network, batch.to(self._device), self.config.sound)
        self._optimiser.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        if not torch.isfinite(nn.utils.clip_grad_norm_(self._network.parameters(), 1.0)):
            raise TrainingError(f"update {self.step + 1}: the gradient is not finite; lower learning_rate")
        self._optimiser.step()
        self._average.update(self._network, self.step)
        self.step += 1
        return terms

    def save(self) -> Path:
        """The checkpoint, and the averaged weights ready to use. Raises TrainingError."""
        averaged = VeilNetwork()
        averaged.load_state_dict({name: value.cpu() for name, value in self._average.shadow.items()})
        path = self._output / FILE
        with files.replacing(path) as temporary:
            save(averaged, temporary, {"updates": str(self.step)})
        standing = self._network, self._optimiser, self._average, self.step, self.spent
        checkpoint.write(self._output / "checkpoint.pt", *standing)
        return path
