"""
Trips with a detour budget: what a carpool offer is to the search, and the scan of one round.

A flexible trip (a ride) lets a rider in at any of its body's candidate points and out at any
other, as long as the driver's whole way stays within his own drive plus his budget:
``df + M + db <= T0 + B`` (design: insertion with exact drive times). Drive times between
meeting points are one matrix that all bodies share, so a body holds two numbers per point.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.jit import kernel

Int32 = npt.NDArray[np.int32]


class FlexibleBodies(NamedTuple):
    """Compiled offers, shared by all dates on which they run."""

    first_candidate: Int32
    """Shape (body_count + 1,)."""
    point: Int32
    """Meeting point of each candidate (counted from 0)."""
    from_start_s: Int32
    """df: drive from the offer's start to the point, through the stops before it."""
    to_end_s: Int32
    """db: drive from the point to the offer's end, through the stops after it."""
    segment: Int32
    """Between which of the driver's own stops the point is visited."""
    solo_s: Int32
    """Shape (body_count,), T0: the driver's own drive."""
    budget_s: Int32
    """B: seconds that the driver accepts on top."""
    seat_count: Int32
    at_point_first: Int32
    """Shape (point_count + 1,): CSR of the candidates at a point."""
    at_point_candidate: Int32
    body: Int32
    """Body of each candidate."""


class Rides(NamedTuple):
    """Dated runs of bodies, in order of body; seconds from the searched day's start."""

    first_ride: Int32
    """Shape (body_count + 1,)."""
    earliest_s: Int32
    latest_s: Int32
    """The driver leaves his start between these two."""
    offer: Int32
    """Row of the offer in the world's list."""
    day: Int32
    """Date of the run relative to the searched date, in days."""


@dataclass(frozen=True, slots=True)
class FlexibleTrips:
    """All flexible trips of a world."""

    bodies: FlexibleBodies
    largest_body: int
    """Candidates of the body that has most."""
    via_nodes: tuple[list[int], ...]
    """For each body the car nodes at (or next to) the driver's own stops, to draw his way."""


def index_candidates(point: Int32, point_count: int) -> tuple[Int32, Int32]:
    """CSR point → rows of `point`, ascending."""
    order = np.argsort(point, kind="stable").astype(np.int32)
    first = np.r_[0, np.cumsum(np.bincount(point, minlength=point_count))].astype(np.int32)
    return first, order


@kernel
def scan_candidate(
    bodies: FlexibleBodies,
    row: npt.NDArray[np.uint16],
    candidate: int,
    ride_window: Int32,
    ready_s: int,
    stop_s: int,
    forward: bool,
    bound_s: int,
    best: Int32,
    stop_count: int,
    improved: Int32,
    improved_s: Int32,
) -> int:
    """
    Points that a rider who is ready at one candidate reaches sooner by this ride.

    Parameters
    ----------
    row
        Shape (point_count,): drive seconds from the candidate's point (searching backward: to it).
    ride_window
        Shape (2,): earliest and latest departure of the driver.
    ready_s
        Time at the point; backward, minus the time by which one must be let out there.
    bound_s, best
        A point is worth it below `bound_s` and below ``best[stop_count + point]``.
    improved, improved_s
        Written: candidate rows and their new times.

    Returns
    -------
    count
        Number of points improved.
    """
    body = bodies.body[candidate]
    earliest_s, latest_s = ride_window[0], ride_window[1]
    left_s = bodies.solo_s[body] + bodies.budget_s[body]
    solo_s = bodies.solo_s[body]
    segment = bodies.segment[candidate]
    count = 0
    if forward:
        board_s = max(ready_s, earliest_s + bodies.from_start_s[candidate])
        if board_s > latest_s + bodies.from_start_s[candidate] or board_s >= bound_s:
            return 0
        left_s -= bodies.from_start_s[candidate]
        for j in range(bodies.first_candidate[body], bodies.first_candidate[body + 1]):
            if bodies.segment[j] < segment or bodies.point[j] == bodies.point[candidate]:
                continue
            drive_s = np.int64(row[bodies.point[j]])
            if bodies.segment[j] > segment:
                drive_s = bodies.to_end_s[candidate] + bodies.from_start_s[j] - solo_s
            then_s = board_s + stop_s + drive_s
            if drive_s + bodies.to_end_s[j] > left_s or then_s >= bound_s:
                continue
            if then_s < best[stop_count + bodies.point[j]]:
                improved[count], improved_s[count] = j, then_s
                count += 1
        return count
    left_s -= bodies.to_end_s[candidate]
    for j in range(bodies.first_candidate[body], bodies.first_candidate[body + 1]):
        if bodies.segment[j] > segment or bodies.point[j] == bodies.point[candidate]:
            continue
        drive_s = np.int64(row[bodies.point[j]])
        if bodies.segment[j] < segment:
            drive_s = bodies.to_end_s[j] + bodies.from_start_s[candidate] - solo_s
        if drive_s + bodies.from_start_s[j] > left_s:
            continue
        then_s = max(ready_s + stop_s + drive_s, -latest_s - bodies.from_start_s[j])
        if then_s > -earliest_s - bodies.from_start_s[j] or then_s >= bound_s:
            continue
        if then_s < best[stop_count + bodies.point[j]]:
            improved[count], improved_s[count] = j, then_s
            count += 1
    return count
