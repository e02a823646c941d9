"""
Where a booked ride is by now: positions that its driver's phone reports, and what follows of them.

Times are epoch seconds. The car goes by the stops of the plan in their order, the driver's own
among them; one is reached once the line between two positions has passed it closely. What is left
is driven from the last position on, by the fastest way, and waits where riders are not due yet.

Within the circle that hides a driver's private start nothing is computed from where he is: until
he has left it, he is as late as he left, so that no time tells how far his door is.
"""

from __future__ import annotations

import datetime as dt
import math
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from carpool.bookings import Booking, BookingState, RideState
from carpool.ports import StoredRide
from carpool.privacy import FARTHEST_M
from core.geo import METRES_PER_DEGREE, Coordinate, distance_m
from routing.doors import Pairs
from routing.network import Network
from routing.raptor.body_table import Body
from routing.street.access import Snapped, ties
from routing.street.drive import FAR_S, UNREACHABLE_S

OPENS_BEFORE_S = 15 * 60
"""So long before the planned departure positions are taken."""
OLDEST_S = 3_600
"""A phone that had no network for longer tells nothing that still helps."""
AHEAD_S = 60
"""By how much a phone's clock may be fast."""
FASTEST_MPS = 70.0
VAGUEST_M = 500.0
"""Positions that may be farther off say too little."""
STREET_LIMIT_M = 300.0
"""A car is so near a street open to cars: on a large parking place, say."""
REACHED_M = 100.0
LONGEST_LINE_S = 60
"""Between positions farther apart in time, who knows which way the car went."""
EARLY_S = 300
"""Whoever passes a pick-up sooner than so long before its time is not there for its rider."""
SEEN_HOLDS = dt.timedelta(minutes=5)
"""So long a measured lateness counts; then nobody knows where the car is."""
WORD_HOLDS = dt.timedelta(minutes=10)
"""So long a driver's own word can outdo what is measured on the way."""
LEAVING_S = 180
"""How long it may take out of the circle that hides the start."""
HIDDEN_M = FARTHEST_M + REACHED_M
"""Around the place that stands for a private end: the end itself lies within."""


class Reason(StrEnum):
    """Why a position is left out."""

    KNOWN = "known"
    """Not newer than the last one: sent again, or out of order."""
    FUTURE = "future"
    OLD = "old"
    TOO_SOON = "too_soon"
    """Before the ride is followed."""
    OUTSIDE = "outside"
    """Not by a street of the territory."""
    VAGUE = "vague"
    OVER = "over"
    """The last rider has got out."""
    TOO_FAST = "too_fast"
    """No car gets there in that time."""


class Fix(NamedTuple):
    """A reported position."""

    at_s: float
    place: Coordinate
    accuracy_m: float = 0.0
    heading: float | None = None
    speed_mps: float | None = None


@dataclass(frozen=True, slots=True)
class StopAhead:
    """One of the stops of a ride's plan."""

    key: str
    """Names it in every version of the plan."""
    visit: tuple[uuid.UUID, bool] | None
    """Booking, and whether somebody gets in; None for a stop of the driver's own."""
    reaching: Pairs
    """Nodes by which a car gets there, and the seconds from them."""
    place: Coordinate
    hop_s: int
    """Drive from the stop before."""
    planned_s: int
    earliest_s: int
    """The car waits until then."""
    reached_s: int | None
    """When it was there; None before."""


@dataclass(frozen=True, slots=True)
class Track:
    """What following a ride needs, made once for each version of it."""

    ride: StoredRide
    stops: tuple[StopAhead, ...]
    leaves_s: int
    """When the driver leaves by his plan."""

    @property
    def is_open(self) -> bool:
        """Whether the ride can be followed at all: somebody is booked, and it is not over."""
        under_way = self.ride.state in {RideState.SCHEDULED, RideState.EN_ROUTE}
        return under_way and any(is_sure(b.state) for b in self.ride.bookings)

    @property
    def last_s(self) -> int:
        """When the last rider gets out by the plan."""
        return self.stops[-1].planned_s

    @property
    def opens_s(self) -> int:
        """From when on positions are taken."""
        return self.leaves_s - OPENS_BEFORE_S

    def hidden(self, place: Coordinate) -> bool:
        """Whether a place is too near a private end of the driver's to be shown."""
        ride = self.ride
        ends = ((ride.start_private, ride.offer.start), (ride.end_private, ride.offer.end))
        return any(private and distance_m(end, place) <= HIDDEN_M for private, end in ends)


