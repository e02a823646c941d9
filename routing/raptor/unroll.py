"""Kernel legs → journeys in forward order, whichever way they were searched."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.modes import Mode
from gtfs_data.store import frozen
from routing.layers import Layers, Visit
from routing.raptor import unroll_legs as k
from routing.raptor.door_ends import Doors
from routing.raptor.flexible import FROM_START_S, FlexibleBodies, Rides
from routing.street.kernels import Walks

Int32 = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Reach:
    """Search nodes that can be walked to (or from) and the seconds this takes."""

    node: Int32
    seconds: Int32
    walks: Walks = field(init=False, repr=False, compare=False)
    """The same as walks of one start."""

    def __post_init__(self) -> None:
        first = np.array([0, len(self.node)], np.int32)
        walks = Walks(frozen(first), frozen(self.node), frozen(self.seconds))
        object.__setattr__(self, "walks", walks)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What legs with drivers are moved by."""

    bodies: FlexibleBodies
    rides: Rides
    carpool_change_s: int
    doors: Doors


class RawVehicle(NamedTuple):
    """
    One vehicle, perhaps on several trips one after the other (`gtfs_data.throughs.parts_of_ride`).

    Nodes, times and number of the trip as in the search, positions counted in the pattern.
    """

    board_node: int
    alight_node: int
    start_s: int
    end_s: int
    trip: int
    day: int
    board_position: int
    alight_position: int


class RawRide(NamedTuple):
    """A leg with a driver."""

    board_node: int
    alight_node: int
    start_s: int
    end_s: int
    ride: int
    pickup: int
    dropoff: int
    """Candidates of the ride's body, or visits to doors: see `Doors.place`."""


RawLeg = RawVehicle | RawRide


class RawJourney(NamedTuple):
    """Vehicle legs with the walks around them, in seconds of the searched day."""

    access_s: int
    legs: tuple[RawLeg, ...]
    walk_s: tuple[int, ...]
    """Walk between each leg and the next; 0 at the same node."""
    egress_s: int
    access_mode: Mode = Mode.WALK
    egress_mode: Mode = Mode.WALK
    visits: tuple[tuple[Visit, ...], ...] = ()
    """Via stops before each leg and after the last; empty in a search without any."""

    @property
    def vehicle_count(self) -> int:
        """Vehicles and rides taken."""
        return len(self.legs)

    @property
    def start_s(self) -> int:
        """Leaving the origin, without waiting at the first stop."""
        return self.legs[0].start_s - self.access_s

    @property
    def end_s(self) -> int:
        """Reaching the destination."""
        return self.legs[-1].end_s + self.egress_s


def unrolled(
    around: Surroundings, access_s: int, rows: list[list[int]], *, forward: bool
) -> RawJourney:
    """Translate one recorded journey: `access_s` and legs in order of the search's goal."""
    legs = [_leg(row, forward=forward) for row in rows]
    walks = [row[k.WALK_S] for row in rows]
    if forward:
        legs.reverse()
        walks.reverse()
        egress_s = walks.pop()
    else:
        access_s, egress_s = walks.pop(0), access_s
    return _boarding_later(around, RawJourney(access_s, tuple(legs), tuple(walks), egress_s))


def _leg(row: list[int], *, forward: bool) -> RawLeg:
    kind, board, alight, start_s, end_s, carrier, first, second, day, _ = row
    if not forward:
        start_s, end_s, board, alight = -end_s, -start_s, alight, board
    if kind == k.RIDE:
        return RawRide(board, alight, start_s, end_s, carrier, first, second)
    return RawVehicle(board, alight, start_s, end_s, carrier, day, first, second)


def _boarding_later(around: Surroundings, journey: RawJourney) -> RawJourney:
    """
    Let a first driver wait for his rider, within his window, rather than the rider for a bus.

    The arrival stays the same; the rider leaves home later.
    """
    first = journey.legs[0]
    if not isinstance(first, RawRide) or len(journey.legs) == 1:
        return journey
    bodies, rides = around.bodies, around.rides
    pickup = around.doors.place(bodies.candidates, first.pickup, pickup=True)
    latest_s = int(rides.latest_s[first.ride]) + pickup[FROM_START_S]
    need_s = first.end_s + around.carpool_change_s + journey.walk_s[0]
    later_s = min(latest_s - first.start_s, journey.legs[1].start_s - need_s)
    if later_s <= 0 or isinstance(journey.legs[1], RawRide):
        return journey
    moved = first._replace(start_s=first.start_s + later_s, end_s=first.end_s + later_s)
    return journey._replace(legs=(moved, *journey.legs[1:]))


def grounded(layers: Layers, access: Reach, egress: Reach, journey: RawJourney) -> RawJourney:
    """A journey found in layers, in stops of the timetable, with the vias that it walks to."""
    before = [-1, *(leg.alight_node for leg in journey.legs)]
    after = [*(leg.board_node for leg in journey.legs), -1]
    access_s, egress_s = (
        dict(zip(r.node.tolist(), r.seconds.tolist(), strict=True)) for r in (access, egress)
    )
    return journey._replace(
        visits=tuple(
            layers.visits(a, b, access_s, egress_s) for a, b in zip(before, after, strict=True)
        ),
        legs=tuple(
            leg._replace(
                board_node=leg.board_node % layers.stop_count,
                alight_node=leg.alight_node % layers.stop_count,
            )
            for leg in journey.legs
        ),
    )
