"""What spoils a picture: one function a degradation, its parameters noted in the log.

Each has a level in [0, 1] (0 changes nothing, 1 is strong) and takes its random fields from a generator of
its own: the same draw at a lower level is the same scene, less degraded. Arrays are float32 in [0, 1]:
visible (H, W, 3), thermal (H, W).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Float = NDArray[Any]  # float32; the stubs of OpenCV lose the dtype
Rng = np.random.Generator
Log = dict[str, dict[str, float]]  # degradation -> its parameters by name


@dataclass
class Degraded:
    """What the cameras see now, how much of the scene the visible one still sees, and what was done."""

    visible: Float
    thermal: Float
    transmission: Float  # (H, W), 1 = clear, 0 = nothing of the scene is left in the visible image
    clipped: (
        Float  # (H, W), 1 = beyond what the visible sensor holds: it can be told that it is bright, no more
    )
    log: Log = field(default_factory=dict)
    moment: int = 0  # of the frame: what a sensor's noise depends on beside the degradation's own seed

    def noise(self, shape: tuple[int, ...], rng: Rng) -> Float:
        """Normal noise of this frame; at moment 0 it goes on from what the generator gave before."""
        if self.moment:
            rng = np.random.default_rng((self.moment, int(rng.integers(2**31))))
        return normal(shape, rng)


def cloud(shape: tuple[int, int], rng: Rng, coarse: int = 3) -> Float:
    """Smooth multi-octave noise in [0, 1]."""
    total = np.zeros(shape, np.float32)
    for octave in range(4):
        cells = coarse * 2**octave
        grid = rng.random((cells + 1, cells + 1), dtype=np.float32)
        total += cv2.resize(grid, shape[::-1], interpolation=cv2.INTER_CUBIC) / 2**octave
    low, high = float(total.min()), float(total.max())
    return ((total - low) / max(high - low, 1e-6)).astype(np.float32)


def normal(shape: tuple[int, ...], rng: Rng) -> Float:
    return rng.standard_normal(shape, dtype=np.float32)


def smoke(state: Degraded, level: float, rng: Rng) -> None:
    """Clouds that scatter, denser with depth (higher in the image); an airlight of its own grey."""
    height, width = state.thermal.shape
    density = cloud((height, width), rng, int(rng.integers(1, 4)))
    depth = np.linspace(rng.uniform(0.7, 1.4), rng.uniform(0.4, 1.0), height, dtype=np.float32)[:, None]
    thickness = np.clip(density * rng.uniform(1.0, 1.8) - rng.uniform(0, 0.6), 0, 1)
    airlight = _scatter(state, np.exp(-5 * level * depth * thickness).astype(np.float32), rng)
    state.log["smoke"] = {"thickness": 5 * level, "cover": float(thickness.mean()), "airlight": airlight}


def fog(state: Degraded, level: float, rng: Rng) -> None:
    """Even haze that only depth changes: the far, upper part of the image drowns."""
    height, width = state.thermal.shape
    far, near = rng.uniform(0.9, 1.2), rng.uniform(0.1, 0.4)
    depth: Float = np.linspace(far, near, height, dtype=np.float32)[:, None]
    depth = depth * (0.85 + 0.3 * cloud((height, width), rng, 1))
    airlight = _scatter(state, np.exp(-2.5 * level * depth).astype(np.float32), rng)
    state.log["fog"] = {"thickness": 2.5 * level, "far": far, "near": near, "airlight": airlight}


def _scatter(state: Degraded, transmission: Float, rng: Rng) -> float:
    """Returns the grey of what is scattered."""
    tint = rng.uniform(0.45, 0.95) + rng.uniform(-0.03, 0.03, 3)
    light = tint.astype(np.float32) * (0.9 + 0.1 * cloud(state.thermal.shape, rng)[..., None])
    state.visible = state.visible * transmission[..., None] + light * (1 - transmission[..., None])
    state.transmission = (state.transmission * transmission).astype(np.float32)
    return float(tint.mean())


def low_light(state: Degraded, level: float, rng: Rng) -> None:
    """Less light; the noise that comes with it is `shot_noise`."""
    gain, gamma = 1 - 0.88 * level, 1 + rng.uniform(0, 0.5) * level
    state.visible = np.power(np.clip(state.visible, 0, 1), gamma) * gain
    state.log["low_light"] = {"gain": gain, "gamma": gamma}


def shot_noise(state: Degraded, level: float, rng: Rng) -> None:
    """Shot noise that grows with the light, and read noise that does not."""
    shot, read = 0.06 * level * rng.uniform(0.3, 1), 0.02 * level * rng.uniform(0.3, 1)
    sigma = np.sqrt(shot * shot * np.clip(state.visible, 0, 1) + read * read)
    state.visible = state.visible + sigma * state.noise(state.visible.shape, rng)
    state.log["shot_noise"] = {"shot": shot, "read": read}


def over_exposure(state: Degraded, level: float, rng: Rng) -> None:
    """More light than the sensor holds."""
    gain, offset = 1 + 1.8 * level, rng.uniform(0, 0.15) * level
    state.visible = np.clip(state.visible * gain + offset, 0, 1)
    saturated = (state.visible.min(axis=2) > 0.98).astype(np.float32)
    state.clipped = np.maximum(state.clipped, cv2.GaussianBlur(saturated, (0, 0), 2))
    state.log["over_exposure"] = {"gain": gain, "offset": offset}


def colour_cast(state: Degraded, level: float, rng: Rng) -> None:
    """Gains of the three channels drift apart; the luminance's mean stays."""
    gains = 1 + level * rng.uniform(-0.4, 0.4, 3).astype(np.float32)
    gains = gains / np.dot(gains, np.array([0.299, 0.587, 0.114], np.float32))
    state.visible = state.visible * gains.astype(np.float32)
    red, green, blue = map(float, gains)
    state.log["colour_cast"] = {
        "ratio": float(gains.max() / gains.min()), "red": red, "green": green, "blue": blue,
    }  # fmt: skip


