"""Engines by name."""

from __future__ import annotations

from textdifuse_ros.engines import choice
from textdifuse_ros.engines.background import BackgroundEngine
from textdifuse_ros.engines.base import Engine, EngineError
from textdifuse_ros.engines.device import check_dtype, resolve_device
from textdifuse_ros.engines.eager import EagerEngine
from textdifuse_ros.model.network import FusionNetwork

ENGINES = ("auto", *choice.ENGINES)


def make_engine(
    name: str,
    network: FusionNetwork,
    device: str = "auto",
    dtype: str = "auto",
    weights_id: str = "",
    background: bool = False,
) -> Engine:
    """Quick, except that `auto` may measure for a second, see `engines.choice`.

    weights_id: what caches call these weights, "" caches nothing. background: an engine that takes long to
    build is built while eager runs in its place.
    Raises EngineError for an unknown name, device or precision, and for what is not installed here.
    """
    if name not in ENGINES:
        raise EngineError(f"engine {name!r} is not one of {', '.join(ENGINES)}")
    if name == "auto":
        return _automatic(network, device, dtype, weights_id, background)
    if name in ("eager", "compile"):
        dtype = _measured_dtype(network, device, dtype)
    engine = _make(name, network, device, dtype, weights_id)
    if not background or name == "eager":
        return engine
    return BackgroundEngine(EagerEngine(network, device, _measured_dtype(network, device, "auto")), engine)


def _make(name: str, network: FusionNetwork, device: str, dtype: str, weights_id: str) -> Engine:
    """Modules of engines are imported only when they are asked for."""
    if name == "compile":
        from textdifuse_ros.engines.compiled import CompileEngine

        return CompileEngine(network, device, dtype)
    if name == "onnx":
        from textdifuse_ros.engines.onnx_runtime import OnnxEngine

        return OnnxEngine(network, device, dtype, weights_id)
    return EagerEngine(network, device, dtype)


def _automatic(network: FusionNetwork, device: str, dtype: str, weights_id: str, background: bool) -> Engine:
    """Eager at once; where something else may be built meanwhile, what was remembered as faster here."""
    if background and resolve_device(device).type == "cpu":
        best = choice.for_cpu(network)
        if best.engine != "eager" and dtype in ("auto", best.dtype):
            try:
                return make_engine(best.engine, network, device, best.dtype, weights_id, background)
            except EngineError:
                pass  # not installed any more
    return make_engine("eager", network, device, dtype)


def _measured_dtype(network: FusionNetwork, device: str, dtype: str) -> str:
    """ "auto" on a CPU becomes the precision that runs faster here; the rest is the engine's business."""
    resolved = resolve_device(device)
    check_dtype(dtype, resolved)
    if dtype != "auto" or resolved.type != "cpu":
        return dtype
    return choice.for_cpu(network).eager_dtype
