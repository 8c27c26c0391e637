"""Images and stamps that the tests send; the stamps begin at a fixed time, whatever the clock says."""

from __future__ import annotations

from typing import Any

import numpy as np
from sensor_msgs.msg import Image

from textdifuse_ros.imaging.encodings import fill_image

START_S = 1_700_000_000  # stamps of the tests begin here, whatever the clock says

SECOND = 1_000_000_000


def stamp_of(message: Any) -> int:
    """Nanoseconds of a message's header stamp."""
    return int(message.header.stamp.sec) * SECOND + int(message.header.stamp.nanosec)


def at(milliseconds: float) -> int:
    """A stamp [ns] this long after the start of the tests' time."""
    return START_S * SECOND + round(milliseconds * 1e6)


def put_stamp(message: Any, stamp: int, frame_id: str) -> Any:
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp, SECOND)
    message.header.frame_id = frame_id
    return message


def rgb_array(seed: int = 0, width: int = 160, height: int = 120) -> np.ndarray:
    """A dim street with noise, different for each seed."""
    rng = np.random.default_rng(seed)
    ramp = np.linspace(20, 120, width, dtype=np.float32)[None, :, None]
    image = ramp + rng.normal(0, 6, (height, width, 3))
    return np.clip(image, 0, 255).astype(np.uint8)


def thermal_array(seed: int = 0, width: int = 160, height: int = 120) -> np.ndarray:
    """A cool scene with one warm body and noise."""
    rng = np.random.default_rng(1000 + seed)
    image = 60 + rng.normal(0, 3, (height, width))
    image[height // 3 : 2 * height // 3, width // 2 : width // 2 + width // 10] = 200
    return np.clip(image, 0, 255).astype(np.uint8)


def image(array: np.ndarray, encoding: str, stamp: int, frame_id: str = "camera") -> Image:
    """Array as a message."""
    message = Image()
    fill_image(message, array, encoding)
    return put_stamp(message, stamp, frame_id)
