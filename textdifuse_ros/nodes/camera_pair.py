"""Publishers of an RGB and a thermal camera, as drivers make them: images and CameraInfo with one stamp."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image

from textdifuse_ros.imaging.encodings import fill_image
from textdifuse_ros.nodes.qos import camera_output, overridable

SECOND = 1_000_000_000


def wait_until_heard(subscribers: Callable[[], int], stop: threading.Event) -> None:
    """Wait until there are subscribers, or `stop`.

    A best-effort image reaches a subscriber only when that one has discovered the publisher as well, and DDS
    does not tell when; half a second more is plenty on one machine.
    """
    while not subscribers():
        if stop.wait(0.05):
            return
    stop.wait(0.5)


class CameraOutput:
    """`<name>/image_raw` and `<name>/camera_info` of one camera."""

    def __init__(self, node: Node, name: str, frame_id: str) -> None:
        options = overridable()
        self._images = node.create_publisher(
            Image, f"{name}/image_raw", camera_output(), qos_overriding_options=options
        )
        self._infos = node.create_publisher(
            CameraInfo, f"{name}/camera_info", camera_output(), qos_overriding_options=options
        )
        self._frame_id = frame_id

    def subscribers(self) -> int:
        """Number of subscriptions to the image."""
        return int(self._images.get_subscription_count())

    def publish(self, image: np.ndarray, encoding: str, stamp_ns: int, focal: float = 0.0) -> None:
        """Publish (H, W) or (H, W, C) pixels; with focal [px] > 0 also the CameraInfo of an ideal pinhole."""
        message = Image()
        set_stamp(message.header, stamp_ns)
        message.header.frame_id = self._frame_id
        fill_image(message, image, encoding)
        if focal > 0.0:
            info = pinhole_info(image.shape[1], image.shape[0], focal)
            info.header = message.header
            self._infos.publish(info)
        self._images.publish(message)


def set_stamp(header: Any, stamp_ns: int) -> None:
    """Write nanoseconds since the epoch into a std_msgs/Header."""
    header.stamp.sec, header.stamp.nanosec = divmod(int(stamp_ns), SECOND)


def pinhole_info(width: int, height: int, focal: float, cy: float | None = None) -> CameraInfo:
    """CameraInfo of a pinhole without distortion; focal in pixels, principal point in the middle unless cy is
    given.
    """
    cx, row = width / 2.0, height / 2.0 if cy is None else cy
    info = CameraInfo()
    info.width, info.height = width, height
    info.distortion_model = "plumb_bob"
    info.d = [0.0] * 5
    info.k = [focal, 0.0, cx, 0.0, focal, row, 0.0, 0.0, 1.0]
    info.r = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    info.p = [focal, 0.0, cx, 0.0, 0.0, focal, row, 0.0, 0.0, 0.0, 1.0, 0.0]
    return info
