"""What every engine offers: images in, images out, on one device."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from textdifuse_ros.imaging.cameras import Cameras
from textdifuse_ros.model.controls import Controls

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]


class EngineError(RuntimeError):
    """An engine or device that cannot be used here; the message says what to choose or install."""


@runtime_checkable
class Keeps(Protocol):
    """What an engine has besides, if its images come about on a device: they can be kept there."""

    keep: bool  # set it before `run`

    @property
    def kept(self) -> Tensor | None:
        """The image of the latest `run` on the device, uint8 (H, W, 3), complete and the caller's own; None
        where it was not to be kept."""
        ...


@runtime_checkable
class TakesCameras(Protocol):
    """What an engine can do besides, where its device brings both cameras into one picture as well."""

    def takes_cameras(self, height: int, width: int, steps: int) -> bool:
        """Whether the next frame of this size may be given to `run_cameras`: not where another engine runs
        until such a one is built.
        """
        ...

    def run_cameras(self, cameras: Cameras, steps: int, controls: Controls) -> tuple[Bytes, float]:
        """What `run` does, without relevance, for a pair as it comes: the thermal window, registration, and
        the reference camera's own image where only that one sees. The image has the reference's size.
        """
        ...


@runtime_checkable
class Expects(Protocol):
    """What such an engine can do besides: be told of pairs that it will be given, while another runs them."""

    def expect(self, cameras: Cameras) -> None:
        """Let `prepare` make ready for pairs like this one, too. May be called from another thread."""
        ...


class Engine(Protocol):
    """Runs the sampler, each engine the same one: within 2 grey levels of eager fp32 at the 99th percentile.

    Making one is quick and refuses what cannot work here; what is slow (compiling, exporting) happens in
    `prepare`, which `engines.background` can do beside another engine that is running already.
    """

    @property
    def name(self) -> str:
        """What runs now, as in "eager"; what is being built or has failed may follow after a comma."""
        ...

    @property
    def device(self) -> str:
        """As in "cpu" or "cuda:0"."""
        ...

    @property
    def dtype(self) -> str:
        """Arithmetic of the network: fp32, bf16 or fp16."""
        ...

    @property
    def steps(self) -> tuple[int, ...]:
        """Numbers of sampler steps that the weights are for."""
        ...

    def ready(self, height: int, width: int, steps: int) -> bool:
        """Whether `run` for images of this size starts at once."""
        ...

    def prepare(self, height: int, width: int, steps: int) -> None:
        """Do now what the first `run` of this size would do. Other threads may call `run` meanwhile.

        Raises EngineError with the reason and the mend.
        """
        ...

    def run(
        self, rgb: Bytes, thermal: Bytes, relevance: Floats | None, steps: int, controls: Controls
    ) -> tuple[Bytes, float]:
        """rgb uint8 (H, W, 3), thermal uint8 (H, W), relevance float32 (H, W) in [-1, 1] or None.

        controls: how far each degradation is removed, see `model.controls`.

        Returns the fused image uint8 (H, W, 3), the caller's own, and the milliseconds that the network took,
        colour conversions included. Prepares itself where it is not ready.
        """
        ...

    def close(self) -> None:
        """Release device memory; the engine cannot be used afterwards."""
        ...
