"""When is a camera lost, and what happens then. Pure Python; times are seconds of a steady clock."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import Enum

RGB = "rgb"
THERMAL = "thermal"
CAMERAS = (RGB, THERMAL)


def other(camera: str) -> str:
    """The other camera of the pair."""
    return THERMAL if camera == RGB else RGB


class Action(Enum):
    """What is published for what just arrived."""

    FUSE = "fused"
    PASS_RGB = "pass_rgb"
    PASS_THERMAL = "pass_thermal"
    HOLD = "hold"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Loss:
    """Why a camera counts as lost. ``kind`` is silent, never, unusable or frozen; ``seconds`` since when."""

    kind: str
    seconds: float
    detail: str = ""


@dataclass
class _Watch:
    """What is known of one camera."""

    since: float  # of the watch itself: "never" is measured from here
    arrived: float | None = None  # the latest image that could be paired
    usable: float | None = None  # the latest image that could be used
    refused: str = ""  # why its images are refused at present
    stale: str = ""  # why its latest image cannot be paired
    frozen_since: float | None = None


def action_for(lost: set[str], on_thermal_loss: str, on_rgb_loss: str) -> Action:
    """The policy itself: which cameras are lost, what is set for that, what to publish."""
    if not lost:
        return Action.FUSE
    if len(lost) == 2:
        return Action.NOTHING
    camera = next(iter(lost))
    policy = on_thermal_loss if camera == THERMAL else on_rgb_loss
    if policy == "pass":
        return Action.PASS_RGB if camera == THERMAL else Action.PASS_THERMAL
    return Action.HOLD if policy == "hold" else Action.NOTHING


class LossMonitor:
    """Keeps the watch over both cameras. Thread-safe: fed by the subscriptions and by the worker.

    A camera is lost when no usable image of it arrived for ``timeout`` seconds, or at once when its image is
    frozen. It is back with its next usable image; nothing has to be reset by hand.
    """

    def __init__(self, timeout: float, now: float) -> None:
        self.timeout = timeout
        self._lock = threading.Lock()
        self._watch = {camera: _Watch(now) for camera in CAMERAS}

    def arrived(self, camera: str, now: float) -> None:
        """An image arrived that can be paired. It counts as usable until the worker says otherwise."""
        with self._lock:
            watch = self._watch[camera]
            watch.arrived, watch.stale = now, ""
            if not watch.refused:
                watch.usable = now if watch.usable is None else max(watch.usable, now)

    def refused(self, camera: str, reason: str) -> None:
        """An image was refused; the camera is lost once nothing else came for the time-out."""
        with self._lock:
            self._watch[camera].refused = reason

    def stale(self, camera: str, reason: str) -> None:
        """An image came whose stamp leaves nothing to do with it: it counts for nothing, but says why. The
        next image that can be paired ends that."""
        with self._lock:
            self._watch[camera].stale = reason

    def used(self, camera: str, now: float) -> None:
        """An image was converted without complaint."""
        with self._lock:
            watch = self._watch[camera]
            watch.refused = ""
            watch.usable = now if watch.usable is None else max(watch.usable, now)

    def frozen(self, camera: str, is_frozen: bool, now: float) -> None:
        """The image repeats itself (a flat-field correction), or moves again."""
        with self._lock:
            watch = self._watch[camera]
            if not is_frozen:
                watch.frozen_since = None
            elif watch.frozen_since is None:
                watch.frozen_since = now

    def silent(self, camera: str, now: float) -> bool:
        """Whether nothing that can be paired came for the time-out: the other camera goes on alone."""
        with self._lock:
            watch = self._watch[camera]
            latest = watch.since if watch.arrived is None else watch.arrived
            return now - latest > self.timeout

    def loss(self, camera: str, now: float) -> Loss | None:
        """Why the camera is lost, None while it is not."""
        with self._lock:
            return self._loss(self._watch[camera], now)

    def action(self, now: float, on_thermal_loss: str, on_rgb_loss: str) -> Action:
        """What to publish at this moment."""
        with self._lock:
            lost = {camera for camera in CAMERAS if self._loss(self._watch[camera], now) is not None}
        return action_for(lost, on_thermal_loss, on_rgb_loss)

    def _loss(self, watch: _Watch, now: float) -> Loss | None:
        latest = watch.since if watch.usable is None else watch.usable
        if now - latest > self.timeout:
            if watch.stale or watch.refused:
                return Loss("unusable", now - latest, watch.stale or watch.refused)
            return Loss("never" if watch.usable is None else "silent", now - latest)
        if watch.frozen_since is not None:
            return Loss("frozen", now - watch.frozen_since)
        return None
