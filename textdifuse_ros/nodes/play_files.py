"""Plays an RGB clip and a thermal clip as two synchronized cameras."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

from rclpy.node import Node

from textdifuse_ros.imaging.clips import (
    ClipError,
    as_rgb_message,
    as_thermal_message,
    compare_lengths,
    open_clip,
)
from textdifuse_ros.nodes.camera_pair import SECOND, CameraOutput


class FilePlayer:
    """Publishes rgb/image_raw and thermal/image_raw picture by picture, both with the same stamp."""

    def __init__(self, node: Node, options: dict[str, Any]) -> None:
        """options: rgb, thermal (paths), rate [Hz] (0 = the RGB clip's), loop, max_pairs, rgb.frame_id,
        thermal.frame_id.

        Raises ClipError for clips that cannot be played.
        """
        self._node = node
        self._rgb, self._thermal = open_clip(options["rgb"]), open_clip(options["thermal"])
        as_rgb_message(next(iter(self._rgb.frames())), self._rgb.path)
        as_thermal_message(next(iter(self._thermal.frames())), self._thermal.path)
        self._rate = float(options["rate"]) or self._rgb.rate
        self._loop, self._most = bool(options["loop"]), int(options["max_pairs"])
        self._outputs = (
            CameraOutput(node, "rgb", options["rgb.frame_id"]),
            CameraOutput(node, "thermal", options["thermal.frame_id"]),
        )
        warning = compare_lengths(self._rgb, self._thermal)
        if warning:
            node.get_logger().warning(warning)
        node.get_logger().info(
            f"playing {self._rgb.path} and {self._thermal.path} at {self._rate:g} Hz"
            + (", again and again" if self._loop else "")
        )

    def subscribers(self) -> int:
        """The smaller number of subscriptions of the two images."""
        return min(output.subscribers() for output in self._outputs)

    def play(self, stop: threading.Event) -> int:
        """Play until the end or `stop`; returns the number of pairs published."""
        epoch, began = int(self._node.get_clock().now().nanoseconds), time.monotonic()
        published = 0
        while True:
            before = published
            for rgb, thermal in zip(self._rgb.frames(), self._thermal.frames(), strict=False):
                since = published / self._rate
                wait = began + since - time.monotonic()
                if stop.wait(max(wait, 0.0)):
                    return published
                self._publish(rgb, thermal, epoch + round(since * SECOND))
                published += 1
                if published == self._most:
                    return published
            if published == before:
                raise ClipError(f"{self._rgb.path} and {self._thermal.path} gave no pair of pictures")
            if not self._loop:
                self._node.get_logger().info(f"played {published} pairs to the end")
                return published

    def _publish(self, rgb: Any, thermal: Any, stamp: int) -> None:
        # Thermal first: the fusion may start as soon as the reference picture arrives.
        self._outputs[1].publish(*as_thermal_message(thermal, Path(self._thermal.path)), stamp)
        self._outputs[0].publish(*as_rgb_message(rgb, Path(self._rgb.path)), stamp)
