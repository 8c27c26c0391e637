"""Where a training of one process stands, kept so that the same command goes on from there."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import torch
from torch import nn

from textdifuse_ros.train import files
from textdifuse_ros.train.errors import TrainingError
from textdifuse_ros.train.run import Average


def write(
    path: Path,
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    average: Average,
    step: int,
    spent: float,
) -> None:
    """step: updates that are done; spent: seconds that they took. Raises TrainingError."""
    state = {
        "network": network.state_dict(),
        "optimiser": optimiser.state_dict(),
        "average": average.shadow,
        "step": step,
        "spent": spent,
    }
    data = io.BytesIO()
    torch.save(state, data)
    files.write(path, data.getvalue())


def resume(
    path: Path, network: nn.Module, optimiser: torch.optim.Optimizer, average: Average, device: torch.device
) -> tuple[int, float]:
    """Put all of it back; step and spent as `write` was given them. Raises TrainingError."""
    try:
        state: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        average.shadow = {name: each.to(device) for name, each in state["average"].items()}
        return int(state["step"]), float(state["spent"])
    except (RuntimeError, EOFError, LookupError, ValueError, TypeError, pickle.UnpicklingError) as error:
        raise TrainingError(f"{path}: is not a checkpoint of this training; take another --output") from error
