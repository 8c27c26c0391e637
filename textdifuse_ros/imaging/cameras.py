"""One pair as the cameras sent it, with all that it takes to bring both into one picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .remap import Remap
from .window import Windowed


@dataclass(frozen=True, eq=False)
class Cameras:
    """rgb: uint8 (H, W, 3) in RGB order. thermal: of its own size. remap: made for both sizes."""

    rgb: np.ndarray
    thermal: Windowed
    remap: Remap

    def registered(self) -> tuple[np.ndarray, np.ndarray]:
        """rgb uint8 (H, W, 3) and thermal uint8 (H, W), 255 = hot, in the reference camera's frame."""
        return self.remap.apply(self.rgb, self.thermal.image())

    def restored(self, fused: np.ndarray, rgb: np.ndarray, thermal: np.ndarray) -> np.ndarray:
        """The fused image with the reference camera's own where only that one sees: it is the best there is.

        fused is changed in place; rgb, thermal: as `registered` gave them.
        """
        return self.remap.restore_outside(fused, rgb if self.remap.reference == "rgb" else thermal)