def is_sure(state: BookingState) -> bool:
    """Whether a rider is to be taken along, so that the car may be followed for him."""
    return state in {BookingState.CONFIRMED, BookingState.CHANGE_PROPOSED, BookingState.BOARDED}


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a car is, and when it was or will be at the stops of its plan, by their keys."""

    fix: Fix
    reached_s: Mapping[str, int]
    expected_s: Mapping[str, int]
    """Of all stops; of those that were reached, when."""
    late_s: int
    """The longest delay of any visit ahead, at least 0."""


def track_ride(network: Network, ride: StoredRide, body: Body) -> Track | None:
    """Stops of a ride's plan in order; None without any, or where the ground has lost one."""
    streets = network.streets
    stops: list[StopAhead] = []
    before: _Place | None = None
    segment = 0
    for visit in ride.plan:
        booking = ride.booking(visit.booking)
        there = _place_of(network, booking, pickup=visit.is_pickup)
        if there is None:
            return None
        for node in body.via_nodes[segment : visit.segment]:
            where = Coordinate(float(streets.node_lat[node]), float(streets.node_lon[node]))
            via = _Place(where, ((node, 0),), ((node, 0),), None)
            hop_s = _hop_s(network, before, via)
            reached_s = ride.vias_reached[segment] if segment < len(ride.vias_reached) else None
            stops.append(
                StopAhead(f"via:{segment}", None, via.reaching, where, hop_s, 0, 0, reached_s)
            )
            before, segment = via, segment + 1
        reached_at = visit.reached_at
        if reached_at is None and visit.is_pickup and booking.state is BookingState.BOARDED:
            reached_at = visit.at
        stops.append(
            StopAhead(
                key=f"{booking.id}:{'in' if visit.is_pickup else 'out'}",
                visit=(booking.id, visit.is_pickup),
                reaching=there.reaching,
                place=there.place,
                hop_s=_hop_s(network, before, there),
                planned_s=_seconds(visit.at),
                earliest_s=_seconds(booking.pickup_from) if visit.is_pickup else 0,
                reached_s=None if reached_at is None else _seconds(reached_at),
            )
        )
        before = there
    return Track(ride, tuple(stops), _leaves_s(network, ride, body)) if stops else None


class _Place(NamedTuple):
    """Where a car stops, how it gets away from there and to it, and which meeting point it is."""

    place: Coordinate
    leaving: Pairs
    reaching: Pairs
    point: int | None


def _place_of(network: Network, booking: Booking, *, pickup: bool) -> _Place | None:
    """Where a rider gets in or out, his door or a meeting point; None where it is lost."""
    spot = booking.pickup_door if pickup else booking.dropoff_door
    if spot is not None:
        door = network.door_at(spot)
        return None if door is None else _Place(spot, door.leaving, door.reaching, None)
    points = network.points
    point = network.point_row.get(booking.pickup_point if pickup else booking.dropoff_point)
    if point is None:
        return None
    hangs = ((int(points.car_node[point]), 0),)
    return _Place(
        Coordinate(float(points.lat[point]), float(points.lon[point])), hangs, hangs, point
    )


def _leaves_s(network: Network, ride: StoredRide, body: Body) -> int:
    """When the driver leaves to be at the first visit as planned."""
    first = ride.plan[0]
    there = _place_of(network, ride.booking(first.booking), pickup=True)
    assert there is not None
    drive_s = 0
    if there.point is None:
        for stretch in body.stretches[first.segment : first.segment + 1]:
            drive_s = stretch.before_s + network.drive.between(stretch.leaving, there.reaching)
    else:
        rows = np.flatnonzero((body.point == there.point) & (body.segment == first.segment))
        drive_s = int(body.from_start_s[rows[0]]) if len(rows) else 0
    return _seconds(first.at) - drive_s


def _hop_s(network: Network, before: _Place | None, there: _Place) -> int:
    """Drive between two stops."""
    if before is None:
        return 0
    if before.point is not None and there.point is not None:
        hop_s = int(network.ground.drive_s[before.point, there.point])
        if hop_s < UNREACHABLE_S:
            return hop_s
    return network.drive.between(before.leaving, there.reaching)


def _seconds(at: dt.datetime) -> int:
    return int(at.timestamp())


def follow(
    network: Network, track: Track, before: Progress | None, fixes: Sequence[Fix], now_s: float
) -> tuple[Progress | None, Counter[Reason]]:
    """
    Take over what a phone reports, in whatever order it comes.

    Returns
    -------
    Where the car is by now, or None where nothing was new; and how many positions were left out,
    for which reasons.
    """
    left_out: Counter[Reason] = Counter()
    reached_s = {stop.key: stop.reached_s for stop in track.stops if stop.reached_s is not None}
    if before is not None:
        keys = {stop.key for stop in track.stops}
        reached_s |= {key: at_s for key, at_s in before.reached_s.items() if key in keys}
    last, snapped = (None if before is None else before.fix), None
    for fix in sorted(fixes, key=lambda fix: fix.at_s):
        if all(stop.key in reached_s for stop in track.stops):
            left_out[Reason.OVER] += 1
            continue
        reason = _refused(track, last, fix, now_s)
        street = None
        if reason is None:
            street = network.find_snapped("car", fix.place, STREET_LIMIT_M)
            reason = Reason.OUTSIDE if street is None else None
        if reason is not None:
            left_out[reason] += 1
            continue
        _reach(track, last, fix, reached_s)
        last, snapped = fix, street
    if last is None or snapped is None:
        return None, left_out
    expected_s = _expect(network, track, last, snapped, reached_s)
    late_s = max(
        (
            expected_s[stop.key] - stop.planned_s
            for stop in track.stops
            if stop.visit is not None and stop.key not in reached_s
        ),
        default=0,
    )
    return Progress(last, reached_s, expected_s, max(late_s, 0)), left_out


