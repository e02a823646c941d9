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


class RideScratch(NamedTuple):
    """Scratch of one thread for scanning a ride: one entry per candidate of the largest body."""

    boarding: Int32
    """Candidates at which the rider can be let in (searching backward: out)."""
    boarding_s: Int32
    other: Int32
    """Candidates that are worth reaching."""
    other_point: Int32
    other_cost_s: Int32
    other_low_s: Int32
    other_high_s: Int32
    other_best_s: Int32
    """Times to beat, then the times found."""
    other_from: Int32
    """Boarding candidate by which a better time was found, or -1."""


def new_ride_scratch(candidate_count: int) -> RideScratch:
    """Scratch for bodies of up to so many candidates."""
    size = max(candidate_count, 1)
    return RideScratch(*(np.zeros(size, np.int32) for _ in RideScratch._fields))


@kernel
def scan_ride(
    bodies: FlexibleBodies,
    matrix: npt.NDArray[np.uint16],
    body: int,
    scratch: RideScratch,
    boarding_count: int,
    other_count: int,
    stop_s: int,
    forward: bool,
) -> None:
    """
    Carry the rider from every boarding candidate to every other that is worth it.

    Parameters
    ----------
    matrix
        Shape (P, P): drive seconds from the boarding point (searching backward: to it).
    scratch
        ``boarding``, ``boarding_s`` and the ``other`` columns are given; ``other_best_s`` and
        ``other_from`` are written.
    stop_s
        The driver's stop to let the rider in; it does not count in his budget.
    """
    solo_s = bodies.solo_s[body]
    for i in range(boarding_count):
        candidate, board_s = scratch.boarding[i], scratch.boarding_s[i] + stop_s
        row = matrix[bodies.point[candidate]]
        point, segment = bodies.point[candidate], bodies.segment[candidate]
        left_s = solo_s + bodies.budget_s[body]
        left_s -= bodies.from_start_s[candidate] if forward else bodies.to_end_s[candidate]
        for j in range(other_count):
            if scratch.other_point[j] == point:
                continue
            drive_s = np.int64(row[scratch.other_point[j]])
            later = bodies.segment[scratch.other[j]] - segment
            if later != 0:
                if (later > 0) != forward:
                    continue  # the driver does not pass them in this order
                first, second = candidate, scratch.other[j]
                if not forward:
                    first, second = second, first
                drive_s = bodies.to_end_s[first] + bodies.from_start_s[second] - solo_s
            if drive_s + scratch.other_cost_s[j] > left_s:
                continue
            then_s = max(board_s + drive_s, scratch.other_low_s[j])
            if then_s < scratch.other_best_s[j] and then_s <= scratch.other_high_s[j]:
                scratch.other_best_s[j], scratch.other_from[j] = then_s, candidate
