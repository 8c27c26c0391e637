"""`textdifuse train-localiser`: what the embedded localiser sees, and the words that it knows."""

from __future__ import annotations

import dataclasses
import json
import math
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from textdifuse_ros.engines.device import resolve_device
from textdifuse_ros.model.network import FusionNetwork
from textdifuse_ros.text.concepts import SEEN
from textdifuse_ros.text.embedded_network import LocaliserConfig, LocaliserNetwork
from textdifuse_ros.text.embedded_weights import save
from textdifuse_ros.text.words import Words
from textdifuse_ros.train import checkpoint, files
from textdifuse_ros.train.errors import Interrupted, TrainingError
from textdifuse_ros.train.interrupts import Interrupts
from textdifuse_ros.train.journal import Journal
from textdifuse_ros.train.localiser_config import LocaliserTraining
from textdifuse_ros.train.localiser_examples import Batch, Frames, check, draw, prepare
from textdifuse_ros.train.localiser_teachers import Teachers
from textdifuse_ros.train.localiser_words import train_words
from textdifuse_ros.train.progress import Pace, Progress, duration, say
from textdifuse_ros.train.run import Average, arithmetic
from textdifuse_ros.train.seeds import EXAMPLES, generator
from textdifuse_ros.train.stream import ahead

FILE = "localiser.safetensors"
_CUTS = tuple(step / 4 for step in range(-16, 9))  # logits
_BALANCED = 960  # examples
_SHARPER = 2.0  # factor of the logits


def train(
    data: Path,
    output: Path,
    config: LocaliserTraining,
    initial: FusionNetwork | LocaliserNetwork,
    teachers: Teachers | None = None,
) -> Path:
    """Run or resume a training; returns the exported weight file.

    teachers: who else has a word in the labels.
    initial: a fusion network, whose encoder the localiser's starts from, or a localiser, which is trained on.
    Raises Interrupted after a signal, TrainingError, EngineError or LocaliserError when it cannot start or
    go on.
    """
    check(data)
    with Interrupts() as interrupts:
        text = json.dumps(dataclasses.asdict(config), indent=2) + "\n"
        files.write(output / "config.json", text.encode())
        words = train_words(config.seed)
        run = _Run(output, config, initial, words)
        frames = prepare(data, output, config, teachers)
        if run.done() >= 1:
            say(f"{output}: holds a finished training ({run.step} updates); its words are trained anew")
            return run.save(frames)
        with interrupts.postponed(), Journal(output, run.step) as journal, Progress() as progress:
            batches = ahead(
                lambda step: draw(frames, config, generator(EXAMPLES, config.seed, step)),
                range(run.step, config.iterations),
                config.workers,
            )
            pace, began = Pace(), time.monotonic() - run.spent
            while run.done() < 1 and not interrupts.asked:
                terms = run.update(next(batches))
                run.spent = time.monotonic() - began
                pace.tick()
                journal.row(run.step, run.spent / 60, {**terms, "updates_per_second": round(pace.rate, 3)})
                left = run.spent * (1 / max(run.done(), 1e-6) - 1)
                progress.show(run.done(), f"update {run.step}, {pace.rate:.2f}/s, {duration(left)} left, "
                                          f"loss {terms['loss']:.4f}")  # fmt: skip
                if run.step % config.checkpoint_every == 0:
                    run.save()
            path = run.save(None if interrupts.asked else frames)
        if interrupts.asked:
            raise Interrupted(
                f"interrupted after update {run.step} and saved; the same command goes on from there"
            )
        return path


def loss(
    network: LocaliserNetwork, batch: Batch, overlap: float, learnt: tuple[str, ...] = SEEN
) -> tuple[Tensor, dict[str, float]]:
    """Cross-entropy of every known cell, and one minus the overlap of each concept in the batch that is
    learnt from labels.
    """
    logits, weight = network(batch.cameras).float(), batch.known * batch.weight
    each = F.binary_cross_entropy_with_logits(logits, batch.target, reduction="none") * weight
    entropy = each.sum() / weight.sum().clamp(min=1) * len(SEEN)
    share, target = torch.sigmoid(logits) * weight, batch.target * weight
    common, both = (share * target).sum(dim=(0, 2, 3)), (share + target).sum(dim=(0, 2, 3))
    there = (target.sum(dim=(0, 2, 3)) > 1) & _among(learnt, target.device)
    apart = 1 - (2 * common + 1) / (both + 1)
    dice = (apart * there).sum() / there.sum().clamp(min=1)
    total = entropy + overlap * dice
    return total, {
        "loss": float(total.detach()),
        "entropy": float(entropy.detach()),
        "overlap": float(1 - dice.detach()),
    }


def _among(names: tuple[str, ...], device: torch.device) -> Tensor:
    return torch.tensor([name in names for name in SEEN], device=device)


