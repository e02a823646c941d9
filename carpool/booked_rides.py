"""
A booked ride as the search sees it: what is left of the driver's budget, seats and time.

The visits of a plan become stops of the driver's own, so that the scan of rounds knows nothing of
bookings. Whatever the search finds on it can be booked: the ride leaves when its plan says, and a
detour must fit the budget that is left and the shortest of the delays that its riders bear. It may
miss some that could be booked, as where a car waits for a rider on the way.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from carpool.audience import ONE_OF_EACH, Need
from carpool.bookings import Booking, RideState
from carpool.compile import passing_order, timed_offer
from carpool.door_visits import spots_of, with_doors
from carpool.offers import WEEKDAYS, Offer
from carpool.ports import StoredRide
from carpool.ride_plans import NEVER_S, RideWay, Schedule, Visit
from core.geo import Coordinate
from core.time import day_start_epoch_s
from routing.doors import Pairs, Stretch
from routing.network import Network
from routing.raptor.body_table import Body
from routing.street.drive import UNREACHABLE_S

Int64 = npt.NDArray[np.int64]
NO_POINT = -1
AT_STOP_S = 60
"""Where the car was within this time it may still be."""


def ride_way(network: Network, offer: Offer, body: Body, date: dt.date) -> RideWay:
    """
    What the ride of an offer on a date may do.

    Raises `OfferUnusable` where the driver could not be there in time any more.
    """
    day_s = day_start_epoch_s(date, network.zone)
    offer = timed_offer(offer, body)
    return RideWay(
        body=body,
        drive_s=network.ground.drive_s,
        earliest_s=day_s + offer.depart_from_s,
        latest_s=day_s + offer.depart_to_s,
        seat_count=offer.seat_count,
    )


def visits_of(
    network: Network, ride: StoredRide, spots: tuple[Coordinate, ...] | None = None
) -> list[Visit] | None:
    """
    Visits of a ride's plan, in order; None where this network has lost a meeting point.

    `spots` are the ride's doors, see `spots_of`, if others are to be numbered with them.

    Plans are without the delay of the day: the car is everywhere later by that. Whoever is late
    already is not made later still, where that breaks what he was promised; and where the car has
    been, nothing changes.
    """
    visits = []
    spots = spots_of(ride.bookings) if spots is None else spots
    for planned in ride.plan:
        booking = ride.booking(planned.booking)
        point = point_of(network, booking, spots, pickup=planned.is_pickup)
        if point is None:
            return None
        at_s = int(planned.at.timestamp())
        promised = booking.pickup_to if planned.is_pickup else booking.dropoff_by
        late_s = max(ride.late_s, booking.quoted_late_s)
        latest_s = max(int(promised.timestamp()) - late_s, at_s)
        visits.append(
            Visit(
                booking=str(booking.id),
                point=point,
                segment=planned.segment,
                seats=booking.seats if planned.is_pickup else -booking.seats,
                earliest_s=(
                    int(booking.pickup_from.timestamp()) - booking.quoted_late_s
                    if planned.is_pickup
                    else -NEVER_S
                ),
                latest_s=at_s if planned.reached_at else latest_s,
            )
        )
    return visits


def point_of(
    network: Network, booking: Booking, spots: tuple[Coordinate, ...], *, pickup: bool
) -> int | None:
    """Where a rider gets in or out, as visits have it; None where this network has lost it."""
    spot = booking.pickup_door if pickup else booking.dropoff_door
    if spot is not None:
        return len(network.points.lat) + spots.index(spot)
    return network.point_row.get(booking.pickup_point if pickup else booking.dropoff_point)


Parts = list[tuple[Offer, Body]]


def planned_parts(network: Network, ride: StoredRide, body: Body) -> Parts:
    """
    What is left of a ride by its plan: offers of that one day, as timetables show them.

    What the car takes but once and a rider brings is not there for others.
    Of one that its driver has cancelled the whole; it has none where it cannot be driven as
    planned on this network.
    """
    if ride.state in {RideState.CANCELLED, RideState.ABORTED}:
        offer = timed_offer(ride.offer, body)
        return [(_on_one_day(ride, offer.depart_from_s, offer.depart_to_s), body)]
    plan = tuple(replace(visit, reached_at=None) for visit in ride.plan)
    return _parts(network, replace(ride, late_s=0, plan=plan), body)


def searched_parts(network: Network, ride: StoredRide, compiled: Body) -> Parts:
    """
    What the search finds of a ride: what is left of it, as late as it is, ahead of the car.

    A ride under way whose car nobody has seen has none.
    """
    if ride.state is not RideState.SCHEDULED and ride.seen_at is None:
        return []
    day_s = day_start_epoch_s(ride.date, network.zone)
    found = []
    for offer, body in _parts(network, ride, compiled):
        leaves_s = offer.depart_from_s + ride.late_s
        if ride.seen_at is not None:
            passed_s = int(ride.seen_at.timestamp()) - AT_STOP_S - day_s - leaves_s
            # Nor does it turn back for somebody's door.
            body = replace(_ahead(body, passed_s), stretches=())  # noqa: PLW2901 — the same, shorter
        if len(body.point):
            found.append((replace(offer, depart_from_s=leaves_s, depart_to_s=leaves_s), body))
    return found


def _parts(network: Network, ride: StoredRide, body: Body) -> Parts:
    """Offers of that one day, at the times of the plan."""
    visits = visits_of(network, ride)
    if ride.state not in {RideState.SCHEDULED, RideState.EN_ROUTE} or not visits:
        return []
    own = ride_way(network, ride.offer, body, ride.date)
    way = with_doors(network, own, spots_of(ride.bookings), veil=True)
    schedule = None if way is None else way.schedule(visits)
    if way is None or schedule is None:
        return []
    day_s = day_start_epoch_s(ride.date, network.zone)
    return [
        (_on_one_day(ride, part.leaves_s - day_s, part.leaves_s - day_s), part.body)
        for part in parts_of_booked_ride(way, visits, schedule, network.points.car_node)
    ]


def room_left(ride: StoredRide) -> frozenset[Need]:
    """What the car of a ride still takes besides those who have booked."""
    taken = {need for booking in ride.bookings for need in booking.needs}
    return ride.offer.takes - (taken & ONE_OF_EACH)


def _ahead(body: Body, passed_s: int) -> Body:
    """A body without what the driver passes before so many seconds from his start."""
    kept = body.from_start_s >= passed_s
    if kept.all():
        return body
    return replace(
        body,
        point=body.point[kept],
        from_start_s=body.from_start_s[kept],
        to_end_s=body.to_end_s[kept],
        segment=body.segment[kept],
        searched_count=None if body.searched_count is None else int(kept[: body.searched].sum()),
    )


def _on_one_day(ride: StoredRide, from_s: int, to_s: int) -> Offer:
    return replace(
        ride.offer,
        depart_from_s=from_s,
        depart_to_s=to_s,
        arrive_s=None,
        weekdays=frozenset(WEEKDAYS),
        valid_from=ride.date,
        valid_to=ride.date,
        except_dates=frozenset(),
        takes=room_left(ride),
    )


@dataclass(frozen=True, slots=True)
class BookedPart:
    """A part of a booked ride in which seats are free, and when its driver leaves."""

    body: Body
    leaves_s: int
    """Epoch seconds, shifted by what the car waits before this part."""


@dataclass(frozen=True, slots=True)
class _Stop:
    """One of the stops between which segments lie; the first is the start, the last the end."""

    segment: int
    """Segment of the offer in which it lies; of a stop of the driver's own, the one that begins."""
    visit: int | None
    """Row in the plan; None for the driver's own."""


