"""The teacher's answers: many steps each, so they are made once and kept beside the checkpoints."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from textdifuse_ros.model import sampler
from textdifuse_ros.model.estimate import Estimate
from textdifuse_ros.model.network import FusionNetwork
from textdifuse_ros.train import files
from textdifuse_ros.train.batches import Batch, Sets, draw
from textdifuse_ros.train.config import TrainConfig
from textdifuse_ros.train.distributed import Ranks
from textdifuse_ros.train.errors import TrainingError
from textdifuse_ros.train.progress import Pace, Progress, duration, say
from textdifuse_ros.train.run import arithmetic
from textdifuse_ros.train.seeds import BANK, generator

FILE = "bank.safetensors"
FORMAT = "textdifuse-bank-3"
_INPUTS = tuple(each.name for each in dataclasses.fields(Batch) if each.name not in ("boxes", "parameters"))
_ANSWERS = ("luminance", "chroma")
_BOXES = ("boxes", "box_counts")
# What the drawn examples depend on, besides the pairs themselves.
_DRAWN_BY = ("batch", "crop", "seed", "single_share", "relevance_share", "bank")


class Bank:
    """Batches with the teacher's answer to each, in main memory, images in half precision.

    tensors: the fields of a batch and of an estimate, each (B, N, ...); boxes (K, 5) of all examples in a
    row, box_counts (B, N) how many belong to each.
    """

    def __init__(self, tensors: dict[str, Tensor]) -> None:
        self._tensors = tensors
        counts = tensors["box_counts"]
        rows = tensors["boxes"].split(counts.flatten().tolist())
        self._boxes = [list(rows[i : i + counts.shape[1]]) for i in range(0, len(rows), counts.shape[1])]

    def __len__(self) -> int:
        return len(self._boxes)

    def __getitem__(self, index: int) -> tuple[Batch, Estimate]:
        """A batch and its answer in float32."""
        values: dict[str, Any] = {name: self._tensors[name][index].float() for name in (*_INPUTS, *_ANSWERS)}
        answer = Estimate(*(values.pop(name) for name in _ANSWERS))
        return Batch(**values, boxes=self._boxes[index]), answer


def prepare(output: Path, teacher: FusionNetwork, sets: Sets, config: TrainConfig, ranks: Ranks) -> Bank:
    """The bank of this teacher and configuration: from the folder if it lies there, else made and stored.

    teacher: on the device. With several processes the first one makes it and the others read it; the folder
    is theirs together. Raises TrainingError where it cannot be written.
    """
    path, dtype = output / FILE, arithmetic(config.precision, ranks.device)
    key = key_of(teacher, sets, config, dtype)
    bank = _stored(path, key) if ranks.first else None
    if ranks.first and bank is None:
        with files.replacing(path) as temporary:
            tensors = answered_by(teacher, sets, config, ranks.device, dtype)
            save_file(tensors, str(temporary), metadata={"format": FORMAT, "key": key})
        bank = Bank(tensors)
    ranks.wait()
    bank = bank or _stored(path, key)
    if bank is None:
        raise TrainingError(f"{path}: is not here; --output must be a folder that all processes share")
    return bank


def key_of(teacher: FusionNetwork, sets: Sets, config: TrainConfig, dtype: torch.dtype) -> str:
    """A digest of all that a bank depends on: every weight, pixel and box among it."""
    digest = hashlib.sha256(teacher.config.to_json().encode())
    for name, value in teacher.state_dict().items():
        digest.update(name.encode())
        digest.update(value.float().cpu().contiguous().numpy().tobytes())
    fields = {name: getattr(config, name) for name in _DRAWN_BY}
    folders = [[*dataclasses.astuple(each), len(pairs)] for each, pairs in sets]
    digest.update(json.dumps([fields, str(dtype), folders]).encode())
    for pair in (pair for _, pairs in sets for pair in pairs):
        digest.update(json.dumps([pair.name, *pair.thermal.shape, len(pair.boxes)]).encode())
        for values in (pair.visible, pair.thermal, pair.boxes):
            digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


@torch.no_grad()
def answered_by(
    teacher: FusionNetwork, sets: Sets, config: TrainConfig, device: torch.device, dtype: torch.dtype
) -> dict[str, Tensor]:
    """The teacher's result for `config.bank` examples, as the tensors of a Bank. dtype: its arithmetic."""
    steps, count = teacher.config.steps[0], max(1, config.bank // config.batch)
    rows: dict[str, list[Tensor]] = {name: [] for name in (*_INPUTS, *_ANSWERS, *_BOXES)}
    pace, teacher = Pace(), copy.deepcopy(teacher).to(device, dtype)
    with Progress() as progress:
        for index in range(count):
            batch = draw(sets, config, generator(BANK, config.seed, index), config.single_share)
            there = batch.to(device)
            sources = (there.visible, there.thermal, there.relevance)
            answer = sampler.sample(teacher, teacher.config, *sources, steps, there.controls, prepare=False)
            for name in _INPUTS:
                rows[name].append(getattr(batch, name).half())
            for name in _ANSWERS:
                rows[name].append(getattr(answer, name).half().cpu())
            rows["boxes"].extend(batch.boxes)
            rows["box_counts"].append(torch.tensor([len(each) for each in batch.boxes]))
            pace.tick()
            left = duration((count - index - 1) / pace.rate if pace.rate else None)
            progress.show((index + 1) / count, f"teacher's answers {index + 1}/{count}, {left} left")
    joined = {"boxes": torch.cat(rows.pop("boxes"))}
    return joined | {name: torch.stack(values).contiguous() for name, values in rows.items()}


def _stored(path: Path, key: str) -> Bank | None:
    """The bank of this key, None with a line where something else lies there, None where nothing does."""
    if not path.is_file():
        return None
    try:
        with safe_open(str(path), framework="pt") as file:
            metadata: dict[str, Any] = file.metadata() or {}
            if metadata.get("format") != FORMAT or metadata.get("key") != key:
                say(f"{path}: is of another teacher, configuration or data; the answers are made anew")
                return None
            return Bank({name: file.get_tensor(name) for name in (*_INPUTS, *_ANSWERS, *_BOXES)})
    except (SafetensorError, OSError, KeyError, RuntimeError) as error:
        say(f"{path}: cannot be read ({error}); the answers are made anew")
        return None
