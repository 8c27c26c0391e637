"""What an RGB image gives away by itself: faults of the whole picture, and what lies over it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from textdifuse_ros.imaging import evidence
from textdifuse_ros.imaging.evidence import Evidence, EvidenceError, Found
from textdifuse_ros.model import veil
from textdifuse_ros.model.veil import VeilNetwork
from textdifuse_ros.model.weights import WeightsError

# Levels of fog or smoke from which on it is worth looking where it lies: far below where they count, and no
# picture of the validation split that has neither gets there.
HINT = 0.1


class Judge:
    """Looks at RGB images. Raises WeightsError for a file of the package that cannot be used."""

    def __init__(self) -> None:
        try:
            self._evidence: Evidence = evidence.load()
        except EvidenceError as error:
            raise WeightsError(str(error)) from error
        self._veil: VeilNetwork = veil.load()

    def look(self, rgb: NDArray[np.uint8], asked: bool = False) -> Found:
        """rgb: uint8 (H, W, 3). asked: somebody has seen smoke or fog, so look where it lies in any case."""
        found = self._evidence.look(rgb)
        if asked or max(found.levels["fog"], found.levels["smoke"]) > HINT:
            return replace(found, veil=self._veil.look(rgb))
        return found
