"""Plain PyTorch on the CPU; `engines.cuda` runs the same graph on a device."""

from __future__ import annotations

import copy
import time

import torch

from textdifuse_ros.engines import int8
from textdifuse_ros.engines.base import Bytes, EngineError, Floats
from textdifuse_ros.engines.device import DTYPES, cpu_has_fast_bf16, resolve_device, resolve_dtype
from textdifuse_ros.engines.frames import Frames, crop
from textdifuse_ros.engines.graph import FusionGraph, Graph
from textdifuse_ros.engines.memory import keep_freed_memory
from textdifuse_ros.model.controls import Controls
from textdifuse_ros.model.network import FusionNetwork

__all__ = ["EagerEngine", "cpu_has_fast_bf16", "resolve_device", "resolve_dtype"]


class EagerEngine:
    """The graph as it is, in fp32, bf16 or int8; the sampler's state stays in float32.

    network: copied, so that several engines can be made of one. device: cpu, or auto where that means it.
    """

    name = "eager"

    def __init__(self, network: FusionNetwork, device: str = "auto", dtype: str = "auto") -> None:
        self._device = resolve_device(device)
        if self._device.type != "cpu":
            raise EngineError(f"device {device!r} has an engine of its own: engines.registry.make_engine")
        keep_freed_memory()
        self.device = str(self._device)
        self.dtype = resolve_dtype(dtype, self._device)
        self.steps = network.config.steps
        self._multiple = network.config.multiple
        own = copy.deepcopy(network).to(self._device, DTYPES[self.dtype]).eval()
        if self.dtype == "int8":
            own = int8.rewritten(own)
        own.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        own.frugal = True
        self._network: FusionNetwork | None = own
        self._frames = Frames(self._multiple, self._device)

    def ready(self, height: int, width: int, steps: int) -> bool:
        return True

    def prepare(self, height: int, width: int, steps: int) -> None:
        """Nothing is built."""

    def run(
        self, rgb: Bytes, thermal: Bytes, relevance: Floats | None, steps: int, controls: Controls
    ) -> tuple[Bytes, float]:
        height, width = thermal.shape
        graph = self._graph(height, width, steps)
        with torch.inference_mode():
            sources = self._frames.bring(rgb, thermal, relevance)
            wanted = self._frames.controls(controls)
            began = time.perf_counter()
            fused = graph(*sources, wanted)
            model_ms = (time.perf_counter() - began) * 1e3
            return crop(fused, height, width), model_ms

    def close(self) -> None:
        self._network = None

    def _graph(self, height: int, width: int, steps: int) -> Graph:
        return FusionGraph(self._opened(), steps)

    def _opened(self) -> FusionNetwork:
        if self._network is None:
            raise EngineError("the engine is closed")
        return self._network
