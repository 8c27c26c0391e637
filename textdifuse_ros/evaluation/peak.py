"""What this machine could do at most, and what a process took of it."""

from __future__ import annotations

import resource
import time

import torch

from textdifuse_ros.engines.device import DTYPES

_RUNS = 5
_ENOUGH = 4.0  # seconds after which a slow product has been timed often enough


def peak_gmacs(device: str, dtype: str) -> float:
    """10^9 multiply-accumulate operations a second of a large matrix product in this precision (the best of a
    few, with torch's number of threads): what a network of convolutions cannot exceed.

    On a CPU at least what fp32 reaches: without instructions for bf16 torch has no fast product of it, but
    its convolutions widen the numbers and multiply those.
    """
    if device != "cpu" or dtype == "fp32":
        return _product_gmacs(device, dtype)
    return max(_product_gmacs(device, dtype), _product_gmacs(device, "fp32"))


def _product_gmacs(device: str, dtype: str) -> float:
    side = 1536 if device == "cpu" else 8192
    place = torch.device(device)
    generator = torch.Generator().manual_seed(0)
    left, right = (torch.randn(side, side, generator=generator).to(place, DTYPES[dtype]) for _ in range(2))
    if dtype == "int8":
        left, right = ((40 * each).clamp(-127, 127).to(torch.int8) for each in (left, right))
    best, spent = float("inf"), 0.0
    with torch.inference_mode():
        for _ in range(_RUNS + 1):
            began = _now(place)
            torch._int_mm(left, right) if dtype == "int8" else torch.mm(left, right)
            seconds = _now(place) - began
            best, spent = min(best, seconds), spent + seconds
            if spent > _ENOUGH:
                break
    return side**3 / best / 1e9


def peak_memory_mb() -> float:
    """Most resident memory of this process so far, 10^6 bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def memory_mb(device: str) -> tuple[float, float]:
    """What this process holds, and what anybody holds of a CUDA device (0 for the CPU), 10^6 bytes."""
    with open("/proc/self/statm", encoding="ascii") as file:
        resident = int(file.read().split()[1]) * resource.getpagesize() / 1e6
    if not device.startswith("cuda"):
        return resident, 0.0
    free, total = torch.cuda.mem_get_info(device)
    return resident, (total - free) / 1e6


def peak_device_memory_mb(device: str) -> float:
    """Most memory of a CUDA device that torch has taken so far in this process, 10^6 bytes; 0 for the CPU."""
    return torch.cuda.max_memory_reserved(device) / 1e6 if device.startswith("cuda") else 0.0


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()
