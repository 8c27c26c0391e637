"""A rendered night street for dry runs, demos and tests (no ROS, no assets)."""

from .sensors import RgbSensor, ThermalSensor, centikelvin, counts_to_8bit
from .sequence import SimFrame, SimObject, StreetSequence

__all__ = [
    "RgbSensor",
    "SimFrame",
    "SimObject",
    "StreetSequence",
    "ThermalSensor",
    "centikelvin",
    "counts_to_8bit",
]
