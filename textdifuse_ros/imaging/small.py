"""The small copy of a picture that tells of the whole of it (pure function)."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

SMALL = (80, 60)  # width, height, whatever the shape of the picture


def small_copy(image: Bytes) -> Bytes:
    """Means of an image, uint8 (H, W) or (H, W, 3), in as many cells: uint8 (60, 80) or (60, 80, 3)."""
    return np.asarray(cv2.resize(image, SMALL, interpolation=cv2.INTER_AREA), np.uint8)
