"""Both ends of a query tied to the network: what can be reached from them, and how."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.errors import InvalidInput
from core.ids import StopId
from core.modes import Mode
from routing.doors import DOOR_LIMIT_M, OF_BODY, between_s
from routing.network import ON_FOOT, Network
from routing.query import Endpoint, Limits, PlanQuery
from routing.raptor.door_ends import NO_DOORS, DoorEnd, Doors, serving
from routing.raptor.flexible import FlexibleTrips, Rides
from routing.raptor.unroll import Reach
from routing.street.access import Snapped
from routing.walks import Walking

Int32 = npt.NDArray[np.int32]
DOOR_WALK_S = 300
"""Whoever is fetched at his door walks no longer to where the car stands."""
PROFILE_OF_MODE = {Mode.WALK: "foot", Mode.BIKE: "bike", Mode.CAR: "car"}


class PlaceUnknown(InvalidInput):
    """An end of the search names a stop that is not in the timetable."""

    code = "place_unknown"


@dataclass(frozen=True, slots=True)
class End:
    """One end of a query, for one way to get there or away."""

    mode: Mode
    at: Snapped | None
    """On the streets of the mode."""
    reach: Reach


def tie_end(
    network: Network, end: Endpoint, limit_m: float, profile: str = "foot"
) -> tuple[Snapped | None, list[int]]:
    """
    An end on the streets, and the stops that it is itself.

    Raises
    ------
    PlaceUnknown
        A stop id that the timetable does not have.
    """
    if end.stop_id is None:
        return network.find_snapped(profile, end.coordinate, limit_m), []
    stops = rows_of_stop(network, end.stop_id)
    snapped = network.place_at_stop(stops[0]) if profile in ON_FOOT else None
    if profile == "wheelchair":  # who is at a station is at its entrances, not yet at its trains
        stops = [stops[0], *(s for s in stops[1:] if not network.stations.indoors[s])]
    return snapped or network.find_snapped(profile, end.coordinate, limit_m), stops


def rows_of_stop(network: Network, stop_id: StopId) -> list[int]:
    """
    Row of a stop and of the platforms that it has.

    Raises
    ------
    PlaceUnknown
        A stop id that the timetable does not have.
    """
    stop = network.stop_row.get(stop_id)
    if stop is None:
        raise PlaceUnknown(f"no stop {stop_id!r} in this territory")
    return [stop, *np.flatnonzero(network.timetable.stop_parent == stop).tolist()]


def reach_ends(
    network: Network, query: PlanQuery, limits: Limits, walking: Walking
) -> tuple[list[End], list[End]]:
    """Each end by each mode asked for."""

    def ends(modes: tuple[Mode, ...], *, leaving: bool) -> list[End]:
        return [
            _reach_end(
                network, query, limits, mode, leaving=leaving,
                walking=walking if mode is Mode.WALK else network.walking(PROFILE_OF_MODE[mode]),
            )
            for mode in modes
        ]  # fmt: skip

    return ends(query.access_modes, leaving=True), ends(query.egress_modes, leaving=False)


def _reach_end(
    network: Network,
    query: PlanQuery,
    limits: Limits,
    mode: Mode,
    *,
    leaving: bool,
    walking: Walking,
) -> End:
    end = query.origin if leaving else query.destination
    limit_s = query.max_access_s if leaving else query.max_egress_s
    at, stops = tie_end(network, end, query.max_matching_m, walking.profile)
    factor, parking_s = pace_factor(network, query, mode), 0
    if mode is Mode.BIKE:
        stops, parking_s = [], limits.bike_parking_s
    limit_s = int((limit_s - parking_s) / factor)
    reach = reach_on_foot(
        network, at, stops, limit_s, carpool=query.carpool, walking=walking, towards=not leaving
    )
    if factor != 1 or parking_s:
        seconds = np.ceil(reach.seconds * factor).astype(np.int32) + np.int32(parking_s)
        reach = Reach(reach.node, seconds)
    return End(mode, at, reach)


def find_doors(
    network: Network,
    query: PlanQuery,
    ends: tuple[list[End], list[End]],
    flexible: FlexibleTrips,
    rides: Rides,
) -> Doors:
    """Where drivers who come to the door fetch the rider, and let him out, if he walks there."""
    if not (query.carpool and len(flexible.stretches) and len(rides.body)):
        return NO_DOORS
    bodies = flexible.bodies
    runs = np.zeros(len(bodies.solo_s), bool)
    runs[rides.body] = True
    stretches = flexible.stretches[runs[flexible.stretches[:, OF_BODY]]]
    most_s = (bodies.solo_s + bodies.budget_s)[stretches[:, OF_BODY]]
    origin, destination = (
        _door_end(network, query, stretches, most_s, end, leaving=leaving)
        for end, leaving in ((ends[0], True), (ends[1], False))
    )
    drive_s = 0
    if origin is not None and destination is not None:
        drive_s = between_s(network.streets, network.drive, origin.door, destination.door)
    return Doors(origin, destination, drive_s)


def _door_end(
    network: Network,
    query: PlanQuery,
    stretches: Int32,
    most_s: Int32,
    ends: list[End],
    *,
    leaving: bool,
) -> DoorEnd | None:
    end = query.origin if leaving else query.destination
    at = next((end.at for end in ends if end.mode is Mode.WALK), None)
    if end.stop_id is not None or at is None or not len(stretches):
        return None
    door = network.find_door(end.coordinate)
    found = None if door is None else serving(network.drive, stretches, most_s, door)
    if door is None or found is None:
        return None
    foot = network.find_snapped(query.profile, door.at.coordinate, DOOR_LIMIT_M)
    if foot is None:
        return None
    factor = pace_factor(network, query, Mode.WALK)
    limit_s = min(DOOR_WALK_S, query.max_access_s if leaving else query.max_egress_s)
    pair = (at, foot) if leaving else (foot, at)
    route = network.find_route(query.profile, *pair, int(limit_s / factor))
    if route is None:
        return None
    return DoorEnd(door, foot, int(np.ceil(route.seconds * factor)), *found)


def pace_factor(network: Network, query: PlanQuery, mode: Mode) -> float:
    """Seconds that the rider takes for each second at the territory's own speed."""
    own_mps, usual_mps = query.walk_mps, network.walking(query.profile).mps
    if mode is Mode.BIKE:
        own_mps, usual_mps = query.bike_mps, network.speeds.bike_mps
    return usual_mps / own_mps if own_mps and mode is not Mode.CAR else 1.0


def reach_on_foot(
    network: Network,
    at: Snapped | None,
    stops: list[int],
    limit_s: int,
    *,
    carpool: bool,
    walking: Walking | None = None,
    towards: bool = False,
) -> Reach:
    """
    Stops, and meeting points with carpool, within reach of a place, or `towards` it.

    `stops` are those that the place is itself; `walking` may be another profile than on foot.
    """
    nodes, seconds = np.array(stops, np.int32), np.zeros(len(stops), np.int32)
    if at is None:
        return Reach(nodes, seconds)
    near, near_s = network.walks_from(at, limit_s, walking, towards=towards, points=carpool)
    if not stops:
        return Reach(near, near_s)
    wanted = ~np.isin(near, nodes)
    return Reach(np.concatenate([nodes, near[wanted]]), np.concatenate([seconds, near_s[wanted]]))
