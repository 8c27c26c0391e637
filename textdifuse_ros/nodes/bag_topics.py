"""Finds the two cameras in a recorded rosbag2 (no rclpy): by name, by encoding, or as told."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rosbags.interfaces import Connection
from rosbags.rosbag2 import Reader
from rosbags.typesys import Stores, get_typestore

IMAGE = "sensor_msgs/msg/Image"
COMPRESSED = "sensor_msgs/msg/CompressedImage"
CAMERA_INFO = "sensor_msgs/msg/CameraInfo"

_THERMAL = re.compile(
    r"therm|infra_?red|lwir|boson|lepton|flir|optris|seek|micro_?bolo|tau2|(?:^|[/_])ir(?:[/_\d]|$)"
)
_VISIBLE = re.compile(r"rgb|colou?r|visible|(?:^|[/_])vis(?:[/_\d]|$)")
_DERIVED = re.compile(r"depth|disparity|salience|fused|mask|overlay|debug|detections")
_RADIOMETRIC = ("mono16", "16UC1", "32FC1")


class BagError(ValueError):
    """A bag that cannot be played; the text names the bag and the reason."""


@dataclass(frozen=True)
class CameraTopic:
    """An image topic of a bag: name, message type, why it was chosen, its CameraInfo topic ("" = none)."""

    topic: str
    msgtype: str
    why: str
    info_topic: str

    @property
    def compressed(self) -> bool:
        """Whether it carries sensor_msgs/CompressedImage."""
        return self.msgtype == COMPRESSED


@dataclass(frozen=True)
class BagPlan:
    """The two cameras of a bag."""

    path: Path
    rgb: CameraTopic
    thermal: CameraTopic

    def describe(self) -> str:
        """One line that says what was chosen and why."""
        return (
            f"{self.path}: RGB from {self.rgb.topic} ({self.rgb.why}), "
            f"thermal from {self.thermal.topic} ({self.thermal.why})"
        )


def open_bag(path: str | Path) -> Reader:
    """Open a rosbag2 folder (mcap or sqlite3), or one of its files; raises BagError with the reason."""
    path = Path(path).expanduser()
    if path.is_file() and path.suffix in (".mcap", ".db3") and (path.parent / "metadata.yaml").exists():
        path = path.parent
    if path.suffix == ".bag" and path.is_file():
        raise BagError(f"{path} is a ROS 1 bag: convert it with `rosbags-convert --src {path} --dst FOLDER`")
    if not path.exists():
        raise BagError(f"{path} does not exist")
    try:
        reader = Reader(path)
        reader.open()
    except Exception as error:  # a damaged bag makes the reader raise whatever its bytes provoke
        text = " ".join(str(error).split()) or type(error).__name__
        hint = ""
        if path.is_dir() and not (path / "metadata.yaml").exists():
            hint = f"; a rosbag2 folder has a metadata.yaml (`ros2 bag reindex {path}` writes one)"
        raise BagError(f"{path} is not a readable rosbag2: {text}{hint}") from None
    return reader


def plan(path: str | Path, rgb_topic: str = "", thermal_topic: str = "") -> BagPlan:
    """Choose the topics of the two cameras; raises BagError where that is impossible."""
    reader = open_bag(path)
    try:
        return _plan(reader, Path(path), rgb_topic, thermal_topic)
    finally:
        reader.close()


def _plan(reader: Reader, path: Path, rgb_topic: str, thermal_topic: str) -> BagPlan:
    images = {c.topic: c for c in reader.connections if c.msgtype in (IMAGE, COMPRESSED) and c.msgcount > 0}
    if not images:
        topics = ", ".join(sorted(c.topic for c in reader.connections)) or "nothing"
        raise BagError(f"{path} holds no image topic with messages (it holds {topics})")
    infos = {c.topic for c in reader.connections if c.msgtype == CAMERA_INFO}
    thermal, thermal_why = _find(images, thermal_topic, path, "thermal", _thermal_guess(reader, images))
    others = {name: c for name, c in images.items() if name != thermal}
    rgb, rgb_why = _find(images, rgb_topic, path, "rgb", _rgb_guess(reader, others))
    if rgb == thermal:
        raise BagError(f"{path}: {rgb} cannot be both cameras; its image topics are {', '.join(images)}")
    return BagPlan(
        path,
        CameraTopic(rgb, images[rgb].msgtype, rgb_why, _info_topic(rgb, infos)),
        CameraTopic(thermal, images[thermal].msgtype, thermal_why, _info_topic(thermal, infos)),
    )


def _find(
    images: dict[str, Connection], wanted: str, path: Path, role: str, guess: tuple[str, str]
) -> tuple[str, str]:
    """The topic as told, or as guessed, with the reason in words."""
    if wanted:
        if wanted not in images:
            raise BagError(f"{path} has no image topic {wanted}; it has {', '.join(sorted(images))}")
        return wanted, "as told"
    if not guess[0]:
        raise BagError(
            f"{path}: none of its image topics looks like the {role} camera "
            f"({', '.join(sorted(images))}); name it with bag.{role}_topic"
        )
    return guess


def _thermal_guess(reader: Reader, images: dict[str, Connection]) -> tuple[str, str]:
    candidates = [name for name in sorted(images) if not _DERIVED.search(name.lower())]
    for name in candidates:
        if _THERMAL.search(name.lower()):
            return name, "its name"
    for name in candidates:
        encoding = first_encoding(reader, images[name])
        if any(word in encoding for word in _RADIOMETRIC):
            return name, f"its encoding {encoding}"
    return "", ""


def _rgb_guess(reader: Reader, images: dict[str, Connection]) -> tuple[str, str]:
    plain = [n for n in sorted(images) if not _DERIVED.search(n.lower()) and not _THERMAL.search(n.lower())]
    for name in plain:
        if _VISIBLE.search(name.lower()):
            return name, "its name"
    for name in plain:
        encoding = first_encoding(reader, images[name])
        if not any(word in encoding for word in _RADIOMETRIC):
            return name, f"the first other image topic, {encoding or 'compressed'}"
    return "", ""


def first_encoding(reader: Reader, connection: Connection) -> str:
    """Encoding (Image) or format (CompressedImage) of the first message of a topic, "" without one."""
    typestore = get_typestore(Stores.ROS2_JAZZY)
    for _, _, raw in reader.messages([connection]):
        message: Any = typestore.deserialize_cdr(raw, connection.msgtype)
        return str(message.encoding if connection.msgtype == IMAGE else message.format)
    return ""


def _info_topic(topic: str, infos: set[str]) -> str:
    """The CameraInfo next to an image topic, as image_transport lays them out."""
    parts = topic.split("/")
    for keep in (len(parts) - 1, len(parts) - 2):
        candidate = "/".join([*parts[:keep], "camera_info"])
        if keep >= 1 and candidate in infos:
            return candidate
    return ""
