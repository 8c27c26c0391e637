"""The newest detections, and what they say of the prompt for an image that is about to be fused. No ROS."""

from __future__ import annotations

import importlib.util
import threading
from dataclasses import dataclass
from typing import Any

from textdifuse_ros.detection.prompt_boxes import Found, hints
from textdifuse_ros.nodes.parameters import ParameterError, Settings
from textdifuse_ros.nodes.prompts import PromptRecord
from textdifuse_ros.nodes.stamps import stamp_ns
from textdifuse_ros.text.boxes import Hints

SHARPEN = "boxes_sharpen"


@dataclass(frozen=True)
class _Seen:
    """What was found in the image with that stamp [ns]."""

    stamp: int
    found: tuple[Found, ...]


class BoxKeeper:
    """Hears detections on an executor's thread, is asked by the worker once a frame."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: _Seen | None = None
        self.said = ""  # what became of the detections with the latest image; for the diagnostics

    def vet(self, candidate: Settings, changed: set[str]) -> None:
        """Raises ParameterError where detections cannot be heard."""
        if candidate.number(SHARPEN) > 0 and importlib.util.find_spec("vision_msgs") is None:
            raise ParameterError(
                SHARPEN, "it needs vision_msgs: sudo apt install ros-$ROS_DISTRO-vision-msgs, then restart"
            )

    def hear(self, message: Any) -> None:
        """A vision_msgs/Detection2DArray."""
        stamp = int(message.header.stamp.sec) * 1_000_000_000 + int(message.header.stamp.nanosec)
        seen = _Seen(stamp, tuple(_found(one) for one in message.detections if one.results))
        with self._lock:
            self._seen = seen

    def forget(self) -> None:
        """What was heard belongs to another time."""
        with self._lock:
            self._seen, self.said = None, ""

    def hints(self, header: Any, settings: Settings, prompt: PromptRecord) -> Hints:
        """For the image with that header; none without strength, objects in the prompt, fresh detections."""
        strength = settings.number(SHARPEN)
        if strength <= 0 or not prompt.compiled.objects:
            self.said = "" if strength <= 0 else "the prompt names no objects"
            return Hints()
        with self._lock:
            seen = self._seen
        if seen is None:
            self.said = "no detections have come yet"
            return Hints()
        age = (stamp_ns(header.stamp.sec, header.stamp.nanosec) - seen.stamp) / 1e9
        if not 0 <= age <= settings.number("boxes_max_age"):
            self.said = f"not used: the latest are {age:.2f} s old, by the stamps"
            return Hints()
        made = hints(prompt.compiled.objects, seen.found, strength)
        self.said = f"{len(made.boxes)} of {len(seen.found)} used, {age:.2f} s old"
        return made


def _found(one: Any) -> Found:
    """A vision_msgs/Detection2D with results, by the best of them."""
    best = max((result.hypothesis for result in one.results), key=lambda hypothesis: hypothesis.score)
    centre, box = one.bbox.center.position, one.bbox
    half_width, half_height = box.size_x / 2, box.size_y / 2
    corners = (centre.x - half_width, centre.y - half_height, centre.x + half_width, centre.y + half_height)
    return Found(str(best.class_id), float(best.score), corners)
