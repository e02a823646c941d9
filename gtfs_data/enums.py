"""
Values of GTFS as arrays hold them.

Source: GTFS Schedule reference, "stops.txt", "stop_times.txt" and "pathways.txt".
"""

from __future__ import annotations

from enum import IntEnum

CAN_BOARD, CAN_ALIGHT = 1, 2
"""Bits of what a call allows."""
STATION, ENTRANCE, GENERIC_NODE, BOARDING_AREA = 1, 2, 3, 4
"""location_type; 0 or blank is a stop or platform."""


class PathwayMode(IntEnum):
    """pathway_mode: how one gets along."""

    WALKWAY = 1
    STAIRS = 2
    MOVING_SIDEWALK = 3
    ESCALATOR = 4
    ELEVATOR = 5
    FARE_GATE = 6
    EXIT_GATE = 7
