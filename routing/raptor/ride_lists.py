"""What a search looks at of flexible trips: which run, and at which points."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.jit import kernel
from routing.raptor.flexible import (
    CANDIDATE,
    CELL,
    FROM_START_S,
    IN_SEGMENT,
    MEETING_POINT,
    REST_END,
    TO_END_S,
    RideSearch,
)
from routing.raptor.labels import NOWHERE

Int32 = npt.NDArray[np.int32]
UInt16 = npt.NDArray[np.uint16]


@kernel
def find_running(riding: RideSearch, first_s: int, last_s: int, seats: int, forward: bool) -> None:
    """List the rides that have the seats and run between two times, the first to leave first."""
    bodies, rides, scratch = riding.bodies, riding.rides, riding.scratch
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
def start_lists(
    riding: RideSearch, access_node: Int32, egress_node: Int32, stop_count: int
) -> None:
    """Forget what was listed before; of every body, candidates near these nodes will be."""
    scratch = riding.scratch
    near_end = scratch.near_end
    near_cell, point_cell = scratch.near_cell, riding.bodies.point_cell
    near_end[:], near_cell[:], scratch.listed_first[:], scratch.listed_count[0] = 0, 0, NOWHERE, 0
    for nodes in (access_node, egress_node):
        for node in nodes:
            if node >= stop_count:
                near_end[node - stop_count] = 1
                near_cell[point_cell[node - stop_count]] = 1


@kernel
def list_body(
    candidates: UInt16,
    first: int,
    searched_end: int,
    cells: UInt16,
    near_end: npt.NDArray[np.uint8],
    near_cell: npt.NDArray[np.uint8],
    listed: Int32,
    count: int,
) -> int:
    """List a body's candidates behind `count` others; returns how many there are then."""
    which, begins, rest = listed[CANDIDATE], count, np.int64(searched_end)
    for i in range(first, searched_end):
        which[count] = i
        count += 1
    for k in range(len(cells)):
        rest_end = searched_end + np.int64(cells[k, REST_END])
        if near_cell[cells[k, CELL]] == 1:
            for i in range(rest, rest_end):
                which[count] = i  # the next one's place, if this one is not near
                count += int(near_end[candidates[i, MEETING_POINT]])
        rest = rest_end
    point, segment = listed[MEETING_POINT], listed[IN_SEGMENT]
    from_s, to_s = listed[FROM_START_S], listed[TO_END_S]
    for k in range(begins, count):
        i = which[k]
        point[k], segment[k] = candidates[i, MEETING_POINT], candidates[i, IN_SEGMENT]
        from_s[k], to_s[k] = candidates[i, FROM_START_S], candidates[i, TO_END_S]
    return count
