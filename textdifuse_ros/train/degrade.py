"""Compound degradations of both cameras, with known, logged parameters (Text-DiFuse, section 3.1).

Each one has a level in [0, 1] (0 changes nothing, 1 is strong) and takes its random fields from a
generator of its own: the same draw at a lower level is the same scene, less degraded. That is what a
restoration control of a half has to lead to. Arrays are float32 in [0, 1]: visible (H, W, 3), thermal (H, W).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from textdifuse_ros.model.controls import (
    AUTO,
    BY_CAMERA,
    CONTROLS,
    ENHANCE,
    NONE,
    Controls,
    controls,
    undone,
    wholly,
)

Float = NDArray[Any]  # float32; the stubs of OpenCV lose the dtype
Rng = np.random.Generator


@dataclass
class Degraded:
    """What the cameras see now, how much of the scene the visible one still sees, and what was done."""

    visible: Float
    thermal: Float
    transmission: Float  # (H, W), 1 = clear, 0 = nothing of the scene is left in the visible image
    clipped: (
        Float  # (H, W), 1 = beyond what the visible sensor holds: it can be told that it is bright, no more
    )
    log: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Degradation:
    """One way to spoil an image, the restoration control that undoes it, and how often it is drawn.

    like: another control that undoes half of it, for what nobody can tell apart in a picture. least: level
    from which it is drawn; what is weaker is how cameras are, and a network that removes it blurs them all.
    """

    apply: Callable[[Degraded, float, Rng], None]
    control: str
    share: float
    like: str = ""
    least: float = 0.1

    @property
    def name(self) -> str:
        return self.apply.__name__


@dataclass(frozen=True)
class Draw:
    """One degradation as it happened: apply it again with the same seed for the same fields."""

    degradation: Degradation
    level: float
    seed: int


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
    _scatter(state, np.exp(-5 * level * depth * thickness).astype(np.float32), rng)
    state.log["smoke"] = 5 * level


def fog(state: Degraded, level: float, rng: Rng) -> None:
    """Even haze that only depth changes: the far, upper part of the image drowns."""
    height, width = state.thermal.shape
    far, near = rng.uniform(0.9, 1.2), rng.uniform(0.1, 0.4)
    depth: Float = np.linspace(far, near, height, dtype=np.float32)[:, None]
    depth = depth * (0.85 + 0.3 * cloud((height, width), rng, 1))
    _scatter(state, np.exp(-2.5 * level * depth).astype(np.float32), rng)
    state.log["fog"] = 2.5 * level


def _scatter(state: Degraded, transmission: Float, rng: Rng) -> None:
    tint = rng.uniform(0.45, 0.95) + rng.uniform(-0.03, 0.03, 3)
    light = tint.astype(np.float32) * (0.9 + 0.1 * cloud(state.thermal.shape, rng)[..., None])
    state.visible = state.visible * transmission[..., None] + light * (1 - transmission[..., None])
    state.transmission = (state.transmission * transmission).astype(np.float32)


def low_light(state: Degraded, level: float, rng: Rng) -> None:
    """Less light; the noise that comes with it is `shot_noise`."""
    gain = 1 - 0.88 * level
    state.visible = np.power(np.clip(state.visible, 0, 1), 1 + rng.uniform(0, 0.5) * level) * gain
    state.log["low_light"] = gain


def shot_noise(state: Degraded, level: float, rng: Rng) -> None:
    """Shot noise that grows with the light, and read noise that does not."""
    shot, read = 0.06 * level * rng.uniform(0.3, 1), 0.02 * level * rng.uniform(0.3, 1)
    sigma = np.sqrt(shot * shot * np.clip(state.visible, 0, 1) + read * read)
    state.visible = state.visible + sigma * normal(state.visible.shape, rng)
    state.log["shot_noise"] = shot


def over_exposure(state: Degraded, level: float, rng: Rng) -> None:
    """More light than the sensor holds."""
    gain = 1 + 1.8 * level
    state.visible = np.clip(state.visible * gain + rng.uniform(0, 0.15) * level, 0, 1)
    saturated = (state.visible.min(axis=2) > 0.98).astype(np.float32)
    state.clipped = np.maximum(state.clipped, cv2.GaussianBlur(saturated, (0, 0), 2))
    state.log["over_exposure"] = gain


def colour_cast(state: Degraded, level: float, rng: Rng) -> None:
    """Gains of the three channels drift apart; the luminance's mean stays."""
    gains = 1 + level * rng.uniform(-0.4, 0.4, 3).astype(np.float32)
    gains = gains / np.dot(gains, np.array([0.299, 0.587, 0.114], np.float32))
    state.visible = state.visible * gains.astype(np.float32)
    state.log["colour_cast"] = float(gains.max() / gains.min())


