"""An image that lies on the detector's device already, taken by ultralytics without a way over the host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from textdifuse_ros.detection.detections import Bytes

_GREY = 114  # what ultralytics pads images with


@dataclass(frozen=True)
class _Place:
    """Where an image lies, unscaled, in the network's input of ``height`` x ``width``."""

    height: int
    width: int
    top: int
    left: int


class DeviceInput:
    """Stands before the preprocessing of a predictor of ultralytics, which turns an image on the host into
    the network's input on the device: colours last to colours first, padding, a scale of 0 to 1.

    The image in ``image`` is made into the same input, bit for bit, on the device. Where the network wants
    the image scaled, the one on the host is taken: ultralytics scales with OpenCV.
    """

    def __init__(self, predictor: Any) -> None:
        self._predictor = predictor
        self._from_host = predictor.preprocess
        self._places: dict[tuple[int, int], _Place | None] = {}
        self.image: Tensor | None = None  # uint8 (H, W, 3) RGB, the one that is given to predict
        predictor.preprocess = self._preprocess

    def _preprocess(self, images: list[Bytes]) -> Tensor:
        """(1, 3, H', W') in [0, 1] on the device."""
        image = self.image
        if image is None or image.device != torch.device(self._predictor.device):
            return self._made_from_host(images)
        height, width = image.shape[:2]
        if (height, width) not in self._places:
            self._places[height, width] = self._find_place(height, width)
        place = self._places[height, width]
        if place is None:
            return self._made_from_host(images)
        kind = torch.float16 if self._predictor.model.fp16 else torch.float32
        made = torch.full((1, 3, place.height, place.width), _GREY, dtype=kind, device=image.device)
        rows, columns = slice(place.top, place.top + height), slice(place.left, place.left + width)
        made[0, :, rows, columns] = image.permute(2, 0, 1)
        return made.div_(255)

    def _made_from_host(self, images: list[Bytes]) -> Tensor:
        made: Tensor = self._from_host(images)
        return made

    def _find_place(self, height: int, width: int) -> _Place | None:
        """None where the image would be scaled. Seen from what ultralytics does to a black image."""
        (framed,) = self._predictor.pre_transform([np.zeros((height, width, 3), np.uint8)])
        black = framed[:, :, 0] == 0
        rows, columns = np.flatnonzero(black.any(axis=1)), np.flatnonzero(black.any(axis=0))
        if (len(rows), len(columns)) != (height, width):
            return None
        return _Place(framed.shape[0], framed.shape[1], int(rows[0]), int(columns[0]))
