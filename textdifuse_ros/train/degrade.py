"""Compound degradations of both cameras (Text-DiFuse, section 3.1): which are drawn, and what undoes them.

Each one has a level in [0, 1]; the same draw at a lower level is the same scene, less degraded. That is what
a restoration control of a half has to lead to. Arrays are as in faults.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

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
from textdifuse_ros.train import faults
from textdifuse_ros.train.faults import Degraded, Float, Log, Rng

# Where a picture is spoilt on its way. What is drawn happens in this order: no lens blurs a sensor's noise.
SCENE, OPTICS, SENSOR, CODING = range(4)


@dataclass(frozen=True)
class Degradation:
    """One way to spoil an image, the restoration control that undoes it, and how often it is drawn.

    like: another control that undoes half of it, for what nobody can tell apart in a picture. least: level
    from which it is drawn; what is weaker is how cameras are, and a network that removes it blurs them all.
    place: SCENE, OPTICS, SENSOR or CODING. fresh: another one in every frame of a video.
    """

    apply: Callable[[Degraded, float, Rng], None]
    control: str
    share: float
    like: str = ""
    least: float = 0.1
    place: int = SENSOR
    fresh: bool = False

    @property
    def name(self) -> str:
        return self.apply.__name__


@dataclass(frozen=True)
class Draw:
    """One degradation as it happened: apply it again with the same seed for the same fields.

    moment: of a frame, 0 the first; another one makes another noise of the same strength.
    """

    degradation: Degradation
    level: float
    seed: int
    moment: int = 0


LOW_LIGHT = Degradation(faults.low_light, "low_light", 0.18, place=SCENE)
# Never drawn alone: it comes with low light.
SHOT_NOISE = Degradation(faults.shot_noise, "visible_noise", 0.0, fresh=True)
VISIBLE = (
    Degradation(faults.smoke, "haze", 0.22, place=SCENE),
    # Even haze divides the contrast, as low contrast does. A network that is asked for one of the two alone
    # and cannot know which of them it sees does nothing.
    Degradation(faults.fog, "haze", 0.08, like="visible_contrast", place=SCENE),
    LOW_LIGHT,
    SHOT_NOISE,
    Degradation(faults.over_exposure, "over_exposure", 0.12),
    Degradation(faults.colour_cast, "colour_cast", 0.20),
    Degradation(faults.visible_contrast, "visible_contrast", 0.12, like="haze"),
    Degradation(faults.visible_noise, "visible_noise", 0.16, least=0.3, fresh=True),
    Degradation(faults.visible_jpeg, "visible_noise", 0.08, least=0.3, place=CODING),
    Degradation(faults.visible_blur, "visible_blur", 0.10, place=OPTICS),
)
THERMAL = (
    Degradation(faults.thermal_contrast, "thermal_contrast", 0.24),
    Degradation(faults.thermal_saturation, "thermal_contrast", 0.06),
    Degradation(faults.thermal_noise, "thermal_noise", 0.20, least=0.3, fresh=True),
    Degradation(faults.thermal_dead_pixels, "thermal_noise", 0.08),
    Degradation(faults.thermal_stripes, "stripes", 0.16),
    Degradation(faults.thermal_fixed_pattern, "stripes", 0.10),
    Degradation(faults.thermal_blur, "thermal_blur", 0.16, place=OPTICS),
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
    draws = [each for control in wanted for each in _fault(control, rng)]
    return draws, controls(dict.fromkeys(wanted, 1.0), AUTO if rng.random() < 0.5 else NONE)


def _fault(control: str, rng: Rng) -> list[Draw]:
    """One that this control undoes, plain to see, with what comes along with it."""
    kinds = [each for each in DEGRADATIONS.values() if each.control == control and each.share]
    kind = kinds[int(rng.integers(len(kinds)))]
    return drawn(kind, max(kind.least, 0.25), rng)


def degrade(
    visible: Float, thermal: Float, draws: Sequence[Draw], removed: Controls | None = None
) -> Degraded:
    """Apply the draws, each weakened by what the controls remove; with ALL the pair is as it was.

    In the order in which light goes: scene, optics, sensor, coding; as given within each.
    """
    left = dict.fromkeys(CONTROLS, 1.0)
    if removed is not None:
        left = {name: 1 - undone(name, value) for name, value in zip(CONTROLS, removed, strict=True)}
    nowhere = np.zeros(thermal.shape, np.float32)
    state = Degraded(visible, thermal, transmission=nowhere + 1, clipped=nowhere)
    for each in sorted(draws, key=lambda each: each.degradation.place):
        own, like = left[each.degradation.control], left.get(each.degradation.like, 1.0)
        level = each.level * min(own, 0.5 + 0.5 * like)
        if level > 0:
            state.moment = each.moment
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
    """The same faults in the next frames of a video: smoke and fog are a little thicker, or thinner, and the
    sensors' noise is another; stripes, dead pixels and all else that a camera keeps stay.
    """
    later: list[Draw] = []
    for each in draws:
        if each.degradation.control == "haze":
            each = replace(each, level=min(1.0, each.level * rng.uniform(1 - DRIFT, 1 + DRIFT)))
        elif each.degradation.fresh:
            each = replace(each, moment=int(rng.integers(1, 2**31)))
        later.append(each)
    return later


def degrade_bytes(
    rgb: NDArray[np.uint8], thermal: NDArray[np.uint8], draws: Sequence[Draw]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], Log]:
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
    there = sorted({each.degradation.control for each in draws})
    if rng.random() < everything:
        return controls({str(rng.choice(ENHANCE)): 1.0}) if rng.random() < WISHED else AUTO
    kind = rng.random()
    if kind < 0.2:
        return NONE
    if kind < 0.75:
        free = not there or rng.random() < 0.2
        wish = str(rng.choice(ENHANCE)) if free else there[int(rng.integers(len(there)))]
        value = 1.0 if rng.random() < 0.75 else wholly(wish)
        return controls({wish: value}, AUTO if rng.random() < 0.5 else NONE)
    shares = rng.choice([0.0, 0.5, 1.0, 2.0], len(CONTROLS), p=[0.35, 0.15, 0.35, 0.15])
    most = (1.0 if name in (*there, *ENHANCE) else wholly(name) for name in CONTROLS)
    return tuple(
        min(m, float(share) * wholly(name)) for name, share, m in zip(CONTROLS, shares, most, strict=True)
    )


def shift(image: Float, dx: float, dy: float) -> Float:
    """Misregistration: the image moved by a sub-pixel amount, edges repeated."""
    matrix = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    size = (image.shape[1], image.shape[0])
    return cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
