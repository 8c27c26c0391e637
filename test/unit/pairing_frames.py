"""Frames for the matcher, written as short words."""

from __future__ import annotations

from typing import Any

from textdifuse_ros.pairing import PairMatcher

MS = 1_000_000
START = 1_700_000_000_000 * MS  # nanoseconds


def at(milliseconds: float) -> int:
    return START + round(milliseconds * MS)


def matcher(max_dt: float = 0.02, **settings: Any) -> PairMatcher:
    return PairMatcher(max_dt, **settings)


def feed(pairing: PairMatcher, text: str) -> list[tuple[float, float]]:
    """Add frames written as "r0 t3 r33": camera and stamp in ms. Take after each: (rgb, thermal) ms.

    A capital is a frame used alone.
    """
    taken = []
    for word in text.split():
        if word[0] in "RT":
            pairing.pass_alone("rgb" if word[0] == "R" else "thermal", at(float(word[1:])))
            continue
        add = pairing.add_rgb if word[0] == "r" else pairing.add_thermal
        add(at(float(word[1:])), word)
        pair = pairing.take()
        if pair:
            assert (pair.rgb[0], pair.thermal[0]) == ("r", "t")
            taken.append((float(pair.rgb[1:]), float(pair.thermal[1:])))
    return taken
