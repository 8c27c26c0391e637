"""What this machine could do at most, and what a process took of it."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable

import torch

from textdifuse_ros.engines.device import DTYPES

_Work = tuple[int, Callable[[], object]]  # multiply-accumulate operations, and what does them
_LARGE = (192, 240, 320)  # channels, height and width of a convolution
_RUNS = 5
_ENOUGH = 4.0  # seconds after which a slow product has been timed often enough


def peak_gmacs(device: str, dtype: str) -> float:
    """10^9 multiply-accumulate operations a second in this precision, with torch's number of threads: of a
    large matrix product, or on a CPU of a large convolution where that is the faster one.

    There the product is another library's than the convolutions, and on some processors the slower one by
    half. It is no bound by nature, but the best that this torch reaches here with nothing around it. On a CPU
    at least what fp32 reaches: without instructions for bf16 torch has no fast product of it, but its
    convolutions widen the numbers and multiply those.
    """
    if device != "cpu" or dtype == "fp32":
        return _product_gmacs(device, dtype)
    return max(_product_gmacs(device, dtype), _product_gmacs(device, "fp32"))


def _product_gmacs(device: str, dtype: str) -> float:
    """The best of a few runs of each. A product that takes all the time there is stands alone."""
    place, spent, best = torch.device(device), 0.0, 0.0
    works = [_matrices(place, dtype)]
    if device == "cpu" and dtype != "int8":
        works += [_convolution(dtype, kernel) for kernel in (1, 3)]
    with torch.inference_mode():
        for macs, work in works:
            for _ in range(_RUNS + 1):
                if spent > _ENOUGH:
                    return best
                began = _now(place)
                work()
                seconds = _now(place) - began
                best, spent = max(best, macs / seconds / 1e9), spent + seconds
    return best


def _matrices(place: torch.device, dtype: str) -> _Work:
    side = 1536 if place.type == "cpu" else 8192
    generator = torch.Generator().manual_seed(0)
    left, right = (torch.randn(side, side, generator=generator).to(place, DTYPES[dtype]) for _ in range(2))
    if dtype == "int8":
        left, right = ((40 * each).clamp(-127, 127).to(torch.int8) for each in (left, right))
    multiply = torch._int_mm if dtype == "int8" else torch.mm
    return side**3, lambda: multiply(left, right)


def _convolution(dtype: str, kernel: int) -> _Work:
    """Laid out as the network's, of a size that oneDNN is good at."""
    channels, height, width = _LARGE
    channels //= kernel  # so that both take about as long
    generator = torch.Generator().manual_seed(0)
    image = torch.randn(1, channels, height, width, generator=generator)
    weight = torch.randn(channels, channels, kernel, kernel, generator=generator)
    image, weight = (each.to(DTYPES[dtype], memory_format=torch.channels_last) for each in (image, weight))
    convolve = torch.nn.functional.conv2d
    return (channels * kernel) ** 2 * height * width, lambda: convolve(image, weight, padding="same")


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
