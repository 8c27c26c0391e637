"""The command `textdifuse` for its tests: run in a process of its own, with small scenes as files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

REPOSITORY = Path(__file__).resolve().parents[2]


def textdifuse(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-m", "textdifuse_ros.cli.main", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=170, check=False)


def scene(width: int = 96, height: int = 64, seed: int = 0) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A colour image (BGR) and a thermal one with a hot spot."""
    rng = np.random.default_rng(seed)
    colour = np.zeros((height, width, 3), np.uint8)
    colour[:, : width // 2] = (40, 90, 160)
    colour += rng.integers(0, 12, colour.shape).astype(np.uint8)
    thermal = np.full((height, width), 50, np.uint8)
    cv2.circle(thermal, (width * 3 // 4, height // 2), height // 8, 220, -1)
    return colour, thermal


def save(path: Path, image: NDArray[np.generic]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    done, data = cv2.imencode(path.suffix, image)
    assert done
    path.write_bytes(data.tobytes())
    return path


def load(path: Path) -> NDArray[np.uint8]:
    image = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
    assert image is not None
    return np.asarray(image)


def refused(result: subprocess.CompletedProcess[str], *words: object) -> None:
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.endswith("\n") and result.stderr.count("\n") == 1, result.stderr
    for word in words:
        assert str(word) in result.stderr


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
