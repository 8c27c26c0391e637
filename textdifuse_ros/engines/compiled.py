"""torch.compile (inductor): the graph as C++ on the CPU, as Triton kernels on CUDA."""

from __future__ import annotations

import os
import shutil
import threading
from typing import Any

import numpy as np
import torch

from textdifuse_ros.engines import cache, int8
from textdifuse_ros.engines.base import EngineError
from textdifuse_ros.engines.eager import EagerEngine
from textdifuse_ros.engines.frames import Frames, padded
from textdifuse_ros.engines.graph import FusionGraph, Graph
from textdifuse_ros.engines.program import export_on
from textdifuse_ros.model.controls import ALL
from textdifuse_ros.model.network import FusionNetwork

MOST_SHAPES = 48  # combinations of size and steps in one process; what comes after them runs eagerly
_AT_WORK = "torch.compile is at work"
_Key = tuple[int, int, int]


class CompileEngine(EagerEngine):
    """One compilation for each size and number of steps: a fixed shape compiles in a tenth of the time that a
    variable one takes, and a camera has one size. Compiled kernels are kept in the cache folder."""

    name = "compile"

    def __init__(self, network: FusionNetwork, device: str = "auto", dtype: str = "auto") -> None:
        check_compilable(network)
        super().__init__(network, device, dtype)
        self._opened().frugal = False  # one graph for all frames cannot ask what is in them
        self._lock = threading.Lock()
        self._prepared: set[_Key] = set()
        self._graphs: dict[int, Any] = {}
        self._building = False

    @property
    def progress(self) -> str:
        """What `prepare` is doing now, "" when it is not running."""
        return _AT_WORK if self._building else ""

    def ready(self, height: int, width: int, steps: int) -> bool:
        return self._key(height, width, steps) in self._prepared or len(self._prepared) >= MOST_SHAPES

    def prepare(self, height: int, width: int, steps: int) -> None:
        key = self._key(height, width, steps)
        with self._lock:
            if not self.ready(height, width, steps):
                self._building = True
                try:
                    self._compile(key)
                finally:
                    self._building = False
                self._prepared.add(key)

    def close(self) -> None:
        super().close()
        self._graphs.clear()

    def _graph(self, height: int, width: int, steps: int) -> Graph:
        self._opened()
        if not self.ready(height, width, steps):
            self.prepare(height, width, steps)
        if self._key(height, width, steps) not in self._prepared:
            return super()._graph(height, width, steps)
        compiled: Graph = self._graphs[steps]
        return compiled

    def _key(self, height: int, width: int, steps: int) -> _Key:
        return (*padded(height, width, self._multiple), steps)

    def _compile(self, key: _Key) -> None:
        height, width, steps = key
        network = self._opened()
        if self.dtype == "int8":
            eager = FusionGraph(network, steps)
            int8.pin(network, lambda: _run_on_black(eager, self._multiple, self._device, height, width))
        torch._dynamo.config.recompile_limit = max(torch._dynamo.config.recompile_limit, MOST_SHAPES)
        if steps not in self._graphs:
            graph = FusionGraph(network, steps)
            self._graphs[steps] = torch.compile(graph, dynamic=False, fullgraph=True)
        _run_on_black(self._graphs[steps], self._multiple, self._device, height, width)


class CompileMaker:
    """The same for a CUDA device: Triton's kernels, which `engines.cuda` then records."""

    name, quick = "compile", False

    def __init__(self, network: FusionNetwork, dtype: str) -> None:
        check_compilable(network)
        self._dtype = dtype
        self._building = False

    @property
    def progress(self) -> str:
        return _AT_WORK if self._building else ""

    def make(self, network: FusionNetwork, height: int, width: int, steps: int) -> Graph:
        self._building = True
        try:
            device = next(network.parameters()).device
            program = export_on(network, steps, self._dtype, (height, width), device)
            graph: Graph = torch.compile(program.module(), dynamic=False, fullgraph=True)
            _run_on_black(graph, network.config.multiple, device, height, width)
            return graph
        finally:
            self._building = False


def _run_on_black(graph: Graph, multiple: int, device: torch.device, height: int, width: int) -> None:
    """Images that are laid out as cameras' are: what torch.compile was given is compiled by it."""
    frames = Frames(multiple, device)
    black = np.zeros((height, width, 3), np.uint8)
    try:
        with torch.inference_mode():
            graph(*frames.bring(black, black[..., 0], None), frames.controls(ALL))
    except Exception as error:  # dynamo and inductor raise many kinds, and none of them is for a user
        raise EngineError(f"engine compile: {_reason(error)}; use engine eager or onnx") from error


def check_compilable(network: FusionNetwork) -> None:
    """Raises EngineError for a teacher, and where there is no compiler; sets where kernels are kept."""
    if network.config.start_noise:
        raise EngineError("engine compile is for students: a teacher starts from noise, use engine eager")
    _check_compiler()
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(cache.folder() / "inductor"))


def _check_compiler() -> None:
    compiler = os.environ.get("CXX", "g++")
    if shutil.which(compiler) is None:
        raise EngineError(
            f"engine compile needs a C++ compiler, and there is no {compiler}: apt install g++ python3-dev, "
            "or use engine eager or onnx"
        )


def _reason(error: Exception) -> str:
    """The first line that says something, with the way out where Python's headers are what is missing."""
    if "Python.h" in str(error):
        return "the C++ compiler finds no Python.h (apt install python3-dev)"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
