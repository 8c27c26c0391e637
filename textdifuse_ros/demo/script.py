"""What the demo does and when: prompts and settings, as data."""

from __future__ import annotations

from dataclasses import dataclass

Setting = str | int | float


@dataclass(frozen=True)
class Act:
    """A change of parameters at a share 0..1 of the run; `refused` when a refusal is what it shows."""

    at: float
    parameters: tuple[tuple[str, Setting], ...]
    note: str
    refused: bool = False


def acts(prompt: str | None = None) -> tuple[Act, ...]:
    """The changes of a run; `prompt` takes the place of the first one."""
    first = "warm objects*2" if prompt is None else prompt
    return (
        Act(0.24, (("prompt", first),), "what is warm must stand out" if prompt is None else "your prompt"),
        Act(
            0.46,
            (("prompt", "unicorns"),),
            "nothing can locate these: refused, the prompt before stays",
            True,
        ),
        Act(0.60, (("prompt", "no hot"),), "what is warm is held back"),
        Act(0.80, (("prompt", ""), ("steps", 2)), "plain fusion with two sampler steps"),
    )
