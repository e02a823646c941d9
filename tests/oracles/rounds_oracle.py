"""
Earliest arrivals on a real network by every trip, every offer, every pick-up and every drop-off.

The rounds of `raptor_oracle` over arrays, so that a city can be asked: nothing is pruned, marked,
listed or bounded, and each pair of candidates is tried by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from gtfs_data.enums import CAN_ALIGHT, CAN_BOARD
from routing.raptor.search import Search

NEVER = 2**30
Int32 = npt.NDArray[np.int32]
Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Rides:
    """Dated runs: their candidates in rows of one table (point, df, db, segment)."""

    first: Int64
    end: Int64
    earliest_s: Int64
    latest_s: Int64
    solo_s: Int64
    budget_s: Int64
    table: Int64


def rides_of(search: Search, until_s: int, *, every_point: bool) -> Rides:
    """
    Rides that leave before a time; on all points, or on those that the search says it looks at.
    """
    bodies, rides = search.flexible.bodies, search.rides
    near = np.zeros(len(search.network.points.lat), bool)
    for reach in (search.access, search.egress):
        points = np.asarray(reach.node) - search.terrain.stop_count
        near[points[points >= 0]] = True
    first, end, parts, count = [], [], [], 0
    leaving = np.flatnonzero(rides.earliest_s < until_s)
    for body in rides.body[leaving].tolist():
        rows = np.arange(bodies.first_candidate[body], bodies.first_candidate[body + 1])
        own = bodies.candidates[rows].astype(np.int64)
        if not every_point:
            own = own[(rows < bodies.searched_end[body]) | near[own[:, 0]]]
        if bodies.seat_count[body] < search.seats:
            own = own[:0]
        first.append(count)
        count += len(own)
        end.append(count)
        parts.append(own)
    return Rides(
        np.array(first), np.array(end), rides.earliest_s[leaving].astype(np.int64),
        rides.latest_s[leaving].astype(np.int64),
        bodies.solo_s[rides.body[leaving]].astype(np.int64),
        bodies.budget_s[rides.body[leaving]].astype(np.int64), np.concatenate(parts),
    )  # fmt: skip


def arrivals(search: Search, start_s: int, rides: Rides | None, most: int) -> list[int]:
    """Earliest arrival with at most 0, 1, … `most` vehicles, never after a walk all the way."""
    terrain = search.terrain
    stops, nodes = terrain.stop_count, terrain.node_count
    ready = np.full(nodes, NEVER, np.int64)
    np.minimum.at(ready, search.access.node, start_s + search.access.seconds)
    direct_s = NEVER if search.direct_s is None else start_s + search.direct_s
    best = [direct_s]
    for _ in range(most):
        reached = np.full(nodes, NEVER, np.int64)
        _take_trips(*_arrays(terrain.day), ready, reached)
        if rides is not None:
            _take_rides(
                rides.first, rides.end, rides.earliest_s, rides.latest_s, rides.solo_s,
                rides.budget_s, rides.table, search.network.ground.drive_s, search.pickup_stop_s,
                stops, ready, reached,
            )  # fmt: skip
        at_goal = reached[search.egress.node] + search.egress.seconds
        best.append(min(best[-1], int(at_goal.min(initial=NEVER))))
        ready = np.full(nodes, NEVER, np.int64)
        changed = reached + terrain.change_s
        ready[:stops] = changed[:stops]
        walks = terrain.walks if rides is None else terrain.point_walks
        start = np.repeat(np.arange(len(walks.first) - 1), np.diff(walks.first))
        np.minimum.at(ready, walks.to, changed[start] + walks.seconds)
    return best


def _arrays(day: Any) -> tuple[Any, ...]:
    names = "first_stop", "stop", "flag", "first_trip", "first_event", "arrival_s", "departure_s"
    return tuple(getattr(day, name) for name in names)


@numba.njit(cache=True)
def _take_trips(
    first_stop: Int32,
    stop: Int32,
    flag: npt.NDArray[np.uint8],
    first_trip: Int32,
    first_event: Int32,
    arrival_s: Int32,
    departure_s: Int32,
    ready: Int64,
    reached: Int64,
) -> None:
    for pattern in range(len(first_stop) - 1):
        begin, count = first_stop[pattern], first_stop[pattern + 1] - first_stop[pattern]
        trips = first_trip[pattern + 1] - first_trip[pattern]
        for trip in range(trips):
            aboard = False
            for i in range(count):
                event = first_event[pattern] + i * trips + trip
                node = stop[begin + i]
                if aboard and flag[begin + i] & CAN_ALIGHT:
                    reached[node] = min(reached[node], arrival_s[event])
                if flag[begin + i] & CAN_BOARD and ready[node] <= departure_s[event]:
                    aboard = True


@numba.njit(cache=True)
def _take_rides(
    first: Int64,
    end: Int64,
    earliest_s: Int64,
    latest_s: Int64,
    solo_s: Int64,
    budget_s: Int64,
    table: Int64,
    drive_s: npt.NDArray[np.uint16],
    stop_s: int,
    stops: int,
    ready: Int64,
    reached: Int64,
) -> None:
    for ride in range(len(first)):
        for p in range(first[ride], end[ride]):
            board_s = max(ready[stops + table[p, 0]], earliest_s[ride] + table[p, 1])
            if board_s > latest_s[ride] + table[p, 1]:
                continue
            for q in range(first[ride], end[ride]):
                if table[q, 3] < table[p, 3] or table[q, 0] == table[p, 0]:
                    continue
                if table[q, 3] == table[p, 3]:
                    hop_s = np.int64(drive_s[table[p, 0], table[q, 0]])
                else:
                    hop_s = table[p, 2] + table[q, 1] - solo_s[ride]
                if table[p, 1] + hop_s + table[q, 2] <= solo_s[ride] + budget_s[ride]:
                    node = stops + table[q, 0]
                    reached[node] = min(reached[node], board_s + stop_s + hop_s)
