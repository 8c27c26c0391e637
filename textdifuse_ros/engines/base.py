"""What every engine offers: images in, images out, on one device."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from textdifuse_ros.model.controls import Controls

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]


class EngineError(RuntimeError):
    """An engine or device that cannot be used here; the message says what to choose or install."""


class Engine(Protocol):
    """Runs the sampler. `name`, `device`, `dtype` say what was chosen, `steps` what the weights are for."""

    name: str
    device: str
    dtype: str
    steps: tuple[int, ...]

    def run(
        self, rgb: Bytes, thermal: Bytes, relevance: Floats | None, steps: int, controls: Controls
    ) -> tuple[Bytes, float]:
        """rgb uint8 (H, W, 3), thermal uint8 (H, W), relevance float32 (H, W) in [-1, 1] or None.

        controls: how far each degradation is removed, see `model.controls`.

        Returns the fused image uint8 (H, W, 3) and the network's own time in milliseconds.
        """
        ...

    def close(self) -> None:
        """Release device memory; the engine cannot be used afterwards."""
        ...
