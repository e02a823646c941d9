"""
What modes hand to the search as data: never functions, so that no mode knows another.

Carpool gives `MeetingSite`s when a snapshot is built, and `RideWindow`s while it serves.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class SiteKind(StrEnum):
    """Why a place is a meeting point."""

    STOP = "stop"
    CARPOOL_PLACE = "carpool_place"
    STREET = "street"


@dataclass(frozen=True, slots=True)
class MeetingSite:
    """A place where a driver could let a rider in; the build checks that a car may stop there."""

    id: str
    name: str
    kind: SiteKind
    lat: float
    lon: float


@dataclass(frozen=True, slots=True)
class RideWindow:
    """When a body runs on one date: seconds from the searched day's start."""

    body: int
    offer: int
    day: int
    earliest_s: int
    latest_s: int
