"""How well a fused image keeps each source inside the prompted region (docs/metrics.md).

VIF and Qabf with every place weighted by the prompt's relevance there: what the prompt does not name does not
count. On luminance in 0..255, as the metrics of whole images are.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from textdifuse_ros.evaluation import metrics
from textdifuse_ros.evaluation.metrics import Image

NAMES = ("tVIF", "tVIF_V", "tVIF_I", "tQabf", "tQabf_V", "tQabf_I")
LEAST_SHARE = (
    5e-4  # of the frame, as mean relevance: below it there is no region to judge (150 pixels of 640x480)
)


def is_region(relevance: Image) -> bool:
    """Whether there is enough of what the prompt names, relevance (H, W) in [0, 1]."""
    return float(relevance.mean()) >= LEAST_SHARE


def evaluate(
    fused: NDArray[np.uint8], visible: NDArray[np.uint8], thermal: NDArray[np.uint8], relevance: Image
) -> dict[str, float]:
    """All of NAMES. uint8 (H, W) luminances and relevance (H, W) in [0, 1], 48 pixels a side at least.

    tVIF is the sum over both sources, tQabf the share of both sources' edges; `_V` and `_I` are those of the
    visible and of the thermal image alone. Raises ValueError naming what does not fit.
    """
    if not (fused.shape == visible.shape == thermal.shape == relevance.shape) or fused.ndim != 2:
        raise ValueError(
            f"sizes differ: fused {fused.shape}, visible {visible.shape}, thermal {thermal.shape}, "
            f"relevance {relevance.shape}"
        )
    metrics.check_sides(fused.shape)
    if relevance.min() < 0 or not relevance.any():
        raise ValueError(
            "the relevance is nowhere above 0, or somewhere below it: there is no region to judge"
        )
    f, v, i = (np.asarray(image, np.float64) for image in (fused, visible, thermal))
    weight = np.asarray(relevance, np.float64)
    of_visible = metrics.visual_information_fidelity(v, f, weight)
    of_thermal = metrics.visual_information_fidelity(i, f, weight)
    return {
        "tVIF": of_visible + of_thermal,
        "tVIF_V": of_visible,
        "tVIF_I": of_thermal,
        "tQabf": metrics.edge_preservation(v, i, f, weight),
        "tQabf_V": _edges_of(v, f, weight),
        "tQabf_I": _edges_of(i, f, weight),
    }


def _edges_of(source: Image, fused: Image, weight: Image) -> float:
    """Share of one source's edges that is kept, weighted by their strength and the relevance."""
    kept, strength = metrics.edges_kept(source, fused)
    counted = strength * weight
    total = float(counted.sum())
    return float((kept * counted).sum() / total) if total > 0 else 0.0
