"""What the machine must have before an environment can be set up; each gap with its install command."""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

GIB = 1 << 30
NEEDED_BYTES = 3 * GIB  # measured: 1.5 GiB with a CPU build of torch, and room for pip to unpack
CUDA_BYTES = 10 * GIB  # what PyPI's torch brings along for NVIDIA cards, unpacked, with its downloads
MINIMUM_CMAKE = (3, 20)
MINIMUM_GLIBC = (2, 28)


@dataclass(frozen=True)
class Missing:
    """One thing that is not there: `what` in words, `command` or advice that brings it."""

    what: str
    command: str

    def __str__(self) -> str:
        return f"{self.what}\n    install it: {self.command}"


def check_platform(system: str, machine: str, libc: tuple[str, str]) -> Iterator[Missing]:
    """Wheels of ROS 2 exist for x86-64 Linux with glibc only."""
    if system != "Linux" or machine not in ("x86_64", "AMD64"):
        yield Missing(
            f"x86-64 Linux (this is {system} on {machine}; the ROS 2 wheels exist for nothing else)",
            "use ROS 2 from apt and colcon instead of make: docs/install.md",
        )
        return
    name, version = libc
    if name != "glibc" or _version(version) < MINIMUM_GLIBC:
        wanted = ".".join(map(str, MINIMUM_GLIBC))
        yield Missing(
            f"glibc {wanted} or newer (found: {name or 'another libc'} {version})",
            "a newer distribution (Ubuntu 20.04, Debian 10 or later)",
        )


def check_python_parts() -> Iterator[Missing]:
    """Debian and Ubuntu ship venv and the C headers apart from Python itself."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        yield Missing(f"Python's venv module for {sys.executable}", f"sudo apt install {name}-venv")
    header = Path(sysconfig.get_path("include")) / "Python.h"
    if not header.is_file():
        yield Missing(f"Python's C headers ({header})", f"sudo apt install {name}-dev")


def check_tools(which: Callable[[str], str | None] = shutil.which) -> Iterator[Missing]:
    """A C and C++ compiler, make and cmake compile the messages."""
    cc = os.environ.get("CC", "").split()[:1] or ["cc", "gcc", "clang"]
    cxx = os.environ.get("CXX", "").split()[:1] or ["c++", "g++", "clang++"]
    if not any(which(name) for name in cc):
        yield Missing("a C compiler", "sudo apt install build-essential")
    if not any(which(name) for name in cxx):
        yield Missing("a C++ compiler", "sudo apt install build-essential")
    if which("make") is None and which("ninja") is None:
        yield Missing("make", "sudo apt install build-essential")
    if which("cmake") is None:
        yield Missing("cmake", "sudo apt install cmake")
    else:
        yield from check_cmake_version(_first_line("cmake", "--version"))


def check_cmake_version(line: str) -> Iterator[Missing]:
    """`line` is what `cmake --version` says first."""
    if _version(line) < MINIMUM_CMAKE:
        wanted = ".".join(map(str, MINIMUM_CMAKE))
        yield Missing(f"cmake {wanted} or newer (found: {line or 'nothing'})", "pip install --user cmake")


def check_disk(folder: Path, free: int | None = None) -> Iterator[Missing]:
    """`folder` is where the environment will lie; `free` in bytes, asked of the disk when None."""
    if free is None:
        free = shutil.disk_usage(folder).free
    if free < NEEDED_BYTES:
        yield Missing(
            f"disk space in {folder}: {NEEDED_BYTES / GIB:.0f} GiB are needed, {free / GIB:.1f} GiB are free",
            "free some (pip's cache is often large: pip cache purge)",
        )


def disk_hint(folder: Path, free: int | None = None) -> str:
    """A warning when a CPU build of torch fits on the disk but one for NVIDIA cards may not, or ''."""
    if free is None:
        free = shutil.disk_usage(folder).free
    if NEEDED_BYTES <= free < CUDA_BYTES:
        return (
            f"only {free / GIB:.1f} GiB are free: PyPI's torch, built for NVIDIA cards, may need "
            f"{CUDA_BYTES / GIB:.0f} GiB. docs/install.md says how to take the smaller CPU build."
        )
    return ""


def all_missing(folder: Path) -> list[Missing]:
    """Everything that is missing on this machine for an environment in `folder`."""
    system, machine, libc = platform.system(), platform.machine(), platform.libc_ver()
    return [
        *check_platform(system, machine, libc),
        *check_python_parts(),
        *check_tools(),
        *check_disk(folder),
    ]


def _first_line(*command: str) -> str:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return (result.stdout.splitlines() or [""])[0]


def _version(text: str) -> tuple[int, ...]:
    match = re.search(r"(\d+)\.(\d+)", text)
    return tuple(map(int, match.groups())) if match else (0, 0)
