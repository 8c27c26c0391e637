"""Small running measurements: rates, percentiles, and a log that says each cause once. Pure Python."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass


class RateMeter:
    """Events per second over the latest ``window`` seconds of a steady clock."""

    def __init__(self, window: float = 5.0) -> None:
        self._window = window
        self._times: deque[float] = deque(maxlen=1000)
        self.total = 0

    def tick(self, now: float) -> None:
        self._times.append(now)
        self.total += 1

    def rate(self, now: float) -> float:
        """Hz; 0 with fewer than two events in the window. Falls off while nothing comes."""
        recent = [t for t in tuple(self._times) if now - t <= self._window]
        if len(recent) < 2:
            return 0.0
        period = (recent[-1] - recent[0]) / (len(recent) - 1)
        return 1.0 / max(period, (now - recent[-1]) / 2, 1e-6)


def percentile(values: Sequence[float], fraction: float) -> float:
    """Nearest-rank percentile, NaN of nothing."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(fraction * len(ordered)))]


class Window:
    """The latest values of one measurement."""

    def __init__(self, length: int = 300) -> None:
        self._values: deque[float] = deque(maxlen=length)

    def add(self, value: float) -> None:
        self._values.append(value)

    def p50(self) -> float:
        return percentile(tuple(self._values), 0.50)

    def p95(self) -> float:
        return percentile(tuple(self._values), 0.95)


@dataclass
class _Cause:
    since: float  # when it appeared
    active: bool = True
    announced: bool = False
    ended: float = float("-inf")


class CauseLog:
    """Logs a cause when it appears and when it is over, never in between.

    A cause that returns within ``quiet`` seconds of its end is logged only once it has held that long again:
    what flickers must not flood.
    """

    def __init__(
        self, warn: Callable[[str], object], inform: Callable[[str], object], quiet: float = 10.0
    ) -> None:
        self._warn = warn
        self._inform = inform
        self._quiet = quiet
        self._causes: dict[str, _Cause] = {}

    def raised(self, name: str, message: str, now: float) -> None:
        """The cause holds at ``now`` (steady seconds)."""
        cause = self._causes.setdefault(name, _Cause(since=now))
        if not cause.active:
            cause.active = True
            cause.since = now
        if not cause.announced and (now - cause.ended > self._quiet or now - cause.since > self._quiet):
            cause.announced = True
            self._warn(message)

    def cleared(self, name: str, message: str, now: float) -> None:
        """The cause is over, if it held. message: "" where another has taken its place."""
        cause = self._causes.get(name)
        if cause is None or not cause.active:
            return
        cause.active = False
        cause.ended = now
        if cause.announced:
            cause.announced = False
            if message:
                self._inform(message)
