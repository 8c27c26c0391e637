"""When is a camera lost, and what happens then. Pure Python; times are seconds of a steady clock."""

from __future__ import annotations

import threading
from collections.abc import Set
from dataclasses import dataclass
from enum import Enum

RGB = "rgb"
THERMAL = "thermal"
CAMERAS = (RGB, THERMAL)
LONGEST_TIMEOUT = 60.0  # seconds that loss_timeout may be
_NONE: frozenset[str] = frozenset()


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
    gap: float = 0.0  # before the latest image that could be paired
    gap_before: float = 0.0  # and before the one before

    def spaced(self, now: float) -> None:
        """An image arrived: how long after the one before, the first after the watch began."""
        self.gap_before, self.gap = self.gap, now - (self.since if self.arrived is None else self.arrived)


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
            watch.spaced(now)
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

    def goes_alone(self, camera: str, now: float) -> bool:
        """Whether this camera's images are used without a partner: the other one is silent, or just one image
        of it came after a silence. That could be the last for as long, so that waiting for a pair would cost
        all images of the time-out; the second one proves that it is back. Two cameras that both come anew
        wait for each other."""
        with self._lock:
            absent, present = self._watch[other(camera)], self._watch[camera]
            anew = present.gap > self.timeout or self._silent(present, now)
            return self._silent(absent, now) or (absent.gap > self.timeout and not anew)

    def spacing(self, camera: str, now: float) -> float | None:
        """Seconds between the images of a camera that sends, but further apart than the time-out; else None.
        One gap is an outage, two are its rate."""
        with self._lock:
            watch = self._watch[camera]
            seldom = self.timeout < min(watch.gap, watch.gap_before) and watch.gap <= LONGEST_TIMEOUT
            if watch.arrived is None or not seldom or now - watch.arrived > 2 * watch.gap:
                return None
            return watch.gap

    def loss(self, camera: str, now: float) -> Loss | None:
        """Why the camera is lost, None while it is not."""
        with self._lock:
            return self._loss(self._watch[camera], now)

    def action(self, now: float, on_thermal_loss: str, on_rgb_loss: str, missing: Set[str] = _NONE) -> Action:
        """What to publish at this moment; ``missing`` are cameras without an image in it, lost or not."""
        with self._lock:
            lost = {camera for camera in CAMERAS if self._loss(self._watch[camera], now) is not None}
        return action_for(lost | missing, on_thermal_loss, on_rgb_loss)

    def _silent(self, watch: _Watch, now: float) -> bool:
        latest = watch.since if watch.arrived is None else watch.arrived
        return now - latest > self.timeout

    def _loss(self, watch: _Watch, now: float) -> Loss | None:
        latest = watch.since if watch.usable is None else watch.usable
        if now - latest > self.timeout:
            if watch.stale or watch.refused:
                return Loss("unusable", now - latest, watch.stale or watch.refused)
            return Loss("never" if watch.usable is None else "silent", now - latest)
        if watch.frozen_since is not None:
            return Loss("frozen", now - watch.frozen_since)
        return None