def parts_of_booked_ride(
    way: RideWay,
    visits: Sequence[Visit],
    schedule: Schedule,
    car_node: npt.NDArray[np.int32],
) -> list[BookedPart]:
    """
    Bodies of what can still be booked on a ride with at least one visit.

    Parameters
    ----------
    car_node
        Shape (P,): where a car stands at each meeting point, to draw its way.
    """
    return _Booked(way, visits, schedule, car_node).parts()


class _Hung(NamedTuple):
    """How the driver gets away from a stop and to it, and the meeting point that it hangs on."""

    leaving: Pairs
    reaching: Pairs
    point: int
    """`NO_POINT` of the driver's own stops."""


class _Booked:
    def __init__(
        self,
        way: RideWay,
        visits: Sequence[Visit],
        schedule: Schedule,
        car_node: npt.NDArray[np.int32],
    ) -> None:
        self.way, self.visits, self.schedule = way, visits, schedule
        self.rows = [way.candidate(visit) for visit in visits]
        self.car_node = car_node
        body = way.body
        self.stops = [_Stop(0, None)]
        for segment in range(len(body.via_nodes) + 1):
            if segment:
                self.stops.append(_Stop(segment, None))
            self.stops += [_Stop(segment, i) for i, v in enumerate(visits) if v.segment == segment]
        # Driving alone, without waits: offsets of the visits from the start.
        self.offset_s = [int(body.from_start_s[self.rows[0]])]
        for a, b in zip(self.rows, self.rows[1:], strict=False):
            hop_s = way.between_s(a, b)
            assert hop_s is not None
            self.offset_s.append(self.offset_s[-1] + hop_s)

    def parts(self) -> list[BookedPart]:
        """One part for each stretch of segments with free seats and without a wait between."""
        return [part for first, last in self._stretches() for part in self._part(first, last)]

    def _stretches(self) -> list[tuple[int, int]]:
        free, stretches = self._free_seats(), []
        first = None
        for i, seats in enumerate(free):
            visit = self.stops[i].visit
            waits = visit is not None and self.schedule.waits_s[visit] > 0
            if first is not None and (seats <= 0 or waits):
                stretches.append((first, i - 1))
                first = None
            if seats > 0 and first is None:
                first = i
        if first is not None:
            stretches.append((first, len(free) - 1))
            if first < len(free) - 1 and free[-1] > 0:
                stretches.append((len(free) - 1, len(free) - 1))  # where nobody is aboard
        return stretches

    def _free_seats(self) -> list[int]:
        """Of each segment: the one that begins at each stop."""
        aboard, free = 0, []
        for stop in self.stops:
            aboard += 0 if stop.visit is None else self.visits[stop.visit].seats
            free.append(self.way.seat_count - aboard)
        return free

    def _part(self, first: int, last: int) -> list[BookedPart]:
        way, schedule, base = self.way, self.schedule, self.way.body
        spare_s = way.latest_s + way.limit_s - schedule.ends_s
        for stop in self.stops[first + 1 :]:
            if stop.visit is not None:
                late_s = self.visits[stop.visit].latest_s - schedule.at_s[stop.visit]
                spare_s = min(spare_s, late_s)
        budget_s = min(way.limit_s - schedule.drive_s, spare_s)
        tables = [self._candidates(i, budget_s) for i in range(first, last + 1)]
        table = np.concatenate(tables, axis=1)
        if not table.shape[1]:
            return []
        searched = table[0] < base.searched
        table = table.astype(np.uint16)
        table = table[:, passing_order(table[2], searched)]
        body = Body(
            point=table[1],
            from_start_s=table[2],
            to_end_s=table[3],
            segment=table[4],
            solo_s=schedule.drive_s,
            budget_s=budget_s,
            seat_count=min(self._free_seats()[first : last + 1]),
            via_nodes=tuple(self._hung(stop).leaving[0][0] for stop in self.stops[1:]),
            stretches=tuple(self._stretch(i) for i in range(first, last + 1) if base.stretches),
            searched_count=None if searched.all() else int(searched.sum()),
        )
        before_s = sum(schedule.waits_s[: self._visits_until(first)])
        return [BookedPart(body, schedule.leaves_s + before_s)]

    def _visits_until(self, stop: int) -> int:
        return sum(s.visit is not None for s in self.stops[: stop + 1])

    def _hung(self, stop: _Stop) -> _Hung:
        """How a stop between start and end hangs on the streets."""
        if stop.visit is None:
            node = self.way.body.via_nodes[stop.segment - 1]
            return _Hung(((node, 0),), ((node, 0),), NO_POINT)
        point, points = self.visits[stop.visit].point, len(self.way.drive_s)
        if point >= points:
            door = self.way.doors[point - points]
            return _Hung(door.leaving, door.reaching, door.stand_in)
        node = int(self.car_node[point])
        return _Hung(((node, 0),), ((node, 0),), point)

    def _stretch(self, stop: int) -> Stretch:
        """The part of the drive behind a stop, for doors of riders to come."""
        here, own = self.stops[stop], self.way.body.stretches[self.stops[stop].segment]
        then = self.stops[stop + 1] if stop + 1 < len(self.stops) else None
        before_s, after_s = (
            own.before_s + self._added_before(stop),
            self._after_s(own.after_s, stop),
        )
        found = own._replace(segment=stop, before_s=before_s, after_s=after_s)
        if here.visit is not None:
            begins = self._hung(here)
            found = found._replace(
                before_s=self.offset_s[here.visit], leaving=begins.leaving,
                begins_by=(begins.point, begins.reaching[0][1]),
            )  # fmt: skip
        if then is not None and then.visit is not None:
            ends, left_s = self._hung(then), self.schedule.drive_s - self.offset_s[then.visit]
            found = found._replace(
                after_s=left_s, reaching=ends.reaching,
                ends_by=(ends.point, ends.leaving[0][1]),
            )  # fmt: skip
        return found

    def _after_s(self, after_s: int, stop: int) -> int:
        """What was left of the driver's own way behind a stretch, with the visits made there."""
        added_s = self.schedule.drive_s - self.way.body.solo_s - self._added_before(stop + 1)
        return after_s + added_s

    def _candidates(self, stop: int, budget_s: int) -> Int64:
        """Candidates of the offer in the segment behind a stop: row, point, df, db, segment."""
        way, base = self.way, self.way.body
        here = self.stops[stop]
        then = self.stops[stop + 1] if stop + 1 < len(self.stops) else None
        known = base.point < len(self.way.drive_s)  # nobody else gets in at a rider's door
        rows = np.flatnonzero((base.segment == here.segment) & known).astype(np.int64)
        point = base.point[rows].astype(np.int64)
        total_s = self.schedule.drive_s
        reached = np.ones(len(rows), bool)
        if here.visit is None:
            # What the visits before have added to the driver's way to here.
            added_s = self._added_before(stop)
            from_s = base.from_start_s[rows].astype(np.int64) + added_s
        else:
            hop_s = way.drives_from(self.visits[here.visit].point, point)
            reached &= hop_s < UNREACHABLE_S
            from_s = self.offset_s[here.visit] + hop_s
        if then is None or then.visit is None:
            to_s = self._after_s(0, stop) + base.to_end_s[rows].astype(np.int64)
        else:
            hop_s = way.drives_to(point, self.visits[then.visit].point)
            reached &= hop_s < UNREACHABLE_S
            to_s = hop_s + total_s - self.offset_s[then.visit]
        fits = reached & (from_s + to_s <= total_s + budget_s)
        segment = np.full(int(fits.sum()), stop, np.int64)
        return np.array([rows[fits], point[fits], from_s[fits], to_s[fits], segment])

    def _added_before(self, stop: int) -> int:
        """Drive that visits before one of the driver's own stops have added to the way there."""
        before = [s.visit for s in self.stops[:stop] if s.visit is not None]
        if not before:
            return 0
        row = self.rows[before[-1]]
        # From the last of them on, the driver goes his own way as far as that stop.
        own_s = self.way.body.solo_s - int(self.way.body.to_end_s[row])
        return self.offset_s[before[-1]] - own_s
