"""What a rider asks of the planner."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from core.geo import Coordinate
from core.ids import StopId
from core.modes import TRANSIT_MODES, Mode

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One end of a search: a place, which may be a stop or station."""

    coordinate: Coordinate
    stop_id: StopId | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Via:
    """A stop or station to be visited on the way, in the order asked for."""

    stop_id: StopId
    stay_s: int = 0
    """0: passing through in a vehicle is enough."""


@dataclass(frozen=True, slots=True)
class PlanQuery:
    """One search. Defaults are those of the MOTIS API."""

    origin: Endpoint
    destination: Endpoint
    at: dt.datetime
    """Aware instant: earliest departure, or latest arrival."""
    arrive_by: bool = False
    window_s: int = 900
    """Length of the interval of departures (arrivals) searched; 0 asks for that moment only."""
    backwards: bool = False
    """The interval ends at `at` instead of starting there (page of earlier ones)."""
    wanted_count: int = 5
    """The interval is widened until this many itineraries are found, up to `widest_window_s`."""
    widest_window_s: int = DAY_S
    max_vehicles: int = 8
    transit_modes: frozenset[Mode] = TRANSIT_MODES
    carpool: bool = True
    seats: int = 1
    """Size of the group: a ride must have as many free seats."""
    direct_modes: tuple[Mode, ...] = (Mode.WALK,)
    max_access_s: int = 900
    max_egress_s: int = 900
    max_direct_s: int = 1800
    max_matching_m: float = 250
    access_modes: tuple[Mode, ...] = (Mode.WALK,)
    """How one gets to the first vehicle: on foot, or by bike, which is left there."""
    egress_modes: tuple[Mode, ...] = (Mode.WALK,)
    walk_mps: float | None = None
    """The rider's own speed on foot; None is the territory's."""
    bike_mps: float | None = None
    min_change_s: int = 0
    """Least time for a change; the territory's own holds where it is longer."""
    change_factor: float = 1.0
    """Times for changes and the walks between vehicles are multiplied by this, 1 at least."""
    extra_change_s: int = 0
    """Added to every change."""
    avoid_routes: frozenset[str] = frozenset()
    """Ids of lines not to be taken."""
    avoid_stops: frozenset[StopId] = frozenset()
    """Stops (or stations) at which not to get in or out."""
    vias: tuple[Via, ...] = ()
    criteria: bool = True
    """Whether what is best by price, CO2, walking and reliability is looked for, too."""
    explain: bool = False
    """Whether the answer tells what was left out, and why."""
    detailed: bool = True
    """Whether legs carry their geometry."""
    wheelchair: bool = False
    """Step-free ways, and stops and trips that are known to take wheelchairs."""
    wheelchair_unknown: bool = False
    """Also stops, trips and rides of which nothing is known."""
    rides_step_free: bool = False
    """Whether the rides given to the search are all of cars that take wheelchairs."""

    @property
    def profile(self) -> str:
        """Profile of walks."""
        return "wheelchair" if self.wheelchair else "foot"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a territory sets for every search."""

    change_s: int = 60
    """From one vehicle to the next at the same stop."""
    carpool_change_s: int = 300
    """From a car to a vehicle: what a driver may be late by."""
    pickup_stop_s: int = 60
    """A driver's stop to let a rider in."""
    bike_parking_s: int = 60
    """To lock a bike at a stop, or to take one there."""
