"""Small bags for tests, made without any of our own code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

STORE = get_typestore(Stores.ROS2_JAZZY)
PERIOD = 50_000_000
BEGIN = 1_600_000_000_000_000_000


def message(kind: str) -> Any:
    return STORE.types[kind]


def header(stamp: int) -> Any:
    time = message("builtin_interfaces/msg/Time")(sec=stamp // 10**9, nanosec=stamp % 10**9)
    return message("std_msgs/msg/Header")(stamp=time, frame_id="camera")


def image(stamp: int, encoding: str, value: int) -> Any:
    channels = 3 if encoding in ("rgb8", "bgr8") else 1
    size = 2 if encoding in ("mono16", "16UC1") else 4 if encoding == "32FC1" else 1
    data = np.full(24 * 32 * channels * size, value, np.uint8)
    return message("sensor_msgs/msg/Image")(
        header=header(stamp), height=24, width=32, encoding=encoding, is_bigendian=0,
        step=32 * channels * size, data=data,
    )  # fmt: skip


def compressed(stamp: int, value: int) -> Any:
    _, data = cv2.imencode(".jpg", np.full((24, 32, 3), value, np.uint8))
    return message("sensor_msgs/msg/CompressedImage")(
        header=header(stamp), format="bgr8; jpeg compressed bgr8", data=data.ravel()
    )


def write_bag(path: Path, topics: dict[str, str], count: int = 6, storage: str = "mcap") -> Path:
    """A bag; topics: name -> encoding, "jpeg", "info" or "text"."""
    plugin = {"mcap": StoragePlugin.MCAP, "sqlite3": StoragePlugin.SQLITE3}[storage]
    kinds = {"jpeg": "sensor_msgs/msg/CompressedImage", "info": "sensor_msgs/msg/CameraInfo"}
    with Writer(path, version=9, storage_plugin=plugin) as writer:
        connections = {}
        for name, what in topics.items():
            kind = "std_msgs/msg/String" if what == "text" else kinds.get(what, "sensor_msgs/msg/Image")
            connections[name] = writer.add_connection(name, kind, typestore=STORE)
        for k in range(count):
            stamp = BEGIN + k * PERIOD
            for name, what in topics.items():
                content = _content(what, stamp, 10 + k)
                data = STORE.serialize_cdr(content, connections[name].msgtype)
                writer.write(connections[name], stamp + 1_000_000, data)
    return path


def _content(what: str, stamp: int, value: int) -> Any:
    if what == "text":
        return message("std_msgs/msg/String")(data="x")
    if what == "jpeg":
        return compressed(stamp, value)
    if what == "info":
        roi = message("sensor_msgs/msg/RegionOfInterest")(
            x_offset=0, y_offset=0, height=0, width=0, do_rectify=False
        )
        return message("sensor_msgs/msg/CameraInfo")(
            header=header(stamp), height=24, width=32, distortion_model="plumb_bob", d=np.zeros(5),
            k=np.arange(9.0), r=np.eye(3).ravel(), p=np.arange(12.0), binning_x=0, binning_y=0, roi=roi,
        )  # fmt: skip
    return image(stamp, what, value)
