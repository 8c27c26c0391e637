"""Any way of running the graph on a CUDA device: upload, network and download on the device's own queues."""

from __future__ import annotations

import copy
import threading
from typing import Protocol

import torch
from torch import Tensor

from textdifuse_ros.engines.accelerator import Accelerator
from textdifuse_ros.engines.base import Bytes, EngineError, Floats
from textdifuse_ros.engines.constants import DeviceConstants
from textdifuse_ros.engines.device import DTYPES
from textdifuse_ros.engines.device_path import DevicePath, Ticket, finish
from textdifuse_ros.engines.frames import padded
from textdifuse_ros.engines.graph import FusionGraph, Graph
from textdifuse_ros.model.controls import Controls
from textdifuse_ros.model.network import FusionNetwork

MOST_PATHS = 16  # combinations of size, steps and relevance whose buffers are kept
_Key = tuple[int, int, int]


class Maker(Protocol):
    """Makes the graph for one size: the part in which the engines differ."""

    name: str
    quick: bool  # whether making takes no longer than a few frames

    @property
    def progress(self) -> str:
        """What `make` is doing now, in a few words; "" when it is not running."""
        ...

    def make(self, network: FusionNetwork, height: int, width: int, steps: int) -> Graph:
        """network: on the device and in the engine's precision. height, width: multiples of the network's.

        Raises EngineError with the reason and the mend.
        """
        ...


class EagerMaker:
    """The graph as it is."""

    name, quick, progress = "eager", True, ""

    def make(self, network: FusionNetwork, height: int, width: int, steps: int) -> Graph:
        graph, constants = FusionGraph(network, steps), DeviceConstants()

        def run(rgb: Tensor, thermal: Tensor, relevance: Tensor, controls: Tensor) -> Tensor:
            with constants:
                fused: Tensor = graph(rgb, thermal, relevance, controls)
            return fused

        return run


class CudaEngine:
    """An `Engine` on a device. The weights are in the precision asked for, without autocast, channels last.

    network: copied. dtype: fp32, bf16 or fp16. `run` may be called while another thread is in `prepare`.
    """

    def __init__(self, maker: Maker, network: FusionNetwork, accelerator: Accelerator, dtype: str) -> None:
        self.name, self.dtype, self.steps = maker.name, dtype, network.config.steps
        self.device = str(accelerator.device)
        self._maker, self._accelerator = maker, accelerator
        self._multiple = network.config.multiple
        self._recordable = not network.config.start_noise  # a teacher's noise comes from the host
        own = copy.deepcopy(network).to(accelerator.device, DTYPES[dtype]).eval()
        own.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._network: FusionNetwork | None = own
        self._main, self._uploads = accelerator.stream(), accelerator.stream()
        self._graphs: dict[_Key, Graph] = {}
        self._paths: dict[tuple[_Key, bool], DevicePath] = {}
        self._making = threading.Lock()
        self.keep = False
        self._kept: Tensor | None = None

    @property
    def progress(self) -> str:
        """What is being built now, "" when nothing is."""
        return self._maker.progress

    def ready(self, height: int, width: int, steps: int) -> bool:
        key = (height, width, steps)
        return self._maker.quick or all((key, relevance) in self._paths for relevance in (False, True))

    def prepare(self, height: int, width: int, steps: int) -> None:
        for relevance in (False, True):
            self._path((height, width, steps), relevance)

    def run(
        self, rgb: Bytes, thermal: Bytes, relevance: Floats | None, steps: int, controls: Controls
    ) -> tuple[Bytes, float]:
        ticket = self.start(rgb, thermal, relevance, steps, controls)
        finished = finish(ticket)
        self._kept = ticket.kept
        return finished

    @property
    def kept(self) -> Tensor | None:
        return self._kept

    def start(
        self, rgb: Bytes, thermal: Bytes, relevance: Floats | None, steps: int, controls: Controls
    ) -> Ticket:
        """Queue a frame, for `finish` to wait for; the next one of this size is uploaded meanwhile.

        Raises EngineError when two frames are under way.
        """
        height, width = thermal.shape
        path = self._path((height, width, steps), relevance is not None)
        return path.start(self._main, self._uploads, (rgb, thermal, relevance), controls, self.keep)

    def finish(self, ticket: Ticket) -> tuple[Bytes, float]:
        """The image (H, W, 3), the caller's own, and the milliseconds of the network on the device."""
        return finish(ticket)

    def close(self) -> None:
        self._network = self._kept = None
        self._main.record().wait()
        self._paths.clear()
        self._graphs.clear()
        self._accelerator.release()

    def _path(self, key: _Key, relevance: bool) -> DevicePath:
        path = self._paths.get((key, relevance))
        if path is not None:
            return path
        with self._making:
            path = self._paths.get((key, relevance))
            if path is None:
                path = self._made(key, relevance)
                while len(self._paths) >= MOST_PATHS:
                    self._paths.pop(next(iter(self._paths)))
                self._paths[key, relevance] = path
        return path

    def _made(self, key: _Key, relevance: bool) -> DevicePath:
        height, width, steps = key
        if self._network is None:
            raise EngineError("the engine is closed")
        shape = (*padded(height, width, self._multiple), steps)
        # The library compares its kernels once for each shape, and fp32 means all 24 bits of it.
        precise = {"enabled": True, "benchmark": True, "deterministic": False, "allow_tf32": False}
        with torch.backends.cudnn.flags(**precise):
            if shape not in self._graphs:
                self._graphs[shape] = self._maker.make(self._network, *shape)
            graph = self._graphs[shape]
            path = DevicePath(self._accelerator, graph, self._multiple, (height, width), relevance)
            path.record(self._accelerator, self._main, self._recordable)
        return path
