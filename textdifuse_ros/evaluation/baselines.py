"""Fusions that need no network: the floor that every trained one has to beat."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Baseline = Callable[[Floats, Floats], Floats]


def mean(visible: Floats, thermal: Floats) -> Floats:
    """The average. float32 (H, W) luminances in 0..255, as for all baselines."""
    return (visible + thermal) * np.float32(0.5)


def maximum(visible: Floats, thermal: Floats) -> Floats:
    """The brighter of the two at every pixel."""
    return np.maximum(visible, thermal)


def detail(visible: Floats, thermal: Floats) -> Floats:
    """Visible plus the thermal image's local difference, where the thermal image has more local energy."""
    energy_v, energy_i = _energy(visible), _energy(thermal)
    weight = energy_i / (energy_i + energy_v)
    return np.clip(visible + weight * (thermal - _blur(thermal, 20)), 0, 255)


def _energy(image: Floats) -> Floats:
    difference = image - _blur(image, 5)
    return _blur(difference * difference, 5) + np.float32(4)


def _blur(image: Floats, sigma: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.float32)


BASELINES: dict[str, Baseline] = {"mean": mean, "max": maximum, "detail": detail}


def luminance(rgb: Bytes) -> Bytes:
    """ITU-R BT.601 luminance, uint8 (H, W) from uint8 (H, W, 3) RGB; (H, W) goes through."""
    return rgb if rgb.ndim == 2 else np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)


def baseline_luminance(name: str, visible: Bytes, thermal: Bytes) -> Bytes:
    """One baseline on uint8 luminances (H, W), rounded to uint8. Raises ValueError for an unknown name."""
    if name not in BASELINES:
        raise ValueError(f"there is no baseline '{name}': choose one of {', '.join(BASELINES)}")
    fused = BASELINES[name](visible.astype(np.float32), thermal.astype(np.float32))
    return np.clip(np.rint(fused), 0, 255).astype(np.uint8)


def baseline_image(name: str, rgb: Bytes, thermal: Bytes) -> Bytes:
    """One baseline with the visible image's colour: uint8 (H, W, 3) RGB."""
    parts = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb), np.uint8)
    parts[..., 0] = baseline_luminance(name, parts[..., 0], thermal)
    return np.asarray(cv2.cvtColor(parts, cv2.COLOR_YCrCb2RGB), np.uint8)
