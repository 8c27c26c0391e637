"""Degradations with known, logged parameters.

Arrays are float32 in [0, 1]: visible (H, W, 3), thermal (H, W).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Float = NDArray[Any]  # float32; the stubs of OpenCV lose the dtype
Log = dict[str, float]


@dataclass
class Degraded:
    """What the cameras see now, how much of the scene the visible one still sees, and what was done."""

    visible: Float
    thermal: Float
    transmission: Float  # (H, W), 1 = clear, 0 = nothing of the scene is left in the visible image
    log: Log = field(default_factory=dict)


def cloud(shape: tuple[int, int], rng: np.random.Generator, coarse: int = 3) -> Float:
    """Smooth multi-octave noise in [0, 1]."""
    total = np.zeros(shape, np.float32)
    for octave in range(4):
        cells = coarse * 2**octave
        grid = rng.random((cells + 1, cells + 1), dtype=np.float32)
        total += cv2.resize(grid, shape[::-1], interpolation=cv2.INTER_CUBIC) / 2**octave
    low, high = float(total.min()), float(total.max())
    return ((total - low) / max(high - low, 1e-6)).astype(np.float32)


def smoke(state: Degraded, rng: np.random.Generator) -> None:
    """Scattering with depth: farther (higher in the image) is denser; an airlight of its own grey."""
    height, width = state.thermal.shape
    density = cloud((height, width), rng, int(rng.integers(1, 4)))
    depth = np.linspace(rng.uniform(0.7, 1.4), rng.uniform(0.4, 1.0), height, dtype=np.float32)[:, None]
    strength = rng.uniform(0.5, 5.0)
    transmission = np.exp(
        -strength * depth * np.clip(density * rng.uniform(1.0, 1.8) - rng.uniform(0, 0.6), 0, 1)
    )
    tint = rng.uniform(0.45, 0.95) + rng.uniform(-0.03, 0.03, 3)
    light = tint.astype(np.float32) * (0.9 + 0.1 * cloud((height, width), rng)[..., None])
    state.visible = state.visible * transmission[..., None] + light * (1 - transmission[..., None])
    state.transmission *= transmission.astype(np.float32)
    state.log["smoke"] = float(strength)


def low_light(state: Degraded, rng: np.random.Generator) -> None:
    """Less light, shot and read noise."""
    gain = rng.uniform(0.12, 0.6)
    dark = np.power(np.clip(state.visible, 0, 1), rng.uniform(1.0, 1.5)) * gain
    shot, read = rng.uniform(0.002, 0.02), rng.uniform(0.002, 0.02)
    noise = rng.standard_normal(dark.shape, dtype=np.float32) * np.sqrt(shot * shot * 10 * dark + read * read)
    state.visible = dark + noise
    state.log["low_light"] = float(gain)


def over_exposure(state: Degraded, rng: np.random.Generator) -> None:
    gain = rng.uniform(1.3, 2.8)
    state.visible = np.clip(state.visible * gain + rng.uniform(0, 0.15), 0, 1)
    saturated = (state.visible.min(axis=2) > 0.98).astype(np.float32)
    state.transmission *= 1 - cv2.GaussianBlur(saturated, (0, 0), 2)
    state.log["over_exposure"] = float(gain)


def colour_cast(state: Degraded, rng: np.random.Generator) -> None:
    gains = rng.uniform(0.7, 1.2, 3).astype(np.float32)
    state.visible = state.visible * gains
    state.log["colour_cast"] = float(gains.max() / gains.min())


def visible_contrast(state: Degraded, rng: np.random.Generator) -> None:
    factor = rng.uniform(0.25, 0.7)
    state.visible = (state.visible - 0.5) * factor + rng.uniform(0.3, 0.6)
    state.log["visible_contrast"] = float(factor)


def visible_noise(state: Degraded, rng: np.random.Generator) -> None:
    sigma = rng.uniform(0.01, 0.09)
    state.visible = state.visible + sigma * rng.standard_normal(state.visible.shape, dtype=np.float32)
    state.log["visible_noise"] = float(sigma)


def _float(image: Any) -> Float:
    return image.astype(np.float32) / 255


def visible_jpeg(state: Degraded, rng: np.random.Generator) -> None:
    quality = int(rng.integers(15, 70))
    image = (np.clip(state.visible, 0, 1) * 255).astype(np.uint8)
    _, buffer = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    state.visible = _float(cv2.imdecode(buffer, cv2.IMREAD_COLOR))
    state.log["visible_jpeg"] = float(quality)


def visible_blur(state: Degraded, rng: np.random.Generator) -> None:
    length, angle = int(rng.integers(3, 10)), rng.uniform(0, np.pi)
    kernel = np.zeros((length, length), np.float32)
    centre, reach = (length - 1) / 2, (length - 1) / 2
    for step in np.linspace(-1, 1, 4 * length):
        x, y = centre + reach * step * np.cos(angle), centre + reach * step * np.sin(angle)
        kernel[round(y), round(x)] = 1
    state.visible = cv2.filter2D(state.visible.astype(np.float32), -1, kernel / kernel.sum())
    state.log["visible_blur"] = float(length)


def thermal_contrast(state: Degraded, rng: np.random.Generator) -> None:
    factor = rng.uniform(0.25, 0.8)
    state.thermal = (state.thermal - 0.5) * factor + rng.uniform(0.25, 0.6)
    state.log["thermal_contrast"] = float(factor)


def thermal_noise(state: Degraded, rng: np.random.Generator) -> None:
    sigma = rng.uniform(0.01, 0.06)
    state.thermal = state.thermal + sigma * rng.standard_normal(state.thermal.shape, dtype=np.float32)
    state.log["thermal_noise"] = float(sigma)


def thermal_stripes(state: Degraded, rng: np.random.Generator) -> None:
    sigma = rng.uniform(0.01, 0.06)
    columns: Float = sigma * rng.standard_normal((state.thermal.shape[1],), dtype=np.float32)
    state.thermal = state.thermal + columns[None, :]
    state.log["thermal_stripes"] = float(sigma)


def thermal_blur(state: Degraded, rng: np.random.Generator) -> None:
    sigma = rng.uniform(0.6, 2.0)
    state.thermal = cv2.GaussianBlur(state.thermal.astype(np.float32), (0, 0), sigma)
    state.log["thermal_blur"] = float(sigma)


def thermal_dead_pixels(state: Degraded, rng: np.random.Generator) -> None:
    share = rng.uniform(0.0005, 0.004)
    dead: Float = rng.random(state.thermal.shape, dtype=np.float32) < share
    state.thermal = np.where(dead, rng.integers(0, 2, state.thermal.shape), state.thermal).astype(np.float32)
    state.log["thermal_dead_pixels"] = float(share)


def thermal_saturation(state: Degraded, rng: np.random.Generator) -> None:
    gain = rng.uniform(1.2, 1.8)
    state.thermal = np.clip((state.thermal - 0.3) * gain + 0.35, 0, 1)
    state.log["thermal_saturation"] = float(gain)


Step = Callable[[Degraded, np.random.Generator], None]
VISIBLE_STEPS: tuple[tuple[Step, float], ...] = (
    (smoke, 0.34), (low_light, 0.16), (over_exposure, 0.08), (colour_cast, 0.06),
    (visible_contrast, 0.08), (visible_noise, 0.12), (visible_jpeg, 0.08), (visible_blur, 0.08),
)  # fmt: skip
THERMAL_STEPS: tuple[tuple[Step, float], ...] = (
    (thermal_contrast, 0.3), (thermal_noise, 0.25), (thermal_stripes, 0.2), (thermal_blur, 0.12),
    (thermal_dead_pixels, 0.05), (thermal_saturation, 0.08),
)  # fmt: skip


def shift(image: Float, dx: float, dy: float) -> Float:
    """Misregistration: the image moved by a sub-pixel amount, edges repeated."""
    matrix = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    size = (image.shape[1], image.shape[0])
    return cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def degrade(visible: Float, thermal: Float, rng: np.random.Generator, amount: float = 1.0) -> Degraded:
    """Compound degradations of both cameras; `amount` in [0, 1] scales how often each camera is hit."""
    state = Degraded(visible.copy(), thermal.copy(), np.ones(thermal.shape, np.float32))
    for steps, chance in ((VISIBLE_STEPS, 0.6), (THERMAL_STEPS, 0.4)):
        if rng.random() >= chance * amount:
            continue
        shares = np.array([share for _, share in steps])
        count = 1 + int(rng.random() < 0.3)
        for index in sorted(rng.choice(len(steps), count, replace=False, p=shares / shares.sum())):
            steps[index][0](state, rng)
    if rng.random() < 0.25 * amount:
        dx, dy = rng.uniform(-2, 2, 2)
        state.thermal = shift(state.thermal, dx, dy)
        state.log["shift"] = float(np.hypot(dx, dy))
    state.visible = np.clip(state.visible, 0, 1).astype(np.float32)
    state.thermal = np.clip(state.thermal, 0, 1).astype(np.float32)
    return state
