"""Both ends of a query tied to the network: what can be reached from them, and how."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.errors import InvalidInput
from core.ids import StopId
from core.modes import Mode
from routing.network import Network
from routing.query import Endpoint, Limits, PlanQuery
from routing.raptor.unroll import Reach
from routing.street.access import Snapped

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
    network: Network, end: Endpoint, limit_m: float, mode: Mode = Mode.WALK
) -> tuple[Snapped | None, list[int]]:
    """
    An end on the streets, and the stops that it is itself.

    Raises
    ------
    PlaceUnknown
        A stop id that the timetable does not have.
    """
    profile = PROFILE_OF_MODE[mode]
    if end.stop_id is None:
        return network.find_snapped(profile, end.coordinate, limit_m), []
    stops = rows_of_stop(network, end.stop_id)
    snapped = network.place_at_stop(stops[0]) if mode is Mode.WALK else None
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


def reach_ends(network: Network, query: PlanQuery, limits: Limits) -> tuple[list[End], list[End]]:
    """Each end by each mode asked for."""
    return (
        [_reach_end(network, query, limits, mode, leaving=True) for mode in query.access_modes],
        [_reach_end(network, query, limits, mode, leaving=False) for mode in query.egress_modes],
    )


def _reach_end(
    network: Network,
    query: PlanQuery,
    limits: Limits,
    mode: Mode,
    *,
    leaving: bool,
) -> End:
    end = query.origin if leaving else query.destination
    limit_s = query.max_access_s if leaving else query.max_egress_s
    at, stops = tie_end(network, end, query.max_matching_m, mode)
    factor, parking_s = pace_factor(network, query, mode), 0
    if mode is Mode.BIKE:
        stops, parking_s = [], limits.bike_parking_s
    limit_s = int((limit_s - parking_s) / factor)
    reach = reach_by(network, mode, at, stops, limit_s, carpool=query.carpool, leaving=leaving)
    seconds = np.ceil(reach.seconds * factor).astype(np.int32) + np.int32(parking_s)
    return End(mode, at, Reach(reach.node, seconds))


def pace_factor(network: Network, query: PlanQuery, mode: Mode) -> float:
    """Seconds that the rider takes for each second at the territory's own speed."""
    own_mps, usual_mps = query.walk_mps, network.speeds.foot_mps
    if mode is Mode.BIKE:
        own_mps, usual_mps = query.bike_mps, network.speeds.bike_mps
    return usual_mps / own_mps if own_mps and mode is not Mode.CAR else 1.0


def reach_by(
    network: Network,
    mode: Mode,
    at: Snapped | None,
    stops: list[int],
    limit_s: int,
    *,
    carpool: bool,
    leaving: bool = True,
) -> Reach:
    """Stops within reach (0 s from those that the place is itself); points with carpool."""
    nodes, seconds = np.array(stops, np.int32), np.zeros(len(stops), np.int32)
    if at is None:
        return Reach(nodes, seconds)
    profile = PROFILE_OF_MODE[mode]
    # On foot the way back takes as long.
    near, near_s = network.walks_from(at, limit_s, profile, leaving=leaving or mode is Mode.WALK)
    wanted = ~np.isin(near, nodes) if stops else np.ones(len(near), bool)
    if not carpool:
        wanted &= near < network.stop_count
    return Reach(np.r_[nodes, near[wanted]], np.r_[seconds, near_s[wanted]])