def visible_contrast(state: Degraded, level: float, rng: Rng) -> None:
    factor = 1 - 0.75 * level
    state.visible = (state.visible - 0.5) * factor + 0.5 + rng.uniform(-0.2, 0.1) * level
    state.log["visible_contrast"] = factor


def visible_noise(state: Degraded, level: float, rng: Rng) -> None:
    sigma = 0.1 * level
    state.visible = state.visible + sigma * normal(state.visible.shape, rng)
    state.log["visible_noise"] = sigma


def visible_jpeg(state: Degraded, level: float, rng: Rng) -> None:
    quality = round(95 - 80 * level)
    image = (np.clip(state.visible, 0, 1) * 255).astype(np.uint8)
    _, buffer = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded: Any = cv2.imdecode(buffer, cv2.IMREAD_COLOR)
    state.visible = decoded.astype(np.float32) / 255
    state.log["visible_jpeg"] = float(quality)


def visible_blur(state: Degraded, level: float, rng: Rng) -> None:
    """Motion blur along one direction."""
    length, angle = 1 + 9 * level, rng.uniform(0, np.pi)
    size = 2 * int(np.ceil(length / 2)) + 1
    kernel = np.zeros((size, size), np.float32)
    for step in np.linspace(-length / 2, length / 2, 4 * size):
        x, y = size // 2 + step * np.cos(angle), size // 2 + step * np.sin(angle)
        kernel[min(size - 1, max(0, round(y))), min(size - 1, max(0, round(x)))] = 1
    state.visible = cv2.filter2D(state.visible.astype(np.float32), -1, kernel / kernel.sum())
    state.log["visible_blur"] = float(length)


def thermal_contrast(state: Degraded, level: float, rng: Rng) -> None:
    factor = 1 - 0.75 * level
    state.thermal = (state.thermal - 0.5) * factor + 0.5 + rng.uniform(-0.25, 0.1) * level
    state.log["thermal_contrast"] = factor


def thermal_saturation(state: Degraded, level: float, rng: Rng) -> None:
    gain = 1 + 0.8 * level
    state.thermal = np.clip((state.thermal - 0.3) * gain + 0.3 + 0.05 * level, 0, 1)
    state.log["thermal_saturation"] = gain


def thermal_noise(state: Degraded, level: float, rng: Rng) -> None:
    sigma = 0.08 * level
    state.thermal = state.thermal + sigma * normal(state.thermal.shape, rng)
    state.log["thermal_noise"] = sigma


def thermal_dead_pixels(state: Degraded, level: float, rng: Rng) -> None:
    share = 0.005 * level
    dead: Float = rng.random(state.thermal.shape, dtype=np.float32) < share
    stuck = rng.integers(0, 2, state.thermal.shape)
    state.thermal = np.where(dead, stuck, state.thermal).astype(np.float32)
    state.log["thermal_dead_pixels"] = share


def thermal_stripes(state: Degraded, level: float, rng: Rng) -> None:
    """An offset of its own for each column's amplifier."""
    sigma = 0.07 * level
    state.thermal = state.thermal + sigma * normal((1, state.thermal.shape[1]), rng)
    state.log["thermal_stripes"] = sigma


def thermal_fixed_pattern(state: Degraded, level: float, rng: Rng) -> None:
    """Column offsets beside a slow shading of the lens."""
    sigma, (height, width) = 0.05 * level, state.thermal.shape
    columns = normal((1, width), rng) + 0.5 * normal((height, 1), rng)
    state.thermal = state.thermal + sigma * (columns + 3 * (cloud((height, width), rng, 1) - 0.5))
    state.log["thermal_fixed_pattern"] = sigma


