"""Detections drawn into the image that they were found in."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

from textdifuse_ros.detection.detections import Bytes, Detections

_COLOURS = (
    (255, 64, 64), (64, 160, 255), (255, 200, 40), (80, 220, 100), (220, 90, 255), (40, 220, 220),
    (255, 130, 40), (170, 170, 255),
)  # fmt: skip
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def annotated(rgb: Bytes, found: Detections, names: Mapping[int, str]) -> Bytes:
    """A copy of rgb, uint8 (H, W, 3), with each box, its class and its score; the strongest is drawn last."""
    picture: Bytes = np.array(rgb)
    thick = max(1, round(min(picture.shape[:2]) / 300))
    size = max(0.4, min(picture.shape[:2]) / 1000)
    for box, index, score in zip(found.boxes[::-1], found.classes[::-1], found.scores[::-1], strict=True):
        colour = _COLOURS[int(index) % len(_COLOURS)]
        left, top, right, bottom = (round(float(value)) for value in box)
        cv2.rectangle(picture, (left, top), (right, bottom), colour, thick)
        # OpenCV's letters are ASCII only
        name = names.get(int(index), str(index)).encode("ascii", "replace").decode()
        _label(picture, f"{name} {score:.2f}", (left, top), colour, size, thick)
    return picture


def _label(
    picture: Bytes, text: str, corner: tuple[int, int], colour: tuple[int, int, int], size: float, thick: int
) -> None:
    """On a field of the colour: above the corner where there is room, else inside the box."""
    (width, height), under = cv2.getTextSize(text, _FONT, size, thick)
    tall = height + under + 2
    left, top = corner[0], corner[1] - tall if corner[1] >= tall else corner[1]
    cv2.rectangle(picture, (left, top), (left + width, top + tall), colour, cv2.FILLED)
    cv2.putText(picture, text, (left, top + height + 1), _FONT, size, (0, 0, 0), thick, cv2.LINE_AA)
