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

    def picture(self) -> NDArray[np.uint8]:
        """What a subscriber would see, uint8 (H, W, 3) RGB: the image itself, unless it is grey there."""
        if self.image.ndim == 3 and self.encoding != "mono8":
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

    def give(self, image: NDArray[np.uint8], encoding: str, header: Any) -> None:
        """See Handed."""
        take = self._take
        if take is not None:
            take(Handed(image, encoding, header))
