"""Ground truth of a frame: boxes, occlusion and smoke per object."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .cast import CLASS_NAMES
from .geometry import Array

SMALLEST = 12
"""Objects with fewer visible pixels are left out of the list (they stay in the masks)."""


@dataclass(frozen=True)
class SimObject:
    """One visible object.

    ident: 1..255, value of its pixels in the instance mask. box: x0, y0, x1, y1 in pixels around its visible
    pixels, x1 and y1 exclusive. visible: share 0..1 of its in-picture silhouette that nothing solid hides.
    clear: share 0..1 of its light that passes the smoke. distance: depth of its nearest pixel [m].
    """

    ident: int
    class_id: int
    class_name: str
    box: tuple[int, int, int, int]
    pixels: int
    visible: float
    clear: float
    distance: float


def measure(
    instances: NDArray[np.uint8],
    kinds: NDArray[np.uint8],
    amodal: dict[int, int],
    depth: Array,
    transmission: NDArray[np.uint8],
) -> tuple[SimObject, ...]:
    """Ground truth from an instance mask (H,W), class ids (256,) and silhouette sizes [px] by id."""
    objects = []
    counts = np.bincount(instances.ravel(), minlength=256)
    for ident in np.flatnonzero(counts[1:] >= SMALLEST) + 1:
        x, y, width, height = cv2.boundingRect(cv2.inRange(instances, int(ident), int(ident)))
        inside = np.s_[y : y + height, x : x + width]
        chosen = instances[inside] == ident
        kind = int(kinds[ident])
        objects.append(
            SimObject(
                int(ident),
                kind,
                CLASS_NAMES[kind],
                (x, y, x + width, y + height),
                int(counts[ident]),
                min(1.0, float(counts[ident]) / max(amodal.get(int(ident), 1), 1)),
                float(transmission[inside][chosen].mean()) / 255.0,
                float(depth[inside][chosen].min()),
            )
        )
    return tuple(objects)
