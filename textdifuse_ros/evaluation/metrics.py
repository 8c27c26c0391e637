"""Fusion metrics, one definition each, on luminance in 0..255 (docs/metrics.md).

Every function takes float arrays (H, W) and returns a float. None is a quality by itself: EN, AG and SD
reward noise, VIF punishes whatever differs from degraded sources.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float64]

NAMES = ("EN", "AG", "SD", "SCD", "VIF", "Qabf")
LEAST_SIDE = 48  # below it the coarsest scale of VIF has no pixel left
_TINY = 1e-10

# Xydeas and Petrovic: how strongly edge strength and orientation must be kept.
_GAIN_STRENGTH, _SLOPE_STRENGTH, _CENTRE_STRENGTH = 0.9994, -15.0, 0.5
_GAIN_ANGLE, _SLOPE_ANGLE, _CENTRE_ANGLE = 0.9879, -22.0, 0.8
_VIF_NOISE = 2.0
_VIF_SCALES = 4


def evaluate(
    fused: NDArray[np.uint8], visible: NDArray[np.uint8], thermal: NDArray[np.uint8]
) -> dict[str, float]:
    """All metrics by name. uint8 (H, W) luminances of one size, 48 pixels a side at least.

    Raises ValueError naming what does not fit.
    """
    if not (fused.shape == visible.shape == thermal.shape) or fused.ndim != 2:
        raise ValueError(
            f"sizes differ: fused {fused.shape}, visible {visible.shape}, thermal {thermal.shape}"
        )
    check_sides(fused.shape)
    f, v, i = (np.asarray(image, np.float64) for image in (fused, visible, thermal))
    return {
        "EN": entropy(f),
        "AG": average_gradient(f),
        "SD": standard_deviation(f),
        "SCD": sum_of_correlations_of_differences(f, v, i),
        "VIF": visual_information_fidelity(v, f) + visual_information_fidelity(i, f),
        "Qabf": edge_preservation(v, i, f),
    }


def check_sides(shape: tuple[int, ...]) -> None:
    """Raises ValueError for an image that VIF cannot look at."""
    if min(shape[:2]) < LEAST_SIDE:
        raise ValueError(f"{shape[1]}x{shape[0]} is too small: {LEAST_SIDE} pixels a side are needed")


def entropy(image: Image) -> float:
    """EN: entropy of the 256-bin histogram, in bits."""
    counts = np.bincount(np.clip(image, 0, 255).astype(np.uint8).ravel(), minlength=256)
    share = counts[counts > 0] / image.size
    return float(max(0.0, -(share * np.log2(share)).sum()))


def average_gradient(image: Image) -> float:
    """AG: mean of sqrt((dx^2 + dy^2) / 2), central differences, one-sided at the border."""
    dy, dx = np.gradient(image)
    return float(np.sqrt((dx * dx + dy * dy) / 2).mean())


def standard_deviation(image: Image) -> float:
    """SD: standard deviation over all pixels."""
    return float(image.std())


def sum_of_correlations_of_differences(fused: Image, visible: Image, thermal: Image) -> float:
    """SCD: corr(F - V, I) + corr(F - I, V), in [-2, 2]."""
    return correlation(fused - visible, thermal) + correlation(fused - thermal, visible)


def correlation(a: Image, b: Image) -> float:
    """Pearson's coefficient; 0 where one of the two is constant."""
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum() / scale) if scale > _TINY else 0.0


def visual_information_fidelity(reference: Image, distorted: Image, weight: Image | None = None) -> float:
    """Pixel-domain VIF (Sheikh and Bovik): 4 scales, noise variance 2. 1 for an identical image.

    weight (H, W), 0 or more: how much each place counts; None for all the same. Where the reference carries
    no information (a flat frame, no weight), 1 if the other is flat too, else 0.
    """
    carried = available = 0.0
    for scale in range(1, _VIF_SCALES + 1):
        size = 2 ** (_VIF_SCALES - scale + 1) + 1
        window = np.asarray(cv2.getGaussianKernel(size, size / 5.0), np.float64)
        if scale > 1:
            reference = _filter_valid(reference, window)[::2, ::2]
            distorted = _filter_valid(distorted, window)[::2, ::2]
            weight = None if weight is None else _filter_valid(weight, window)[::2, ::2]
        more_carried, more_available = _vif_scale(reference, distorted, window, weight)
        carried += more_carried
        available += more_available
    if available < _TINY:
        return 1.0 if float(np.ptp(distorted)) < _TINY else 0.0
    return carried / available


