"""A tiny network, pictures and comparisons for the tests of the engines."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from textdifuse_ros.engines.base import Engine
from textdifuse_ros.engines.compare import difference, scene
from textdifuse_ros.engines.device import cpu_has_int8
from textdifuse_ros.engines.eager import EagerEngine
from textdifuse_ros.model.config import ModelConfig
from textdifuse_ros.model.controls import ALL, Controls
from textdifuse_ros.model.network import FusionNetwork

needs_int8 = pytest.mark.skipif(not cpu_has_int8(), reason="needs a processor with VNNI or AMX")
SOME: Controls = tuple(0.1 * i for i in range(len(ALL)))


def tiny_network(seed: int = 3, start_noise: float = 0.0) -> FusionNetwork:
    """Width 8, a block in the encoder and one in the decoder, every branch alive."""
    torch.manual_seed(seed)
    config = ModelConfig(
        widths=(8, 8, 8, 8), encoder_blocks=(0, 0, 0, 1), decoder_blocks=(1, 0, 0, 0), embedding=8,
        start_noise=start_noise, steps=(25,) if start_noise else (1, 2, 4),
    )  # fmt: skip
    network = FusionNetwork(config).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return network


def need_onnx(*packages: str) -> None:
    """Skip the test where one of the packages that export and run a graph is not installed."""
    for package in packages or ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(package, reason="needs onnx, onnxscript and onnxruntime (requirements-dev.txt)")


def relevance(height: int, width: int) -> NDArray[np.float32]:
    """A map with both signs."""
    rows = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    return np.ascontiguousarray(np.broadcast_to(rows, (height, width)))


def off(engine: Engine, reference: EagerEngine, height: int, width: int, steps: int, prompt: bool) -> float:
    """Grey levels at the 99th percentile between two engines, for the same made-up pair."""
    rgb, thermal = scene(height, width)
    where = relevance(height, width) if prompt else None
    image, model_ms = engine.run(rgb, thermal, where, steps, SOME)
    expected, _ = reference.run(rgb, thermal, where, steps, SOME)
    assert image.shape == (height, width, 3) and image.dtype == np.uint8 and model_ms > 0
    return difference(image, expected)[0]
