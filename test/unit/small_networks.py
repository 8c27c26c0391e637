"""Tiny networks as weight files, for tests that need one to run, not to be good."""

from __future__ import annotations

from pathlib import Path

import torch

from textdifuse_ros.model import weights
from textdifuse_ros.model.config import ModelConfig
from textdifuse_ros.model.network import FusionNetwork

STUDENT, TEACHER = (1, 2, 4), (25,)


def save_network(path: Path, steps: tuple[int, ...] = STUDENT, seed: int = 3) -> Path:
    """A network of width 8 with every branch alive: the layers that begin at zero get values too."""
    torch.manual_seed(seed)
    config = ModelConfig(
        widths=(8, 8, 8, 8), encoder_blocks=(0, 1, 1, 1), decoder_blocks=(1, 1, 1, 1), embedding=16,
        steps=steps,
    )  # fmt: skip
    network = FusionNetwork(config).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    weights.save(network, path)
    return path
