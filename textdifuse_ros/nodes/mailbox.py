"""Between the subscriptions and the worker: one pair waiting at most, never a queue. No ROS import."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

from textdifuse_ros.nodes.frames import Frame, Job
from textdifuse_ros.nodes.loss import RGB
from textdifuse_ros.nodes.parameters import Settings
from textdifuse_ros.pairing import PairMatcher


@dataclass(frozen=True)
class PairingView:
    """A consistent look at the pairing for status and diagnostics."""

    counters: Mapping[str, int]
    taken_pairs: int
    nearest_dt_ns: int | None
    explanation: str
    waiting: int
    last_reset: str
    stale_since_pair: int


class Mailbox:
    """The matcher under a lock, and a condition on which the worker sleeps.

    All that happens under the lock is list handling: neither a subscription nor the worker ever waits for the
    other's work. The newest thing to do replaces the one that waits, which is counted as superseded.
    """

    def __init__(self, settings: Settings) -> None:
        self._condition = threading.Condition()
        self._matcher: PairMatcher[Frame] = PairMatcher(settings.number("pairing.max_dt"))
        self._single: Job | None = None
        self._superseded = 0
        self._closed = False
        self.configure(settings)

    def configure(self, settings: Settings) -> None:
        """Take over pairing.max_dt and the time offsets."""
        with self._condition:
            matcher = self._matcher
            for attribute, name in (
                ("max_dt", "pairing.max_dt"),
                ("rgb_offset", "rgb.time_offset"),
                ("thermal_offset", "thermal.time_offset"),
            ):
                if abs(getattr(matcher, attribute) - settings.number(name)) > 1e-9:
                    setattr(matcher, attribute, settings.number(name))

    def put(self, frame: Frame) -> str:
        """Give a frame to the pairing; the worker wakes when it completes a pair. Returns the cause under
        which the pairing counted it for its stamp, "" for a frame that could be paired."""
        with self._condition:
            add = self._matcher.add_rgb if frame.camera == RGB else self._matcher.add_thermal
            cause = add(frame.stamp_ns, frame)
            if self._matcher.waiting:
                self._condition.notify()
            return cause

    def put_single(self, frame: Frame) -> str:
        """Give the worker a frame without a partner: the other camera is lost. What is older than it is let
        go, so that nothing goes back in time when that one returns. Returns as `put` does."""
        with self._condition:
            cause = self._matcher.pass_alone(frame.camera, frame.stamp_ns)
            if cause:
                return cause
            if self._single is not None:
                self._superseded += 1
            rgb, thermal = (frame, None) if frame.camera == RGB else (None, frame)
            self._single = Job(rgb, thermal, 0, time.monotonic(), self._matcher.counters["reset"])
            self._condition.notify()
            return ""

    def take(self) -> Job | None:
        """Wait for the newest work; None once the mailbox is closed."""
        with self._condition:
            while not self._closed:
                job = self._ready()
                if job is not None:
                    return job
                self._condition.wait()
        return None

    def reset(self, reason: str) -> None:
        """Time began anew: forget all frames."""
        with self._condition:
            self._matcher.reset(reason)
            self._single = None

    def close(self) -> None:
        """Wake the worker for the last time."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    def view(self) -> PairingView:
        with self._condition:
            matcher = self._matcher
            counters = dict(matcher.counters)
            counters["superseded"] += self._superseded
            return PairingView(
                counters,
                matcher.taken_pairs,
                matcher.nearest_dt_ns,
                matcher.explain(),
                matcher.waiting,
                matcher.last_reset,
                matcher.stale_since_pair,
            )

    def _ready(self) -> Job | None:
        pair = self._matcher.take()
        if pair is None:
            single, self._single = self._single, None
            return single
        if self._single is not None:  # both cameras are back: the pair is the newer work
            self._single = None
            self._superseded += 1
        complete = max(pair.rgb.arrived, pair.thermal.arrived)
        return Job(pair.rgb, pair.thermal, pair.dt_ns, complete, self._matcher.counters["reset"])
