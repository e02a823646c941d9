"""
Rides of offers from around one place to around another, as other carpool operators ask for them.

Nothing is searched beyond one car: of each offer the pair of meeting points is taken by which a
rider who walks at both ends is the shortest time on the way, within the driver's budget and window.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from carpool.wishes import SNAP_M, WALK_LIMIT_S, rides_between
from core.geo import Coordinate
from routing.network import Network
from routing.raptor.body_table import Body
from routing.raptor.flexible import FlexibleBodies
from routing.street.straight import great_circle_m

Int32 = npt.NDArray[np.int32]
NOT_HERE = -1
"""Walk to a point outside of an area."""
NEAREST = 64
"""Candidates of one offer that are tried at either end: those of the shortest walks."""
CROW_FACTOR = 1.3
"""How much longer than the straight line a walk is taken to be where no footway is known."""


@dataclass(frozen=True, slots=True)
class Area:
    """Meeting points around a place."""

    walk_s: Int32
    """Shape (P,): walk between the place and each point, or `NOT_HERE`."""
    on_foot: npt.NDArray[np.bool_]
    """Shape (P,): whether footways lead there; else the walk is guessed from the straight line."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Where and when an offer takes a rider."""

    pickup: int
    """Row of the body's candidates."""
    dropoff: int
    pickup_s: int
    """As the window in which the driver leaves: seconds from the same moment."""
    ride_s: int
    walk_s: int
    """Both walks together."""


def area_around(network: Network, place: Coordinate, radius_m: float, *, towards: bool) -> Area:
    """Meeting points within a great-circle distance; `towards` asks for walks to the place."""
    points = network.points
    lat, lon = np.asarray(points.lat), np.asarray(points.lon)
    away_m = great_circle_m(place.lat, place.lon, lat, lon)
    guessed_s = away_m * CROW_FACTOR / network.speeds.foot_mps
    walk_s = np.where(away_m <= radius_m, np.ceil(guessed_s), NOT_HERE).astype(np.int32)
    footway_s = walks_around(network, place, WALK_LIMIT_S, towards=towards)
    on_foot = (footway_s != NOT_HERE) & (walk_s != NOT_HERE)
    return Area(np.where(on_foot, footway_s, walk_s), on_foot)


def walks_around(network: Network, place: Coordinate, limit_s: int, *, towards: bool) -> Int32:
    """Shape (P,): walk between a place and each meeting point, or `NOT_HERE`; see `area_around`."""
    walk_s = np.full(len(network.points.lat), NOT_HERE, np.int32)
    at = network.find_snapped("foot", place, SNAP_M)
    if at is not None:
        node, seconds = network.walks_from(at, limit_s, towards=towards)
        reached = node >= network.stop_count
        walk_s[node[reached] - network.stop_count] = seconds[reached]
    return walk_s


def bodies_between(bodies: FlexibleBodies, start: Area, end: Area) -> npt.NDArray[np.bool_]:
    """Shape (body_count,): which bodies have candidates in both areas."""
    point, first = bodies.candidates[:, 0], bodies.first_candidate
    both = np.ones(len(first) - 1, bool)
    for area in (start, end):
        inside = np.r_[0, np.cumsum((area.walk_s != NOT_HERE)[point])]
        both &= inside[first[1:]] > inside[first[:-1]]
    return both


def best_pair(
    body: Body,
    drive_s: npt.NDArray[np.uint16],
    areas: tuple[Area, Area],
    *,
    leaves_s: tuple[int, int],
    wanted_s: int,
    delta_s: int,
) -> Pair | None:
    """
    The pair by which a rider is the shortest time on the way, picked up around a time.

    Parameters
    ----------
    leaves_s
        Between which the driver leaves his start.
    wanted_s, delta_s
        When the rider wants to be picked up, and by how much it may differ.
    """
    pickups, walk_to_s = _candidates(body, areas[0])
    dropoffs, walk_from_s = _candidates(body, areas[1])
    df_s = body.from_start_s[pickups].astype(np.int64)
    pickup_s = np.clip(wanted_s, leaves_s[0] + df_s, leaves_s[1] + df_s)
    in_time = abs(pickup_s - wanted_s) <= delta_s
    pickups, walk_to_s, df_s = pickups[in_time], walk_to_s[in_time], df_s[in_time]
    if not len(pickups) or not len(dropoffs):
        return None
    ride_s = rides_between(body, drive_s, pickups, dropoffs)
    whole_s = df_s[:, None] + ride_s + body.to_end_s[dropoffs].astype(np.int64)[None, :]
    fits = (whole_s <= body.solo_s + body.budget_s) & (ride_s > 0)
    fits &= body.point[pickups][:, None] != body.point[dropoffs][None, :]
    if not fits.any():
        return None
    on_the_way_s = walk_to_s[:, None] + ride_s + walk_from_s[None, :]
    rank = np.where(fits, on_the_way_s, np.iinfo(np.int64).max)
    i, j = np.unravel_index(int(rank.argmin()), rank.shape)
    return Pair(
        pickup=int(pickups[i]),
        dropoff=int(dropoffs[j]),
        pickup_s=int(pickup_s[in_time][i]),
        ride_s=int(ride_s[i, j]),
        walk_s=int(walk_to_s[i] + walk_from_s[j]),
    )


def _candidates(body: Body, area: Area) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Candidates of a body in an area, those of the shortest walks, with these."""
    walk_s = area.walk_s[body.point].astype(np.int64)
    rows = np.flatnonzero(walk_s != NOT_HERE)
    rows = rows[np.argsort(walk_s[rows], kind="stable")[:NEAREST]]
    return rows, walk_s[rows]


def drive_nodes(body: Body, car_node: Sequence[int] | Int32, pair: Pair) -> Iterator[int]:
    """Car nodes by which a driver takes a rider, his own stops between them too."""
    first, last = int(body.segment[pair.pickup]), int(body.segment[pair.dropoff])
    yield int(car_node[int(body.point[pair.pickup])])
    yield from body.via_nodes[first:last]
    yield int(car_node[int(body.point[pair.dropoff])])
