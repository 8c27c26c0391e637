"""From boxes and rules of thumb to pixel labels, for the localiser's training.

A frame's labels are two bit sets a pixel, one bit a concept: where it is, and where nobody knows. All other
pixels are without it. Nothing here is exact: docs/prompts.md says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from textdifuse_ros.text.concepts import SEEN

Image = NDArray[np.uint8]
OBJECTS = SEEN[:6]  # what has boxes; the rest surrounds them
_SMALLEST = 40  # pixels of a box that GrabCut can say something about
_LARGEST = 40  # pixels along a box's longer side that GrabCut is given; larger ones are shrunk
_SEEN = 0.2  # share of a box from which a segmenter has seen the object in it
_MARGIN = 0.4  # of the box around it, for GrabCut to learn the surroundings from


@dataclass
class Labels:
    """there, unknown: uint8 (H, W), bit i for SEEN[i]."""

    there: Image
    unknown: Image

    def mark(self, concept: str, where: NDArray[np.bool_]) -> None:
        """The concept is there, for sure."""
        self.there[where] |= _bit(concept)
        self.unknown[where] &= 255 - _bit(concept)

    def doubt(self, concept: str, where: NDArray[np.bool_] | slice) -> None:
        """Nobody knows whether the concept is there, except where it is marked."""
        self.unknown[where] |= _bit(concept)
        self.unknown[(self.there & _bit(concept)) > 0] &= 255 - _bit(concept)


def shown(labels: Labels, concept: str) -> NDArray[np.bool_]:
    """Where the concept is: bool (H, W)."""
    return (labels.there & _bit(concept)) > 0


def here(labels: Labels, concept: str) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Where the concept is, and where nobody knows: bool (H, W) each."""
    return shown(labels, concept), (labels.unknown & _bit(concept)) > 0


def _bit(concept: str) -> int:
    return 1 << SEEN.index(concept)


def empty(height: int, width: int) -> Labels:
    return Labels(np.zeros((height, width), np.uint8), np.zeros((height, width), np.uint8))


def add_box(
    labels: Labels,
    concept: str,
    corners: Iterable[float],
    view: Image,
    outline: NDArray[np.bool_] | None = None,
) -> None:
    """Mark the object in the box; the rest of the box is unknown.

    corners: x0, y0, x1, y1 in pixels. view: uint8 (H, W, 3), whatever both cameras show best. outline: bool
    (H, W), what a segmenter takes for such objects; GrabCut decides where that is next to nothing of the box.
    """
    where = inside(labels, corners)
    if not where.any():
        return
    labels.doubt(concept, where)
    if outline is not None and outline[where].mean() >= _SEEN:
        labels.mark(concept, where & outline)
        return
    rows, columns = np.flatnonzero(where.any(axis=1)), np.flatnonzero(where.any(axis=0))
    x0, y0, x1, y1 = int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
    found = np.zeros_like(where)
    found[y0:y1, x0:x1] = object_in_box(view, (x0, y0, x1, y1))
    labels.mark(concept, found)


def inside(labels: Labels, corners: Iterable[float]) -> NDArray[np.bool_]:
    """The pixels of a box (x0, y0, x1, y1), at least one where it is in the picture at all."""
    height, width = labels.there.shape
    x0, y0, x1, y1 = (round(value) for value in corners)
    where = np.zeros((height, width), np.bool_)
    where[max(0, y0) : max(y1, y0 + 1), max(0, x0) : max(x1, x0 + 1)] = True
    return where


def object_in_box(view: Image, box: tuple[int, int, int, int]) -> NDArray[np.bool_]:
    """The object's pixels, bool of the box's shape: GrabCut's, or an ellipse where that makes no sense."""
    x0, y0, x1, y1 = box
    high, wide = y1 - y0, x1 - x0
    ellipse = np.zeros((high, wide), np.uint8)
    cv2.ellipse(ellipse, (wide // 2, high // 2), (max(1, wide // 2), max(1, high // 2)), 0, 0, 360, 1, -1)
    if high * wide < _SMALLEST:
        return ellipse > 0
    left, top = max(0, x0 - round(_MARGIN * wide) - 2), max(0, y0 - round(_MARGIN * high) - 2)
    right = min(view.shape[1], x1 + round(_MARGIN * wide) + 2)
    bottom = min(view.shape[0], y1 + round(_MARGIN * high) + 2)
    guess = np.full((bottom - top, right - left), cv2.GC_BGD, np.uint8)
    guess[y0 - top : y1 - top, x0 - left : x1 - left] = np.where(ellipse > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD)
    if (guess == cv2.GC_BGD).sum() < 10:
        return ellipse > 0
    found = _grab_cut(view[top:bottom, left:right], guess)[y0 - top : y1 - top, x0 - left : x1 - left]
    return found if 0.25 <= float(found.mean()) <= 0.95 else ellipse > 0


def _grab_cut(view: Image, guess: Image) -> NDArray[np.bool_]:
    """The foreground of a crop, of its shape, from a first guess."""
    high, wide = guess.shape
    shrink = max(1.0, max(high, wide) / ((1 + 2 * _MARGIN) * _LARGEST))
    size = (max(4, round(wide / shrink)), max(4, round(high / shrink)))
    small = np.ascontiguousarray(cv2.resize(view, size, interpolation=cv2.INTER_AREA))
    marks = np.ascontiguousarray(cv2.resize(guess, size, interpolation=cv2.INTER_NEAREST))
    if not (marks == cv2.GC_BGD).any() or not (marks == cv2.GC_PR_FGD).any():
        return guess == cv2.GC_PR_FGD
    cv2.setRNGSeed(0)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(small, marks, None, *models, 2, cv2.GC_INIT_WITH_MASK)  # type: ignore[call-overload]
    found = np.isin(marks, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    return np.asarray(cv2.resize(found, (wide, high), interpolation=cv2.INTER_NEAREST) > 0)


def add_surroundings(labels: Labels, thermal: Image, sky: bool) -> None:
    """Sky and road by rules of thumb for a forward-looking camera; most pixels stay unknown.

    The bottom of the picture is road where no object is, its upper third is not. Where `sky` is asked for,
    what is cold, smooth and touches the upper edge is sky; what is warm up there is not.
    """
    height, width = thermal.shape
    objects = (labels.there | labels.unknown) & sum(_bit(name) for name in OBJECTS)
    free = objects == 0
    bottom = np.zeros_like(free)
    bottom[round(0.82 * height) :, round(0.2 * width) : round(0.8 * width)] = True
    labels.doubt("road", slice(round(0.33 * height), None))
    labels.mark("road", bottom & free)
    labels.unknown[~free] &= 255 - _bit("road")
    labels.doubt("sky", slice(0, round(0.62 * height)))
    if not sky:
        return
    smooth = cv2.GaussianBlur(thermal, (0, 0), 1.5).astype(np.float32)
    slope = np.hypot(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)) / 4
    cold = smooth <= np.percentile(smooth, 5) + max(8.0, 0.25 * float(smooth.std()))
    above = np.zeros_like(free)
    above[: round(0.6 * height)] = True
    _, pieces, sizes, _ = cv2.connectedComponentsWithStats((cold & (slope < 6) & above).astype(np.uint8))
    for number, (_, top, _, high, area) in enumerate(sizes):
        if number and top == 0 and area > 0.02 * height * width and high > 0.06 * height:
            labels.mark("sky", pieces == number)
    labels.unknown[(smooth > np.percentile(smooth, 60)) | ~free] &= 255 - _bit("sky")
