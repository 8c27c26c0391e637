"""Reads the recorded bag back: stamps and arrivals of every image, status messages, pictures on demand."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from textdifuse_ros.imaging.compressed import decode_compressed
from textdifuse_ros.imaging.encodings import to_rgb8, to_thermal
from textdifuse_ros.nodes.bag_topics import COMPRESSED, IMAGE, open_bag
from textdifuse_ros.nodes.bag_types import ensure_type, jazzy_types

SECOND = 1_000_000_000
STATUS = "textdifuse_ros/msg/FusionStatus"
TEXT = "std_msgs/msg/String"


@dataclass
class Track:
    """An image topic: stamps [ns] and arrival times at the recorder [ns], in order of arrival."""

    topic: str = ""
    msgtype: str = IMAGE
    stamps: list[int] = field(default_factory=list)
    arrivals: list[int] = field(default_factory=list)

    def rate(self) -> float:
        """Images a second between the first and the last arrival, 0 for fewer than two."""
        if len(self.arrivals) < 2:
            return 0.0
        return (len(self.arrivals) - 1) * SECOND / max(self.arrivals[-1] - self.arrivals[0], 1)

    def gaps(self) -> int:
        """Images missing between neighbours, judged by the usual distance of the stamps."""
        steps = np.diff(np.array(sorted(self.stamps), np.int64))
        if len(steps) < 3:
            return 0
        usual = max(float(np.median(steps)), 1.0)
        return int(np.sum(np.maximum(np.rint(steps / usual) - 1, 0)))


@dataclass
class Recording:
    """What a bag holds, without the pixels."""

    path: Path
    rgb: Track = field(default_factory=Track)
    thermal: Track = field(default_factory=Track)
    fused: Track = field(default_factory=Track)
    salience: Track = field(default_factory=Track)
    statuses: list[Any] = field(default_factory=list)
    truths: list[dict[str, Any]] = field(default_factory=list)
    messages: int = 0

    def latencies_ms(self) -> np.ndarray:
        """Arrival of each fused image minus that of the RGB image with its stamp [ms], at the recorder."""
        arrived = dict(zip(self.rgb.stamps, self.rgb.arrivals, strict=True))
        pairs = zip(self.fused.stamps, self.fused.arrivals, strict=True)
        return np.array([(at - arrived[s]) / 1e6 for s, at in pairs if s in arrived], np.float64)

    def ages_ms(self) -> np.ndarray:
        """Arrival of each fused image minus its stamp [ms]."""
        return (np.array(self.fused.arrivals, np.float64) - np.array(self.fused.stamps, np.float64)) / 1e6


def read_recording(path: str | Path) -> Recording:
    """Index a bag written by the recorder; raises BagError for an unreadable one."""
    recording = Recording(Path(path))
    names = {"rgb": recording.rgb, "thermal": recording.thermal, "fused": recording.fused}
    store = jazzy_types()
    ensure_type(store, STATUS)
    reader = open_bag(path)
    try:
        for connection, arrival, raw in reader.messages():
            recording.messages += 1
            if connection.msgtype in (IMAGE, COMPRESSED):
                parts = connection.topic.strip("/").split("/")
                track = recording.salience if parts[-1] == "salience" else names.get(parts[-2])
                if "compressed" in parts[-1] and len(parts) > 2:
                    track = names.get(parts[-3])
                if track is not None:
                    track.topic, track.msgtype = connection.topic, connection.msgtype
                    track.stamps.append(_stamp(raw))
                    track.arrivals.append(arrival)
            elif connection.msgtype == STATUS:
                recording.statuses.append(store.deserialize_cdr(raw, STATUS))
            elif connection.msgtype == TEXT and connection.topic.endswith("ground_truth/boxes"):
                message: Any = store.deserialize_cdr(raw, TEXT)
                recording.truths.append(json.loads(message.data))
    finally:
        reader.close()
    return recording


def _stamp(raw: bytes) -> int:
    sec, nanosec = struct.unpack_from("<iI" if raw[1] & 1 else ">iI", raw, 4)
    return int(sec) * SECOND + int(nanosec)


def pictures(
    recording: Recording, track: Track, stamps: set[int], thermal: bool = False
) -> dict[int, np.ndarray]:
    """Images of a track by stamp: (H,W,3) uint8 RGB, or as recorded and one channel for a thermal camera."""
    found: dict[int, np.ndarray] = {}
    if not track.stamps or not stamps:
        return found
    arrivals = [at for s, at in zip(track.stamps, track.arrivals, strict=True) if s in stamps]
    if not arrivals:
        return found
    store = jazzy_types()
    reader = open_bag(recording.path)
    try:
        chosen = [c for c in reader.connections if c.topic == track.topic]
        for connection, _, raw in reader.messages(chosen, start=min(arrivals), stop=max(arrivals) + 1):
            stamp = _stamp(raw)
            if stamp in stamps:
                found[stamp] = _pixels(
                    store.deserialize_cdr(raw, connection.msgtype), connection.msgtype, thermal
                )
    finally:
        reader.close()
    return found


def _pixels(message: Any, msgtype: str, thermal: bool) -> np.ndarray:
    if msgtype == COMPRESSED:
        return decode_compressed(message, "thermal" if thermal else "rgb")
    return to_thermal(message) if thermal else to_rgb8(message)


def nearest(stamps: list[int], wanted: int) -> int:
    """The stamp closest to `wanted`; raises ValueError without any."""
    if not stamps:
        raise ValueError("no stamp to choose from")
    return min(stamps, key=lambda stamp: abs(stamp - wanted))
