"""Restoration controls: which degradations the network removes, and how far."""

from __future__ import annotations

from collections.abc import Mapping

CONTROLS = (
    "low_light",
    "over_exposure",
    "haze",
    "visible_contrast",
    "colour_cast",
    "visible_noise",
    "visible_blur",
    "thermal_contrast",
    "thermal_noise",
    "stripes",
    "thermal_blur",
)

# The controls of each degradation, by camera. A camera that is missing cannot have it.
BY_CAMERA: Mapping[str, Mapping[str, str]] = {
    "low_light": {"rgb": "low_light"},
    "over_exposure": {"rgb": "over_exposure"},
    "noise": {"rgb": "visible_noise", "thermal": "thermal_noise"},
    "stripes": {"thermal": "stripes"},
    "haze": {"rgb": "haze"},
    "low_contrast": {"rgb": "visible_contrast", "thermal": "thermal_contrast"},
    "colour_cast": {"rgb": "colour_cast"},
    "blur": {"rgb": "visible_blur", "thermal": "thermal_blur"},
}

Controls = tuple[float, ...]  # one removal for each of CONTROLS, from 0 to `most`
ALL: Controls = (1.0,) * len(CONTROLS)
NONE: Controls = (0.0,) * len(CONTROLS)

# Noise is plain to see. Whatever else spoils a picture can be how its scene is: fog, a night, a grey wall, a
# soft lens. Such a control has two halves: up to here it undoes what the picture itself shows to be a fault,
# wholly at this value; beyond, it takes the word of who asked that the fault is there. For light, contrast
# and sharpness that is a wish which any picture can follow: a night is lit, edges stand out.
AS_IT_WAS = 0.5
ENHANCE = ("low_light", "visible_contrast", "thermal_contrast", "visible_blur", "thermal_blur")
_PLAIN = ("visible_noise", "thermal_noise")
# Where wishes act in closed form (`model.wished`) an emphatic one ("strongly") goes farther, up to here. The
# network itself has learnt nothing beyond 1, and reads 1 there.
_EMPHATIC = 1.25
_OUTRIGHT = (*ENHANCE, "haze")


def wholly(name: str) -> float:
    """Value of a control from which on all of its degradation is undone that the picture gives away."""
    return 1.0 if name in _PLAIN else AS_IT_WAS


def most(name: str) -> float:
    """The highest value of a control."""
    return _EMPHATIC if name in _OUTRIGHT else 1.0


def farther(name: str, value: float) -> float:
    """How far in [0, 1] a control goes beyond what undoes a fault that shows by itself."""
    begins = wholly(name)
    return 0.0 if begins == 1.0 else min(1.0, max(0.0, (value - begins) / (1 - begins)))


def spared(values: Controls, name: str, share: float) -> Controls:
    """Controls of which one goes a share in [0, 1] less beyond what undoes a fault that shows by itself, for
    where that was undone before. What is emphatic stays."""
    at = CONTROLS.index(name)
    beyond = max(0.0, min(1.0, values[at]) - wholly(name))
    return (*values[:at], values[at] - share * beyond, *values[at + 1 :])


def undone(name: str, value: float) -> float:
    """Share in [0, 1] of its degradation that a control takes away at this value."""
    return min(1.0, value / wholly(name))


# What can as well be how the scene is: a night, fog, a white sky, a grey wall. Without a wish half of some is
# undone: with all of it flat skies got patches, and a detector found less by night. Haze and what is flat are
# left as they are: contrast that is given back to smoke makes it flicker as it drifts.
_LIKE_SCENES = {
    **dict.fromkeys(("low_light", "over_exposure", "colour_cast", "thermal_contrast"), AS_IT_WAS / 2),
    **dict.fromkeys(("haze", "visible_contrast"), 0.0),
}

# Noise, stripes and blur are repaired, and nothing is made up.
AUTO: Controls = tuple(_LIKE_SCENES.get(name, wholly(name)) for name in CONTROLS)


# What is done about a fault that an RGB image gives away (`imaging.evidence`), beside its levels being put
# right. Values give back as much as they can (PSNR) while a detector finds as much as before.
EVIDENT: Mapping[str, float] = {"low_light": 0.75, "visible_contrast": 1.0, "haze": 0.75}


def evident(shares: Mapping[str, float], base: Controls = AUTO) -> Controls:
    """`base` with controls raised by shares in [0, 1] of the way to the values of EVIDENT."""
    values = dict(zip(CONTROLS, base, strict=True))
    for name, share in shares.items():
        values[name] = max(values[name], values[name] + share * (EVIDENT[name] - values[name]))
    return tuple(values.values())


def controls(removals: Mapping[str, float], others: Controls = AUTO) -> Controls:
    """Removals by name, the rest from `others`. Raises ValueError for a name or value that is none."""
    unknown = sorted(set(removals) - set(CONTROLS))
    if unknown:
        raise ValueError(
            f"no such restoration control: {', '.join(unknown)}; there are {', '.join(CONTROLS)}"
        )
    values = tuple(float(removals.get(name, other)) for name, other in zip(CONTROLS, others, strict=True))
    if not all(0 <= value <= most(name) for name, value in zip(CONTROLS, values, strict=True)):
        limit = f"{_EMPHATIC} for {', '.join(_OUTRIGHT)}"
        raise ValueError(f"restoration controls lie in [0, 1] (up to {limit}), got {dict(removals)}")
    return values
