"""CameraInfo of the reference camera for the fused image. Messages are duck-typed: no ROS import."""

from __future__ import annotations

import copy
from typing import Any


def for_image(info: Any, header: Any, width: int, height: int) -> Any:
    """A copy of ``info`` that describes an image of ``width`` x ``height`` published under ``header``.

    Same size, or the size that its binning or region of interest gives: untouched but for the header. Rows
    cut off the bottom (telemetry): only the height changes. Any other size: K and P are scaled, binning and
    region of interest cleared.
    """
    out = copy.copy(info)
    out.header = header
    if (width, height) in _sizes_described(info):
        return out
    out.width, out.height = width, height
    cropped = info.width == width and 0 < info.height - height <= 64
    if not info.width or not info.height or cropped:
        return out
    sx, sy = width / info.width, height / info.height
    out.k = scale_rows(info.k, 3, sx, sy)
    out.p = scale_rows(info.p, 4, sx, sy)
    out.binning_x = out.binning_y = 0
    out.roi = type(info.roi)()
    return out


def _sizes_described(info: Any) -> set[tuple[int, int]]:
    """Image sizes that the message already describes: full, binned, and its region of interest."""
    bin_x, bin_y = max(1, info.binning_x), max(1, info.binning_y)
    return {
        (info.width, info.height),
        (info.width // bin_x, info.height // bin_y),
        (info.roi.width // bin_x, info.roi.height // bin_y),
    }


def scale_rows(matrix: Any, columns: int, sx: float, sy: float) -> list[float]:
    """Row-major camera matrix with the first row scaled by ``sx`` and the second by ``sy``."""
    values = [float(v) for v in matrix]
    return (
        [v * sx for v in values[:columns]]
        + [v * sy for v in values[columns : 2 * columns]]
        + values[2 * columns :]
    )
