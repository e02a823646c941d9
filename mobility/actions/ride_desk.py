"""What everything that happens to a booked ride has in common: its way, its plan, its people."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from carpool.booked_rides import planned_parts, ride_way, searched_parts, visits_of
from carpool.bookings import (
    OVERDUE,
    Booking,
    BookingEvent,
    BookingState,
    RideState,
    next_state,
)
from carpool.compile import OfferUnusable, compile_offer, pack_body, unpack_body
from carpool.door_visits import driven_metres, spots_of, with_doors
from carpool.offers import Offer
from carpool.partner_bookings import STATUS_OF, Status, status_of
from carpool.ports import PlannedVisit, StoredRide
from carpool.ride_plans import RideWay, Schedule, Visit
from carpool.tracking import track_ride
from core.ids import OfferId
from core.time import to_instant
from mobility.db.changes import lock_changes
from mobility.db.engagements import (
    AlreadyOnTheWay,
    Engagement,
    disengage,
    engage,
    one_car_at_a_time,
)
from mobility.db.engine import Connection, Engine
from mobility.db.notices import BOOKING_CONFIRMED, RIDE_COMPLETED, emit, tell
from mobility.db.offers import SqlOfferStore
from mobility.db.operators import tell_partner_of_seat
from mobility.db.rides import SqlRideStore
from mobility.live import Wakeups
from mobility.world import LoadedRide, Snapshot
from routing.raptor.body_table import Body

TELLS_RIDER = frozenset(
    {
        BookingEvent.ACCEPT, BookingEvent.DECLINE, BookingEvent.CANCEL_DRIVER,
        BookingEvent.PROPOSE_CHANGE, BookingEvent.NO_SHOW_RIDER, BookingEvent.COMPLETE,
        BookingEvent.EXPIRE, BookingEvent.RESOLVE,
    }
)  # fmt: skip
TELLS_DRIVER = frozenset(
    {
        BookingEvent.CONFIRM, BookingEvent.REQUEST, BookingEvent.CANCEL_RIDER,
        BookingEvent.ACCEPT_CHANGE, BookingEvent.REFUSE_CHANGE, BookingEvent.NO_SHOW_DRIVER,
        BookingEvent.COMPLAIN, BookingEvent.RESOLVE,
    }
)  # fmt: skip
Telling = tuple[uuid.UUID, str, dict[str, object]]
"""A person, a kind of notice and its content."""


WAYS_KEPT = 1_000
_ways: dict[tuple[uuid.UUID | None, str, OfferId, int, dt.date], RideWay] = {}
"""What this process has read, by epoch of the database, ground, offer, its version and date."""


def plan_b_path(booking: Booking) -> str:
    """Where a rider sees how he gets there otherwise."""
    return f"/mobility/v1/bookings/{booking.id}/plan-b"


@dataclass(frozen=True, slots=True)
class RideDesk:
    """Where rides are booked: the database, the other processes, the streets."""

    engine: Engine
    wakeups: Wakeups
    snapshot: Snapshot
    epoch: uuid.UUID | None = None
    """Of the database: what was read before a restore is of another."""

    def body_of(self, connection: Connection, offer: Offer, version: int) -> Body:
        """Compiled body of a version of an offer; raises `OfferUnusable`."""
        ground = self.snapshot.ground_hash
        packed = SqlRideStore(connection).read_body(offer.id, version, ground)
        body = None if packed is None else unpack_body(packed)
        if body is None:
            body = compile_offer(self.snapshot.network, offer)
            SqlOfferStore(connection).save_body(offer.id, version, ground, pack_body(body))
        return body

    def way_of(self, connection: Connection, offer: Offer, version: int, date: dt.date) -> RideWay:
        """What a dated ride may do; raises `OfferUnusable` if the streets no longer allow it."""
        key = self.epoch, self.snapshot.ground_hash, offer.id, version, date
        way = _ways.get(key)
        if way is None:
            body = self.body_of(connection, offer, version)
            way = ride_way(self.snapshot.network, offer, body, date)
            if len(_ways) >= WAYS_KEPT or any(old[:2] != key[:2] for old in list(_ways)[:1]):
                _ways.clear()
            _ways[key] = way
        return way


def load_ride(desk: RideDesk, connection: Connection, ride: StoredRide) -> LoadedRide:
    """What searches, timetables and passengers need of a ride; raises `OfferUnusable`."""
    network = desk.snapshot.network
    if not ride.bookings and ride.state not in {RideState.CANCELLED, RideState.ABORTED}:
        return LoadedRide(ride, [], [], None)
    body = desk.body_of(connection, ride.offer, ride.offer_version)
    planned = planned_parts(network, ride, body)
    track = track_ride(network, ride, body) if ride.bookings else None
    return LoadedRide(ride, planned, searched_parts(network, ride, body), track)


class LockedRide:
    """
    A ride while its row is locked: changes are made here, then stored at once by `save`.

    Parameters
    ----------
    ride
        As `SqlRideStore.lock_ride` gave it, on the same connection.
    """

    def __init__(
        self, desk: RideDesk, connection: Connection, ride: StoredRide, now: dt.datetime
    ) -> None:
        self.ride = ride
        self._desk, self._connection, self._now = desk, connection, now
        self._store = SqlRideStore(connection)
        self._changed = False
        self._notices: list[Telling] = []
        self._events: list[tuple[uuid.UUID, str, dict[str, object]]] = []
        self._told_partners: list[tuple[uuid.UUID, Status]] = []

    def expire_due(self, spared: uuid.UUID | None = None) -> None:
        """End what nobody has answered in time; whoever looks at a ride sees it without these."""
        for booking in self.ride.bookings:
            due = booking.until is not None and booking.until <= self._now
            if due and booking.id != spared:
                self.happen(booking, BookingEvent.EXPIRE)

    def end_overdue(self) -> None:
        """End a ride of which nothing was heard an hour after its last planned time."""
        bookings, under_way = self.ride.bookings, self.ride.state is RideState.EN_ROUTE
        last = max((b.dropoff_by for b in bookings), default=None)
        late = dt.timedelta(seconds=self.ride.late_s)
        if last is None or last + late + OVERDUE > self._now:
            return
        for booking in bookings:
            boarded = booking.state is BookingState.BOARDED
            self.happen(booking, BookingEvent.COMPLETE if boarded else BookingEvent.CANCEL_DRIVER)
        self.put(state=RideState.COMPLETED if under_way else RideState.NOT_RUN)

    def happen(
        self,
        booking: Booking,
        event: BookingEvent,
        *,
        until: dt.datetime | None = None,
        told: Sequence[Telling] | None = None,
    ) -> Booking:
        """
        Let something happen to a booking of the ride, with all that follows from it.

        Parameters
        ----------
        until
            When it ends by itself, of a state that somebody has to answer.
        told
            Who is told what instead of the usual, of one booking among many.

        Raises
        ------
        BookingStateConflict
            It cannot, in the state in which the booking is.
        """
        state = next_state(booking.state, event)
        self._store.change_booking(booking, state, self._now, until=until)
        after = replace(booking, state=state, until=until)
        if booking.takes_seats:
            others = [b for b in self.ride.bookings if b.id != booking.id]
            self.put(bookings=(*others, after) if after.takes_seats else tuple(others))
            if not after.takes_seats:
                self._release(booking)
        if event is BookingEvent.BOARD and self.ride.state is RideState.SCHEDULED:
            self.leave()  # its driver forgot to say so
        if self.ride.state is RideState.EN_ROUTE and not self.ride.bookings:
            self.put(state=RideState.COMPLETED)
        if told is None:
            self._tell(booking, event, state)
        else:
            self._notices += told
        if state is BookingState.CONFIRMED and event is not BookingEvent.ACCEPT_CHANGE:
            self._emit(booking, BOOKING_CONFIRMED)
        if state is BookingState.COMPLETED:
            self._emit(booking, RIDE_COMPLETED)
        return after

    def add(self, booking: Booking, visits: Sequence[Visit], schedule: Schedule) -> None:
        """Take a new booking into the plan that was found for it."""
        self._store.add_booking(booking)
        self.put(bookings=(*self.ride.bookings, booking))
        own = Engagement(self.ride.id, booking.rider_id, booking.pickup_from, booking.dropoff_by)
        engage(self._connection, [self._plan(visits, schedule), own], later=True)

    def seated(self, booking_id: uuid.UUID) -> Booking | None:
        """A booking of the ride, if it takes seats."""
        return next((b for b in self.ride.bookings if b.id == booking_id), None)

    def put(self, **changes: object) -> None:
        """Change the ride itself."""
        self.ride = replace(self.ride, **changes)  # type: ignore[arg-type]
        self._changed = True

    def _plan(self, visits: Sequence[Visit], schedule: Schedule) -> Engagement:
        """Give the ride another plan; returns when its driver is on the way."""
        pickups: set[str] = set()
        planned = []
        reached = {(visit.booking, visit.is_pickup): visit.reached_at for visit in self.ride.plan}
        for visit, at_s in zip(visits, schedule.at_s, strict=True):
            is_pickup = visit.booking not in pickups
            pickups.add(visit.booking)
            booking = uuid.UUID(visit.booking)
            reached_at = reached.get((booking, is_pickup))
            planned.append(
                PlannedVisit(booking, is_pickup, visit.segment, to_instant(at_s), reached_at)
            )
        self.put(plan=tuple(planned))
        ride = self.ride
        leaves, ends = to_instant(schedule.leaves_s), to_instant(schedule.ends_s)
        return Engagement(ride.id, ride.driver_id, leaves, ends)

    def _release(self, booking: Booking) -> None:
        """Take a booking's visits out of the plan; the others keep all that they were promised."""
        ride = self.ride
        left = tuple(visit for visit in ride.plan if visit.booking != booking.id)
        self.put(plan=left)
        freed = [booking.rider_id] if left else [booking.rider_id, ride.driver_id]
        disengage(self._connection, ride.id, freed)
        if not left:
            self.put(
                late_s=0, said_late_s=0, said_at=None, seen_late_s=None, seen_at=None,
                vias_reached=(), asked=0,
            )  # fmt: skip
            return
        network = self._desk.snapshot.network
        visits = visits_of(network, self.ride)
        # Where it cannot be planned anew, the times stay as they were: all of them are kept.
        with suppress(OfferUnusable):
            way = self._desk.way_of(self._connection, ride.offer, ride.offer_version, ride.date)
            stopping = with_doors(network, way, spots_of(self.ride.bookings))
            schedule = None if visits is None or stopping is None else stopping.schedule(visits)
            if visits is not None and schedule is not None:
                try:
                    with self._connection.begin_nested(), one_car_at_a_time():
                        engage(self._connection, [self._plan(visits, schedule)])
                except AlreadyOnTheWay:  # the driver cannot leave sooner
                    self.put(plan=left)

    def leave(self) -> None:
        """Let the ride be under way; what its phone tells from now on says where."""
        self.put(state=RideState.EN_ROUTE, seen_at=None)

    def tell_rider(self, booking: Booking, kind: str, **content: object) -> None:
        """Tell a rider something of his booking."""
        self._tell_person(booking.rider_id, booking, kind, content)

    def tell_late(self, booking: Booking, late_s: int) -> Booking:
        """Note of which delay a rider is told; returns his booking with that."""
        self._store.tell_late(booking.id, late_s)
        after = replace(booking, told_late_s=late_s)
        self.put(bookings=tuple(after if b.id == booking.id else b for b in self.ride.bookings))
        return after

    def tell_driver(self, kind: str, **content: object) -> None:
        """Tell the driver something of his ride, by the first of its bookings."""
        self._tell_person(self.ride.driver_id, self.ride.bookings[0], kind, content)

    def _tell(self, booking: Booking, event: BookingEvent, state: BookingState) -> None:
        content: dict[str, object] = {"state": state, "late_s": self.ride.late_s}
        if event is BookingEvent.PROPOSE_CHANGE:
            content["plan_b"] = plan_b_path(booking)
        if event in TELLS_RIDER:
            self._tell_person(booking.rider_id, booking, f"booking_{event}", content)
            if STATUS_OF.get(state) is not STATUS_OF.get(booking.state):
                self._told_partners.append((booking.id, status_of(state, None)))
        if event in TELLS_DRIVER:
            self._tell_person(self.ride.driver_id, booking, f"booking_{event}", content)

    def _tell_person(
        self, person_id: uuid.UUID, booking: Booking, kind: str, content: Mapping[str, object]
    ) -> None:
        about = {
            "booking_id": str(booking.id),
            "together_id": str(booking.together_id),
            "ride_id": str(booking.ride_id),
            "date": self.ride.date.isoformat(),
        }
        self._notices.append((person_id, kind, {**about, **content}))

    def _emit(self, booking: Booking, kind: str) -> None:
        content: dict[str, object] = {
            "booking_id": str(booking.id),
            "rider_id": str(booking.rider_id),
            "driver_id": str(self.ride.driver_id),
            "offer_id": self.ride.offer.id,
            "date": self.ride.date.isoformat(),
            "seats": booking.seats,
            "pickup_point": booking.pickup_point,
            "dropoff_point": booking.dropoff_point,
            "pickup_at": booking.pickup_from.isoformat(),
            "price_cents": booking.price_cents,
            "currency": booking.currency,
        }
        if booking.pickup_door or booking.dropoff_door:
            # Whoever bills knows the points that stand for doors alone.
            content["metres"] = driven_metres(self._desk.snapshot.network, booking)
        self._events.append((booking.id, kind, content))

    def save(self) -> bool:
        """Store the ride if anything has changed; returns whether it has."""
        if not (self._changed or self._notices or self._events):
            return False
        if self._changed:
            self.put(version=self.ride.version + 1)
            self._store.save_ride(self.ride)
        lock_changes(self._connection)
        # Under this lock: readers who go on from the last number miss none.
        for person_id, kind, content in self._notices:
            tell(self._connection, person_id, kind, content, self._now)
        for booking_id, kind, content in self._events:
            emit(self._connection, booking_id, kind, content, self._now)
        for booking_id, status in self._told_partners:
            tell_partner_of_seat(self._connection, booking_id, status, self._now)
        if self._changed:
            self._store.note_change(self.ride.id)
        return self._changed


def lock(
    desk: RideDesk,
    connection: Connection,
    ride_ids: Collection[uuid.UUID],
    now: dt.datetime,
    *,
    spared: uuid.UUID | None = None,
) -> dict[uuid.UUID, LockedRide]:
    """Lock rides in order, what is due on them ended but one; raises `RideNotFound`."""
    rides = SqlRideStore(connection).lock_rides(ride_ids)
    locked = {ride_id: LockedRide(desk, connection, ride, now) for ride_id, ride in rides.items()}
    for ride in locked.values():
        ride.expire_due(spared)
    return locked


def save(locked: Collection[LockedRide]) -> bool:
    """
    Store what has changed of locked rides, last of all: other changes wait from here on.

    Returns whether anything has.
    """
    return any([ride.save() for ride in locked])  # noqa: C419 — every one is saved


def announce(desk: RideDesk, *, changed: bool) -> None:
    """Wake the other processes once a change is committed."""
    if changed:
        desk.wakeups.announce()