def thermal_blur(state: Degraded, level: float, rng: Rng) -> None:
    sigma = 2.2 * level
    if sigma > 0.15:
        state.thermal = cv2.GaussianBlur(state.thermal.astype(np.float32), (0, 0), sigma)
    state.log["thermal_blur"] = sigma


LOW_LIGHT = Degradation(low_light, "low_light", 0.18)
SHOT_NOISE = Degradation(shot_noise, "visible_noise", 0.0)  # never drawn alone: it comes with low light
VISIBLE = (
    Degradation(smoke, "haze", 0.22),
    # Even haze divides the contrast, as low contrast does. A network that is asked for one of the two alone
    # and cannot know which of them it sees does nothing.
    Degradation(fog, "haze", 0.08, like="visible_contrast"),
    LOW_LIGHT,
    SHOT_NOISE,
    Degradation(over_exposure, "over_exposure", 0.12),
    Degradation(colour_cast, "colour_cast", 0.20),
    Degradation(visible_contrast, "visible_contrast", 0.12, like="haze"),
    Degradation(visible_noise, "visible_noise", 0.16, least=0.3),
    Degradation(visible_jpeg, "visible_noise", 0.08, least=0.3),
    Degradation(visible_blur, "visible_blur", 0.10),
)
THERMAL = (
    Degradation(thermal_contrast, "thermal_contrast", 0.24),
    Degradation(thermal_saturation, "thermal_contrast", 0.06),
    Degradation(thermal_noise, "thermal_noise", 0.20, least=0.3),
    Degradation(thermal_dead_pixels, "thermal_noise", 0.08),
    Degradation(thermal_stripes, "stripes", 0.16),
    Degradation(thermal_fixed_pattern, "stripes", 0.10),
    Degradation(thermal_blur, "thermal_blur", 0.16),
)
DRIFT = 0.08  # largest share by which smoke thickens or thins a moment later
WISHED = 0.2  # share of the examples with everything removed that ask for one of ENHANCE besides
_EASY = ("visible_noise", "thermal_noise", "stripes")  # asked for half as often as others
# Controls that a wish which names no camera sets together ("more contrast").
_OF_BOTH = {
    name: tuple(each.values()) for each in BY_CAMERA.values() if len(each) > 1 for name in each.values()
}
DEGRADATIONS = {each.name: each for each in VISIBLE + THERMAL}


def draw(rng: Rng, amount: float = 1.0) -> list[Draw]:
    """What happens to one pair; `amount` in [0, 1] scales how often each camera is hit."""
    draws: list[Draw] = []
    for kinds, chance in ((VISIBLE, 0.7), (THERMAL, 0.55)):
        if rng.random() >= chance * amount:
            continue
        shares = np.array([each.share for each in kinds])
        count = 1 + int(rng.random() < 0.3)
        for index in sorted(rng.choice(len(kinds), count, replace=False, p=shares / shares.sum())):
            draws += drawn(kinds[index], kinds[index].least, rng)
    return draws


def drawn(kind: Degradation, least: float, rng: Rng) -> list[Draw]:
    """One degradation at a level from `least` to 1; low light with the noise that comes with it."""
    level, seed = float(rng.uniform(least, 1.0)), int(rng.integers(2**31))
    draws = [Draw(kind, level, seed)]
    if kind is LOW_LIGHT:
        draws.append(Draw(SHOT_NOISE, float(rng.uniform(0, 1)), seed + 1))
    return draws


def draw_asked(rng: Rng) -> tuple[list[Draw], Controls]:
    """A fault and the wish that it be removed; of both cameras at once where the same words ask for both.

    What `draw` and `draw_controls` bring together by chance is a handful of examples an hour for some wishes.
    """
    shares = np.array([0.5 if name in _EASY else 1.0 for name in CONTROLS])
    wanted = [CONTROLS[int(rng.choice(len(CONTROLS), p=shares / shares.sum()))]]
    if wanted[0] in _OF_BOTH and rng.random() < 0.5:
        wanted = list(_OF_BOTH[wanted[0]])
    faults = [_fault(control, rng) for control in wanted]
    return faults, controls(dict.fromkeys(wanted, 1.0), AUTO if rng.random() < 0.5 else NONE)


def _fault(control: str, rng: Rng) -> Draw:
    """One that this control undoes, plain to see."""
    kinds = [each for each in DEGRADATIONS.values() if each.control == control and each.share]
    kind = kinds[int(rng.integers(len(kinds)))]
    return Draw(kind, float(rng.uniform(max(kind.least, 0.25), 1.0)), int(rng.integers(2**31)))


