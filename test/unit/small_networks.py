"""Tiny networks, for tests that need one to run, not to be good."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import torch

from textdifuse_ros.imaging.evidence import TOLD, TOLD_OF, Evidence, describe
from textdifuse_ros.imaging.small import small_copy
from textdifuse_ros.model import sampler, weights
from textdifuse_ros.model.anchor import anchor
from textdifuse_ros.model.colour import rgb_to_ycbcr
from textdifuse_ros.model.config import ModelConfig
from textdifuse_ros.model.controls import AUTO
from textdifuse_ros.model.network import FusionNetwork

STUDENT, TEACHER = (1, 2, 4), (25,)


SMALL = ModelConfig(
    widths=(8, 8, 8, 8), encoder_blocks=(0, 1, 1, 1), decoder_blocks=(1, 1, 1, 1), embedding=16
)


def random_network(config: ModelConfig = SMALL, seed: int = 3) -> FusionNetwork:
    """A network of width 8 with every branch alive: the layers that begin at zero get values too."""
    torch.manual_seed(seed)
    network = FusionNetwork(config).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return network


def save_network(path: Path, steps: tuple[int, ...] = STUDENT, seed: int = 3) -> Path:
    """The same as a weight file."""
    weights.save(random_network(dataclasses.replace(SMALL, steps=steps), seed), path)
    return path


def network_inputs(height: int = 32, width: int = 48) -> dict[str, torch.Tensor]:
    """What the network takes, at t = 1."""
    generator = torch.Generator().manual_seed(5)
    visible = rgb_to_ycbcr(torch.rand(1, 3, height, width, generator=generator))
    thermal = torch.rand(1, 1, height, width, generator=generator)
    relevance = torch.rand(1, 1, height, width, generator=generator)
    start = anchor(visible, thermal)
    scalars = sampler.scalars(1.0, 1.0, sampler.as_tensor(AUTO, thermal))
    return {
        "state": start, "start": start, "visible": visible, "thermal": thermal,
        "relevance": relevance, "scalars": scalars,
    }  # fmt: skip


def nothing_found() -> Evidence:
    """One to which every picture is as its scene is."""
    count = len(describe(small_copy(np.zeros((16, 16, 3), np.uint8))))
    zeros = [np.zeros(shape, np.float32) for shape in ((4, count), (4, 4), (TOLD, 4))]
    biases = [np.zeros(4, np.float32), np.zeros(4, np.float32), np.zeros(TOLD, np.float32)]
    biases[-1][: len(TOLD_OF)] = -20
    mean, spread = np.zeros(count, np.float32), np.ones(count, np.float32)
    return Evidence(mean, spread, tuple(zip(zeros, biases, strict=True)))
