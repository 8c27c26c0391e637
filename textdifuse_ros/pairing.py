"""Newest-pair matcher for two cameras that are not triggered together. No ROS, no threads, no clock.

Every frame is used at most once, so the slower camera sets the rate of pairs. Frames are compared by
corrected time = stamp + the camera's offset. Stamps are integer nanoseconds.

When a pair is made. A frame is matched when it arrives, with the nearest unused frame of the other camera
that lies within `max_dt`; waiting for something better costs latency. There is one exception. If, by the
other camera's measured rate, its very next frame will be less than half as far away and within `max_dt`,
the match is put off until the next frame of either camera arrives. Without it, two 60 Hz cameras whose period
is shorter than `max_dt` could stay locked one frame apart for ever; with it the cost is at most one frame.

How many pairs wait. At most one. A newer pair takes its place and the old one is counted as "superseded".
Pairs come out in strictly increasing time of both cameras, until a reset.

While a camera is lost the other's frames are used alone (`pass_alone`). No frame that is older than one of
them, in corrected time, is paired after that, whichever camera it comes from.

What every frame becomes. Used alone, part of a pair that is taken or superseded, or counted once under
- "unmatched_rgb", "unmatched_thermal": no unused partner within `max_dt`, or pushed out of the buffer,
- "late": not newer than the frame of this camera that was taken or used alone last,
- "duplicate": same stamp as an earlier frame of this camera,
- "invalid": stamp of zero or less.
"reset" counts events, not frames.

When time goes backwards. A camera whose stamp falls more than `jump` seconds behind its newest, or that keeps
delivering stale frames in increasing order, has started again (looped bag, simulation reset): everything
before is forgotten and the pairing restarts with that frame. When the other camera follows, or when a single
frame had an absurd stamp in the future, only that camera's own frames go and no reset is counted.
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from .pairing_camera import RATE, SECOND, Camera

T = TypeVar("T")

CAUSES = ("superseded", "unmatched_rgb", "unmatched_thermal", "late", "duplicate", "invalid", "reset")

_STALE_RUN = 5  # stale frames in increasing order that prove a restart shorter than `jump`
_ALONE = 20  # frames in a row from one camera after which the other is taken to be silent
_HOLD_GAIN = 0.5  # a promised partner must at least halve the distance to be waited for


@dataclass(frozen=True)
class Pair(Generic[T]):
    """Two frames of one moment. Stamps are as received; dt is thermal minus RGB with the offsets applied."""

    rgb: T
    thermal: T
    rgb_stamp_ns: int
    thermal_stamp_ns: int
    dt_ns: int


class PairMatcher(Generic[T]):
    """See the module's description. Not thread safe: the owner holds a lock.

    max_dt, offsets and jump are in seconds. capacity bounds the unused frames kept of each camera, horizon
    their age in seconds behind that camera's last one.
    """

    def __init__(
        self,
        max_dt: float,
        rgb_offset: float = 0.0,
        thermal_offset: float = 0.0,
        capacity: int = 32,
        jump: float = 1.0,
        horizon: float = 1.0,
    ) -> None:
        if capacity < 1:
            raise ValueError(f"capacity {capacity} must be 1 or more")
        if not (jump > 0.0 and horizon > 0.0):
            raise ValueError(f"jump {jump:g} s and horizon {horizon:g} s must be positive")
        self._rgb: Camera[T] = Camera("rgb")
        self._thermal: Camera[T] = Camera("thermal")
        self._capacity = int(capacity)
        self._jump_ns, self._horizon_ns = round(jump * SECOND), round(horizon * SECOND)
        self._waiting: Pair[T] | None = None
        self._held = False
        self._nearest: deque[int] = deque(maxlen=2 * RATE)
        self._counters = dict.fromkeys(CAUSES, 0)
        self._taken_pairs = 0
        self._used_alone = 0
        self._stale_at_pair = 0
        self._last_reset = ""
        self.max_dt = max_dt
        self.rgb_offset = rgb_offset
        self.thermal_offset = thermal_offset

    @property
    def max_dt(self) -> float:
        """Largest distance in corrected time between the frames of a pair [s]."""
        return self._max_dt_ns / SECOND

    @max_dt.setter
    def max_dt(self, seconds: float) -> None:
        if not 0.0 <= seconds <= 3600.0:
            raise ValueError(f"max_dt {seconds:g} s must lie within 0..3600")
        self._max_dt_ns = round(seconds * SECOND)

    @property
    def rgb_offset(self) -> float:
        """Seconds added to every RGB stamp before comparing; positive for one that stamps too early."""
        return self._rgb.offset_ns / SECOND

    @rgb_offset.setter
    def rgb_offset(self, seconds: float) -> None:
        self._set_offset(self._rgb, seconds)

    @property
    def thermal_offset(self) -> float:
        """Seconds added to every thermal stamp before comparing; positive for one that stamps too early."""
        return self._thermal.offset_ns / SECOND

    @thermal_offset.setter
    def thermal_offset(self, seconds: float) -> None:
        self._set_offset(self._thermal, seconds)

    def _set_offset(self, camera: Camera[T], seconds: float) -> None:
        if not -1e9 <= seconds <= 1e9:
            raise ValueError(f"time offset {seconds:g} s of the {camera.name} camera is absurd")
        camera.offset_ns = round(seconds * SECOND)
        self._nearest.clear()  # distances under the old offset say nothing any more

    def add_rgb(self, stamp_ns: int, item: T) -> str:
        """Take an RGB frame; `item` is kept as it is until it is paired or dropped.

        The cause under which it is counted for its stamp, "" for one that could be paired.
        """
        return self._add(self._rgb, self._thermal, int(stamp_ns), item)

    def add_thermal(self, stamp_ns: int, item: T) -> str:
        """Take a thermal frame; returns as `add_rgb` does."""
        return self._add(self._thermal, self._rgb, int(stamp_ns), item)

    def pass_alone(self, name: str, stamp_ns: int) -> str:
        """A frame of the camera "rgb" or "thermal" is used without a partner, as the other camera is lost.

        Frames that are older could only go back in time: they are let go. Returns as `add_rgb` does; a frame
        with a cause is not to be used.
        """
        camera, other = (self._rgb, self._thermal) if name == "rgb" else (self._thermal, self._rgb)
        stamp = int(stamp_ns)
        cause = self._admit(camera, other, stamp)
        if cause:
            return cause
        self._held = False
        self._used_alone += 1
        self._drop_waiting()  # or its frame would be the newer one, and this one have a cause
        camera.floor = camera.taken = camera.alone = stamp
        self._drop_frames(camera, sum(frame[0] < stamp for frame in camera.frames))
        self._expire(camera, other)
        return ""

    @property
    def waiting(self) -> int:
        """Pairs ready to be taken, 0 or 1."""
        return int(self._waiting is not None)

    def take(self) -> Pair[T] | None:
        """The waiting pair, which is then gone; None if there is none."""
        pair, self._waiting = self._waiting, None
        if pair is not None:
            self._rgb.taken, self._thermal.taken = pair.rgb_stamp_ns, pair.thermal_stamp_ns
            self._taken_pairs += 1
        return pair

    def reset(self, reason: str = "asked for") -> None:
        """Forget all frames and stamps, as if both cameras started anew; counters and settings stay."""
        self._counters["reset"] += 1
        self._last_reset = reason
        self._drop_waiting()
        for camera in (self._rgb, self._thermal):
            self._drop_frames(camera, len(camera.frames))
            camera.forget()
        self._nearest.clear()
        self._held = False

    @property
    def counters(self) -> Mapping[str, int]:
        """A copy of the counts by cause (`CAUSES`) since construction."""
        return dict(self._counters)

    @property
    def taken_pairs(self) -> int:
        """Pairs handed out by `take`."""
        return self._taken_pairs

    @property
    def used_alone(self) -> int:
        """Frames used without a partner."""
        return self._used_alone

    @property
    def stale_since_pair(self) -> int:
        """Frames counted as "duplicate" or "late" since the latest pair was made."""
        return self._stale() - self._stale_at_pair

    @property
    def received(self) -> dict[str, int]:
        """Frames received by camera, "rgb" and "thermal"."""
        return {"rgb": self._rgb.received, "thermal": self._thermal.received}

    @property
    def buffered(self) -> dict[str, int]:
        """Unused frames kept by camera."""
        return {"rgb": len(self._rgb.frames), "thermal": len(self._thermal.frames)}

    @property
    def rates(self) -> dict[str, float]:
        """Frames a second by camera, from the recent stamps; 0.0 where too few are known.

        By stamps, not by the clock: a camera that stopped keeps its last rate.
        """
        return {c.name: c.rate(self._jump_ns) for c in (self._rgb, self._thermal)}

    @property
    def last_stamps(self) -> dict[str, int | None]:
        """Last usable stamp by camera as received [ns]; None before the first frame."""
        return {"rgb": self._rgb.latest, "thermal": self._thermal.latest}

    @property
    def last_reset(self) -> str:
        """Why the latest reset happened, "" if none did."""
        return self._last_reset

    @property
    def nearest_dt_ns(self) -> int | None:
        """Smallest distance seen lately, thermal minus RGB, corrected; None until both cameras sent."""
        return min(self._nearest, key=abs) if self._nearest else None

    def explain(self) -> str:
        """The state of the pairing in one line for people; see `pairing_report.explain`."""
        from .pairing_report import explain

        return explain(self)

    def _add(self, camera: Camera[T], other: Camera[T], stamp: int, item: T) -> str:
        cause = self._admit(camera, other, stamp)
        if cause:
            return cause
        if self._behind(camera, other, stamp):
            self._counters[f"unmatched_{camera.name}"] += 1
            return ""
        held, self._held = self._held, False
        insort(camera.frames, (stamp, item), key=lambda frame: frame[0])
        if not self._match(camera, other, stamp, may_hold=not held) and held:
            self._match_newest(camera, other)
        self._expire(camera, other)
        return ""

    def _admit(self, camera: Camera[T], other: Camera[T], stamp: int) -> str:
        """Judge a frame by its stamp and count it; the cause for one that cannot be used, "" for the rest."""
        camera.received += 1
        if stamp <= 0:
            self._counters["invalid"] += 1
            return "invalid"
        self._watch_time(camera, other, stamp)
        cause = camera.stale_cause(stamp)
        camera.previous = stamp
        if cause:
            self._counters[cause] += 1
            return cause
        self._remember(camera, other, stamp)
        return ""

    def _watch_time(self, camera: Camera[T], other: Camera[T], stamp: int) -> None:
        """Find out whether time went backwards, and start again if so."""
        if camera.latest is None:
            return
        if stamp < camera.latest - self._jump_ns:
            if self._joins(camera, other, stamp):
                self._counters[f"unmatched_{camera.name}"] += camera.forget_after(stamp)
                self._nearest.clear()
            else:
                back = (camera.latest - stamp) / SECOND
                self._restart(camera, f"{camera.name} stamps jumped back by {back:.3f} s")
            return
        if camera.is_stale(stamp):
            if camera.previous is None or stamp < camera.previous:
                camera.stale_run = 1
            elif stamp > camera.previous:
                camera.stale_run += 1
            if camera.stale_run >= _STALE_RUN:
                self._restart(camera, f"{camera.name} stamps run through the past again")
        else:
            camera.stale_run = 0

    def _joins(self, camera: Camera[T], other: Camera[T], stamp: int) -> bool:
        """Whether the camera comes back to where the other one is, so that nothing of the other is lost."""
        if other.latest is None or (camera.floor is not None and stamp <= camera.floor):
            return False
        return abs(stamp + camera.offset_ns - other.latest - other.offset_ns) <= self._jump_ns

    def _restart(self, camera: Camera[T], reason: str) -> None:
        """Reset, but remember where the other camera was: its own jump must not count as a second one."""
        other = self._thermal if camera is self._rgb else self._rgb
        latest = other.latest
        self.reset(reason)
        other.latest = latest

    def _remember(self, camera: Camera[T], other: Camera[T], stamp: int) -> None:
        """Rates and the nearest distance, kept apart from the frames themselves."""
        camera.recent.append(stamp)
        camera.latest = stamp
        camera.in_a_row, other.in_a_row = camera.in_a_row + 1, 0
        if other.recent and camera.in_a_row <= _ALONE:  # the distance to a silent camera only grows
            at = stamp + camera.offset_ns - other.offset_ns
            reach = other.in_reach(self._capacity, self._horizon_ns)
            distance = min((at - s for s in reach), key=abs)
            self._nearest.append(distance if camera is self._thermal else -distance)

    def _match(self, camera: Camera[T], other: Camera[T], stamp: int, may_hold: bool) -> bool:
        """Pair the camera's frame with the nearest of the other; True when paired or put off."""
        at = stamp + camera.offset_ns - other.offset_ns  # in the other camera's time
        best = min((s for s, _ in other.frames), key=lambda s: (abs(s - at), -s), default=None)
        if best is None or abs(best - at) > self._max_dt_ns:
            return False
        if may_hold and self._better_is_due(other, at, abs(best - at)):
            self._held = True
        else:
            self._pair(camera, other, stamp, best)
        return True

    def _match_newest(self, camera: Camera[T], other: Camera[T]) -> None:
        """The frame that was waited for did not come: make the best pair there is, newest first."""
        for mine, its in ((other, camera), (camera, other)):
            if any(self._match(mine, its, stamp, may_hold=False) for stamp, _ in reversed(mine.frames)):
                return

    def _better_is_due(self, other: Camera[T], at: int, distance: int) -> bool:
        """Whether the other camera's next frame is promised to be much nearer to `at` (in its time)."""
        period = other.period_ns(self._jump_ns)
        if period is None or other.latest is None or other.latest >= at:
            return False
        return abs(other.latest + period - at) < _HOLD_GAIN * distance

    def _pair(self, camera: Camera[T], other: Camera[T], stamp: int, partner: int) -> None:
        """Make the two frames the waiting pair and drop everything older: it could only go back in time."""
        first, second = self._pop(camera, stamp), self._pop(other, partner)
        if camera is self._rgb:
            rgb, thermal, rgb_ns, thermal_ns = first, second, stamp, partner
        else:
            rgb, thermal, rgb_ns, thermal_ns = second, first, partner, stamp
        dt = thermal_ns + self._thermal.offset_ns - rgb_ns - self._rgb.offset_ns
        self._drop_waiting()
        self._waiting = Pair(rgb, thermal, rgb_ns, thermal_ns, dt)
        self._rgb.floor, self._thermal.floor = rgb_ns, thermal_ns
        self._stale_at_pair = self._stale()

    def _pop(self, camera: Camera[T], stamp: int) -> T:
        index = next(i for i, frame in enumerate(camera.frames) if frame[0] == stamp)
        self._drop_frames(camera, index)
        return camera.frames.pop(0)[1]

    def _expire(self, camera: Camera[T], other: Camera[T]) -> None:
        """Let go of frames that the other camera has passed, that are too old, or too many."""
        for mine, its in ((camera, other), (other, camera)):
            count = 0
            for index, (stamp, _) in enumerate(mine.frames):
                passed = self._behind(mine, its, stamp) or self._passed(mine, its, stamp)
                if passed or mine.too_old(stamp, self._horizon_ns):
                    count = index + 1
            self._drop_frames(mine, max(count, len(mine.frames) - self._capacity))

    def _behind(self, camera: Camera[T], other: Camera[T], stamp: int) -> bool:
        """Whether the other camera went on alone past it."""
        return other.alone is not None and stamp + camera.offset_ns <= other.alone + other.offset_ns

    def _passed(self, camera: Camera[T], other: Camera[T], stamp: int) -> bool:
        """Whether the other camera's last frame leaves no hope; an absurdly distant one proves nothing."""
        if other.latest is None:
            return False
        ahead = other.latest + other.offset_ns - stamp - camera.offset_ns
        return self._max_dt_ns < ahead <= self._jump_ns

    def _drop_frames(self, camera: Camera[T], count: int) -> None:
        if count > 0:
            del camera.frames[:count]
            self._counters[f"unmatched_{camera.name}"] += count

    def _drop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting = None
            self._counters["superseded"] += 1

    def _stale(self) -> int:
        return self._counters["duplicate"] + self._counters["late"]
