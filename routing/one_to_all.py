"""From one place to all stops, or from all stops to one place, in one search."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.modes import TRANSIT_MODES, Mode
from core.time import day_start_epoch_s
from routing.ends import reach_by, tie_end
from routing.network import Network
from routing.planner import RidesOn
from routing.query import Endpoint, Limits
from routing.raptor.flexible import FlexibleTrips
from routing.raptor.labels import FAR
from routing.raptor.search import Search
from routing.raptor.unroll import Reach
from routing.terrain import Conditions

Int32 = npt.NDArray[np.int32]
NOWHERE = Reach(np.zeros(0, np.int32), np.zeros(0, np.int32))


@dataclass(frozen=True, slots=True)
class ReachQuery:
    """What is within reach of one place. Defaults are those of the MOTIS API."""

    place: Endpoint
    at: dt.datetime
    """Aware instant: departure from the place, or arrival there."""
    most_s: int
    arrive_by: bool = False
    max_vehicles: int = 8
    transit_modes: frozenset[Mode] = TRANSIT_MODES
    carpool: bool = True
    max_walk_s: int = 900
    """Between the place and the first (last) stop."""
    max_matching_m: float = 250
    min_change_s: int = 0


@dataclass(frozen=True, slots=True)
class ReachedStops:
    """Stops at which vehicles call, in order of row, with what it takes to get there."""

    stop: Int32
    seconds: Int32
    """From `ReachQuery.at` on, waiting included (arriving: back from it)."""
    vehicle_count: Int32
    """Fewest vehicles with which it takes no longer; 0 on foot."""


def search_one_to_all(
    network: Network,
    query: ReachQuery,
    *,
    flexible: FlexibleTrips,
    rides_on: RidesOn,
    limits: Limits,
) -> ReachedStops:
    """
    Find every stop within reach and the least time it takes.

    Raises
    ------
    PlaceUnknown
        A stop id that the timetable does not have.
    """
    date = query.at.astimezone(network.zone).date()
    at_s = int(query.at.timestamp()) - day_start_epoch_s(date, network.zone)
    snapped, stops = tie_end(network, query.place, query.max_matching_m)
    walk_s = min(query.max_walk_s, query.most_s)
    near = reach_by(network, Mode.WALK, snapped, stops, walk_s, carpool=query.carpool)
    conditions = Conditions(
        transit_modes=query.transit_modes,
        change_s=max(limits.change_s, query.min_change_s),
        carpool_change_s=max(limits.carpool_change_s, query.min_change_s),
    )
    search = Search(
        network=network,
        terrain=network.terrain(date, conditions),
        flexible=flexible,
        rides=rides_on(date),
        access=NOWHERE if query.arrive_by else near,
        egress=near if query.arrive_by else NOWHERE,
        arrive_by=query.arrive_by,
        max_vehicles=query.max_vehicles,
        seats=int(query.carpool),
        direct_s=None,
        carpool_change_s=conditions.carpool_change_s,
        pickup_stop_s=limits.pickup_stop_s,
    )
    reached_s = search.reach_stops(at_s, query.most_s)
    best_s = reached_s.min(axis=0)
    called = np.zeros(network.stop_count, bool)
    called[network.timetable.pattern_stop] = True
    stop = np.flatnonzero(called & (best_s < FAR)).astype(np.int32)
    vehicle_count = np.argmin(reached_s[:, stop], axis=0).astype(np.int32)
    return ReachedStops(stop, best_s[stop], vehicle_count)
