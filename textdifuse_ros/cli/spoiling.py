"""Pairs degraded on purpose, as training degrades them: for measurements of what a fault costs."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

from textdifuse_ros.cli.errors import CliError

Bytes = NDArray[np.uint8]


def spoil(name: str, strength: float, stem: str, rgb: Bytes, thermal: Bytes) -> tuple[Bytes, Bytes]:
    """rgb uint8 (H, W, 3) and thermal uint8 (H, W) with the degradation `name` at a strength in (0, 1].

    The image's name, `stem`, decides the random fields: all strengths, methods and calls see the same ones.
    """
    from textdifuse_ros.train.degrade import DEGRADATIONS, Draw, degrade_bytes

    draw = Draw(DEGRADATIONS[name], strength, zlib.crc32(stem.encode()))
    visible, warm, _ = degrade_bytes(rgb, thermal, [draw])
    return visible, warm


def parse_spoil(text: str) -> tuple[str, float]:
    """`smoke:0.8` -> ("smoke", 0.8); without a number the strength is 1. Raises CliError."""
    from textdifuse_ros.train.degrade import DEGRADATIONS

    name, _, level = text.partition(":")
    if name not in DEGRADATIONS:
        raise CliError(f"--spoil {name!r}: use {', '.join(DEGRADATIONS)}")
    try:
        strength = float(level or 1)
    except ValueError as error:
        raise CliError(f"--spoil {text}: the strength is a number above 0 and up to 1") from error
    if not 0 < strength <= 1:
        raise CliError(f"--spoil {text}: the strength lies above 0 and up to 1")
    return name, strength
