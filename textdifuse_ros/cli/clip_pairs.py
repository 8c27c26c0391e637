"""Frames of two clips side by side, as the commands want them: RGB and 8-bit thermal of one size."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from textdifuse_ros.cli.errors import CliError
from textdifuse_ros.imaging.clips import ClipError, as_rgb_message, as_thermal_message, open_clip
from textdifuse_ros.imaging.encodings import ImageError
from textdifuse_ros.imaging.thermal import ThermalNormaliser

Bytes = NDArray[np.uint8]
VIDEO_SUFFIXES = (".mp4", ".avi", ".mkv", ".mov")


def clip_pairs(rgb: Path, thermal: Path, every: int = 1) -> Iterator[tuple[Bytes, Bytes]]:
    """Every Nth frame of both clips (video files or folders of images), up to the end of the shorter one.

    RGB uint8 (H, W, 3) and thermal uint8 (H, W) of the same size. Thermal frames of 16 bits are brought to
    8 by percentiles that follow the clip smoothly, as in the node. Raises CliError.
    """
    normaliser = ThermalNormaliser("percentile")
    try:
        warm_clip = open_clip(thermal)
        pairs = enumerate(zip(open_clip(rgb).frames(), warm_clip.frames(), strict=False))
        for number, (colour, warm) in itertools.islice(pairs, 0, None, every):
            visible = _rgb(colour, rgb)
            grey = as_thermal_message(warm, thermal)[0]
            if grey.dtype != np.uint8:
                grey = normaliser.normalise(grey, round(number * 1e9 / warm_clip.rate))
            if grey.shape != visible.shape[:2]:
                grey = np.asarray(cv2.resize(grey, (visible.shape[1], visible.shape[0])), np.uint8)
            yield visible, np.asarray(grey, np.uint8)
    except ClipError as error:
        raise CliError(str(error)) from error
    except ImageError as error:
        raise CliError(f"{thermal}: {error}") from error


def _rgb(picture: np.ndarray, path: Path) -> Bytes:
    pixels, encoding = as_rgb_message(picture, path)
    code = cv2.COLOR_GRAY2RGB if encoding == "mono8" else cv2.COLOR_BGR2RGB
    return np.asarray(cv2.cvtColor(pixels, code), np.uint8)
