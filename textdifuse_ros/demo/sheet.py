"""Draws the contact sheet: times down, RGB, thermal, their mean, fused and salience across."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from textdifuse_ros.demo.choice import Moment

COLUMNS = ("RGB camera", "thermal camera", "mean of the two", "fused", "salience")
CELL_WIDTH = 400
MARGIN, CAPTION, HEAD = 8, 34, 84
INK, PAPER, ACCENT = (40, 36, 32), (250, 249, 247), (150, 70, 10)  # BGR


def draw_sheet(
    moments: Sequence[Moment],
    columns: Mapping[str, Mapping[int, np.ndarray]],
    title: str,
    notes: Sequence[str] = (),
) -> np.ndarray:
    """Contact sheet (H,W,3) uint8 BGR. columns: images by stamp of rgb, thermal, fused, salience."""
    shape = next(iter(columns["fused"].values())).shape
    cell_height = round(CELL_WIDTH * shape[0] / shape[1])
    width = len(COLUMNS) * CELL_WIDTH + (len(COLUMNS) + 1) * MARGIN
    row_height = CAPTION + cell_height + MARGIN
    height = HEAD + row_height * len(moments) + 26 * len(notes) + 2 * MARGIN
    sheet = np.full((height, width, 3), PAPER, np.uint8)
    _text(sheet, title, (MARGIN + 2, 34), 0.85, 1)
    for k, name in enumerate(COLUMNS):
        _text(sheet, name, (MARGIN + k * (CELL_WIDTH + MARGIN) + 2, HEAD - 12), 0.58, 1)
    for row, moment in enumerate(moments):
        top = HEAD + row * row_height
        new = row == 0 or moments[row - 1].label != moment.label
        _text(sheet, moment.caption, (MARGIN + 2, top + 23), 0.58, 1, ACCENT if new else INK)
        for k, picture in enumerate(_cells(moment.stamp, columns)):
            left = MARGIN + k * (CELL_WIDTH + MARGIN)
            cell = sheet[top + CAPTION : top + CAPTION + cell_height, left : left + CELL_WIDTH]
            if picture is None:
                cell[:] = 225
                _text(cell, "not recorded", (12, 28), 0.5, 1)
            else:
                cell[:] = cv2.resize(picture, (CELL_WIDTH, cell_height), interpolation=cv2.INTER_AREA)
    for k, note in enumerate(notes):
        _text(sheet, note, (MARGIN + 2, HEAD + row_height * len(moments) + 20 + 26 * k), 0.55, 1)
    return sheet


def _cells(stamp: int, columns: Mapping[str, Mapping[int, np.ndarray]]) -> list[np.ndarray | None]:
    """BGR pictures of a row, None where one is missing."""
    rgb, fused = columns["rgb"].get(stamp), columns["fused"].get(stamp)
    thermal, salience = columns["thermal"].get(stamp), columns["salience"].get(stamp)
    grey = None if thermal is None else eight_bit(thermal)
    mean = None
    if rgb is not None and grey is not None:
        fitted = cv2.resize(grey, (rgb.shape[1], rgb.shape[0]), interpolation=cv2.INTER_LINEAR)
        mean = cv2.addWeighted(rgb, 0.5, cv2.cvtColor(fitted, cv2.COLOR_GRAY2RGB), 0.5, 0.0)
    return [
        None if rgb is None else cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR),
        None if grey is None else cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR),
        None if mean is None else cv2.cvtColor(mean, cv2.COLOR_RGB2BGR),
        None if fused is None else cv2.cvtColor(fused, cv2.COLOR_RGB2BGR),
        None if salience is None else _heat(salience),
    ]


def _heat(salience: np.ndarray) -> np.ndarray:
    """Salience (H,W) in false colours."""
    heat = np.asarray(cv2.applyColorMap(eight_bit(salience, stretch=False), cv2.COLORMAP_INFERNO))
    if not salience.any():
        size = heat.shape[1] / 800.0
        _text(heat, "nothing is singled out", (round(24 * size), round(56 * size)), size, 1, (150, 150, 150))
    return heat


def eight_bit(picture: np.ndarray, stretch: bool = True) -> np.ndarray:
    """(H,W) or (H,W,3) of any type as grey uint8; counts are stretched between percentiles 1 and 99.5."""
    if picture.ndim == 3:
        picture = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))
    if picture.dtype == np.uint8 or not stretch:
        return picture.astype(np.uint8)
    values = picture.astype(np.float32)
    low, high = np.nanpercentile(values, (1.0, 99.5))
    return np.clip((values - low) / max(float(high - low), 1e-6) * 255.0, 0, 255).astype(np.uint8)


def _text(
    image: np.ndarray,
    text: str,
    at: tuple[int, int],
    size: float,
    weight: int,
    colour: tuple[int, int, int] = INK,
) -> None:
    plain = text.encode("ascii", "replace").decode()  # the fonts of OpenCV have no other letters
    cv2.putText(image, plain, at, cv2.FONT_HERSHEY_DUPLEX, size, colour, weight, cv2.LINE_AA)


def write_png(path: Path, image: np.ndarray) -> None:
    """Write a PNG; raises OSError where that fails."""
    ok, data = cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 6])
    if not ok:
        raise OSError(f"{path}: the picture cannot be encoded")
    path.write_bytes(data.tobytes())
