"""What a search looks at of flexible trips: which run, at which points, which are boarded anew."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.jit import kernel
from routing.raptor.flexible import FlexibleBodies, Rides, RideScratch
from routing.raptor.labels import NOWHERE, Labels

MANY = 64
"""Marked points from which on all candidates are looked at rather than those at each point."""
Int32 = npt.NDArray[np.int32]


@kernel
def find_running(
    bodies: FlexibleBodies,
    rides: Rides,
    first_s: int,
    last_s: int,
    seats: int,
    forward: bool,
    scratch: RideScratch,
) -> None:
    """List the rides that have the seats and run between two times, the first to leave first."""
    solo_s, budget_s, seat_count = bodies.solo_s, bodies.budget_s, bodies.seat_count
    earliest_s, latest_s, body_of = rides.earliest_s, rides.latest_s, rides.body
    order = rides.by_earliest if forward else rides.by_latest
    running, count = scratch.running, 0
    for ride in order:
        body = body_of[ride]
        starts_s, ends_s = earliest_s[ride], latest_s[ride] + solo_s[body] + budget_s[body]
        if not forward:
            starts_s, ends_s = -ends_s, -starts_s
        if starts_s < last_s and ends_s >= first_s and seat_count[body] >= seats:
            running[count] = ride
            count += 1
    scratch.running_count[0] = count


@kernel
def list_candidates(
    bodies: FlexibleBodies,
    rides: Rides,
    access_node: Int32,
    egress_node: Int32,
    stop_count: int,
    scratch: RideScratch,
) -> None:
    """List the candidates of running rides: those always searched, and all near start and goal."""
    near_end, last, beats = scratch.near_end, scratch.last_near_end, scratch.beats
    listed, first, end = scratch.listed, scratch.listed_first, scratch.listed_end
    last[:], first[:], beats[:] = NOWHERE, NOWHERE, 0
    count = 0
    for nodes in (access_node, egress_node):
        for node in nodes:
            point = node - stop_count
            if point < 0 or beats[point] == 1:
                continue
            beats[point] = 1
            for k in range(bodies.at_point_first[point], bodies.at_point_first[point + 1]):
                candidate, body = bodies.at_point_candidate[k], bodies.at_point_body[k]
                if candidate >= bodies.searched_end[body]:
                    near_end[count, 0], near_end[count, 1] = candidate, last[body]
                    last[body] = count
                    count += 1
    count = 0
    for ride in scratch.running[: scratch.running_count[0]]:
        body = rides.body[ride]
        if first[body] != NOWHERE:
            continue
        first[body] = count
        for k in range(bodies.first_candidate[body], bodies.searched_end[body]):
            listed[count] = bodies.passed[k]
            count += 1
        row = last[body]
        while row != NOWHERE:
            listed[count] = near_end[row, 0]
            row = near_end[row, 1]
            count += 1
        end[body] = count


@kernel
def find_fresh(
    bodies: FlexibleBodies,
    labels: Labels,
    scratch: RideScratch,
    marked_count: int,
    stop_count: int,
) -> None:
    """Write `RideScratch.fresh`."""
    marked, first, bodies_at = labels.marked, bodies.at_point_first, bodies.at_point_body
    fresh, points = scratch.fresh, 0
    for i in range(marked_count):
        points += marked[i] >= stop_count
    fresh[:] = points > MANY
    if points > MANY:
        return
    for i in range(marked_count):
        point = marked[i] - stop_count
        if point >= 0:
            for k in range(first[point], first[point + 1]):
                fresh[bodies_at[k]] = 1
