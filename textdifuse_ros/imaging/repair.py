"""What an RGB image gives away, put right before the network (pure functions)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textdifuse_ros.imaging import tone
from textdifuse_ros.imaging.evidence import Found
from textdifuse_ros.imaging.veil import lifted

Bytes = NDArray[np.uint8]

VEIL = "veil"  # of smoke or fog, among what is repaired
HAZE = "haze"  # the control of both
_CONTROL_OF = {"fog": HAZE}  # of faults that have another name than their control


@dataclass(frozen=True)
class Shares:
    """How far what an image gives away is put right without a wish, in [0, 1]: faults by name, the levels of
    all of them together, and the veil."""

    faults: Mapping[str, float]
    levels: float
    veil: float

    def repaired(self, found: Found) -> dict[str, float]:
        """Levels in [0, 1] of what is put right, by name: FAULTS of `imaging.evidence`, and VEIL."""
        levels = {name: found.levels[name] for name in self.faults}
        return levels if found.veil is None or self.veil == 0 else {**levels, VEIL: found.veil.density}


NOTHING = Shares({}, 0.0, 0.0)


def shares_of(found: Found, kept: Collection[str]) -> Shares:
    """kept: controls of what is to stay."""
    veil = 0.0 if found.veil is None or HAZE in kept else found.veil.share
    # Levels were judged with the veil: where that goes, nothing is left that they say.
    faults = {name: share * (1 - veil) for name, share in found.shares.items()}
    faults = {n: share for n, share in faults.items() if share > 0 and _CONTROL_OF.get(n, n) not in kept}
    return Shares(faults, max(faults.get(name, 0.0) for kind in tone.KINDS for name in kind), veil)


def put_right(
    rgb: Bytes, found: Found, shares: Shares, colours: float, haze: float, kept: Collection[str] = ()
) -> Bytes:
    """rgb uint8 (H, W, 3); the same array where nothing is to be done. colours, haze: shares in [0, 1] of a
    cast and of a veil that somebody has asked to go; kept: as for `shares_of`."""
    image = rgb if found.veil is None else lifted(rgb, found.veil, shares.veil, haze)
    levels = tone.table(found.tone, shares.levels, kept, colours)
    return image if levels is None else tone.applied(image, levels)
