"""Any way of running the graph on a CUDA device: upload, network and download on the device's own queues."""

from __future__ import annotations

import copy
import itertools
import threading
from collections.abc import Callable
from functools import partial
from typing import Protocol

import torch
from torch import Tensor

from textdifuse_ros.engines.accelerator import Accelerator, compute_precisely
from textdifuse_ros.engines.base import Bytes, EngineError, Floats
from textdifuse_ros.engines.constants import DeviceConstants
from textdifuse_ros.engines.device import DTYPES
from textdifuse_ros.engines.device_path import DevicePath, Layout, Ticket, finish
from textdifuse_ros.engines.frames import padded
from textdifuse_ros.engines.graph import FusionGraph, Graph
from textdifuse_ros.engines.intake import upload_dtype, uploaded, window_numbers
from textdifuse_ros.imaging.cameras import Cameras
from textdifuse_ros.imaging.remap import Remap
from textdifuse_ros.model.controls import Controls
from textdifuse_ros.model.network import FusionNetwork

# Combinations of inputs and steps whose buffers are kept, and as many sizes and steps whose graphs are: those
# that were used last.
MOST_PATHS = 16
_Key = tuple[int, int, int]
# With or without relevance, or the registration, which is for its sizes, and the thermal type of a pair as it
# comes.
_Kind = bool | tuple[Remap, torch.dtype]


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
        compute_precisely()
        self._multiple = network.config.multiple
        self._recordable = not network.config.start_noise  # a teacher's noise comes from the host
        own = copy.deepcopy(network).to(accelerator.device, DTYPES[dtype]).eval()
        own.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._network: FusionNetwork | None = own
        self._main, self._uploads = accelerator.stream(), accelerator.stream()
        self._graphs: dict[_Key, Graph] = {}  # by the size that images are rounded up to
        self._graphs_used: dict[_Key, int] = {}  # when each was asked for last
        self._paths: dict[tuple[_Key, _Kind], DevicePath] = {}
        self._used: dict[tuple[_Key, _Kind], int] = {}  # when each path was asked for last
        self._uses = itertools.count()
        self._prepared: set[_Key] = set()
        self._expected: dict[tuple[int, int], tuple[Remap, torch.dtype]] = {}  # by (height, width)
        self._making = threading.Lock()
        self.keep = False
        self._kept: Tensor | None = None

    @property
    def progress(self) -> str:
        """What is being built now, "" when nothing is."""
        return self._maker.progress

    @property
    def unkept(self) -> str:
        """Why what was built latest is not kept for the next process, "" where it is, or has no need."""
        return str(getattr(self._maker, "unkept", ""))

    def ready(self, height: int, width: int, steps: int) -> bool:
        return self._maker.quick or (height, width, steps) in self._prepared

    def prepare(self, height: int, width: int, steps: int) -> None:
        key = (height, width, steps)
        self._path(key, False, partial(Layout.registered, (height, width), False))
        # Only now: making the graph takes long enough for a first pair to be seen meanwhile. And before the
        # last one, with which the size is ready.
        if (raw := self._expected.get((height, width))) is not None:
            self._path(key, raw, self._raw_layout(*raw))
        self._path(key, True, partial(Layout.registered, (height, width), True))

    def expect(self, cameras: Cameras) -> None:
        """Let `prepare` do what the first `run_cameras` for pairs like this one would have to do."""
        self._expected[cameras.remap.size[::-1]] = (cameras.remap, upload_dtype(cameras.thermal))

    def run(
        self, rgb: Bytes, thermal: Bytes, relevance: Floats | None, steps: int, controls: Controls
    ) -> tuple[Bytes, float]:
        return self._finished(self.start(rgb, thermal, relevance, steps, controls))

    def takes_cameras(self, height: int, width: int, steps: int) -> bool:
        return True

    def run_cameras(self, cameras: Cameras, steps: int, controls: Controls) -> tuple[Bytes, float]:
        """See TakesCameras."""
        return self._finished(self.start_cameras(cameras, steps, controls))

    @property
    def kept(self) -> Tensor | None:
        return self._kept

    def start(
        self, rgb: Bytes, thermal: Bytes, relevance: Floats | None, steps: int, controls: Controls
    ) -> Ticket:
        """Queue a frame, for `finish` to wait for; the next one of this size is uploaded meanwhile.

        Raises EngineError when two frames are under way.
        """
        size = (thermal.shape[0], thermal.shape[1])
        wanted = relevance is not None
        path = self._path((*size, steps), wanted, partial(Layout.registered, size, wanted))
        images = (rgb, thermal) if relevance is None else (rgb, thermal, relevance)
        return path.start(self._main, self._uploads, images, controls, self.keep)

    def start_cameras(self, cameras: Cameras, steps: int, controls: Controls) -> Ticket:
        """The same for a pair as it comes."""
        remap, dtype = cameras.remap, upload_dtype(cameras.thermal)
        remap.check(cameras.rgb, cameras.thermal.raw)
        path = self._path((*remap.size[::-1], steps), (remap, dtype), self._raw_layout(remap, dtype))
        images = (cameras.rgb, uploaded(cameras.thermal), window_numbers(cameras.thermal))
        return path.start(self._main, self._uploads, images, controls, self.keep)

    def finish(self, ticket: Ticket) -> tuple[Bytes, float]:
        """The image (H, W, 3), the caller's own, and the milliseconds of the network on the device."""
        return finish(ticket)

    def close(self) -> None:
        self._network = self._kept = None
        self._main.record().wait()
        for kept in (self._paths, self._used, self._prepared, self._graphs, self._expected):
            kept.clear()
        self._accelerator.release()

    def _finished(self, ticket: Ticket) -> tuple[Bytes, float]:
        finished = finish(ticket)
        self._kept = ticket.kept
        return finished

    def _raw_layout(self, remap: Remap, dtype: torch.dtype) -> Callable[[], Layout]:
        return partial(Layout.raw, remap, dtype, self._accelerator.device)

    def _path(self, key: _Key, kind: _Kind, layout: Callable[[], Layout]) -> DevicePath:
        self._used[key, kind] = self._graphs_used[self._shape(key)] = next(self._uses)
        path = self._paths.get((key, kind))
        if path is not None:
            return path
        with self._making:
            path = self._paths.get((key, kind))
            if path is None:
                with self._accelerator.chosen():
                    path = self._made(key, layout())
                while len(self._paths) >= MOST_PATHS:
                    self._forget_oldest()
                self._used[key, kind] = next(self._uses)
                self._paths[key, kind] = path
                if all((key, relevance) in self._paths for relevance in (False, True)):
                    self._prepared.add(key)
        return path

    def _forget_oldest(self) -> None:
        oldest = min(self._paths, key=lambda each: self._used.get(each, 0))
        self._paths.pop(oldest)
        self._used.pop(oldest, None)

    def _forget_graphs(self) -> None:
        """Compiled graphs and plans hold memory of the device: those that were used last are kept, and a size
        whose graph is gone is not ready any more."""
        while len(self._graphs) > MOST_PATHS:
            oldest = min(self._graphs, key=lambda each: self._graphs_used.get(each, 0))
            self._graphs.pop(oldest)
            self._graphs_used.pop(oldest, None)
            self._prepared -= {key for key in self._prepared if self._shape(key) == oldest}

    def _shape(self, key: _Key) -> _Key:
        """Of the graph for a size of images and steps: rounded up."""
        height, width, steps = key
        return (*padded(height, width, self._multiple), steps)

    def _made(self, key: _Key, layout: Layout) -> DevicePath:
        if self._network is None:
            raise EngineError("the engine is closed")
        shape = self._shape(key)
        if shape not in self._graphs:
            self._graphs[shape] = self._maker.make(self._network, *shape)
            self._forget_graphs()
        path = DevicePath(self._accelerator, self._graphs[shape], self._multiple, layout)
        path.record(self._accelerator, self._main, self._recordable)
        return path
