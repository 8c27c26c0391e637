"""Counts refused inputs by camera and cause, and remembers the latest for the diagnostics. No ROS."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from textdifuse_ros.nodes.frames import Drop

POLICY = "policy"  # the "camera" of drops that a loss policy asked for: not a fault of the input
MODEL = "model"  # of a network that failed


@dataclass(frozen=True)
class LatestDrop:
    """``when`` is steady time [s]."""

    drop: Drop
    when: float


class Tally:
    """Thread-safe counters of drops."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, str], int] = {}
        self._latest: dict[str, LatestDrop] = {}

    def add(self, drop: Drop, now: float) -> None:
        with self._lock:
            key = (drop.camera, drop.cause)
            self._counts[key] = self._counts.get(key, 0) + 1
            self._latest[drop.camera] = LatestDrop(drop, now)

    def by_cause(self, camera: str) -> dict[str, int]:
        with self._lock:
            return {cause: n for (name, cause), n in sorted(self._counts.items()) if name == camera}

    def latest(self, camera: str) -> LatestDrop | None:
        with self._lock:
            return self._latest.get(camera)

    def recent(self, camera: str, now: float, within: float) -> str:
        """What the latest drop says, "" when it is older than ``within`` seconds."""
        latest = self.latest(camera)
        return latest.drop.text if latest is not None and now - latest.when < within else ""

    def total(self, *cameras: str) -> int:
        """Drops of these cameras together."""
        with self._lock:
            return sum(n for (name, _), n in self._counts.items() if name in cameras)
