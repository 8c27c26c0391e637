"""What images give away by themselves: faults of the whole picture, and what lies over an RGB image."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from textdifuse_ros.imaging import evidence, thermal_evidence
from textdifuse_ros.imaging.evidence import Evidence, Found
from textdifuse_ros.imaging.perceptron import EvidenceError
from textdifuse_ros.imaging.thermal_evidence import ThermalEvidence, ThermalFound
from textdifuse_ros.model import veil
from textdifuse_ros.model.veil import VeilNetwork
from textdifuse_ros.model.weights import WeightsError

# Levels of fog or smoke from which on it is worth looking where it lies: below where either counts by itself.
# Some pictures that have neither get there, others look veiled to who looks where; none does both.
HINT = 0.1


class Judge:
    """Looks at images of both cameras. Raises WeightsError for a file of the package that cannot be used."""

    def __init__(self) -> None:
        try:
            self._evidence: Evidence = evidence.load()
            self._thermal: ThermalEvidence = thermal_evidence.load()
        except EvidenceError as error:
            raise WeightsError(str(error)) from error
        self._veil: VeilNetwork = veil.load()

    def look(self, rgb: NDArray[np.uint8], asked: bool = False) -> Found:
        """rgb: uint8 (H, W, 3). asked: somebody has seen smoke or fog, so look where it lies in any case."""
        found = self._evidence.look(rgb)
        if asked or max(found.levels["fog"], found.levels["smoke"]) > HINT:
            return replace(found, veil=self._veil.look(rgb))
        return found

    def look_thermal(self, thermal: NDArray[np.uint8]) -> ThermalFound:
        """thermal: uint8 (H, W), 255 = hot."""
        return self._thermal.look(thermal)
