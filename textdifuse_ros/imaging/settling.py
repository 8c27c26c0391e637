"""What frames of one camera give away, smoothed over time, so that a picture's levels do not flicker."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Generic, TypeVar

import numpy as np

from textdifuse_ros.imaging.evidence import Found
from textdifuse_ros.imaging.thermal_evidence import ThermalFound
from textdifuse_ros.imaging.tone import Tone
from textdifuse_ros.imaging.veil import Veil

TIME_CONSTANT = 0.5  # seconds
FORGOTTEN = 1.0  # seconds without a frame after which what was before says nothing
GONE = 0.01  # density of a veil that is not looked for any more below which it is none
JUMP = 0.3  # change of a level that is no jitter (a lamp, a tunnel): followed at once

Told = TypeVar("Told", Found, ThermalFound)


class Smoothing(Generic[Told]):
    """Keeps what was found last. between: what lies at a share in [0, 1] of the way from the first to the
    second. One caller at a time."""

    def __init__(self, between: Callable[[Told, Told, float], Told]) -> None:
        self._between: Callable[[Told, Told, float], Told] = between
        self._last: tuple[int, Told] | None = None

    def reset(self) -> None:
        """The next frame stands for itself."""
        self._last = None

    def settle(self, found: Told, stamp_ns: int) -> Told:
        """What counts for the frame of this stamp: levels, gains, changes of the mean level and the veil on
        the way from those before to this frame's own."""
        if self._last is not None:
            seconds, before = (stamp_ns - self._last[0]) * 1e-9, self._last[1]
            if 0 <= seconds <= FORGOTTEN and not _jumped(before, found):
                found = self._between(before, found, -math.expm1(-seconds / TIME_CONSTANT))
        self._last = stamp_ns, found
        return found


class Settling(Smoothing[Found]):
    """Of RGB images."""

    def __init__(self) -> None:
        super().__init__(_between)


class ThermalSettling(Smoothing[ThermalFound]):
    """Of thermal images."""

    def __init__(self) -> None:
        super().__init__(_thermal_between)


def _jumped(before: Told, found: Told) -> bool:
    return any(abs(level - before.levels[name]) > JUMP for name, level in found.levels.items())


def _thermal_between(before: ThermalFound, found: ThermalFound, share: float) -> ThermalFound:
    def mixed(old: float, new: float) -> float:
        return (1 - share) * old + share * new

    levels = {name: mixed(before.levels[name], level) for name, level in found.levels.items()}
    gain = math.exp(mixed(math.log(before.gain), math.log(found.gain)))
    level = found.mean + mixed(before.level - before.mean, found.level - found.mean)
    # Ends that limit the gain move with it: a hot spot that comes and goes must not make it jump.
    low, high = mixed(before.low, found.low), mixed(before.high, found.high)
    return ThermalFound(levels, gain, min(1.0, max(0.0, level)), found.mean, low, high)


def _between(before: Found, found: Found, share: float) -> Found:
    levels = {name: (1 - share) * before.levels[name] + share * level for name, level in found.levels.items()}
    old, new = before.tone, found.tone
    gain = np.exp((1 - share) * np.log(old.gain) + share * np.log(new.gain))
    change = (1 - share) * (old.level - old.mean) + share * (new.level - new.mean)
    veil = _veil_between(before.veil, found.veil, share)
    return Found(levels, Tone(gain, np.clip(new.mean + change, 0, 1), new.mean), veil)


def _veil_between(before: Veil | None, found: Veil | None, share: float) -> Veil | None:
    """None is one that changes nothing; what came is not gone because a frame gave no reason to look."""
    if before is None and found is None:
        return None
    maps = (0.0 if found is None else share * found.maps) + (
        0.0 if before is None else (1 - share) * before.maps
    )
    veil = Veil(np.asarray(maps, np.float32))
    return veil if found is not None or veil.density > GONE else None
