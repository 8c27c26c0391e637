"""The weights between two networks of one shape, of which one was trained from the other."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from textdifuse_ros.model import weights
from textdifuse_ros.model.network import FusionNetwork
from textdifuse_ros.train import files
from textdifuse_ros.train.errors import TrainingError
from textdifuse_ros.train.run import difference


def mixed(first: FusionNetwork, second: FusionNetwork, share: float) -> FusionNetwork:
    """(1 - share) of the first and `share` of the second, in float32, ready to run.

    Without ranges for 8 bits: those were measured on other weights. Raises TrainingError for two shapes.
    """
    if first.config != second.config:
        what = difference(first.config.to_json(), second.config.to_json(), "in the first", "in the second")
        raise TrainingError(f"the two are no networks of one shape ({what})")
    network, other = FusionNetwork(first.config), second.state_dict()
    network.load_state_dict(
        {name: torch.lerp(v, other[name], share) for name, v in first.state_dict().items()}
    )
    return network.eval()


def mix(first: Path, second: Path, share: float, output: Path) -> bool:
    """Write the mix of two files that `weights.load` takes, with what it was mixed of noted inside.

    Returns whether ranges for 8 bits were left out. Raises WeightsError, TrainingError.
    """
    networks = weights.load(first), weights.load(second)
    parts = [
        {"share": round(part, 6), "weights": weights.identity(path), **weights.notes(path)}
        for part, path in ((1 - share, first), (share, second))
    ]
    network = mixed(*networks, share)
    with files.replacing(output) as temporary:
        weights.save(network, temporary, {"mixed": json.dumps(parts)})
    return any(each.ranges for each in networks)
