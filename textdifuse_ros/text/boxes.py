"""Boxes that a detector found, laid on the relevance map of a prompt. No detector and no ROS in this file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from textdifuse_ros.text.localiser import Floats

_OUTSIDE = 0.3  # of the relevance is taken away outside the boxes at most: a detector overlooks things
_EDGE = 0.15  # width of a box's soft edge, in shorter sides of the box
_LEAST_EDGE = 2.0  # pixels


@dataclass(frozen=True)
class Hint:
    """A box that the prompt means: x0, y0, x1, y1 in pixels; ``amount`` in (0, 1] says how sure it is."""

    box: tuple[float, float, float, float]
    amount: float
    suppressed: bool = False


@dataclass(frozen=True)
class Hints:
    """What a detector knows of a prompt. ``strength`` in [0, 1]: how much of it shall count.

    ``asked`` and ``calmed``: the share, by weight, of the phrases that ask for something, and of those that
    suppress something, for which there is a box. What the other phrases point at is nowhere in the boxes, and
    must not be lowered for that.
    """

    strength: float = 0.0
    boxes: tuple[Hint, ...] = ()
    asked: float = 0.0
    calmed: float = 0.0


def sharpened(relevance: Floats, hints: Hints) -> Floats:
    """The map raised inside the boxes and lowered a little outside them; for suppressed boxes downwards.

    relevance: float32 (H, W) in [-1, 1]; so is the result. Strength 1 and a sure box make it 1 inside. It
    falls off over a soft edge around the box. Outside, at most 30 % of what is above 0 is taken away (of what
    is below 0, for suppressed boxes). Without strength, or without a box in the picture, `relevance` itself.
    """
    if hints.strength <= 0 or not hints.boxes:
        return relevance
    for suppressed, share in ((False, hints.asked), (True, hints.calmed)):
        boxes = [hint for hint in hints.boxes if hint.suppressed is suppressed]
        inside, lift = _laid(boxes, relevance.shape, hints.strength)
        if not inside.any():
            continue
        towards = -relevance if suppressed else relevance
        kept = 1 - np.float32(hints.strength * _OUTSIDE * share) * (1 - inside)
        towards = np.where(towards > 0, towards * kept, towards)
        towards += lift * (1 - np.maximum(towards, 0))
        towards = np.minimum(towards, np.float32(1))
        relevance = -towards if suppressed else towards
    return relevance


def _laid(boxes: list[Hint], shape: tuple[int, ...], strength: float) -> tuple[Floats, Floats]:
    """Where boxes are, and how far they raise: float32 (H, W) in [0, 1], the greatest of all boxes."""
    inside, lift = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for hint in boxes:
        left, top, right, bottom = hint.box
        edge = max(_LEAST_EDGE, _EDGE * min(right - left, bottom - top))
        columns, across = _ramp(left, right, edge, shape[1])
        rows, down = _ramp(top, bottom, edge, shape[0])
        soft = np.outer(down, across)
        where = (rows, columns)
        np.maximum(inside[where], soft, out=inside[where])
        np.maximum(lift[where], soft * np.float32(strength * hint.amount), out=lift[where])
    return inside, lift


def _ramp(low: float, high: float, edge: float, size: int) -> tuple[slice, Floats]:
    """The pixels of one axis that a box reaches, and how far: 1 inside, falling to 0 over the edge."""
    first, last = (min(max(0, round(at)), size) for at in (low - edge, high + edge))
    centres = np.arange(first, last, dtype=np.float32) + np.float32(0.5)
    outside = np.maximum(np.maximum(low - centres, centres - high), 0) / edge
    return slice(first, last), np.clip(1 - outside, 0, 1).astype(np.float32)