def degrade(
    visible: Float, thermal: Float, draws: Sequence[Draw], removed: Controls | None = None
) -> Degraded:
    """Apply the draws, each weakened by what the controls remove; with ALL the pair is as it was."""
    left = dict.fromkeys(CONTROLS, 1.0)
    if removed is not None:
        left = {name: 1 - undone(name, value) for name, value in zip(CONTROLS, removed, strict=True)}
    nowhere = np.zeros(thermal.shape, np.float32)
    state = Degraded(visible, thermal, transmission=nowhere + 1, clipped=nowhere)
    for each in draws:
        own, like = left[each.degradation.control], left.get(each.degradation.like, 1.0)
        level = each.level * min(own, 0.5 + 0.5 * like)
        if level > 0:
            each.degradation.apply(state, level, np.random.default_rng(each.seed))
    state.visible = np.clip(state.visible, 0, 1).astype(np.float32)
    state.thermal = np.clip(state.thermal, 0, 1).astype(np.float32)
    return state


def guessable(goal: Degraded, seen: Degraded) -> Degraded:
    """The goal without what nobody can know: where the camera was blinded, its level alone.

    Not as if it were hidden behind smoke: what is hidden keeps the grey that the camera shows, here white.
    """
    lost = np.clip(seen.clipped - goal.clipped, 0, 1)[..., None]
    if not lost.any():
        return goal
    level = cv2.GaussianBlur(goal.visible, (0, 0), 8)
    return replace(goal, visible=(goal.visible + lost * (level - goal.visible)).astype(np.float32))


def a_moment_later(draws: Sequence[Draw], rng: Rng) -> list[Draw]:
    """The same faults in the next frames of a video: smoke and fog are a little thicker, or thinner."""
    return [
        replace(each, level=min(1.0, each.level * rng.uniform(1 - DRIFT, 1 + DRIFT)))
        if each.degradation.control == "haze"
        else each
        for each in draws
    ]


def degrade_bytes(
    rgb: NDArray[np.uint8], thermal: NDArray[np.uint8], draws: Sequence[Draw]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], dict[str, float]]:
    """The same of uint8 (H, W, 3) and (H, W), with the log of what was done."""
    white = np.float32(255)
    state = degrade(rgb / white, thermal / white, draws)
    visible, warm = (np.rint(each * 255).astype(np.uint8) for each in (state.visible, state.thermal))
    return visible, warm, state.log


def draw_controls(rng: Rng, draws: Sequence[Draw] = (), everything: float = 0.5) -> Controls:
    """What an example asks for: everything (that often, now and then with one of ENHANCE), or else nothing,
    one wish, or some of it in some measure.

    Who asks for something has seen it: no control goes beyond what undoes a fault that shows by itself
    unless the fault is there, but for those that any picture can follow (ENHANCE). A network that is asked as
    often where nothing is wrong learns to do nothing.
    """
    faults = sorted({each.degradation.control for each in draws})
    if rng.random() < everything:
        return controls({str(rng.choice(ENHANCE)): 1.0}) if rng.random() < WISHED else AUTO
    kind = rng.random()
    if kind < 0.2:
        return NONE
    if kind < 0.75:
        free = not faults or rng.random() < 0.2
        wish = str(rng.choice(ENHANCE)) if free else faults[int(rng.integers(len(faults)))]
        value = 1.0 if rng.random() < 0.75 else wholly(wish)
        return controls({wish: value}, AUTO if rng.random() < 0.5 else NONE)
    shares = rng.choice([0.0, 0.5, 1.0, 2.0], len(CONTROLS), p=[0.35, 0.15, 0.35, 0.15])
    most = (1.0 if name in (*faults, *ENHANCE) else wholly(name) for name in CONTROLS)
    return tuple(
        min(m, float(share) * wholly(name)) for name, share, m in zip(CONTROLS, shares, most, strict=True)
    )


def shift(image: Float, dx: float, dy: float) -> Float:
    """Misregistration: the image moved by a sub-pixel amount, edges repeated."""
    matrix = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    size = (image.shape[1], image.shape[0])
    return cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