def visible_contrast(state: Degraded, level: float, rng: Rng) -> None:
    factor, offset = 1 - 0.75 * level, rng.uniform(-0.2, 0.1) * level
    state.visible = (state.visible - 0.5) * factor + 0.5 + offset
    state.log["visible_contrast"] = {"factor": factor, "offset": offset}


def visible_noise(state: Degraded, level: float, rng: Rng) -> None:
    sigma = 0.1 * level
    state.visible = state.visible + sigma * state.noise(state.visible.shape, rng)
    state.log["visible_noise"] = {"sigma": sigma}


def visible_jpeg(state: Degraded, level: float, rng: Rng) -> None:
    quality = round(95 - 80 * level)
    image = np.rint(np.clip(state.visible, 0, 1) * 255).astype(np.uint8)
    # OpenCV takes blue first; the coder spends more on green and red than on blue.
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    _, buffer = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded: Any = cv2.imdecode(buffer, cv2.IMREAD_COLOR)
    state.visible = cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB).astype(np.float32) / 255
    state.log["visible_jpeg"] = {"quality": float(quality)}


def visible_blur(state: Degraded, level: float, rng: Rng) -> None:
    """Motion blur along one direction."""
    length, angle = 1 + 9 * level, rng.uniform(0, np.pi)
    size = 2 * int(np.ceil(length / 2)) + 1
    kernel = np.zeros((size, size), np.float32)
    for step in np.linspace(-length / 2, length / 2, 4 * size):
        x, y = size // 2 + step * np.cos(angle), size // 2 + step * np.sin(angle)
        kernel[min(size - 1, max(0, round(y))), min(size - 1, max(0, round(x)))] = 1
    state.visible = cv2.filter2D(state.visible.astype(np.float32), -1, kernel / kernel.sum())
    state.log["visible_blur"] = {"length": length, "angle": angle}


def thermal_contrast(state: Degraded, level: float, rng: Rng) -> None:
    factor, offset = 1 - 0.75 * level, rng.uniform(-0.25, 0.1) * level
    state.thermal = (state.thermal - 0.5) * factor + 0.5 + offset
    state.log["thermal_contrast"] = {"factor": factor, "offset": offset}


def thermal_saturation(state: Degraded, level: float, rng: Rng) -> None:
    gain, offset = 1 + 0.8 * level, 0.05 * level
    state.thermal = np.clip((state.thermal - 0.3) * gain + 0.3 + offset, 0, 1)
    state.log["thermal_saturation"] = {"gain": gain, "offset": offset}


def thermal_noise(state: Degraded, level: float, rng: Rng) -> None:
    sigma = 0.08 * level
    state.thermal = state.thermal + sigma * state.noise(state.thermal.shape, rng)
    state.log["thermal_noise"] = {"sigma": sigma}


def thermal_dead_pixels(state: Degraded, level: float, rng: Rng) -> None:
    share = 0.005 * level
    dead: Float = rng.random(state.thermal.shape, dtype=np.float32) < share
    stuck = rng.integers(0, 2, state.thermal.shape)
    state.thermal = np.where(dead, stuck, state.thermal).astype(np.float32)
    state.log["thermal_dead_pixels"] = {"share": share}


def thermal_stripes(state: Degraded, level: float, rng: Rng) -> None:
    """An offset of its own for each column's amplifier."""
    sigma = 0.07 * level
    state.thermal = state.thermal + sigma * normal((1, state.thermal.shape[1]), rng)
    state.log["thermal_stripes"] = {"sigma": sigma}


def thermal_fixed_pattern(state: Degraded, level: float, rng: Rng) -> None:
    """Column offsets beside a slow shading of the lens."""
    sigma, (height, width) = 0.05 * level, state.thermal.shape
    columns = normal((1, width), rng) + 0.5 * normal((height, 1), rng)
    state.thermal = state.thermal + sigma * (columns + 3 * (cloud((height, width), rng, 1) - 0.5))
    state.log["thermal_fixed_pattern"] = {"sigma": sigma}


def thermal_blur(state: Degraded, level: float, rng: Rng) -> None:
    sigma = 2.2 * level
    if sigma > 0.15:
        state.thermal = cv2.GaussianBlur(state.thermal.astype(np.float32), (0, 0), sigma)
    state.log["thermal_blur"] = {"sigma": sigma}
