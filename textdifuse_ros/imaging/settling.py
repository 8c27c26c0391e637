"""What frames of one camera give away, smoothed over time, so that a picture's levels do not flicker."""

from __future__ import annotations

import math

import numpy as np

from textdifuse_ros.imaging.evidence import Found
from textdifuse_ros.imaging.tone import Tone
from textdifuse_ros.imaging.veil import Veil

TIME_CONSTANT = 0.5  # seconds
FORGOTTEN = 1.0  # seconds without a frame after which what was before says nothing
GONE = 0.01  # density of a veil that is not looked for any more below which it is none
JUMP = 0.3  # change of a level that is no jitter (a lamp, a tunnel): followed at once


class Settling:
    """Keeps what was found last. One caller at a time."""

    def __init__(self) -> None:
        self._last: tuple[int, Found] | None = None

    def reset(self) -> None:
        """The next frame stands for itself."""
        self._last = None

    def settle(self, found: Found, stamp_ns: int) -> Found:
        """What counts for the frame of this stamp: levels, gains, changes of the mean level and the veil on
        the way from those before to this frame's own."""
        if self._last is not None:
            seconds, before = (stamp_ns - self._last[0]) * 1e-9, self._last[1]
            if 0 <= seconds <= FORGOTTEN and not _jumped(before, found):
                found = _between(before, found, -math.expm1(-seconds / TIME_CONSTANT))
        self._last = stamp_ns, found
        return found


def _jumped(before: Found, found: Found) -> bool:
    return any(abs(level - before.levels[name]) > JUMP for name, level in found.levels.items())


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
