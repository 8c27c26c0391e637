"""onnxruntime, on the CPU or on CUDA."""

from __future__ import annotations

import importlib
import threading
import time
from typing import Any

import torch

from textdifuse_ros import __version__
from textdifuse_ros.engines import cache
from textdifuse_ros.engines.base import Bytes, EngineError, Floats
from textdifuse_ros.engines.device import check_dtype, resolve_device
from textdifuse_ros.engines.frames import Frames, crop
from textdifuse_ros.engines.graph import INPUT_NAMES, OUTPUT_NAME
from textdifuse_ros.engines.onnx_export import export_onnx, metadata
from textdifuse_ros.engines.program import check_exportable
from textdifuse_ros.model.controls import Controls
from textdifuse_ros.model.network import FusionNetwork

_CUDA = "CUDAExecutionProvider"


class OnnxEngine:
    """The exported graph, one session for each number of steps, for any size.

    The graph is exported when it is first needed and kept in the cache folder under the weights' name.
    weights_id: of `model.weights.identity`; "" keeps nothing. onnx and onnxscript are needed to export, not
    to run what is in the cache.
    """

    name = "onnx"

    def __init__(
        self, network: FusionNetwork, device: str = "auto", dtype: str = "auto", weights_id: str = ""
    ) -> None:
        check_exportable(network)
        self._runtime = _runtime()
        self.device = _device(device, self._runtime.get_available_providers())
        self.dtype = _dtype(dtype, self.device)
        self.steps = network.config.steps
        self._network: FusionNetwork | None = network
        self._weights_id = weights_id
        self._sessions: dict[int, Any] = {}
        self._lock = threading.Lock()
        self._progress = ""
        self._frames = Frames(network.config.multiple, torch.device("cpu"), planar=True)

    @property
    def progress(self) -> str:
        """What `prepare` is doing now, "" when it is not running."""
        return self._progress

    def ready(self, height: int, width: int, steps: int) -> bool:
        return steps in self._sessions

    def prepare(self, height: int, width: int, steps: int) -> None:
        with self._lock:
            try:
                if steps not in self._sessions:
                    self._sessions[steps] = self._cached(steps) or self._exported(steps)
            finally:
                self._progress = ""

    def run(
        self, rgb: Bytes, thermal: Bytes, relevance: Floats | None, steps: int, controls: Controls
    ) -> tuple[Bytes, float]:
        height, width = thermal.shape
        session = self._sessions.get(steps)
        if session is None:
            self.prepare(height, width, steps)
            session = self._sessions[steps]
        with torch.inference_mode():
            sources = (*self._frames.bring(rgb, thermal, relevance), self._frames.controls(controls))
            given = {name: value.numpy() for name, value in zip(INPUT_NAMES, sources, strict=True)}
            began = time.perf_counter()
            try:
                fused = session.run([OUTPUT_NAME], given)[0]
            except Exception as error:  # onnxruntime has its own kinds
                raise EngineError(f"engine onnx: {_line(error)}") from error
            model_ms = (time.perf_counter() - began) * 1e3
            return crop(torch.from_numpy(fused), height, width), model_ms

    def close(self) -> None:
        self._network = None
        self._sessions.clear()

    def _opened(self) -> FusionNetwork:
        if self._network is None:
            raise EngineError("the engine is closed")
        return self._network

    def _entry(self, steps: int) -> str:
        return f"{self._weights_id}-{steps}-{self.dtype}-{__version__}.onnx"

    def _cached(self, steps: int) -> Any | None:
        """A session for the graph in the cache, None unless it is whole and says that it is the one."""
        expected = metadata(self._opened(), steps, self.dtype, self._weights_id)
        content = cache.read(self._entry(steps)) if self._weights_id else None
        if content is None:
            return None
        try:
            session = self._session(content)
        except EngineError as error:
            cache.refuse(self._entry(steps), str(error))
            return None
        if session.get_modelmeta().custom_metadata_map != expected:
            cache.refuse(
                self._entry(steps), "it was made of other weights or by another state of this package"
            )
            return None
        return session

    def _exported(self, steps: int) -> Any:
        self._progress = "exporting the graph"
        content = export_onnx(self._opened(), steps, self.dtype, weights_id=self._weights_id)
        self._progress = "onnxruntime is loading the graph"
        session = self._session(content)
        if self._weights_id:
            cache.write(self._entry(steps), content)
        return session

    def _session(self, content: bytes) -> Any:
        options = self._runtime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 3  # errors
        # Threads wait for each other by spinning, and not for the next frame: other processes need the cores.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        providers: list[Any] = ["CPUExecutionProvider"]
        if self.device != "cpu":
            # fp32 means all 24 bits, as with the other engines.
            options_of_cuda = {"device_id": torch.device(self.device).index or 0, "use_tf32": "0"}
            providers.insert(0, (_CUDA, options_of_cuda))
        try:
            session = self._runtime.InferenceSession(content, options, providers=providers)
        except Exception as error:  # onnxruntime has its own kinds
            raise EngineError(f"engine onnx: {_line(error)}") from error
        if self.device != "cpu" and _CUDA not in session.get_providers():
            raise EngineError("engine onnx: onnxruntime could not start CUDA here; use device cpu")
        return session


def _runtime() -> Any:
    try:
        return importlib.import_module("onnxruntime")
    except ImportError as error:
        raise EngineError(
            "engine onnx needs onnxruntime, and onnx and onnxscript to export to it: "
            "pip install onnxruntime onnx onnxscript"
        ) from error


def _device(device: str, providers: list[str]) -> str:
    if device == "auto":
        device = str(resolve_device(device))  # a GPU that torch has is not left idle without a word
    try:
        kind = torch.device(device).type
    except RuntimeError:
        kind = ""
    if kind not in ("cpu", "cuda"):
        raise EngineError(f"device {device!r} is not one of engine onnx: use auto, cpu, cuda or cuda:N")
    if kind == "cuda" and _CUDA not in providers:
        raise EngineError(
            f"device {device!r}: this onnxruntime has no {_CUDA} (pip install onnxruntime-gpu, or use cpu)"
        )
    return device


def _dtype(dtype: str, device: str) -> str:
    check_dtype(dtype, torch.device(device))
    if dtype in ("bf16", "int8"):
        raise EngineError(f"engine onnx computes in fp32 on the CPU and fp16 or fp32 on CUDA, not in {dtype}")
    if dtype == "auto":
        return "fp32" if device == "cpu" else "fp16"
    return dtype


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
