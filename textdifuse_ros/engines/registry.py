"""Engines by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textdifuse_ros.engines import choice
from textdifuse_ros.engines.background import BackgroundEngine
from textdifuse_ros.engines.base import Engine, EngineError
from textdifuse_ros.engines.device import check_dtype, resolve_device, resolve_dtype
from textdifuse_ros.engines.eager import EagerEngine
from textdifuse_ros.model.network import FusionNetwork

if TYPE_CHECKING:
    from textdifuse_ros.engines.accelerator import Accelerator

ENGINES = ("auto", *choice.ENGINES, "tensorrt")


def make_engine(
    name: str,
    network: FusionNetwork,
    device: str = "auto",
    dtype: str = "auto",
    weights_id: str = "",
    background: bool = False,
    threads: int = 0,
) -> Engine:
    """Quick, except that `auto` may measure for a second, see `engines.choice`.

    weights_id: what caches call these weights, "" caches nothing. background: an engine that takes long to
    build is built while eager runs in its place; tensorrt may then be missing altogether. threads: of the
    CPU, for the thread in which it is built; the caller sets its own with `use_threads`.
    Raises EngineError for an unknown name, device or precision, and for what is not installed here.
    """
    if name not in ENGINES:
        raise EngineError(f"engine {name!r} is not one of {', '.join(ENGINES)}")
    if name == "auto":
        return _automatic(network, device, dtype, weights_id, background, threads)
    if name in ("eager", "compile"):
        dtype = _measured_dtype(network, device, dtype)
    try:
        engine = _make(name, network, device, dtype, weights_id)
    except EngineError as error:
        if background and name == "tensorrt":  # what it needs is installed apart: the node goes on without
            return BackgroundEngine(_eager(network, device, dtype), None, str(error))
        raise
    if not background or name == "eager":
        return engine
    return BackgroundEngine(_eager(network, device, engine.dtype), engine, threads=threads)


def _eager(network: FusionNetwork, device: str, dtype: str) -> Engine:
    """In this precision; in its own choice where that is none for the device, as fp16 is none for a CPU."""
    try:
        return make_engine("eager", network, device, dtype)
    except EngineError:
        return make_engine("eager", network, device, "auto")


def _make(name: str, network: FusionNetwork, device: str, dtype: str, weights_id: str) -> Engine:
    """Modules of engines are imported only when they are asked for."""
    if name == "onnx":
        from textdifuse_ros.engines.onnx_runtime import OnnxEngine

        return OnnxEngine(network, device, dtype, weights_id)
    resolved = resolve_device(device)
    check_dtype(dtype, resolved)
    if resolved.type == "cuda":
        from textdifuse_ros.engines.accelerator import TorchCuda

        return on_accelerator(name, network, TorchCuda(resolved), resolve_dtype(dtype, resolved))
    if name == "tensorrt":
        raise EngineError("engine tensorrt needs a CUDA device; use engine auto on the CPU")
    if name == "compile":
        from textdifuse_ros.engines.compiled import CompileEngine

        return CompileEngine(network, device, dtype)
    return EagerEngine(network, device, dtype)


def on_accelerator(name: str, network: FusionNetwork, accelerator: Accelerator, dtype: str) -> Engine:
    """eager, compile or tensorrt with the whole path on a device. dtype: fp32, bf16 or fp16."""
    from textdifuse_ros.engines.cuda import CudaEngine, EagerMaker, Maker

    maker: Maker
    if name == "tensorrt":
        from textdifuse_ros.engines.tensorrt_engine import TensorRtMaker

        maker = TensorRtMaker(network, accelerator, dtype)
    elif name == "compile":
        from textdifuse_ros.engines.compiled import CompileMaker

        maker = CompileMaker(network, dtype)
    else:
        maker = EagerMaker()
    return CudaEngine(maker, network, accelerator, dtype)


def _automatic(
    network: FusionNetwork, device: str, dtype: str, weights_id: str, background: bool, threads: int
) -> Engine:
    """Eager at once; where something else may be built meanwhile, what was remembered as faster here."""
    if background and resolve_device(device).type == "cpu":
        best = choice.for_cpu(network)
        as_measured = (best.engine, best.dtype) == ("eager", best.eager_dtype)
        if not as_measured and dtype in ("auto", best.dtype):
            try:
                return make_engine(best.engine, network, device, best.dtype, weights_id, background, threads)
            except EngineError:
                pass  # not installed any more, or not for these weights
    return make_engine("eager", network, device, dtype)


def _measured_dtype(network: FusionNetwork, device: str, dtype: str) -> str:
    """ "auto" on a CPU becomes the precision that runs faster here; the rest is the engine's business."""
    resolved = resolve_device(device)
    check_dtype(dtype, resolved)
    if dtype != "auto" or resolved.type != "cpu":
        return dtype
    return choice.for_cpu(network).eager_dtype
