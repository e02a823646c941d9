"""
What modes hand to the search as data: never functions, so that no mode knows another.

Carpool gives `MeetingSite`s when a snapshot is built, and `RideWindows` while it serves.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Int32 = npt.NDArray[np.int32]


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


class RideWindows(NamedTuple):
    """Runs of bodies around one date, a row each; seconds from the searched day's start."""

    body: Int32
    offer: Int32
    day: Int32
    earliest_s: Int32
    latest_s: Int32
