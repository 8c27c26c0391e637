"""Shape of the fusion network, declared once and stored inside every weight file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class ModelConfig:
    """Sizes of the student network.

    widths: feature channels at 1/2, 1/4, 1/8 and 1/16 of the input resolution.
    encoder_blocks: residual blocks of the shared encoder at each of these levels.
    decoder_blocks: residual blocks of the decoder at each of these levels.
    embedding: channels of the (time, step size, restoration, camera) embedding.
    """

    widths: tuple[int, ...] = (32, 64, 96, 160)
    encoder_blocks: tuple[int, ...] = (0, 1, 1, 2)
    decoder_blocks: tuple[int, ...] = (1, 1, 1, 1)
    embedding: int = 64

    def __post_init__(self) -> None:
        if not len(self.widths) == len(self.encoder_blocks) == len(self.decoder_blocks):
            raise ValueError(
                f"widths, encoder_blocks and decoder_blocks need one entry a level, got "
                f"{len(self.widths)}, {len(self.encoder_blocks)}, {len(self.decoder_blocks)}"
            )

    @property
    def multiple(self) -> int:
        """Input sides are padded to a multiple of this many pixels."""
        return 2 ** len(self.widths)

    def to_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> ModelConfig:
        """Raises ValueError when the text is not a configuration written by `to_json`."""
        try:
            fields: dict[str, Any] = {
                k: tuple(v) if isinstance(v, list) else v for k, v in json.loads(text).items()
            }
            return cls(**fields)
        except (TypeError, AttributeError, json.JSONDecodeError) as error:
            raise ValueError(f"not a model configuration: {error}") from error
