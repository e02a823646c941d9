"""
Booked rides in PostgreSQL: their plans and their bookings.

Whoever changes anything of a ride locks its row first, and the rows of several in order of their
ids; so everything that happens to a ride happens in one order.
"""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from carpool.audience import Need
from carpool.bookings import OVERDUE, SEATED, Booking, BookingState, RideState
from carpool.offers import Offer, OfferState, offer_as_json, parse_offer
from carpool.ports import PlannedVisit, StoredRide
from carpool.ratings import RATED
from core.errors import NotFound
from core.geo import Coordinate
from core.ids import OfferId
from mobility.db.changes import note_change
from mobility.db.engine import LATER
from mobility.db.schema import booking, change, compiled_offer, engagement, offer, ride

RIDE_CHANGED = "ride"
ONE_DAY = dt.timedelta(days=1)
DAYS_BACK = 2
"""Rides of so many days ago may still be under way somewhere."""


class RideNotFound(NotFound):
    """No ride has this id, or it is not one's own."""

    code = "ride_not_found"


class BookingNotFound(NotFound):
    """No booking has this id, or it is not one's own."""

    code = "booking_not_found"


class SqlRideStore:
    """One transaction's view of booked rides; whoever opened it commits."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def read_offer(self, offer_id: OfferId) -> tuple[Offer, int] | None:
        """An offer as it is, and its version."""
        query = sa.select(offer.c.content, offer.c.version).where(offer.c.id == _uuid(offer_id))
        row = self._connection.execute(query).one_or_none()
        return None if row is None else (parse_offer(row.content, offer_id), row.version)

    def read_body(self, offer_id: OfferId, version: int, ground_hash: str) -> bytes | None:
        """Compiled body of a version of an offer, if it is there."""
        return self._connection.execute(
            sa.select(compiled_offer.c.body).where(
                compiled_offer.c.offer_id == _uuid(offer_id),
                compiled_offer.c.offer_version == version,
                compiled_offer.c.ground_hash == ground_hash,
            )
        ).scalar()

    def find_ride(self, offer_id: OfferId, date: dt.date) -> StoredRide | None:
        """An offer's ride of a date, if anybody ever asked for it."""
        found = self._stored(_RIDES.where(ride.c.offer_id == _uuid(offer_id), ride.c.date == date))
        return found[0] if found else None

    def add_ride(self, given: Offer, version: int, date: dt.date) -> None:
        """Make the ride of an offer on a date, unless it is there."""
        self._connection.execute(
            pg.insert(ride)
            .values(
                id=uuid.uuid4(), offer_id=_uuid(given.id), date=date, version=0,
                offer_version=version, content=offer_as_json(given), plan=[],
                state=RideState.SCHEDULED,
            )
            .on_conflict_do_nothing()
        )  # fmt: skip

    def take_version(self, ride_id: uuid.UUID, given: Offer, version: int) -> None:
        """Let a locked ride that nobody has booked follow its offer."""
        self._connection.execute(
            ride.update()
            .where(ride.c.id == ride_id)
            .values(content=offer_as_json(given), offer_version=version)
        )

    def read_ride(self, ride_id: uuid.UUID) -> StoredRide:
        """A ride as it is, which may be another one at once; raises `RideNotFound`."""
        return self.read_rides([ride_id])[ride_id]

    def read_rides(self, ride_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, StoredRide]:
        """Rides by their ids, in order, all as they are at one moment; raises `RideNotFound`."""
        found = {of.id: of for of in self._stored(_SOME_RIDES, of=list(ride_ids))}
        for ride_id in ride_ids:
            if ride_id not in found:
                raise RideNotFound(f"there is no ride {ride_id}")
        return {ride_id: found[ride_id] for ride_id in sorted(ride_ids)}

    def lock_rides(self, ride_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, StoredRide]:
        """Rides by their ids, locked in order until the commit; raises `RideNotFound`."""
        # What had to be waited for is read by another statement, once it is locked.
        for ride_id in sorted(ride_ids):
            self._connection.execute(_RIDE_LOCKED, {"of": ride_id}, execution_options=LATER)
        return self.read_rides(ride_ids)

    def lock_ride(self, ride_id: uuid.UUID) -> StoredRide:
        """One ride, locked until the commit; raises `RideNotFound`."""
        return self.lock_rides([ride_id])[ride_id]

    def lock_ride_if_free(self, ride_id: uuid.UUID) -> StoredRide | None:
        """One ride, locked, unless somebody else has it at the moment."""
        query = sa.select(ride.c.id).where(ride.c.id == ride_id)
        free = self._connection.execute(query.with_for_update(skip_locked=True)).first()
        return None if free is None else self.read_ride(ride_id)

    def list_due(self, now: dt.datetime, count: int) -> list[uuid.UUID]:
        """Rides with bookings whose time is over."""
        query = sa.select(booking.c.ride_id).where(booking.c.until <= now).distinct().limit(count)
        return list(self._connection.execute(query).scalars())

    def list_overdue(self, now: dt.datetime, count: int) -> list[uuid.UUID]:
        """Rides with bookings whose last moment, delays left out, was an hour ago or more."""
        last = sa.func.max(booking.c.dropoff_by)
        query = (
            sa.select(booking.c.ride_id)
            .where(_IS_SEATED)
            .group_by(booking.c.ride_id)
            .having(last <= now - OVERDUE)
            .limit(count)
        )
        return list(self._connection.execute(query).scalars())

    def list_not_left(self, now: dt.datetime, every: dt.timedelta, count: int) -> list[uuid.UUID]:
        """
        Rides that somebody counts on and that should have left, once for each time that passes.

        The delay that is known moves the departure.
        """
        leaves = sa.func.lower(engagement.c.during)
        due = leaves + every * (ride.c.asked + 1)
        late = sa.cast(sa.func.make_interval(0, 0, 0, 0, 0, 0, ride.c.said_late_s), sa.Interval)
        sure = sa.exists().where(booking.c.ride_id == ride.c.id, booking.c.state.in_(_COUNTED_ON))
        query = (
            sa.select(ride.c.id)
            .join(offer, offer.c.id == ride.c.offer_id)
            .join(
                engagement,
                sa.and_(
                    engagement.c.ride_id == ride.c.id, engagement.c.person_id == offer.c.driver_id
                ),
            )
            .where(
                ride.c.state == RideState.SCHEDULED,
                ride.c.date.between(now.date() - ONE_DAY, now.date() + ONE_DAY),
                due + late <= now,
                sure,
            )
            .limit(count)
        )
        return list(self._connection.execute(query).scalars())

    def departure_of(self, ride_id: uuid.UUID, driver_id: uuid.UUID) -> dt.datetime | None:
        """When the driver leaves by his plan; None while nobody rides along."""
        query = sa.select(sa.func.lower(engagement.c.during)).where(
            engagement.c.ride_id == ride_id, engagement.c.person_id == driver_id
        )
        return self._connection.execute(query).scalar()

    def tell_late(self, booking_id: uuid.UUID, late_s: int) -> None:
        """Note of which delay a rider was told."""
        told = {"of": booking_id, "told": late_s}
        self._connection.execute(_TELL_LATE, told, execution_options=LATER)

    def list_changed(self, after_revision: int, today: dt.date) -> list[StoredRide]:
        """Rides that changed after a revision, those of long ago left out."""
        changed = sa.select(change.c.subject_id).where(
            change.c.kind == RIDE_CHANGED, change.c.revision > after_revision
        )
        since = today - dt.timedelta(days=DAYS_BACK)
        return self._stored(_RIDES.where(ride.c.id.in_(changed), ride.c.date >= since))

    def list_driven(self, driver_id: uuid.UUID, *, since: dt.date, count: int) -> list[StoredRide]:
        """Rides of a driver from a date on, the first first."""
        query = sa.select(ride.c.id).join(offer, offer.c.id == ride.c.offer_id)
        query = query.where(offer.c.driver_id == driver_id, ride.c.date >= since)
        first = query.order_by(ride.c.date, ride.c.id).limit(count)
        return self._stored(_RIDES.where(ride.c.id.in_(first)))

    def get_driven(self, driver_id: uuid.UUID, ride_id: uuid.UUID) -> StoredRide:
        """A ride of a driver; raises `RideNotFound` for those of others."""
        found = self._stored(_RIDES.where(offer.c.driver_id == driver_id, ride.c.id == ride_id))
        if not found:
            raise RideNotFound(f"you have no ride {ride_id}")
        return found[0]

    def save_ride(self, stored: StoredRide) -> None:
        """Store a ride's plan, state and version."""
        values = {
            "of": stored.id, "offer_version": stored.offer_version,
            "content": offer_as_json(stored.offer), "version": stored.version,
            "state": stored.state, "late_s": stored.late_s,
            "plan": [_visit_as_json(visit) for visit in stored.plan],
            "vias_reached": list(stored.vias_reached),
            **{name: getattr(stored, name) for name in LIVE_FIELDS},
        }  # fmt: skip
        self._connection.execute(_SAVE_RIDE, values, execution_options=LATER)

    def note_change(self, ride_id: uuid.UUID) -> None:
        """Note that a ride has changed, under the lock of the changes."""
        note_change(self._connection, RIDE_CHANGED, ride_id)

    def add_booking(self, given: Booking) -> None:
        """Store a new booking."""
        values = {name: getattr(given, name) for name in BOOKING_FIELDS}
        values["needs"] = sorted(given.needs)
        for name in DOORS:
            door = values[name]
            values[name] = None if door is None else {"lat": door.lat, "lon": door.lon}
        values["changed_at"] = given.created_at
        self._connection.execute(_ADD_BOOKING, values, execution_options=LATER)

    def change_booking(
        self,
        before: Booking,
        state: BookingState,
        now: dt.datetime,
        *,
        until: dt.datetime | None = None,
    ) -> None:
        """Put a booking of a locked ride into another state."""
        values = {"of": before.id, "state": state, "changed_at": now, "until": until}
        self._connection.execute(_CHANGE_BOOKING, values, execution_options=LATER)

    def find_booking(self, booking_id: uuid.UUID) -> tuple[Booking, uuid.UUID]:
        """A booking and its driver's person; raises `BookingNotFound`."""
        row = self._connection.execute(_BOOKING, {"of": booking_id}).mappings().one_or_none()
        if row is None:
            raise BookingNotFound(f"there is no booking {booking_id}")
        return _booking(row), row["driver_id"]

    def list_together(self, together_id: uuid.UUID) -> list[Booking]:
        """Bookings that were made in one request."""
        return self.list_of_journeys([together_id])

    def list_of_journeys(self, together_ids: Collection[uuid.UUID]) -> list[Booking]:
        """The same of several requests, in order of their pick-ups."""
        query = _bookings().where(booking.c.together_id.in_(list(together_ids)))
        rows = self._connection.execute(query.order_by(booking.c.pickup_from)).mappings()
        return [_booking(row) for row in rows]

    def list_driven_on(self, ride_ids: Collection[uuid.UUID]) -> list[Booking]:
        """Bookings of rides whose riders were driven, or did not meet their driver."""
        of_rides = booking.c.ride_id.in_(list(ride_ids))
        query = _bookings().where(of_rides, booking.c.state.in_(_RATED))
        rows = self._connection.execute(query.order_by(booking.c.pickup_from)).mappings()
        return [_booking(row) for row in rows]

    def drivers_of(self, ride_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
        """Persons of the drivers of rides."""
        query = sa.select(ride.c.id, offer.c.driver_id).join(offer, offer.c.id == ride.c.offer_id)
        found = self._connection.execute(query.where(ride.c.id.in_(list(ride_ids))))
        return {row.id: row.driver_id for row in found}

    def vehicles_of(self, ride_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Mapping[str, Any]]:
        """Cars of rides, as their drivers say by now."""
        query = sa.select(ride.c.id, offer.c.content["vehicle"].label("vehicle"))
        query = query.join(offer, offer.c.id == ride.c.offer_id)
        found = self._connection.execute(query.where(ride.c.id.in_(list(ride_ids))))
        return {row.id: row.vehicle for row in found if row.vehicle}

    def list_of_rider(
        self, rider_id: uuid.UUID, *, after: uuid.UUID | None, count: int
    ) -> list[Booking]:
        """Bookings of a rider, the newest first, from behind one of them on."""
        at = sa.tuple_(booking.c.created_at, booking.c.id)
        query = _bookings().where(booking.c.rider_id == rider_id)
        if after is not None:
            last = sa.select(booking.c.created_at, booking.c.id).where(booking.c.id == after)
            query = query.where(at < last.scalar_subquery())
        rows = self._connection.execute(query.order_by(at.desc()).limit(count)).mappings()
        return [_booking(row) for row in rows]

    def _stored(self, query: sa.Select[Any], **values: Any) -> list[StoredRide]:  # noqa: ANN401
        rows = self._connection.execute(query, values).mappings()
        by_ride = itertools.groupby(rows, key=lambda row: row["id"])
        return [_ride(list(of)) for _, of in by_ride]


# Literal, so that one plan that knows the index of these is made for all.
_IS_SEATED = booking.c.state.in_([sa.literal_column(f"'{state}'") for state in sorted(SEATED)])
_RATED = [str(state) for state in RATED]
_COUNTED_ON = [str(state) for state in (BookingState.CONFIRMED, BookingState.CHANGE_PROPOSED)]
BOOKING_FIELDS = tuple(name for name in Booking.__dataclass_fields__ if name != "late_s")


_OF_BOOKING = "booking_"
DOORS = ("pickup_door", "dropoff_door")
LIVE_FIELDS = ("said_late_s", "said_at", "seen_late_s", "seen_at", "asked")
"""What is kept of a ride under way, stored as it is."""


def _bookings() -> sa.Select[Any]:
    return sa.select(booking, ride.c.late_s).join(ride, ride.c.id == booking.c.ride_id)


def _private(end: str) -> sa.ColumnElement[bool]:
    """
    Whether a place stands for an end of a ride.

    Of what the driver entered only this is read. What was entered of another version of the
    offer says nothing of this ride's.
    """
    entered = offer.c.entered
    public = sa.func.coalesce(entered[end]["public"].as_boolean(), False)
    as_now = ride.c.offer_version == offer.c.version
    return sa.not_(sa.or_(entered.is_(None), sa.and_(as_now, public))).label(f"{end}_private")


# Statements of every booking, made once.
_RIDES = (
    sa.select(
        ride, offer.c.driver_id, _private("start"), _private("end"),
        offer.c.state.label("offer_state"), offer.c.version.label("latest_version"),
        *(booking.c[name].label(_OF_BOOKING + name) for name in BOOKING_FIELDS),
    )
    .select_from(
        ride.join(offer, offer.c.id == ride.c.offer_id).outerjoin(
            booking, sa.and_(booking.c.ride_id == ride.c.id, _IS_SEATED)
        )
    )
    .order_by(ride.c.date, ride.c.id, booking.c.pickup_from)
)  # fmt: skip
"""Rides by their dates, one row for each of their bookings that takes seats, or one without."""
_SOME_RIDES = _RIDES.where(ride.c.id == sa.any_(sa.bindparam("of", type_=pg.ARRAY(sa.Uuid))))
_RIDE_LOCKED = sa.select(ride.c.id).where(ride.c.id == sa.bindparam("of")).with_for_update()
_SAVE_RIDE = (
    ride.update()
    .where(ride.c.id == sa.bindparam("of"))
    .values(
        {
            name: sa.bindparam(name)
            for name in (
                "offer_version",
                "content",
                "version",
                "state",
                "late_s",
                "plan",
                "vias_reached",
                *LIVE_FIELDS,
            )
        }
    )
)
_BOOKING = (
    sa.select(booking, ride.c.late_s, offer.c.driver_id)
    .join(ride, ride.c.id == booking.c.ride_id)
    .join(offer, offer.c.id == ride.c.offer_id)
    .where(booking.c.id == sa.bindparam("of"))
)
_ADD_BOOKING = booking.insert()
_CHANGE_BOOKING = (
    booking.update()
    .where(booking.c.id == sa.bindparam("of"))
    .values({name: sa.bindparam(name) for name in ("state", "changed_at", "until")})
)
_TELL_LATE = (
    booking.update()
    .where(booking.c.id == sa.bindparam("of"))
    .values(told_late_s=sa.bindparam("told"))
)


def _booking(row: sa.RowMapping, prefix: str = "") -> Booking:
    values = {name: row[prefix + name] for name in BOOKING_FIELDS}
    values |= {
        "state": BookingState(values["state"]), "needs": frozenset(map(Need, values["needs"])),
        **{name: None if values[name] is None else Coordinate(**values[name]) for name in DOORS},
    }  # fmt: skip
    return Booking(**values, late_s=row["late_s"])


def _ride(rows: Sequence[sa.RowMapping]) -> StoredRide:
    row = rows[0]
    return StoredRide(
        id=row["id"],
        offer=parse_offer(row["content"], OfferId(str(row["offer_id"]))),
        offer_version=row["offer_version"],
        driver_id=row["driver_id"],
        date=row["date"],
        version=row["version"],
        state=RideState(row["state"]),
        late_s=row["late_s"],
        plan=tuple(map(_visit, row["plan"])),
        bookings=tuple(_booking(of, _OF_BOOKING) for of in rows if of[_OF_BOOKING + "id"]),
        offer_state=OfferState(row["offer_state"]),
        latest_version=row["latest_version"],
        vias_reached=tuple(row["vias_reached"]),
        start_private=row["start_private"],
        end_private=row["end_private"],
        **{name: row[name] for name in LIVE_FIELDS},
    )


def _visit_as_json(visit: PlannedVisit) -> dict[str, Any]:
    return {
        "booking": str(visit.booking), "is_pickup": visit.is_pickup, "segment": visit.segment,
        "at": visit.at.isoformat(),
        **({} if visit.reached_at is None else {"reached_at": visit.reached_at.isoformat()}),
    }  # fmt: skip


def _visit(values: Mapping[str, Any]) -> PlannedVisit:
    at = dt.datetime.fromisoformat(values["at"])
    reached = values.get("reached_at")
    reached_at = None if reached is None else dt.datetime.fromisoformat(reached)
    return PlannedVisit(
        uuid.UUID(values["booking"]), values["is_pickup"], values["segment"], at, reached_at
    )


def _uuid(offer_id: OfferId) -> uuid.UUID:
    return uuid.UUID(offer_id)
