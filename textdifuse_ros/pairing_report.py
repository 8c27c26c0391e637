"""The state of the pairing in one line for people: rates, nearest distance, what to do if nothing matches."""

from __future__ import annotations

from typing import Any

from .pairing import PairMatcher
from .pairing_camera import LARGEST_OFFSET

_SECOND = 1_000_000_000


def explain(matcher: PairMatcher[Any]) -> str:
    """One line, for example "rgb 9.0 Hz, thermal 9.1 Hz, nearest dt 48 ms > pairing.max_dt 20 ms: raise
    pairing.max_dt or set thermal.time_offset -0.048".
    """
    rates, stamps, received = matcher.rates, matcher.last_stamps, matcher.received
    parts = []
    for name in ("rgb", "thermal"):
        if stamps[name] is not None:
            parts.append(f"{name} {rates[name]:.1f} Hz")
        elif received[name]:
            parts.append(f"{received[name]} {name} frames but none with a usable stamp")
        else:
            parts.append(f"no {name} frame yet")
    text = ", ".join(parts)
    nearest = matcher.nearest_dt_ns
    if nearest is None:
        return text
    return f"{text}, nearest dt {_span(abs(nearest))} {_advice(matcher, nearest)}"


def _advice(matcher: PairMatcher[Any], nearest: int) -> str:
    limit = _span(round(matcher.max_dt * _SECOND))
    if abs(nearest) <= matcher.max_dt * _SECOND:
        return f"<= pairing.max_dt {limit}"
    gap = _clock_gap(matcher, nearest)
    if gap is None:
        return f"> pairing.max_dt {limit}: raise pairing.max_dt{_or_offset(matcher, nearest)}"
    side = "ahead of" if gap > 0 else "behind"
    return (
        f"> pairing.max_dt {limit}: thermal stamps are {_span(abs(gap))} {side} rgb, "
        f"synchronise the clocks{_or_offset(matcher, gap)}"
    )


def _or_offset(matcher: PairMatcher[Any], gap: int) -> str:
    """The offset that would close the gap [ns], "" where the parameter does not go so far."""
    offset = matcher.thermal_offset - gap / _SECOND
    return f" or set thermal.time_offset {offset:.3f}" if abs(offset) <= LARGEST_OFFSET else ""


def _clock_gap(matcher: PairMatcher[Any], nearest: int) -> int | None:
    """Thermal minus RGB time [ns] when the two streams do not overlap at all, None when they do.

    Where they overlap, a frame of the slower camera always has one of the faster within a period.
    """
    rates, stamps = matcher.rates, matcher.last_stamps
    rgb, thermal = stamps["rgb"], stamps["thermal"]
    slowest = min(rates.values())
    if rgb is None or thermal is None or not slowest or abs(nearest) <= _SECOND / slowest:
        return None
    return thermal - rgb + round((matcher.thermal_offset - matcher.rgb_offset) * _SECOND)


def _span(ns: int) -> str:
    """A duration in words: milliseconds below ten seconds, seconds above."""
    return f"{ns / 1e6:.0f} ms" if ns < 10 * _SECOND else f"{ns / _SECOND:.1f} s"