def _vif_scale(
    reference: Image, distorted: Image, window: Image, weight: Image | None
) -> tuple[float, float]:
    """Information in bits that the distorted image carries of the reference, and that there is."""
    mean_r, mean_d = _filter_valid(reference, window), _filter_valid(distorted, window)
    var_r = np.maximum(_filter_valid(reference * reference, window) - mean_r * mean_r, 0)
    var_d = np.maximum(_filter_valid(distorted * distorted, window) - mean_d * mean_d, 0)
    both = _filter_valid(reference * distorted, window) - mean_r * mean_d
    gain = both / (var_r + _TINY)
    rest = var_d - gain * both
    flat_r, flat_d = var_r < _TINY, var_d < _TINY
    gain[flat_r] = 0
    rest[flat_r] = var_d[flat_r]
    var_r[flat_r] = 0
    gain[flat_d] = 0
    rest[flat_d] = 0
    inverted = gain < 0
    rest[inverted] = var_d[inverted]
    gain[inverted] = 0
    rest = np.maximum(rest, _TINY)
    carried = np.log10(1 + gain * gain * var_r / (rest + _VIF_NOISE))
    available = np.log10(1 + var_r / _VIF_NOISE)
    if weight is not None:
        here = _filter_valid(weight, window)
        carried, available = carried * here, available * here
    return float(carried.sum()), float(available.sum())


def _filter_valid(image: Image, window: Image) -> Image:
    """Separable filter without the border where the window does not fit."""
    edge = len(window) // 2
    filtered = cv2.sepFilter2D(np.ascontiguousarray(image), cv2.CV_64F, window, window)
    return np.asarray(filtered[edge : image.shape[0] - edge, edge : image.shape[1] - edge], np.float64)


def edge_preservation(visible: Image, thermal: Image, fused: Image, weight: Image | None = None) -> float:
    """Qabf (Xydeas and Petrovic): share of the sources' Sobel edges kept, weighted by their strength.

    weight (H, W), 0 or more: how much each place counts besides; None for all the same. 0 without edges.
    """
    kept_v, strength_v = edges_kept(visible, fused)
    kept_i, strength_i = edges_kept(thermal, fused)
    if weight is not None:
        strength_v, strength_i = strength_v * weight, strength_i * weight
    total = float((strength_v + strength_i).sum())
    return 0.0 if total < _TINY else float((kept_v * strength_v + kept_i * strength_i).sum() / total)


def edges_kept(source: Image, fused: Image) -> tuple[Image, Image]:
    """How well each edge of a source is kept, (H, W) in [0, 1], and how strong it is there."""
    strength, angle = _edges(source)
    return _edge_kept(strength, angle, *_edges(fused)), strength


def _edges(image: Image) -> tuple[Image, Image]:
    """Strength and orientation in (-pi/2, pi/2] of the Sobel gradient, zeros beyond the border."""
    border = cv2.BORDER_CONSTANT
    dx = np.asarray(cv2.Sobel(image, cv2.CV_64F, 1, 0, ksize=3, borderType=border), np.float64)
    dy = np.asarray(cv2.Sobel(image, cv2.CV_64F, 0, 1, ksize=3, borderType=border), np.float64)
    angle = np.full(image.shape, np.pi / 2)
    np.divide(dy, dx, out=angle, where=dx != 0)
    angle[dx != 0] = np.arctan(angle[dx != 0])
    return np.hypot(dx, dy), angle


def _edge_kept(strength: Image, angle: Image, strength_f: Image, angle_f: Image) -> Image:
    weaker, stronger = np.minimum(strength, strength_f), np.maximum(strength, strength_f)
    ratio = np.divide(weaker, stronger, out=np.zeros_like(weaker), where=stronger > 0)
    alike = np.abs(np.abs(angle - angle_f) - np.pi / 2) * 2 / np.pi
    kept_strength = _GAIN_STRENGTH / (1 + np.exp(_SLOPE_STRENGTH * (ratio - _CENTRE_STRENGTH)))
    kept_angle = _GAIN_ANGLE / (1 + np.exp(_SLOPE_ANGLE * (alike - _CENTRE_ANGLE)))
    return np.asarray(kept_strength * kept_angle, np.float64)
