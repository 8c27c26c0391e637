"""What a detector finds, and what goes wrong with one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]


class DetectorError(ValueError):
    """A detector that cannot be used; the message names it and the mend, on one line."""


@dataclass(frozen=True)
class Detections:
    """boxes float32 (K, 4) x0, y0, x1, y1 in pixels; classes int64 (K,); scores float32 (K,), falling."""

    boxes: Floats
    classes: NDArray[np.int64]
    scores: Floats


@dataclass(frozen=True)
class Wanted:
    """What to report: scores of at least ``confidence``, boxes of a class that overlap by at most
    ``overlap``.

    classes: indices, () for all of them.
    """

    confidence: float = 0.25
    overlap: float = 0.7
    classes: tuple[int, ...] = ()
    most: int = 300


class Detector(Protocol):
    """names: class names by index. device, engine, dtype, weights_id: what it runs on, how, and from which
    file."""

    names: dict[int, str]
    device: str
    engine: str
    dtype: str
    weights_id: str

    def detect(self, rgb: Bytes, wanted: Wanted, on_device: Any = None) -> Detections:
        """rgb: uint8 (H, W, 3). Boxes are in its pixels and inside it. on_device: the same image as a tensor
        on a device, if there is one; it saves an upload where it lies on the detector's."""

    def enter_thread(self) -> None:
        """To be called first in the thread that will call `detect`: other networks may run in the process."""

    def close(self) -> None:
        """Free the device's memory."""
