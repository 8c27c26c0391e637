"""Stand-ins for the two libraries behind engine tensorrt, with names, types and refusals of the real ones.

Signatures: torch-tensorrt 2.9 (`use_explicit_typing`) and 2.14 (without it), TensorRT 10 and 11. The "plan"
is the exported program's own arithmetic, run on the addresses that the engine was given: what is stale,
missing or of another type shows in the image.
"""

from __future__ import annotations

import ctypes
import enum
import importlib.machinery
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.export import ExportedProgram

from textdifuse_ros.engines.tensorrt_operators import unsupported

MAGIC = b"ftrt"
SHARED = "/tmp/torch_tensorrt_engine_cache/timing_cache.bin"  # what the real one uses by default


class DataType(enum.Enum):
    FLOAT, HALF, UINT8 = range(3)


class TensorIOMode(enum.Enum):
    NONE, INPUT, OUTPUT = range(3)


class Logger:
    WARNING = 2

    def __init__(self, min_severity: int = 2) -> None:
        assert min_severity == Logger.WARNING


class FakeTensorRt:
    """Both modules, and what was asked of them."""

    def __init__(self, explicit_typing: bool = False) -> None:
        self.builds: list[dict[str, Any]] = []
        self.programs: dict[bytes, ExportedProgram] = {}
        self.streams: list[int] = []
        self.timings: list[tuple[Path, bytes]] = []  # where a build found measurements of kernels, and which
        self.before_build: Callable[[], None] = lambda: None
        dynamo = types.SimpleNamespace()
        name = "convert_exported_program_to_serialized_trt_engine"
        setattr(dynamo, name, self._convert_2_9 if explicit_typing else self._convert_2_14)
        self.torch_tensorrt = _module("torch_tensorrt")
        self.torch_tensorrt.__version__, self.torch_tensorrt.dynamo = "2.14.0", dynamo
        self.tensorrt = _module("tensorrt")
        self.tensorrt.__version__ = "11.1.0"
        self.tensorrt.Logger, self.tensorrt.DataType = Logger, DataType
        self.tensorrt.TensorIOMode = TensorIOMode
        self.tensorrt.Runtime = lambda logger: _Runtime(self, logger)

    def _convert_2_14(
        self, exported_program: ExportedProgram, inputs: Sequence[Any] | None = None, *,
        arg_inputs: Sequence[Any] | None = None, device: torch.device | str | None = None,
        disable_tf32: bool = False, require_full_compilation: bool = False, min_block_size: int = 5,
        timing_cache_path: str = SHARED, **kwargs: Any,
    ) -> bytes:  # fmt: skip
        assert not kwargs, f"the real one would swallow {kwargs}"
        self._measure(Path(timing_cache_path))
        return self._build(exported_program, arg_inputs, device, disable_tf32=disable_tf32,
                           require_full_compilation=require_full_compilation)  # fmt: skip

    def _convert_2_9(
        self, exported_program: ExportedProgram, inputs: Sequence[Any] | None = None, *,
        arg_inputs: Sequence[Any] | None = None, device: torch.device | str | None = None,
        disable_tf32: bool = False, require_full_compilation: bool = False, min_block_size: int = 5,
        use_explicit_typing: bool = False, timing_cache_path: str = SHARED, **kwargs: Any,
    ) -> bytes:  # fmt: skip
        assert not kwargs, f"the real one would swallow {kwargs}"
        self._measure(Path(timing_cache_path))
        return self._build(exported_program, arg_inputs, device, use_explicit_typing=use_explicit_typing,
                           require_full_compilation=require_full_compilation)  # fmt: skip

    def _measure(self, path: Path) -> None:
        """Reads what is there and writes it anew with more, as the real one does; an error is nobody's."""
        before = path.read_bytes() if path.is_file() else b""
        self.timings.append((path, before))
        if str(path) != SHARED:
            path.write_bytes(before + b"timing ")

    def _build(self, program: Any, inputs: Any, device: Any, **options: Any) -> bytes:
        assert isinstance(program, ExportedProgram)
        assert isinstance(device, torch.device | str)
        self.before_build()
        refused = _refused(program)
        if refused:
            raise RuntimeError(f"Conversion not currently fully supported: {refused}\nand pages more")
        expected = [node.meta["val"] for node in program.graph.nodes if node.name in _user_inputs(program)]
        assert [(each.shape, each.dtype) for each in expected] == [(one.shape, one.dtype) for one in inputs]
        self.builds.append(options)
        plan = MAGIC + len(self.programs).to_bytes(4, "little") + b"\n\x00plan"
        self.programs[plan] = program
        return plan


