"""Where things stand in the street [m]: x right of the camera, z ahead of it."""

from __future__ import annotations

KERB_RIGHT = 0.7
KERB_LEFT = -7.9
WALL_RIGHT = 4.2
WALL_LEFT = -11.2
STREET_END = 78.0

LANE_ONCOMING = -4.9
LANE_AWAY = -2.2
ROAD_CENTRE = -3.6
PARKED_LEFT = -6.95
PARKED_RIGHT = -0.35

ZEBRA_NEAR = 9.6
ZEBRA_FAR = 12.8

BUILDING_LENGTH = 9.0
FLOOR_HEIGHT = 3.1

AIR = 8.0
"""Air temperature [deg C]."""

MAX_DEPTH = 1000.0
"""Depth of the sky [m]."""
