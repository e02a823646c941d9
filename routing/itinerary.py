"""What the rider gets: itineraries of legs, in instants and places."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from core.geo import Coordinate
from core.modes import Mode
from routing.street.step_free import StepFree

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Shape:
    """Geometry of a leg: latitudes and longitudes, and its length."""

    lat: Float64
    lon: Float64
    metres: float
    edge: npt.NDArray[np.int32] | None = None
    """On streets: edge by which each point is reached, or -1."""


@dataclass(frozen=True, slots=True)
class Access:
    """What data says of a wheelchair on a leg."""

    step_free: StepFree
    sources: tuple[str, ...]
    """Files and fields that decide it; of a leg that is not known, those that say nothing."""
    pathways: tuple[int, ...] = ()
    """Rows of the timetable's pathways that a walk takes, in order."""
    elevators: tuple[str, ...] = ()
    """Ids of the elevators that it takes, of stations and of the map, in order."""


@dataclass(frozen=True, slots=True)
class LegPlace:
    """An end of a leg, or a stop on its way."""

    name: str
    coordinate: Coordinate
    stop: int | None = None
    """Row of the timetable's stops, for a stop."""
    point: int | None = None
    """Row of the network's meeting points, for one of those."""


class Call(NamedTuple):
    """A vehicle's stop between boarding and alighting; an answer has hundreds."""

    place: LegPlace
    arrival_epoch_s: int
    departure_epoch_s: int


@dataclass(frozen=True, slots=True)
class StreetLeg:
    """Walking, cycling or driving oneself."""

    mode: Mode
    start: LegPlace
    end: LegPlace
    start_at: dt.datetime
    end_at: dt.datetime
    shape: Shape | None
    access: Access | None = None
    """None where it was not looked up."""


@dataclass(frozen=True, slots=True)
class TransitLeg:
    """In a vehicle of the timetable."""

    mode: Mode
    start: LegPlace
    end: LegPlace
    start_at: dt.datetime
    end_at: dt.datetime
    shape: Shape | None
    trip: int
    """Row of the timetable's trips."""
    service_date: dt.date
    board_position: int
    alight_position: int
    calls: tuple[Call, ...]
    stays_aboard: bool
    """The vehicle of the leg before goes on as this trip: riders keep their seats."""
    headway_s: int
    """More than 0 where times are not exact: vehicles leave about this often."""
    access: Access | None = None
    """None where it was not looked up."""


@dataclass(frozen=True, slots=True)
class RideLeg:
    """With a driver."""

    mode: Mode
    start: LegPlace
    end: LegPlace
    start_at: dt.datetime
    """The driver is at the meeting point."""
    end_at: dt.datetime
    shape: Shape | None
    offer: int
    """Row of the world's offers."""
    date: dt.date
    """Date of the run."""
    detour_s: int
    """What this rider adds to the driver's own drive."""
    budget_s: int
    """What the driver accepts."""
    drive_s: int
    seat_count: int
    access: Access | None = None
    """None where it was not looked up."""


Leg = StreetLeg | TransitLeg | RideLeg


class Family(StrEnum):
    """Kinds of itineraries that do not hide each other."""

    STREET = "street"
    TRANSIT = "transit"
    CARPOOL = "carpool"


@dataclass(frozen=True, slots=True)
class Itinerary:
    """One way to travel."""

    legs: tuple[Leg, ...]
    best_for: tuple[str, ...] = ()
    """Criteria beside time by which it is the best: price, co2, walking, reliability."""

    @property
    def start_at(self) -> dt.datetime:
        """Leaving the origin."""
        return self.legs[0].start_at

    @property
    def end_at(self) -> dt.datetime:
        """Reaching the destination."""
        return self.legs[-1].end_at

    @property
    def vehicle_count(self) -> int:
        """Vehicles and rides taken; one that goes on as another trip is one vehicle."""
        return len(self.vehicles)

    @property
    def vehicles(self) -> tuple[tuple[int, ...], ...]:
        """Rows of the legs in each vehicle and ride: several where riders stay aboard."""
        found: list[tuple[int, ...]] = []
        for row, leg in enumerate(self.legs):
            if isinstance(leg, TransitLeg) and leg.stays_aboard:
                found[-1] += (row,)
            elif not isinstance(leg, StreetLeg):
                found.append((row,))
        return tuple(found)

    @property
    def family(self) -> Family:
        """Which kind of itinerary this is."""
        if any(isinstance(leg, RideLeg) for leg in self.legs):
            return Family.CARPOOL
        return Family.TRANSIT if self.vehicle_count else Family.STREET


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why an answer is empty or poor: a stable code and what the code's sentence needs."""

    code: str
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RemovedItinerary:
    """One that was found and is not shown."""

    itinerary: Itinerary
    reason: str
    by: Itinerary | None
    """The one that makes it superfluous."""


@dataclass(frozen=True, slots=True)
class PlanAnswer:
    """All that one search returns."""

    itineraries: tuple[Itinerary, ...]
    """By departure; the best without carpool is always among them, if there is one."""
    direct: tuple[Itinerary, ...]
    explanations: tuple[Explanation, ...]
    window_start: dt.datetime
    window_end: dt.datetime
    """Interval that was searched in the end."""
    removed: tuple[RemovedItinerary, ...] = ()
    """Filled where the query asks for an explanation."""
