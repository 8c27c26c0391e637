"""A serialised TensorRT engine ("plan") on disk: what it is for, and whether it may be used.

A plan is code for the GPU, so an entry is used only when it lies in a folder of this user's alone, its file
is whole (see `cache`), it says of itself that it is for exactly this machine and network, and its own
checksum fits. It holds nothing that Python would run: a line of JSON, then TensorRT's bytes.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from textdifuse_ros import __version__
from textdifuse_ros.engines import cache
from textdifuse_ros.engines.code_identity import code_id
from textdifuse_ros.model.network import FusionNetwork

_FORMAT = "textdifuse tensorrt plan 1"
_TIMINGS = "timing_cache.bin"
_DRIVER = Path("/proc/driver/nvidia/version")


@dataclass(frozen=True)
class PlanKey:
    """Everything that a plan depends on. height, width: multiples of the network's; weights: SHA-256; package
    and code: version of this package, and of which sources the graph is made."""

    gpu: str
    driver: str
    tensorrt: str
    torch_tensorrt: str
    torch: str
    package: str
    code: str
    weights: str
    height: int
    width: int
    steps: int
    dtype: str

    @property
    def entry(self) -> str:
        """Name in the cache folder."""
        digest = hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()
        return f"tensorrt/{digest[:32]}.plan"


def load(key: PlanKey) -> bytes | None:
    """The plan for this key, None where there is none that can be trusted."""
    content = cache.read(key.entry, private=True)
    if content is None:
        return None
    line, _, plan = content.partition(b"\n")
    try:
        header = json.loads(line)
    except ValueError:
        header = None
    if header != _header(key, plan):
        cache.refuse(key.entry, "it is a plan for something else, or none")
        return None
    return plan


def store(key: PlanKey, plan: bytes) -> bool:
    """False where the cache folder cannot be written, or is not one that `load` would read from."""
    line = json.dumps(_header(key, plan), sort_keys=True).encode()
    return cache.write(key.entry, line + b"\n" + plan) and load(key) == plan


@contextmanager
def timings(machine: Mapping[str, str]) -> Iterator[Path]:
    """A file in a folder of this build's own, for what TensorRT measures of its kernels.

    It holds what an earlier build of this machine has measured, if that can be trusted as a plan can, and is
    kept for the next one. Left to itself torch-tensorrt reads and writes one that all users share.
    """
    digest = hashlib.sha256(json.dumps(dict(machine), sort_keys=True).encode()).hexdigest()
    entry = f"tensorrt/{digest[:32]}.timings"
    with tempfile.TemporaryDirectory(prefix="textdifuse-") as own:
        path = Path(own) / _TIMINGS
        before = cache.read(entry, private=True)
        if before is not None:
            path.write_bytes(before)
        yield path
        if path.is_file() and path.read_bytes() != before:
            cache.write(entry, path.read_bytes())


def weights_digest(network: FusionNetwork) -> str:
    """SHA-256 over the network's shape and every number in it, wherever it came from."""
    digest = hashlib.sha256(network.config.to_json().encode())
    for name, value in sorted(network.state_dict().items()):
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def make_key(
    machine: Mapping[str, str], weights: str, height: int, width: int, steps: int, dtype: str
) -> PlanKey:
    """machine: gpu, driver, tensorrt and torch_tensorrt, see `tensorrt_runtime.machine`."""
    return PlanKey(
        **machine, torch=torch.__version__, package=__version__, code=code_id(),
        weights=weights, height=height, width=width, steps=steps, dtype=dtype,
    )  # fmt: skip


def driver_version() -> str:
    """NVIDIA's driver as the kernel names it. Where it does not, as in some containers, the newest CUDA that
    the driver serves; "" where torch cannot ask for that."""
    try:
        return _DRIVER.read_text(encoding="utf-8").partition("\n")[0].strip()
    except OSError:
        pass
    ask = getattr(torch._C, "_cuda_getDriverVersion", None)
    return "" if ask is None else f"CUDA {ask()}"


def _header(key: PlanKey, plan: bytes) -> dict[str, object]:
    return {"format": _FORMAT, "sha256": hashlib.sha256(plan).hexdigest(), **asdict(key)}