_known: dict[int, tuple[Any, dict[str, int]]] = {}


def _refused(program: ExportedProgram) -> dict[str, int]:
    if id(program) not in _known:
        _known[id(program)] = (program, unsupported(program))
    return _known[id(program)][1]


def _module(name: str) -> Any:
    made = types.ModuleType(name)
    made.__spec__ = importlib.machinery.ModuleSpec(name, None)  # others ask whether it is installed
    return made


def _user_inputs(program: ExportedProgram) -> tuple[str, ...]:
    return tuple(program.graph_signature.user_inputs)


class _Runtime:
    engine_host_code_allowed = False

    def __init__(self, library: FakeTensorRt, logger: Logger) -> None:
        assert isinstance(logger, Logger)
        self._library = library

    def deserialize_cuda_engine(self, serialized_engine: bytes) -> _Engine | None:
        assert not self.engine_host_code_allowed
        program = self._library.programs.get(bytes(serialized_engine))
        return None if program is None else _Engine(self._library, program)


class _Engine:
    def __init__(self, library: FakeTensorRt, program: ExportedProgram) -> None:
        self.library, self.program = library, program
        values = {node.name: node.meta["val"] for node in program.graph.nodes if "val" in node.meta}
        self.inputs = {name: values[name] for name in _user_inputs(program)}
        outputs = [values[name] for name in program.graph_signature.user_outputs]
        self.tensors: dict[str, Tensor] = {**self.inputs, "output0": outputs[0]}

    @property
    def num_io_tensors(self) -> int:
        return len(self.tensors)

    def get_tensor_name(self, index: int) -> str:
        return list(self.tensors)[index]

    def get_tensor_mode(self, name: str) -> TensorIOMode:
        return TensorIOMode.INPUT if name in self.inputs else TensorIOMode.OUTPUT

    def get_tensor_shape(self, name: str) -> list[int]:
        return list(self.tensors[name].shape)

    def get_tensor_dtype(self, name: str) -> DataType:
        return {torch.float32: DataType.FLOAT, torch.uint8: DataType.UINT8}[self.tensors[name].dtype]

    def create_execution_context(self) -> _Context:
        return _Context(self)


class _Context:
    def __init__(self, engine: _Engine) -> None:
        self._engine = engine
        self._addresses: dict[str, int] = {}

    def set_tensor_address(self, name: str, memory: int) -> bool:
        assert isinstance(memory, int)
        self._addresses[name] = memory
        return name in self._engine.tensors and memory != 0

    def execute_async_v3(self, stream_handle: int) -> bool:
        if set(self._addresses) != set(self._engine.tensors):
            return False
        self._engine.library.streams.append(stream_handle)
        given = {name: torch.from_numpy(self._memory(name).copy()) for name in self._engine.inputs}
        with torch.no_grad():
            self._memory("output0")[:] = self._engine.program.module()(*given.values()).numpy()
        return True

    def _memory(self, name: str) -> np.ndarray:
        """The floats that lie at the address, planes one after another as TensorRT takes them."""
        shape = tuple(self._engine.tensors[name].shape)
        count = int(np.prod(shape))
        array = (ctypes.c_float * count).from_address(self._addresses[name])
        return np.ctypeslib.as_array(array).reshape(shape)
