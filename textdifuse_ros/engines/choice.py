"""What `auto` means on this CPU: measured once, remembered, the same for all of a process."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace

import torch

from textdifuse_ros import __version__
from textdifuse_ros.engines import cache
from textdifuse_ros.engines.code_identity import code_id
from textdifuse_ros.engines.compare import compare
from textdifuse_ros.engines.device import cpu_has_fast_bf16, cpu_name
from textdifuse_ros.engines.eager import EagerEngine
from textdifuse_ros.model.network import FusionNetwork

ENTRY = "choices.json"
ENGINES = ("eager", "compile", "onnx")
_DTYPES = ("fp32", "bf16")
_COMPARED = (*_DTYPES, "int8")  # an approximation, if a good one: for who asks, or compares and remembers
_SIZE = (192, 256)
_ROUNDS = 4
_WORTH = 0.95  # the guess stands unless the other takes less than this share of its time

_made: dict[str, Choice] = {}


@dataclass(frozen=True)
class Choice:
    """eager_dtype: the faster precision of the eager engine; engine and dtype: the fastest of all that were
    compared here, which is eager itself until `remember` says otherwise."""

    eager_dtype: str
    engine: str
    dtype: str


def for_cpu(network: FusionNetwork) -> Choice:
    """Remembered from an earlier process, else eager with fp32 or bf16, measured now (about a second)."""
    key = _key(network)
    if key not in _made:
        choice = _remembered().get(key)
        if choice is None:
            dtype = faster_dtype(network)
            choice = Choice(dtype, "eager", dtype)
            _keep(key, choice)
        _made[key] = choice
    return _made[key]


def remember(network: FusionNetwork, engine: str, dtype: str) -> bool:
    """The fastest that was found right, for processes to come; False where the cache cannot be written."""
    return _keep(_key(network), replace(for_cpu(network), engine=engine, dtype=dtype))


def faster_dtype(network: FusionNetwork) -> str:
    """Measured with the eager engine; what the processor says it can where measuring fails.

    bf16 only where its image is within the tolerance of fp32's.
    """
    guess = "bf16" if cpu_has_fast_bf16() else "fp32"
    engines = [EagerEngine(network, "cpu", dtype) for dtype in _DTYPES]
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
    shape = hashlib.sha256(network.config.to_json().encode()).hexdigest()[:12]
    code = f"textdifuse {__version__} {code_id()}"
    return f"{cpu_name()} | torch {torch.__version__} | {code} | shape {shape}"


def _keep(key: str, choice: Choice) -> bool:
    known = {name: asdict(each) for name, each in (_remembered() | {key: choice}).items()}
    return cache.write(ENTRY, (json.dumps(known, indent=2, sort_keys=True) + "\n").encode())


def _remembered() -> dict[str, Choice]:
    """Every entry of the file that says something sensible."""
    try:
        known = json.loads(cache.read(ENTRY) or b"{}")
        choices = {str(key): Choice(**value) for key, value in known.items()}
    except (ValueError, TypeError, AttributeError):
        return {}
    return {key: each for key, each in choices.items() if _is_sensible(each)}


def _is_sensible(choice: Choice) -> bool:
    return choice.engine in ENGINES and choice.dtype in _COMPARED and choice.eager_dtype in _DTYPES