@torch.no_grad()
def balance(network: LocaliserNetwork, frames: Frames, config: LocaliserTraining) -> None:
    """Shift each concept's logit so that a half is where what is found overlaps best with what is there,
    and sharpen it, so that the shift lifts nothing where there is nothing.

    Trained on few cells of a rare concept among many without it, the network is shy. Looks at examples like
    those that train, others than those, and anywhere in their frames; cells count as much as they do there.
    """
    found, there = torch.zeros(len(SEEN), len(_CUTS)), torch.zeros(len(SEEN), 1)
    common = torch.zeros_like(found)
    for number in range(_BALANCED // config.batch):
        batch = draw(frames, config, generator(EXAMPLES, config.seed, config.iterations + number), 0.0, 0.0)
        over = network(batch.cameras)[..., None] >= torch.tensor(_CUTS)
        known = (batch.known * batch.weight)[..., None]
        target = (batch.target[..., None] >= 0.5).float()
        found += (over * known).sum(dim=(0, 2, 3))
        common += (over * known * target).sum(dim=(0, 2, 3))
        there += (known * target).sum(dim=(0, 2, 3))
    overlap = common / (found + there - common).clamp(min=1)
    best = torch.tensor(_CUTS)[overlap.argmax(dim=1)]
    learnt = _among(config.learnt, best.device)
    network.fine[-1].bias -= torch.where(learnt & (there[:, 0] > 0), best, torch.zeros_like(best))  # type: ignore[operator]
    for parameter in _last(network):
        parameter.mul_(_SHARPER)


def _last(network: LocaliserNetwork) -> list[nn.Parameter]:
    """What the logits are proportional to."""
    last = [network.fine[-1]] if network.branch is None else [network.fine[-1], network.branch.last]
    return [parameter for layer in last for parameter in layer.parameters()]


def starting(initial: FusionNetwork | LocaliserNetwork, branch: tuple[str, ...] = ()) -> LocaliserNetwork:
    """The network before its first update. branch: the concepts that get one, () leaves it as it is.

    Raises TrainingError for a localiser of another shape, or with a branch for other concepts.
    """
    if isinstance(initial, FusionNetwork):
        network = LocaliserNetwork(LocaliserConfig(SEEN))
        network.start_from(initial)
        return network
    has = initial.config.branch
    config = LocaliserConfig(SEEN, branch=has or branch)
    if initial.config != dataclasses.replace(config, branch=has):
        raise TrainingError(f"--initial: a localiser of {initial.config}; one of {config} is trained")
    if branch and has not in ((), branch):
        raise TrainingError(
            f"taught: the branch of --initial is for {', '.join(has)}; teach these, or start without one"
        )
    network = LocaliserNetwork(config)
    network.load_state_dict(initial.state_dict(), strict=bool(has) or not branch)
    with torch.no_grad():
        for parameter in _last(network):
            parameter.div_(_SHARPER)  # `balance` sharpens again at the end
    return network


class _Run:
    """Network, optimiser, average and where the training stands."""

    def __init__(
        self,
        output: Path,
        config: LocaliserTraining,
        initial: FusionNetwork | LocaliserNetwork,
        words: Words,
    ) -> None:
        torch.manual_seed(config.seed)
        self.config, self.words, self._output = config, words, output
        self._device = resolve_device(config.device)
        if config.taught and isinstance(initial, FusionNetwork):
            raise TrainingError("taught: there is no localiser that finds the others; give one to --initial")
        network = starting(initial, config.learnt if config.taught else ())
        if config.taught:
            network.requires_grad_(False)
            network.branch.requires_grad_(True)  # type: ignore[union-attr]
        self._network = network.to(self._device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        moving = [each for each in network.parameters() if each.requires_grad]
        self._optimiser = torch.optim.AdamW(moving, lr=config.learning_rate, weight_decay=1e-3)
        self._average = Average(network, config.average)
        dtype = arithmetic(config.precision, self._device)
        self._autocast = torch.autocast(self._device.type, dtype=dtype, enabled=dtype == torch.bfloat16)
        self.step, self.spent = 0, 0.0
        if (output / "checkpoint.pt").is_file():
            kept = output / "checkpoint.pt", self._network, self._optimiser, self._average, self._device
            self.step, self.spent = checkpoint.resume(*kept)

    def done(self) -> float:
        """Share of the training that is behind, by updates or by the clock, whichever is further."""
        by_time = self.spent / 60 / self.config.minutes if self.config.minutes else 0.0
        return max(self.step / self.config.iterations, by_time)

    def update(self, batch: Batch) -> dict[str, float]:
        """One optimiser step. Raises TrainingError for a loss that is not finite."""
        ramp = min(1.0, (self.step + 1) / self.config.warm_up)
        fall = 0.02 + 0.49 * (1 + math.cos(math.pi * min(1.0, self.done())))
        for group in self._optimiser.param_groups:
            group["lr"] = self.config.learning_rate * ramp * fall
        batch = batch.to(self._device)
        with self._autocast:
            total, terms = loss(self._network, batch, self.config.overlap, self.config.learnt)
        self._optimiser.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self._network.parameters(), 1.0)
        if not torch.isfinite(norm):
            raise TrainingError(f"update {self.step + 1}: the gradient is not finite; lower learning_rate")
        self._optimiser.step()
        self._average.update(self._network, self.step)
        self.step += 1
        return terms

    def save(self, frames: Frames | None = None) -> Path:
        """The checkpoint, and the averaged weights with the words, ready to use. Raises TrainingError.

        frames: those that train, to set where each concept counts as found; None leaves it as it is.
        """
        averaged = LocaliserNetwork(self._network.config)
        averaged.load_state_dict({name: value.float().cpu() for name, value in self._average.shadow.items()})
        averaged.eval()
        if frames is not None:
            balance(averaged, frames, self.config)
        path = self._output / FILE
        with files.replacing(path) as temporary:
            save(averaged, self.words, temporary, {"updates": str(self.step)})
        standing = self._network, self._optimiser, self._average, self.step, self.spent
        checkpoint.write(self._output / "checkpoint.pt", *standing)
        return path
