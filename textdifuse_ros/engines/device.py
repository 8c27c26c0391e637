"""Devices and precisions by name."""

from __future__ import annotations

import platform
from pathlib import Path

import torch

from textdifuse_ros.engines.base import EngineError

# What the weights are kept in; with int8 the convolutions are made of them along with the engine (`int8`).
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16, "int8": torch.float32}
_VECTORS = ("avx", "amx", "sve", "sme")
_MORE = ("fma", "asimd", "asimddp", "bf16", "i8mm")


def resolve_device(device: str) -> torch.device:
    """ "auto" is CUDA where torch finds it, else the CPU. Raises EngineError for one that is not there."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        resolved = torch.device(device)
    except RuntimeError as error:
        raise EngineError(f"device {device!r} is not a device; use auto, cpu, cuda or cuda:N") from error
    if resolved.type not in ("cpu", "cuda"):
        raise EngineError(f"device {device!r} is not supported; use auto, cpu, cuda or cuda:N")
    if resolved.type == "cuda" and not torch.cuda.is_available():
        raise EngineError(f"device {device!r}: this torch ({torch.__version__}) finds no CUDA; use cpu")
    if resolved.type == "cuda" and (resolved.index or 0) >= torch.cuda.device_count():
        raise EngineError(f"device {device!r}: only {torch.cuda.device_count()} CUDA devices here")
    return resolved


def _cpu_line(name: str) -> str:
    """What Linux says of the first processor, "" where it says nothing."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")


def cpu_name() -> str:
    """Model of this processor."""
    return _cpu_line("model name") or platform.processor() or platform.machine()


def cpu_flags() -> tuple[str, ...]:
    """What this processor computes vectors and matrices with, as Linux names it (of x86-64 and of ARM).

    The model's name does not say: a virtual machine may show less than the processor has.
    """
    flags = {*_cpu_line("flags").split(), *_cpu_line("Features").split()}
    return tuple(sorted(flag for flag in flags if flag.startswith(_VECTORS) or flag in _MORE))


def cpu_has_fast_bf16() -> bool:
    """Whether this processor multiplies bfloat16 in hardware (AMX or AVX-512 BF16, as Linux names them)."""
    flags = _cpu_line("flags").split()
    return "amx_bf16" in flags or "avx512_bf16" in flags


def cpu_has_int8() -> bool:
    """Whether this processor adds 8-bit products in hardware (VNNI or AMX, as Linux names them)."""
    return not {"avx512_vnni", "avx_vnni", "amx_int8"}.isdisjoint(_cpu_line("flags").split())


def check_dtype(dtype: str, device: torch.device) -> None:
    """Raises EngineError for a precision, "auto" included, that is unknown or not for this device."""
    if dtype != "auto" and dtype not in DTYPES:
        raise EngineError(f"dtype {dtype!r} is not one of auto, {', '.join(DTYPES)}")
    if dtype == "fp16" and device.type == "cpu":
        raise EngineError("dtype fp16 needs a CUDA device; use fp32, bf16 or int8 on the CPU")
    if dtype == "int8" and device.type != "cpu":
        raise EngineError("dtype int8 is for the CPU; use fp16, bf16 or fp32 on a CUDA device")


def resolve_dtype(dtype: str, device: torch.device) -> str:
    """ "auto": fp16 on CUDA; on a CPU bf16 where the hardware has it, else fp32 (`choice` measures)."""
    check_dtype(dtype, device)
    if dtype != "auto":
        return dtype
    if device.type == "cuda":
        return "fp16"
    return "bf16" if cpu_has_fast_bf16() else "fp32"
