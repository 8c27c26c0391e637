"""A contact sheet: scenes down, methods across, every picture under its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
CELL_WIDTH = 240
MARGIN, CAPTION, HEAD = 4, 20, 24
INK, PAPER = (32, 36, 40), (247, 249, 250)


@dataclass(frozen=True)
class SheetRow:
    """One scene: its caption and a picture for every column, uint8 (H, W, 3) RGB of one size."""

    caption: str
    pictures: Sequence[Bytes]

    @property
    def height(self) -> int:
        """Of the row's cells on the sheet, in pixels."""
        high, wide = self.pictures[0].shape[:2]
        return max(1, round(CELL_WIDTH * high / wide))


def fitted(picture: Bytes) -> Bytes:
    """Scaled to the width of a cell."""
    high, wide = picture.shape[:2]
    size = (CELL_WIDTH, max(1, round(CELL_WIDTH * high / wide)))
    method = cv2.INTER_AREA if wide > CELL_WIDTH else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, size, interpolation=method), np.uint8)


def draw(columns: Sequence[str], rows: Sequence[SheetRow]) -> Bytes:
    """The sheet, uint8 (H, W, 3) RGB. Rows may differ in shape."""
    width = MARGIN + len(columns) * (CELL_WIDTH + MARGIN)
    height = HEAD + sum(CAPTION + row.height + MARGIN for row in rows)
    sheet = np.full((height, width, 3), PAPER, np.uint8)
    lefts = [MARGIN + number * (CELL_WIDTH + MARGIN) for number in range(len(columns))]
    for left, name in zip(lefts, columns, strict=True):
        _text(sheet, name, (left + 2, HEAD - 7), 0.5)
    top = HEAD
    for row in rows:
        _text(sheet, row.caption, (MARGIN + 2, top + CAPTION - 6), 0.42)
        top += CAPTION
        for left, picture in zip(lefts, row.pictures, strict=True):
            sheet[top : top + row.height, left : left + CELL_WIDTH] = fitted(picture)
        top += row.height + MARGIN
    return sheet


def _text(sheet: Bytes, text: str, at: tuple[int, int], size: float) -> None:
    plain = text.encode("ascii", "replace").decode()  # the fonts of OpenCV have no other letters
    cv2.putText(sheet, plain, at, cv2.FONT_HERSHEY_DUPLEX, size, INK, 1, cv2.LINE_AA)
