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

LOW_LIGHT = CONTROLS.index("low_light")

Controls = tuple[float, ...]  # one removal in [0, 1] for each of CONTROLS
ALL: Controls = (1.0,) * len(CONTROLS)
NONE: Controls = (0.0,) * len(CONTROLS)

# The low-light control has two halves. Up to here it undoes what made a picture darker than its scene, wholly
# at this value; beyond, the night itself is lit, which is a wish and not a repair.
AS_IT_WAS = 0.5


def undone(name: str, value: float) -> float:
    """Share in [0, 1] of its degradation that a control takes away at this value."""
    return min(1.0, value / AS_IT_WAS) if name == CONTROLS[LOW_LIGHT] else value


def controls(removals: Mapping[str, float], otherwise: float = 1.0) -> Controls:
    """Removals by name, the others at `otherwise`. Raises ValueError for a name or value that is none."""
    unknown = sorted(set(removals) - set(CONTROLS))
    if unknown:
        raise ValueError(
            f"no such restoration control: {', '.join(unknown)}; there are {', '.join(CONTROLS)}"
        )
    values = tuple(float(removals.get(name, otherwise)) for name in CONTROLS)
    if not all(0 <= value <= 1 for value in values):
        raise ValueError(f"restoration controls lie in [0, 1], got {dict(removals)}")
    return values


# Everything is repaired and nothing is made up. Nobody can tell a darkened scene from a night, so without a
# wish half of what looks like darkening is undone: with all of it a detector found less by night.
AUTO: Controls = controls({"low_light": AS_IT_WAS / 2})
