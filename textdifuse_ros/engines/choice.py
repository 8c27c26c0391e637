"""What `auto` means on this CPU: measured once, remembered, the same for all of a process."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import torch

from textdifuse_ros import __version__
from textdifuse_ros.engines.choice_file import EAGER_DTYPES, ENGINES, ENTRY, Choice, keep, kept
from textdifuse_ros.engines.code_identity import code_id
from textdifuse_ros.engines.compare import compare
from textdifuse_ros.engines.device import cpu_flags, cpu_has_fast_bf16, cpu_name
from textdifuse_ros.engines.eager import EagerEngine
from textdifuse_ros.model.network import FusionNetwork

__all__ = ["ENGINES", "ENTRY", "Choice", "faster_dtype", "for_cpu", "remember"]

_SIZE = (192, 256)
_ROUNDS = 4
_WORTH = 0.95  # the guess stands unless the other takes less than this share of its time

_made: dict[str, Choice] = {}


def for_cpu(network: FusionNetwork) -> Choice:
    """Remembered from an earlier process, else eager with fp32 or bf16, measured now (about a second)."""
    key = _key(network)
    if key not in _made:
        choice = kept(key)
        if choice is None:
            dtype = faster_dtype(network)
            choice = Choice(dtype, "eager", dtype)
            keep(key, choice)
        _made[key] = choice
    return _made[key]


def remember(network: FusionNetwork, engine: str, dtype: str) -> bool:
    """The fastest that was found right, for processes to come; False where the cache cannot be written."""
    return keep(_key(network), replace(for_cpu(network), engine=engine, dtype=dtype))


def faster_dtype(network: FusionNetwork) -> str:
    """Measured with the eager engine; what the processor says it can where measuring fails.

    bf16 only where its image is within the tolerance of fp32's.
    """
    guess = "bf16" if cpu_has_fast_bf16() else "fp32"
    engines = [EagerEngine(network, "cpu", dtype) for dtype in EAGER_DTYPES]
    try:
        full, half = compare(engines, *_SIZE, 1, _ROUNDS)
    except RuntimeError:
        return guess
    if not half.is_right:
        return "fp32"
    ratio = min(half.model_ms) / min(full.model_ms)
    if guess == "bf16":
        return "fp32" if ratio * _WORTH > 1 else "bf16"
    return "bf16" if ratio < _WORTH else "fp32"


def _key(network: FusionNetwork) -> str:
    """Of the calling thread: with more threads another precision or engine may be the faster one."""
    shape = hashlib.sha256(network.config.to_json().encode()).hexdigest()[:12]
    code = f"textdifuse {__version__} {code_id()}"
    machine = f"{cpu_name()} | {' '.join(cpu_flags())} | threads {torch.get_num_threads()}"
    return f"{machine} | torch {torch.__version__} | {code} | shape {shape}"