def _refused(track: Track, last: Fix | None, fix: Fix, now_s: float) -> Reason | None:
    if fix.at_s > now_s + AHEAD_S:
        return Reason.FUTURE
    if fix.at_s < track.opens_s:
        return Reason.TOO_SOON
    if last is not None and fix.at_s <= last.at_s:
        return Reason.KNOWN
    if fix.at_s < now_s - OLDEST_S:
        return Reason.OLD
    if fix.accuracy_m > VAGUEST_M:
        return Reason.VAGUE
    if last is not None:
        sure_m = distance_m(last.place, fix.place) - last.accuracy_m - fix.accuracy_m
        if sure_m > FASTEST_MPS * (fix.at_s - last.at_s):
            return Reason.TOO_FAST
    return None


def _reach(track: Track, last: Fix | None, fix: Fix, reached_s: dict[str, int]) -> None:
    """Note the stops that lie on the way from the last position to this one."""
    for stop in track.stops:
        if stop.key in reached_s:
            continue
        near = last is not None and fix.at_s - last.at_s <= LONGEST_LINE_S
        start = last.place if near and last is not None else fix.place
        close_m = REACHED_M + min(fix.accuracy_m, REACHED_M)
        early = fix.at_s < stop.earliest_s - EARLY_S
        if early or _away_m(stop.place, start, fix.place) > close_m:
            return
        reached_s[stop.key] = int(fix.at_s)


def _away_m(place: Coordinate, a: Coordinate, b: Coordinate) -> float:
    """From a place to the straight line between two others; they are near each other."""
    per_lon = METRES_PER_DEGREE * math.cos(math.radians(place.lat))
    ax, ay = (a.lon - place.lon) * per_lon, (a.lat - place.lat) * METRES_PER_DEGREE
    bx, by = (b.lon - place.lon) * per_lon, (b.lat - place.lat) * METRES_PER_DEGREE
    dx, dy = bx - ax, by - ay
    length = dx * dx + dy * dy
    share = 0.0 if length == 0 else min(max(-(ax * dx + ay * dy) / length, 0.0), 1.0)
    return math.hypot(ax + share * dx, ay + share * dy)


def _expect(
    network: Network, track: Track, fix: Fix, at: Snapped, reached_s: Mapping[str, int]
) -> dict[str, int]:
    """When the car was or will be at each stop."""
    expected_s = dict(reached_s)
    ahead = [stop for stop in track.stops if stop.key not in reached_s]
    then_s = int(fix.at_s)
    for nth, stop in enumerate(ahead):
        if nth == 0:
            then_s = _first_s(network, track, fix, at, stop, at_start=stop is track.stops[0])
        else:
            then_s += stop.hop_s
        expected_s[stop.key] = then_s = max(then_s, stop.earliest_s)
    return expected_s


def _first_s(
    network: Network, track: Track, fix: Fix, at: Snapped, stop: StopAhead, *, at_start: bool
) -> int:
    """When the car comes to the next stop, if it need not wait there."""
    leaving = at_start and stop.visit is not None
    if leaving and track.ride.start_private and track.hidden(fix.place):
        return stop.planned_s + max(int(fix.at_s) - track.leaves_s - LEAVING_S, 0)
    pairs = ties(network.streets, "car", at, leaving=True, off_street_mps=math.inf).pairs()
    drive_s = network.drive.between(pairs, stop.reaching)
    if drive_s >= FAR_S:
        return stop.planned_s
    there_s = int(fix.at_s) + drive_s
    if leaving and track.ride.state is RideState.SCHEDULED:
        return max(there_s, stop.planned_s)  # he has not left: he need not be there sooner
    return there_s


def late_in_force_s(ride: StoredRide, now: dt.datetime) -> int:
    """
    By how much a ride counts as late: what its driver says, or what is measured.

    Before he leaves, the longer of both: he knows what holds him up, and where he is shows what he
    can still make. On the way, what is measured, unless he has said more in the last ten minutes.
    What was measured counts for five minutes; then his word alone is left.
    """
    seen = ride.seen_at is not None and now - ride.seen_at <= SEEN_HOLDS
    if not seen or ride.seen_late_s is None:
        return ride.said_late_s
    said = ride.said_at is not None and now - ride.said_at <= WORD_HOLDS
    if said or ride.state is RideState.SCHEDULED:
        return max(ride.said_late_s, ride.seen_late_s)
    return ride.seen_late_s
