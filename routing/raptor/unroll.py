"""Kernel legs → journeys in forward order, whichever way they were searched."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from gtfs_data.rolling import DayTimetable
from routing.raptor import kernels as k
from routing.raptor.flexible import FlexibleBodies, Rides
from routing.street.kernels import Walks

Int32 = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Reach:
    """Search nodes that can be walked to (or from) and the seconds this takes."""

    node: Int32
    seconds: Int32

    def seconds_at(self, node: int) -> int:
        """Seconds to (or from) a node that can be reached."""
        return int(self.seconds[self.node == node].min())


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a journey is made of besides its legs."""

    access: Reach
    egress: Reach
    walks: Walks
    bodies: FlexibleBodies
    rides: Rides
    carpool_change_s: int


@dataclass(frozen=True, slots=True)
class RawVehicle:
    """A vehicle leg; nodes and times as in the search, positions counted in the pattern."""

    board_node: int
    alight_node: int
    start_s: int
    end_s: int
    trip: int
    day: int
    board_position: int
    alight_position: int


@dataclass(frozen=True, slots=True)
class RawRide:
    """A leg with a driver."""

    board_node: int
    alight_node: int
    start_s: int
    end_s: int
    ride: int
    pickup: int
    dropoff: int
    """Candidates of the ride's body."""


RawLeg = RawVehicle | RawRide


@dataclass(frozen=True, slots=True)
class RawJourney:
    """Vehicle legs with the walks around them, in seconds of the searched day."""

    access_s: int
    legs: tuple[RawLeg, ...]
    walk_s: tuple[int, ...]
    """Walk between each leg and the next; 0 at the same node."""
    egress_s: int

    @property
    def start_s(self) -> int:
        """Leaving the origin, without waiting at the first stop."""
        return self.legs[0].start_s - self.access_s

    @property
    def end_s(self) -> int:
        """Reaching the destination."""
        return self.legs[-1].end_s + self.egress_s


def unrolled(around: Surroundings, day: DayTimetable, rows: Int32, *, forward: bool) -> RawJourney:
    """Translate one recorded journey; `day` is the timetable that was searched (or mirror)."""
    legs = [_leg(day, row, forward=forward) for row in rows.tolist()]
    if forward:
        legs.reverse()
    journey = RawJourney(
        access_s=around.access.seconds_at(legs[0].board_node),
        legs=tuple(legs),
        walk_s=tuple(
            _walk_s(around.walks, a.alight_node, b.board_node)
            for a, b in zip(legs, legs[1:], strict=False)
        ),
        egress_s=around.egress.seconds_at(legs[-1].alight_node),
    )
    return _boarding_later(around, journey)


def _leg(day: DayTimetable, row: list[int], *, forward: bool) -> RawLeg:
    start_s, end_s = row[k.START_S], row[k.END_S]
    board, alight = row[k.FROM], row[k.TO]
    first, second = row[k.FIRST], row[k.SECOND]
    if not forward:
        start_s, end_s, board, alight = -end_s, -start_s, alight, board
    if row[k.KIND] == k.RIDE:
        pickup, dropoff = (first, second) if forward else (second, first)
        return RawRide(board, alight, start_s, end_s, row[k.CARRIER], pickup, dropoff)
    pattern, trip = row[k.CARRIER], int(day.first_trip[row[k.CARRIER]]) + first
    positions = second >> k.POSITION_BITS, second & ((1 << k.POSITION_BITS) - 1)
    if not forward:
        last = int(day.first_stop[pattern + 1] - day.first_stop[pattern]) - 1
        positions = last - positions[1], last - positions[0]
    return RawVehicle(
        board, alight, start_s, end_s, int(day.trip[trip]), int(day.day[trip]), *positions
    )


def _walk_s(walks: Walks, start: int, end: int) -> int:
    if start == end:
        return 0
    row = slice(int(walks.first[start]), int(walks.first[start + 1]))
    return int(walks.seconds[row][walks.to[row] == end].min())


def _boarding_later(around: Surroundings, journey: RawJourney) -> RawJourney:
    """
    Let a first driver wait for his rider, within his window, rather than the rider for a bus.

    The arrival stays the same; the rider leaves home later.
    """
    first = journey.legs[0]
    if not isinstance(first, RawRide) or len(journey.legs) == 1:
        return journey
    bodies, rides = around.bodies, around.rides
    latest_s = int(rides.latest_s[first.ride]) + int(bodies.from_start_s[first.pickup])
    need_s = first.end_s + around.carpool_change_s + journey.walk_s[0]
    later_s = min(latest_s - first.start_s, journey.legs[1].start_s - need_s)
    if later_s <= 0 or isinstance(journey.legs[1], RawRide):
        return journey
    moved = replace(first, start_s=first.start_s + later_s, end_s=first.end_s + later_s)
    return replace(journey, legs=(moved, *journey.legs[1:]))
