"""`textdifuse train-evidence`: what a picture gives away by itself (see `imaging.evidence` and, for thermal
images, `imaging.thermal_evidence`).

Drawing the examples takes minutes, learning from them seconds. They are kept part by part in the output
folder, so a stopped training goes on where it was.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
from torch import Tensor, nn

from textdifuse_ros.imaging import perceptron
from textdifuse_ros.imaging.evidence import FAULTS, Evidence
from textdifuse_ros.imaging.perceptron import LAYERS, Perceptron, normalised
from textdifuse_ros.imaging.thermal_evidence import FAULTS as THERMAL_FAULTS
from textdifuse_ros.imaging.thermal_evidence import ThermalEvidence
from textdifuse_ros.train import evidence_examples, files, made_of, thermal_examples
from textdifuse_ros.train.errors import TrainingError
from textdifuse_ros.train.evidence_examples import Examples, Scenes, chosen, together
from textdifuse_ros.train.fields import check_all, rules_of, setting
from textdifuse_ros.train.progress import Progress, say
from textdifuse_ros.train.stills import digest

FILE = "evidence.safetensors"
PART = 3000  # examples of one part
_HELD_BACK = 10  # one picture in so many does not train, and tells what the levels are worth
_HIDDEN = (256, 128)
_GAINS, _CHANGES = 0.15, 3.0  # weights of errors in logarithms of gains and in levels, beside those of faults
_JITTER = 0.03  # standard deviations, on what is learnt from


@dataclass(frozen=True)
class _Camera:
    """What is trained for the images of one camera, and from what. faults: what counts of what is told."""

    told: type[Perceptron]
    faults: tuple[str, ...]
    folders: tuple[str, ...]
    load_scenes: Callable[[Path], Scenes]
    draw_examples: Callable[[Scenes, int, int, int], Examples]


_CAMERAS = {
    "rgb": _Camera(
        Evidence, FAULTS, tuple(evidence_examples.SHARES),
        evidence_examples.load_scenes, evidence_examples.draw_examples,
    ),
    "thermal": _Camera(
        ThermalEvidence, THERMAL_FAULTS, tuple(thermal_examples.SHARES),
        thermal_examples.load_scenes, thermal_examples.draw_examples,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class EvidenceTraining:
    """Fields of `textdifuse train-evidence`. Raises FieldError (a ValueError, one line)."""

    camera: str = setting("rgb", "whose images are judged", choices=tuple(_CAMERAS))
    parts: int = setting(80, f"parts of {PART} examples each", low=1)
    epochs: int = setting(40, "times that all of them are learnt from", low=1)
    batch: int = setting(512, "examples of an update", low=1)
    learning_rate: float = setting(4e-3, "AdamW's at its peak, from where it falls to nothing", above=0)
    sound: float = setting(
        3.0, "how much more it counts where there is no fault: wrongly repaired is worse than left", low=0
    )
    seed: int = setting(7, "of every random number", low=0)
    workers: int = setting(0, "processes that draw examples; 0 draws them in this one", low=0)

    def __post_init__(self) -> None:
        check_all(self, rules_of(EvidenceTraining))


def train(data: Path, output: Path, config: EvidenceTraining) -> Path:
    """Run or resume a training; returns the exported weight file. Raises TrainingError."""
    camera = _CAMERAS[config.camera]
    told = {
        "data": digest([data / name for name in camera.folders]),
        "seed": config.seed,
        "levels": ", ".join(camera.told.TOLD_OF),
    }
    output.mkdir(parents=True, exist_ok=True)
    if any(output.glob(_part_name("*"))):
        made_of.check_same(output / "examples.json", told, "examples")
    made_of.note(output / "examples.json", told)
    files.write(output / "config.json", (json.dumps(dataclasses.asdict(config), indent=2) + "\n").encode())
    examples = together(list(_all_parts(data, output, config)))
    held_back = examples.scenes % _HELD_BACK == 0
    learnt = _learn(chosen(examples, ~held_back), config)
    report = judged(learnt, chosen(examples, held_back), camera.faults)
    say(report_text(report))
    notes = {"config": json.dumps(dataclasses.asdict(config)), "held_back": json.dumps(report)}
    with files.replacing(output / FILE) as temporary:
        perceptron.save(learnt, temporary, notes)
    return output / FILE


def _part_name(part: str) -> str:
    return f"examples-{part}.npz"


def _part_path(output: Path, part: int) -> Path:
    return output / _part_name(f"{part:03d}")


def _all_parts(data: Path, output: Path, config: EvidenceTraining) -> Iterator[Examples]:
    paths = [_part_path(output, part) for part in range(config.parts)]
    missing = [part for part, path in enumerate(paths) if not path.is_file()]
    if missing:
        draw = partial(_draw_part, data, output, config.seed, camera=config.camera)
        with Progress() as progress:
            for done, part in enumerate(_each(draw, missing, config.workers), config.parts - len(missing)):
                progress.show((done + 1) / config.parts, f"examples, part {part + 1} of {config.parts}")
    for path in paths:
        try:
            with np.load(path) as held:
                yield Examples(**{name: held[name] for name in held.files})
        except (OSError, ValueError, KeyError, TypeError, BadZipFile) as error:
            raise TrainingError(
                f"{path}: cannot be read ({error}); delete it, and it is made anew"
            ) from error


def _each(draw: partial[int], missing: list[int], workers: int) -> Iterator[int]:
    if workers == 0:
        yield from map(draw, missing)
        return
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(draw, missing)


def _draw_part(data: Path, output: Path, seed: int, part: int, camera: str) -> int:
    examples = _CAMERAS[camera].draw_examples(_scenes(data, camera), seed, part, PART)
    with files.replacing(_part_path(output, part)) as temporary, temporary.open("wb") as file:
        np.savez(file, **dataclasses.asdict(examples))
    return part


@lru_cache(maxsize=1)  # each process draws several parts
def _scenes(data: Path, camera: str) -> Scenes:
    return _CAMERAS[camera].load_scenes(data)


def _learn(examples: Examples, config: EvidenceTraining) -> Perceptron:
    kind = _CAMERAS[config.camera].told
    torch.manual_seed(config.seed)
    mean = examples.numbers.mean(axis=0)
    spread = examples.numbers.std(axis=0) + np.float32(1e-3)
    numbers = torch.from_numpy(normalised(examples.numbers, mean, spread))
    goals = torch.from_numpy(np.concatenate((examples.levels, examples.tones), axis=1))
    sizes = (numbers.shape[1], *_HIDDEN, kind.TOLD)
    linear = [nn.Linear(into, out) for into, out in itertools.pairwise(sizes)]
    optimiser = torch.optim.AdamW([p for layer in linear for p in layer.parameters()], weight_decay=1e-3)
    updates = config.epochs * -(-len(numbers) // config.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, config.learning_rate, total_steps=updates)
    for _ in range(config.epochs):
        for which in torch.randperm(len(numbers)).split(config.batch):
            seen = numbers[which] + _JITTER * torch.randn(len(which), sizes[0])
            loss = _loss(_forward(linear, seen), goals[which], config.sound, len(kind.TOLD_OF))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    layers = tuple((each.weight.detach().numpy(), each.bias.detach().numpy()) for each in linear)
    return kind(mean, spread, layers)


def _forward(linear: list[nn.Linear], values: Tensor) -> Tensor:
    for index, layer in enumerate(linear):
        values = layer(values)
        if index + 1 < LAYERS:
            values = torch.dropout(torch.relu(values), 0.1 if index == 0 else 0.0, True)
    return values


def _loss(told: Tensor, goals: Tensor, sound: float, faults: int) -> Tensor:
    """told, goals: (N, ...): levels of faults, then as many logarithms of gains as changes of levels."""
    changed = faults + (goals.shape[1] - faults) // 2
    weight = torch.where(goals == 0, sound, 1.0)
    errors = weight * (torch.cat((torch.sigmoid(told[:, :faults]), told[:, faults:]), dim=1) - goals).square()
    gains, changes = errors[:, faults:changed], errors[:, changed:]
    return errors[:, :faults].mean() + _GAINS * gains.mean() + _CHANGES * changes.mean()


def judged(
    learnt: Perceptron, examples: Examples, faults: tuple[str, ...] = FAULTS
) -> dict[str, dict[str, float]]:
    """Of each fault: the level that one sound picture in a thousand reaches, and the share of the faulty ones
    beyond that, by how bad they are."""
    told = learnt.of(examples.numbers)
    sound = (examples.levels[:, : len(faults)] == 0).all(axis=1)
    report: dict[str, dict[str, float]] = {}
    for index, name in enumerate(faults):
        level, row = examples.levels[:, index], told[:, index]
        limit = float(np.quantile(row[sound], 0.999)) if sound.any() else 0.0
        report[name] = {"sound_0.999": round(limit, 3)}
        for low, high in ((0.15, 0.4), (0.4, 0.7), (0.7, 1.01)):
            within = (level >= low) & (level < high)
            report[name][f"found_{low:g}"] = (
                round(float((row[within] > limit).mean()), 3) if within.any() else 0.0
            )
    return report


def report_text(report: dict[str, dict[str, float]]) -> str:
    rows = [f"{name:18s}" + "  ".join(f"{k} {v:.2f}" for k, v in row.items()) for name, row in report.items()]
    return "\n".join(("held back:", *rows))
