"""Perceptrons of a few layers that read numbers taken from a picture: how far faults have gone, and by what
they are undone.

NumPy alone: they run beside any engine, in well under a millisecond.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

Floats = NDArray[np.float32]

LAYERS = 3
_FARTHEST = 6.0  # standard deviations beyond which a number is as odd as it gets


class EvidenceError(ValueError):
    """A weight file that cannot be used; the message names the file, the reason and the mend."""


@dataclass(frozen=True)
class Perceptron:
    """mean, spread (F,): of the numbers that are read. layers: weight (out, in) and bias (out,) of each.

    A subclass says what is told: FORMAT of its file, TOLD_OF (faults whose levels come first), and TOLD, how
    many numbers in all.
    """

    FORMAT: ClassVar[str] = ""
    TOLD_OF: ClassVar[tuple[str, ...]] = ()
    TOLD: ClassVar[int] = 0

    mean: Floats
    spread: Floats
    layers: tuple[tuple[Floats, Floats], ...]

    def of(self, numbers: Floats) -> Floats:
        """What is told for rows of numbers: (N, F) -> (N, TOLD), levels in [0, 1] first."""
        values = normalised(numbers, self.mean, self.spread)
        for index, (weight, bias) in enumerate(self.layers):
            values = values @ weight.T + bias
            if index + 1 < len(self.layers):
                values = np.maximum(values, 0)
        count = len(self.TOLD_OF)
        levels = 1 / (1 + np.exp(-np.clip(values[:, :count], -30, 30)))
        return np.asarray(np.concatenate((levels, values[:, count:]), axis=1), np.float32)


Kind = TypeVar("Kind", bound=Perceptron)


def normalised(numbers: Floats, mean: Floats, spread: Floats) -> Floats:
    """Rows of numbers (N, F) in standard deviations from their means, none of them too far."""
    return np.asarray(np.clip((numbers - mean) / spread, -_FARTHEST, _FARTHEST), np.float32)


def share_of(level: float, sign: tuple[float, float]) -> float:
    """How far a level is on its way from where a fault begins to be repaired to where it wholly is."""
    return min(1.0, max(0.0, (level - sign[0]) / (sign[1] - sign[0])))


def levels_at(plane: Any, shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Levels in [0, 1] below which these shares of a uint8 plane lie."""
    counts = np.cumsum(np.bincount(plane.ravel(), minlength=256)) / plane.size
    return np.interp(shares, counts, np.arange(256)) / 255


def save(perceptron: Perceptron, path: Path, notes: Mapping[str, str] | None = None) -> None:
    """Write as safetensors."""
    from safetensors.numpy import save_file

    tensors = {"mean": perceptron.mean, "spread": perceptron.spread}
    for index, (weight, bias) in enumerate(perceptron.layers):
        tensors |= {f"{index}.weight": weight, f"{index}.bias": bias}
    metadata = {"format": perceptron.FORMAT, "faults": json.dumps(perceptron.TOLD_OF), **(notes or {})}
    save_file({name: np.ascontiguousarray(each) for name, each in tensors.items()}, str(path), metadata)


def load(path: Path, kind: type[Kind], count: int) -> Kind:
    """One of this kind, which reads `count` numbers. Raises EvidenceError."""
    try:
        with safe_open(str(path), framework="np") as file:
            metadata = file.metadata() or {}
            tensors = {name: np.asarray(file.get_tensor(name), np.float32) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise EvidenceError(f"{path}: cannot be read ({error}); install the package again") from error
    if metadata.get("format") != kind.FORMAT:
        raise EvidenceError(
            f"{path}: format is {metadata.get('format')!r}, this version reads {kind.FORMAT!r}"
        )
    try:
        if tuple(json.loads(metadata["faults"])) != kind.TOLD_OF:
            raise ValueError("its faults are others")
        layers = tuple((tensors[f"{i}.weight"], tensors[f"{i}.bias"]) for i in range(LAYERS))
        perceptron = kind(tensors["mean"], tensors["spread"], layers)
        if perceptron.of(np.zeros((1, count), np.float32)).shape != (1, kind.TOLD):
            raise ValueError("its layers do not fit")
    except (KeyError, ValueError) as error:
        raise EvidenceError(f"{path}: cannot be used ({error}); install the package again") from error
    return perceptron
