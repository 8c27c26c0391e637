"""Names the machine and the versions, for every table with timings."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path


def machine() -> str:
    """Processor, usable cores and system in one line."""
    model = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.lower().startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    return f"{model}, {usable_cores()} cores, {platform.system()} {platform.release()}"


def usable_cores() -> int:
    """Cores that this process may run on."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def versions() -> str:
    """Versions of what decides about speed and behaviour, in one line."""
    import textdifuse_ros

    words = [f"textdifuse_ros {textdifuse_ros.__version__}", f"Python {platform.python_version()}"]
    for name, package in (
        ("torch", "torch"),
        ("numpy", "numpy"),
        ("OpenCV", "opencv-python-headless"),
        ("rclpy", "ros-rclpy"),
        ("Fast DDS", "ros-fastrtps"),
        ("rosbags", "rosbags"),
    ):
        try:
            words.append(f"{name} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            continue
    return ", ".join(words)
