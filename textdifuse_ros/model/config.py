"""Shape of a fusion network, declared once and stored inside every weight file."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import Any

LEAST_MULTIPLE = 16  # pixels: the anchor and the surroundings look at a sixteenth of the resolution
STARTS = ("anchor", "noise", "none")
COUPLINGS = ("attention", "max", "mean")


@dataclass(frozen=True)
class ModelConfig:
    """Sizes and kind of a network.

    widths: feature channels at 1/2, 1/4, 1/8 and 1/16 of the input resolution.
    encoder_blocks: residual blocks of the shared encoder at each of these levels.
    decoder_blocks: residual blocks of the decoder at each of these levels.
    embedding: channels of the (time, step size, restoration, camera) embedding.
    start: what the sampler starts from: "anchor" (closed-form fusion), "noise" (alone, the paper's), or
        "none" (no diffusion: an auto-encoder that never sees a state). The latter two are ablations.
    start_noise: standard deviation of the noise in the start, in luminance; 0 for students.
    coupling: "attention" (fusion control modules); "max" and "mean" of features are ablations.
    steps: of the sampler that this network is for; a teacher has 25, a student serves 1, 2 and 4.
    """

    widths: tuple[int, ...] = (32, 48, 96, 160)
    encoder_blocks: tuple[int, ...] = (0, 1, 1, 2)
    decoder_blocks: tuple[int, ...] = (1, 2, 2, 1)
    embedding: int = 64
    start: str = "anchor"
    start_noise: float = 0.0
    coupling: str = "attention"
    steps: tuple[int, ...] = (1, 2, 4)

    def __post_init__(self) -> None:
        if not len(self.widths) == len(self.encoder_blocks) == len(self.decoder_blocks):
            raise ValueError(
                f"widths, encoder_blocks and decoder_blocks need one entry a level, got "
                f"{len(self.widths)}, {len(self.encoder_blocks)}, {len(self.decoder_blocks)}"
            )

        if self.start not in STARTS or self.coupling not in COUPLINGS:
            raise ValueError(
                f"start {self.start!r} must be one of {STARTS}, coupling {self.coupling!r} of {COUPLINGS}"
            )

    @property
    def multiple(self) -> int:
        """Input sides are padded to a multiple of this many pixels."""
        return max(LEAST_MULTIPLE, 2 ** len(self.widths))

    def to_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> ModelConfig:
        """Raises ValueError when the text is not a configuration written by `to_json`."""
        try:
            fields: dict[str, Any] = {
                k: tuple(v) if isinstance(v, list) else v for k, v in json.loads(text).items()
            }
            config = cls(**fields)
        except (TypeError, AttributeError, json.JSONDecodeError) as error:
            raise ValueError(f"not a model configuration: {error}") from error
        _check_values(config)
        return config


def _check_values(config: ModelConfig) -> None:
    """Raises ValueError naming the first field with a value that no network can have."""
    for name, least in (("widths", 1), ("encoder_blocks", 0), ("decoder_blocks", 0), ("steps", 1)):
        values = getattr(config, name)
        if not values or not all(_is_count(value, least) for value in values):
            raise ValueError(f"{name} {values!r} must be whole numbers of {least} or more")
    if not _is_count(config.embedding, 1):
        raise ValueError(f"embedding {config.embedding!r} must be a whole number of 1 or more")
    noise = config.start_noise
    if type(noise) not in (int, float) or not 0 <= noise < math.inf:
        raise ValueError(f"start_noise {noise!r} must be a number of 0 or more")


def _is_count(value: object, least: int) -> bool:
    """Whether it is a whole number; True and False are none."""
    return type(value) is int and value >= least
