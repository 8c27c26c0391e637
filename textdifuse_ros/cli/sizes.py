"""Image sizes on the command line."""

from __future__ import annotations

import re

from textdifuse_ros.cli.errors import CliError

LEAST_SIDE = 16
MOST_PIXELS = 16_000_000  # twelve times 1280x1024; more is a slip, and would take all memory


def parse_size(text: str) -> tuple[int, int]:
    """(width, height) of what --size says. Raises CliError."""
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text)
    if match is None:
        raise CliError(f"--size {text}: write width x height, as in 640x480")
    width, height = int(match[1]), int(match[2])
    if min(width, height) < LEAST_SIDE:
        raise CliError(f"--size {text}: {LEAST_SIDE} pixels a side are needed")
    if width * height > MOST_PIXELS:
        raise CliError(f"--size {text}: {MOST_PIXELS // 1_000_000} megapixels at most")
    return width, height
