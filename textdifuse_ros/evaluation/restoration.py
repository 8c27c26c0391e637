"""How far a fusion undoes what spoils its cameras: the degraded pair's picture against the clean pair's.

Every method is its own reference: what counts is whether *its* picture stays what it was. Pure functions;
what degrades a pair and what fuses it are handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textdifuse_ros.evaluation.baselines import luminance
from textdifuse_ros.evaluation.metrics import check_sides, visual_information_fidelity

Bytes = NDArray[np.uint8]
Fuse = Callable[[Bytes, Bytes], Bytes]  # RGB (H, W, 3), thermal (H, W) -> RGB (H, W, 3)
HIGHEST_PSNR = 99.0  # of two images that are the same, so that means stay finite


@dataclass(frozen=True)
class Case:
    """One degradation at one strength in (0, 1]."""

    degradation: str
    strength: float


Spoil = Callable[[Case, Bytes, Bytes], tuple[Bytes, Bytes]]


@dataclass(frozen=True)
class Closeness:
    """psnr: dB over all three channels; vif: of the luminance, 1 for the same image."""

    psnr: float
    vif: float


def psnr(first: Bytes, second: Bytes) -> float:
    """Peak signal to noise ratio of two 8-bit images in dB, at most HIGHEST_PSNR."""
    error = first.astype(np.float64) - second
    mean_square = float((error * error).mean())
    return HIGHEST_PSNR if mean_square == 0 else min(HIGHEST_PSNR, 10 * np.log10(255**2 / mean_square))


def closeness(reference: Bytes, image: Bytes) -> Closeness:
    """How close an RGB image (H, W, 3) is to the reference. Raises ValueError where it is too small."""
    check_sides(image.shape)
    grey = (luminance(each).astype(np.float64) for each in (reference, image))
    return Closeness(psnr(reference, image), visual_information_fidelity(*grey))


def survey(
    rgb: Bytes, thermal: Bytes, cases: Sequence[Case], spoil: Spoil, methods: Mapping[str, Fuse]
) -> tuple[dict[str, Bytes], dict[tuple[Case, str], Closeness]]:
    """Fuse one pair clean and in every case, by every method: 1 + len(cases) pictures each.

    Returns every method's picture of the clean pair, and how close those of the degraded ones come to it.
    Raises ValueError for a pair that is too small, before anything is done to it.
    """
    check_sides(rgb.shape)
    clean = {name: fuse(rgb, thermal) for name, fuse in methods.items()}
    close = {}
    for case in cases:
        spoilt = spoil(case, rgb, thermal)
        for name, fuse in methods.items():
            close[case, name] = closeness(clean[name], fuse(*spoilt))
    return clean, close


def answered(
    rgb: Bytes, thermal: Bytes, cases: Sequence[Case], spoil: Spoil, asked: Callable[[Case], Fuse]
) -> dict[Case, Closeness]:
    """How close one method's pictures come to its own of the clean pair, each fault asked away in both."""
    clean: dict[str, Bytes] = {}
    close = {}
    for case in cases:
        fuse = asked(case)
        if case.degradation not in clean:
            clean[case.degradation] = fuse(rgb, thermal)
        close[case] = closeness(clean[case.degradation], fuse(*spoil(case, rgb, thermal)))
    return close


def average(pairs: Sequence[Closeness]) -> Closeness:
    """Mean of the decibels and of VIF."""
    return Closeness(float(np.mean([p.psnr for p in pairs])), float(np.mean([p.vif for p in pairs])))


def left_alone(first: Bytes, second: Bytes) -> tuple[float, float]:
    """Two pictures of the same clean pair: mean absolute difference in grey levels, and PSNR."""
    return float(np.abs(first.astype(np.int16) - second).mean()), psnr(first, second)
