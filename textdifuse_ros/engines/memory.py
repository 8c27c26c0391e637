"""Memory that the network frees after a frame stays with the process for the next one."""

from __future__ import annotations

import ctypes
import os

import torch

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
_FRAMES = 512 << 20  # bytes; more than a frame of 1280x1024 needs
EVERYTHING = (1 << 31) - 1  # bytes; the most that mallopt takes
_LARGEST = 32 << 20  # the most that glibc takes for its threshold
_done = False


def keep_freed_memory(kept: int = _FRAMES) -> None:
    """Tell glibc's malloc to keep up to `kept` freed bytes, once for the process.

    Feature maps have megabytes, and by default glibc hands them back to the kernel and fetches them again,
    zeroed page by zeroed page, in every frame. Another libc, and whoever has set glibc's own variables, are
    left alone.
    """
    global _done
    if _done or any(name.startswith("MALLOC_") for name in os.environ) or "GLIBC_TUNABLES" in os.environ:
        return
    _done = True
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(_MMAP_THRESHOLD, _LARGEST)
    mallopt(_TRIM_THRESHOLD, kept)


def give_back_freed_memory() -> None:
    """Hand what is freed back after all, on a GPU, too, so that what comes next can be measured."""
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError):
        return
