"""What the matcher knows of one camera: its stamps, its unused frames, and what of it was used. No ROS."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Generic, TypeVar

T = TypeVar("T")

SECOND = 1_000_000_000
LARGEST_OFFSET = 10.0  # seconds that the parameters of the time offsets allow either way
RECENT = 128  # stamps remembered for duplicates: two seconds at 60 Hz
RATE = 32  # of those, used for the rate


@dataclass
class Camera(Generic[T]):
    """All stamps are as received, without the offset."""

    name: str
    offset_ns: int = 0
    frames: list[tuple[int, T]] = field(default_factory=list)  # unused, in increasing time
    recent: deque[int] = field(default_factory=lambda: deque(maxlen=RECENT))  # in order of arrival
    latest: int | None = None  # last usable arrival
    floor: int | None = None  # latest frame in a pair, waiting or taken, or used alone
    taken: int | None = None  # latest frame in a pair that was taken, or used alone
    alone: int | None = None  # latest frame used alone
    previous: int | None = None  # last arrival, whatever became of it
    stale_run: int = 0
    in_a_row: int = 0
    received: int = 0

    def forget(self) -> None:
        """All stamps; the frames are the owner's to count."""
        self.recent.clear()
        self.latest = self.floor = self.taken = self.alone = self.previous = None
        self.stale_run = 0

    def period_ns(self, longest: int) -> float | None:
        """Mean spacing of the recent stamps, gaps over `longest` left out; None before three frames."""
        stamps = sorted(list(self.recent)[-RATE:])
        gaps = [b - a for a, b in pairwise(stamps) if b - a <= longest]
        return sum(gaps) / len(gaps) if len(gaps) >= 2 else None

    def rate(self, longest: int) -> float:
        """Frames a second, 0.0 where too few are known. Gaps as in `period_ns`, but where there are only long
        ones, these are the rate."""
        period = self.period_ns(longest) or self.period_ns(60 * SECOND)
        return SECOND / period if period else 0.0

    def forget_after(self, stamp: int) -> int:
        """Drop what was sent from a future that did not come true; how many frames that were."""
        keep = sum(frame[0] < stamp for frame in self.frames)
        dropped = len(self.frames) - keep
        del self.frames[keep:]
        self.recent = deque((s for s in self.recent if s < stamp), maxlen=RECENT)
        self.latest = self.previous = None
        return dropped

    def is_stale(self, stamp: int) -> bool:
        return (self.floor is not None and stamp <= self.floor) or stamp in self.recent

    def stale_cause(self, stamp: int) -> str:
        """The cause to count for a frame that cannot be used any more, "" for a usable one."""
        if stamp in self.recent:
            return "duplicate"
        if self.taken is not None and stamp <= self.taken:
            return "late"
        if self.floor is not None and stamp <= self.floor:
            return f"unmatched_{self.name}"  # older than the waiting pair, which nothing has taken yet
        return ""

    def too_old(self, stamp: int, horizon: int) -> bool:
        return self.latest is not None and self.latest - stamp > horizon

    def in_reach(self, capacity: int, horizon: int) -> list[int]:
        """Stamps that a frame may still be paired with: those of frames that were let go for their number or
        age would make a distance that no pair can have. The camera must have sent something."""
        newest = max(self.recent) if self.latest is None else self.latest
        last = list(self.recent)[-capacity:]
        return [stamp for stamp in last if newest - stamp <= horizon] or [newest]
