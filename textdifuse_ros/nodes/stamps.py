"""Are stamps believable? One wild stamp costs one image, a real jump of time is followed."""

from __future__ import annotations

FORWARD_S = 10.0  # further ahead than the time that really passed, plus this, is a jump
BACKWARD_S = 1.0  # further back than this is a jump; less is disorder, which pairing handles
_SECOND = 1_000_000_000


def stamp_ns(sec: int, nanosec: int) -> int:
    """Nanoseconds of a stamp message; raises ValueError, with the reason, for one that means nothing."""
    if nanosec >= _SECOND:
        raise ValueError(f"its stamp has {nanosec} nanoseconds in a second")
    if sec < 0:
        raise ValueError(f"its stamp is negative ({sec} s)")
    if sec == 0 and nanosec == 0:
        raise ValueError("its stamp is zero: the driver does not stamp its images")
    return sec * _SECOND + nanosec


class StampGuard:
    """Tells a single wild stamp from a real jump (looped bag, clock reset): a jump is believed when the next
    image continues it. Fed in order of arrival; not thread-safe by itself."""

    def __init__(self) -> None:
        self._last: tuple[int, float] | None = None
        self._suspect: tuple[int, float] | None = None

    def reset(self) -> None:
        """Forget: the next stamp is believed, whatever it is."""
        self._last = self._suspect = None

    def check(self, stamp: int, now: float) -> str:
        """Why the stamp [ns] that arrived at steady time ``now`` [s] is not believed, "" when it is."""
        if self._continues(self._last, stamp, now):
            self._accept(stamp, now)
            return ""
        if self._suspect is not None and self._continues(self._suspect, stamp, now):
            self._accept(stamp, now)
            return ""
        assert self._last is not None
        ahead = (stamp - self._last[0]) / _SECOND
        self._suspect = (stamp, now)
        return (
            f"its stamp jumps {abs(ahead):.1f} s {'ahead' if ahead > 0 else 'back'} of the one before; "
            "the jump is followed when the next image confirms it"
        )

    @staticmethod
    def _continues(origin: tuple[int, float] | None, stamp: int, now: float) -> bool:
        if origin is None:
            return True
        ahead = (stamp - origin[0]) / _SECOND
        return -BACKWARD_S <= ahead <= FORWARD_S + max(0.0, now - origin[1])

    def _accept(self, stamp: int, now: float) -> None:
        # the latest stamp, not the highest: slight disorder must not ratchet the expectation. One that stands
        # still keeps its time, so that going on from there is no jump.
        if self._last is None or stamp != self._last[0]:
            self._last = (stamp, now)
        self._suspect = None
