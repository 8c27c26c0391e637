"""Plays the two cameras of a recorded rosbag2 with their original spacing."""

from __future__ import annotations

import struct
import threading
import time
from typing import Any

from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from textdifuse_ros.nodes.bag_topics import BagError, BagPlan, CameraTopic, open_bag, plan
from textdifuse_ros.nodes.camera_pair import SECOND
from textdifuse_ros.nodes.qos import camera_output, overridable


class BagPlayer:
    """Publishes rgb/... and thermal/... from a bag, bytes untouched but for the stamp."""

    def __init__(self, node: Node, options: dict[str, Any]) -> None:
        """options: bag (path), bag.rgb_topic, bag.thermal_topic ("" = guess), speed, loop, restamp.

        restamp: stamps move to now, as far apart as they are played; without it they stay as recorded, so
        that a loop jumps back in time as a looped bag does. Raises BagError for bags that cannot be played.
        """
        self._node = node
        self._plan: BagPlan = plan(options["bag"], options["bag.rgb_topic"], options["bag.thermal_topic"])
        self._restamp, self._loop = bool(options["restamp"]), bool(options["loop"])
        self._speed = float(options["speed"])
        self._publishers: dict[str, Any] = {}
        for role, camera in (("rgb", self._plan.rgb), ("thermal", self._plan.thermal)):
            self._add(role, camera)
        node.get_logger().info(f"playing {self._plan.describe()}")
        for role, camera in (("rgb", self._plan.rgb), ("thermal", self._plan.thermal)):
            if camera.compressed:
                node.get_logger().info(
                    f"{role}/image_raw/compressed: start the fusion with {role}.transport:=compressed"
                )

    def _add(self, role: str, camera: CameraTopic) -> None:
        name = f"{role}/image_raw/compressed" if camera.compressed else f"{role}/image_raw"
        kind = CompressedImage if camera.compressed else Image
        options = overridable()
        self._publishers[camera.topic] = self._node.create_publisher(
            kind, name, camera_output(), qos_overriding_options=options
        )
        if camera.info_topic:
            self._publishers[camera.info_topic] = self._node.create_publisher(
                CameraInfo, f"{role}/camera_info", camera_output(), qos_overriding_options=options
            )

    def subscribers(self) -> int:
        """The smaller number of subscriptions of the two images."""
        topics = (self._plan.rgb.topic, self._plan.thermal.topic)
        return min(int(self._publishers[topic].get_subscription_count()) for topic in topics)

    def play(self, stop: threading.Event) -> int:
        """Play until the end or `stop`; returns the number of messages published."""
        published = 0
        while not stop.is_set():
            count = self._once(stop)
            if count == 0 and not stop.is_set():
                raise BagError(f"{self._plan.path} gave no message of {', '.join(self._publishers)}")
            published += count
            if not self._loop:
                break
        self._node.get_logger().info(f"played {published} messages")
        return published

    def _once(self, stop: threading.Event) -> int:
        reader = open_bag(self._plan.path)
        try:
            chosen = [c for c in reader.connections if c.topic in self._publishers]
            first, began, count = 0, 0.0, 0
            first_stamp, started = 0, 0
            for connection, recorded, raw in reader.messages(chosen):
                if count == 0:
                    first, began = recorded, time.monotonic()
                    first_stamp = header_stamp(raw)
                    started = int(self._node.get_clock().now().nanoseconds)
                due = began + (recorded - first) / SECOND / self._speed
                if stop.wait(max(due - time.monotonic(), 0.0)):
                    return count
                message = bytes(raw)
                if self._restamp:
                    message = with_stamp(raw, moved(header_stamp(raw), first_stamp, started, self._speed))
                self._publishers[connection.topic].publish(message)
                count += 1
            return count
        finally:
            reader.close()


def _layout(raw: bytes) -> str:
    """struct format of the stamp in a CDR message that begins with a std_msgs/Header."""
    if len(raw) < 12:
        raise BagError("a recorded message is shorter than its header")
    return "<iI" if raw[1] & 1 else ">iI"


def header_stamp(raw: bytes) -> int:
    """Stamp [ns] of a serialized message that begins with a std_msgs/Header."""
    sec, nanosec = struct.unpack_from(_layout(raw), raw, 4)
    return int(sec) * SECOND + int(nanosec)


def moved(stamp: int, first: int, started: int, speed: float) -> int:
    """The stamp [ns] of a recording that begins with ``first``, played from ``started`` on."""
    return started + round((stamp - first) / speed)


def with_stamp(raw: bytes, stamp_ns: int) -> bytes:
    """The same serialized message with another stamp [ns]."""
    return raw[:4] + struct.pack(_layout(raw), *divmod(stamp_ns, SECOND)) + bytes(raw[12:])
