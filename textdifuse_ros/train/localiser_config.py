"""Everything that the training of the embedded localiser depends on, declared once."""

from __future__ import annotations

from dataclasses import dataclass

from textdifuse_ros.text.concepts import SEEN
from textdifuse_ros.train.fields import FieldError, check_all, rules_of, setting


@dataclass(frozen=True)
class LocaliserTraining:
    """Fields of `textdifuse train-localiser`; read from JSON, written beside the checkpoints.

    Raises FieldError (a ValueError, one line) for a value of the wrong type or outside its bounds.
    """

    iterations: int = setting(6000, "updates until the training is done", low=1)
    minutes: float = setting(
        0.0,
        "stop after this long even with updates left, 0 = never; the schedule follows the clock then",
        low=0,
    )
    batch: int = setting(6, "examples of an update", low=1)
    learning_rate: float = setting(1e-3, "AdamW's at its peak, from where it falls to 2 %", above=0)
    warm_up: int = setting(60, "updates over which the learning rate rises to its peak", low=1)
    average: float = setting(0.997, "decay of the averaged weights, which are what ships", low=0, high=1)
    seed: int = setting(11, "of every random number", low=0)
    device: str = setting("auto", "auto, cpu, cuda or cuda:N; auto takes CUDA where there is one")
    precision: str = setting(
        "auto",
        "arithmetic: auto is bf16 where the device has it in hardware, else fp32",
        choices=("auto", "bf16", "fp32"),
    )
    drop_rgb: float = setting(0.15, "share of the pairs that lose the RGB image", low=0, high=1)
    drop_thermal: float = setting(0.15, "share of the pairs that lose the thermal image", low=0, high=1)
    degraded: float = setting(
        0.8, "how often each camera is degraded, as a share of the fusion's", low=0, high=1
    )
    overlap: float = setting(0.5, "weight of the overlap (Dice) term beside cross-entropy", low=0)
    small: float = setting(
        1.0, "how much more the cells of small objects count, at most; 1 = as much as all others", low=1
    )
    taught: str = setting(
        "",
        "the only concepts to learn, with commas, in a branch of their own; the maps of all others stay as "
        "those of the localiser to start from, bit for bit",
    )
    workers: int = setting(0, "processes that draw examples ahead; 0 draws them between the updates", low=0)
    simulated: int = setting(16, "rendered streets, four frames of each", low=0)
    checkpoint_every: int = setting(100, "updates between two checkpoints", low=1)

    def __post_init__(self) -> None:
        check_all(self, rules_of(LocaliserTraining))
        unknown = [name for name in self.learnt if name not in SEEN]
        if unknown:
            raise FieldError(f"taught: {', '.join(unknown)}: not among {', '.join(SEEN)}")

    @property
    def learnt(self) -> tuple[str, ...]:
        """The concepts that labels teach."""
        return tuple(name.strip() for name in self.taught.split(",")) if self.taught.strip() else SEEN
