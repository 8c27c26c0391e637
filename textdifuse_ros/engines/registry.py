"""Engines by name."""

from __future__ import annotations

from textdifuse_ros.engines.base import Engine, EngineError
from textdifuse_ros.engines.eager import EagerEngine
from textdifuse_ros.model.network import FusionNetwork

ENGINES = ("auto", "eager")


def make_engine(name: str, network: FusionNetwork, device: str = "auto", dtype: str = "auto") -> Engine:
    """Raises EngineError for an unknown name, device or precision."""
    if name not in ENGINES:
        raise EngineError(f"engine {name!r} is not one of {', '.join(ENGINES)}")
    return EagerEngine(network, device, dtype)
