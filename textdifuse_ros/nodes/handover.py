"""The fused image on its way to a detector in the same process: the object itself, no message. No ROS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from textdifuse_ros.imaging.encodings import from_rgb8


@dataclass(frozen=True)
class Handed:
    """A fused image as its publisher has it. Nobody writes to it any more.

    ``image``: uint8 (H, W, 3) RGB, or (H, W) grey; ``encoding`` and ``header``: those of fused/image_raw.
    """

    image: NDArray[np.uint8]
    encoding: str
    header: Any
    tensor: Any = None  # the image on the device that fused it, where the engine has left it there

    @property
    def on_device(self) -> Any:
        """The picture as a tensor on a device, None where there is none."""
        return None if self._is_grey else self.tensor

    @property
    def _is_grey(self) -> bool:
        return self.image.ndim == 2 or self.encoding == "mono8"

    def picture(self) -> NDArray[np.uint8]:
        """What a subscriber would see, uint8 (H, W, 3) RGB: the image itself, unless it is grey there."""
        if not self._is_grey:
            return self.image
        grey = self.image if self.image.ndim == 2 else from_rgb8(self.image, "mono8")
        return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), np.uint8)


Take = Callable[[Handed], None]


class Handover:
    """From one giver to one taker at most. While nobody takes, giving costs nothing and keeps nothing.

    giver: the node that gives, topic: where it publishes the same images, both by their full names;
    is_active: whether it works on images.
    """

    def __init__(self, giver: str, topic: str, is_active: Callable[[], bool]) -> None:
        self.giver, self.topic, self.is_active = giver, topic, is_active
        self._take: Take | None = None

    def open(self, take: Take) -> None:
        """From now on ``take`` gets each image, in the giver's thread: it must not do any work there."""
        self._take = take

    def close(self) -> None:
        self._take = None

    def is_open(self) -> bool:
        """Whether anybody takes."""
        return self._take is not None

    def give(self, image: NDArray[np.uint8], encoding: str, header: Any, tensor: Any = None) -> None:
        """See Handed."""
        take = self._take
        if take is not None:
            take(Handed(image, encoding, header, tensor))
