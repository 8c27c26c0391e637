"""TensorRT at the two places where it is touched: a plan is built by torch-tensorrt, and run by tensorrt."""

from __future__ import annotations

import importlib
import inspect
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from textdifuse_ros.engines.accelerator import Accelerator
from textdifuse_ros.engines.base import EngineError
from textdifuse_ros.engines.graph import INPUT_NAMES
from textdifuse_ros.engines.program import example
from textdifuse_ros.engines.tensorrt_plan import driver_version

if TYPE_CHECKING:
    from torch.export import ExportedProgram

_RELEASE = ".".join((*torch.__version__.split(".")[:2], "0"))  # torch-tensorrt has torch's numbers
INSTALL = f"pip install torch-tensorrt=={_RELEASE} (the release for this torch, see docs/engines.md)"


class Libraries:
    """tensorrt and torch_tensorrt. Raises EngineError with what to install where one cannot be imported."""

    def __init__(self) -> None:
        self.tensorrt = _imported("tensorrt")
        self.torch_tensorrt = _imported("torch_tensorrt")

    def machine(self, accelerator: Accelerator) -> dict[str, str]:
        """What a plan depends on beside the network."""
        return {
            "gpu": accelerator.gpu,
            "driver": driver_version(),
            "tensorrt": str(self.tensorrt.__version__),
            "torch_tensorrt": str(self.torch_tensorrt.__version__),
        }


def build(
    libraries: Libraries, program: ExportedProgram, height: int, width: int, device: str, timings: Path
) -> bytes:
    """A plan from the exported program of a fixed size: minutes. Raises EngineError with the reason.

    timings: the file that TensorRT reads and writes its measurements of kernels in.
    """
    convert = libraries.torch_tensorrt.dynamo.convert_exported_program_to_serialized_trt_engine
    options: dict[str, Any] = {
        "device": torch.device(device),
        "require_full_compilation": True,
        "min_block_size": 1,
        "disable_tf32": True,
    }
    known = inspect.signature(convert).parameters
    # Older releases must be told to keep the graph's types; newer ones always do.
    if "use_explicit_typing" in known:
        options["use_explicit_typing"] = True
    if "timing_cache_path" in known:
        options["timing_cache_path"] = str(timings)
    inputs = tuple(each.to(device) for each in example(height, width, as_bytes=False))
    try:
        plan = convert(program, arg_inputs=inputs, **options)
    except Exception as error:  # torch, torch-tensorrt and TensorRT raise many kinds, and none is for a user
        raise EngineError(f"engine tensorrt could not be built: {_line(error)}") from error
    return bytes(plan)


class PlanRunner:
    """`FusionGraph.forward` by a plan. Raises EngineError for a plan that is none of this graph's."""

    def __init__(
        self, libraries: Libraries, plan: bytes, accelerator: Accelerator, height: int, width: int
    ) -> None:
        self._trt, self._accelerator = libraries.tensorrt, accelerator
        self._runtime = self._trt.Runtime(self._trt.Logger(self._trt.Logger.WARNING))
        self._runtime.engine_host_code_allowed = False  # the default, and what a plan can be trusted with
        self._engine = self._runtime.deserialize_cuda_engine(plan)
        if self._engine is None:
            raise EngineError("engine tensorrt: TensorRT does not read this plan")
        self._output, self._shape = self._checked(height, width)
        self._context = self._engine.create_execution_context()
        if self._context is None:
            raise EngineError("engine tensorrt: TensorRT finds no memory to run in; use engine eager")
        self._lock = threading.Lock()  # addresses and launch belong together

    def __call__(self, rgb: Tensor, thermal: Tensor, relevance: Tensor, controls: Tensor) -> Tensor:
        # TensorRT casts no 8-bit values, and wants planes.
        sources = [each.float().contiguous() for each in (rgb, thermal, relevance, controls)]
        fused = torch.empty(self._shape, device=rgb.device)
        names = (*INPUT_NAMES, self._output)
        with self._lock:
            for name, tensor in zip(names, (*sources, fused), strict=True):
                if not self._context.set_tensor_address(name, tensor.data_ptr()):
                    raise EngineError(f"engine tensorrt: TensorRT refuses the memory of {name}")
            if not self._context.execute_async_v3(self._accelerator.current()):
                raise EngineError("engine tensorrt: TensorRT could not launch the plan")
        return fused.to(torch.uint8)

    def _checked(self, height: int, width: int) -> tuple[str, tuple[int, ...]]:
        """Name and shape of the output. The inputs must be those of the graph, all of them float."""
        trt, engine = self._trt, self._engine
        names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
        shapes = {name: tuple(engine.get_tensor_shape(name)) for name in names}
        outputs = [name for name in names if engine.get_tensor_mode(name) == trt.TensorIOMode.OUTPUT]
        given = example(height, width, as_bytes=False)
        expected = {name: tuple(each.shape) for name, each in zip(INPUT_NAMES, given, strict=True)}
        floats = all(engine.get_tensor_dtype(name) == trt.DataType.FLOAT for name in names)
        expected |= dict.fromkeys(outputs, (1, 3, height, width))
        if len(outputs) != 1 or shapes != expected or not floats:
            raise EngineError(f"engine tensorrt: the plan takes and gives {shapes}, not {expected} as float")
        return outputs[0], shapes[outputs[0]]


def _imported(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except Exception as error:  # its own libraries are missing, or it is for another torch: many kinds
        raise EngineError(f"engine tensorrt needs {name}: {INSTALL} ({_line(error)})") from error


def _line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
