"""Weekly series in PostgreSQL, and what became of their dates; on one connection."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from carpool.bookings import SEATED, Booking
from carpool.offers import OfferState
from carpool.series import Refused, Series, parse_series, series_as_json
from carpool.wishes import Direction
from core.errors import NotFound
from core.geo import Coordinate
from mobility.db.journeys import JourneyEnds
from mobility.db.rides import SqlRideStore
from mobility.db.schema import booking, offer, person, ride, series, series_date

SEATED_STATES = [str(state) for state in SEATED]
_OPEN = sa.and_(series_date.c.together_id.is_(None), series_date.c.reason.is_(None))


class SeriesNotFound(NotFound):
    """One has no series of this id."""

    code = "series_not_found"


@dataclass(frozen=True, slots=True)
class SeriesDate:
    """One way of one date of a series."""

    date: dt.date
    way: Direction
    together_id: uuid.UUID | None
    """Of its bookings."""
    reason: str | None
    """Why there are none."""


@dataclass(frozen=True, slots=True)
class StoredSeries:
    """A series as the store keeps it."""

    series: Series
    ends: JourneyEnds | None
    created_at: dt.datetime
    ended_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class SeriesRide:
    """A booking of a series, to its driver."""

    series_id: uuid.UUID
    booking_id: uuid.UUID
    ride_id: uuid.UUID
    rider_id: uuid.UUID
    rider: str
    """The name by which others know the rider."""
    date: dt.date
    state: str
    seats: int


@dataclass(frozen=True, slots=True)
class SeriesOffer:
    """An offer of which a series has rides, as it is by now."""

    offer_id: uuid.UUID
    state: OfferState
    version: int


def add_series(
    connection: sa.Connection,
    given: Series,
    dates: Sequence[dt.date],
    ends: JourneyEnds | None,
    now: dt.datetime,
) -> None:
    """Store a series and all its dates, to which nobody has come yet."""
    places = None if ends is None else [[place.lat, place.lon] for place in ends]
    connection.execute(
        series.insert().values(
            id=given.id, rider_id=given.rider_id, content=series_as_json(given), ends=places,
            created_at=now,
        )
    )  # fmt: skip
    connection.execute(
        series_date.insert(),
        [
            {"series_id": given.id, "date": date, "way": way}
            for date in dates
            for way in given.ways()
        ],
    )


def get_series(
    connection: sa.Connection, series_id: uuid.UUID, rider_id: uuid.UUID | None = None
) -> StoredSeries:
    """A series, of a rider if one is said; raises `SeriesNotFound`."""
    where = [series.c.id == series_id]
    if rider_id is not None:
        where.append(series.c.rider_id == rider_id)
    row = connection.execute(sa.select(series).where(*where)).mappings().one_or_none()
    if row is None:
        raise SeriesNotFound(f"you have no series {series_id}")
    return _series(row)


def list_series(connection: sa.Connection, rider_id: uuid.UUID, count: int) -> list[StoredSeries]:
    """Series of a rider, the newest first."""
    query = sa.select(series).where(series.c.rider_id == rider_id)
    query = query.order_by(series.c.created_at.desc(), series.c.id).limit(count)
    return [_series(row) for row in connection.execute(query).mappings()]


def list_dates(
    connection: sa.Connection, series_ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, list[SeriesDate]]:
    """Dates of some series, in order, the way out before the way back."""
    query = sa.select(series_date).where(series_date.c.series_id.in_(list(series_ids)))
    found: dict[uuid.UUID, list[SeriesDate]] = {series_id: [] for series_id in series_ids}
    for row in connection.execute(query.order_by(series_date.c.date, series_date.c.way.desc())):
        way = Direction(row.way)
        found[row.series_id].append(SeriesDate(row.date, way, row.together_id, row.reason))
    return found


def list_unfinished(connection: sa.Connection, before: dt.datetime, count: int) -> list[uuid.UUID]:
    """Series begun before a moment that have dates to which nobody has come."""
    query = (
        sa.select(series.c.id)
        .where(series.c.created_at < before)
        .where(series.c.id.in_(sa.select(series_date.c.series_id).where(_OPEN)))
        .limit(count)
    )
    return list(connection.execute(query).scalars())


def keep_booked(
    connection: sa.Connection,
    series_id: uuid.UUID,
    date: dt.date,
    booked: Mapping[Direction, uuid.UUID],
) -> bool:
    """Note what was booked on an open date; says whether it was open still."""
    return all(
        _answer(connection, series_id, date, way, together_id=together_id)
        for way, together_id in booked.items()
    )


def keep_refused(
    connection: sa.Connection, series_id: uuid.UUID, date: dt.date, way: Direction, reason: str
) -> None:
    """Note why there is nothing on a date, unless something else was noted meanwhile."""
    _answer(connection, series_id, date, way, reason=reason)


def _answer(
    connection: sa.Connection,
    series_id: uuid.UUID,
    date: dt.date,
    way: Direction,
    **values: object,
) -> bool:
    done = connection.execute(
        series_date.update()
        .where(
            series_date.c.series_id == series_id, series_date.c.date == date,
            series_date.c.way == way, _OPEN,
        )
        .values(**values)
    )  # fmt: skip
    return done.rowcount == 1


def end_series(connection: sa.Connection, series_id: uuid.UUID, now: dt.datetime) -> None:
    """Let nobody book more of a series; what is being booked at the moment is waited for."""
    connection.execute(
        series_date.update()
        .where(series_date.c.series_id == series_id, _OPEN)
        .values(reason=Refused.CANCELLED)
    )
    first = sa.func.coalesce(series.c.ended_at, now)
    connection.execute(series.update().where(series.c.id == series_id).values(ended_at=first))


def bookings_of(
    connection: sa.Connection, dates: Collection[SeriesDate]
) -> dict[uuid.UUID, list[Booking]]:
    """Bookings of dates, by what those of one journey have in common."""
    found: dict[uuid.UUID, list[Booking]] = {}
    ids = [date.together_id for date in dates if date.together_id is not None]
    for one in SqlRideStore(connection).list_of_journeys(ids):
        found.setdefault(one.together_id, []).append(one)
    return found


def series_of(
    connection: sa.Connection, together_ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, uuid.UUID]:
    """Series to which journeys belong."""
    query = sa.select(series_date.c.together_id, series_date.c.series_id)
    found = connection.execute(query.where(series_date.c.together_id.in_(list(together_ids))))
    return {row.together_id: row.series_id for row in found}


def list_offers(
    connection: sa.Connection, offer_ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, SeriesOffer]:
    """Offers as they are by now."""
    query = sa.select(offer.c.id, offer.c.state, offer.c.version)
    found = connection.execute(query.where(offer.c.id.in_(list(offer_ids))))
    return {row.id: SeriesOffer(row.id, OfferState(row.state), row.version) for row in found}


def booked_versions(
    connection: sa.Connection, ride_ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, tuple[uuid.UUID, int]]:
    """Offer, and the version of it that holds, of booked rides."""
    query = sa.select(ride.c.id, ride.c.offer_id, ride.c.offer_version)
    found = connection.execute(query.where(ride.c.id.in_(list(ride_ids))))
    return {row.id: (row.offer_id, row.offer_version) for row in found}


def has_driver(connection: sa.Connection, series_id: uuid.UUID, driver_id: uuid.UUID) -> bool:
    """Whether a series has a booking in a car of a driver, whatever became of it."""
    query = _rides_of(driver_id).where(series_date.c.series_id == series_id).limit(1)
    return connection.execute(query).first() is not None


def list_driven(
    connection: sa.Connection,
    driver_id: uuid.UUID,
    since: dt.date,
    series_id: uuid.UUID | None = None,
) -> list[SeriesRide]:
    """Bookings of series that take seats in a driver's cars, from a date on, in order."""
    query = _rides_of(driver_id).where(ride.c.date >= since, booking.c.state.in_(SEATED_STATES))
    if series_id is not None:
        query = query.where(series_date.c.series_id == series_id)
    rows = connection.execute(query.order_by(ride.c.date, booking.c.pickup_from, booking.c.id))
    return [SeriesRide(**row) for row in rows.mappings()]


def _rides_of(driver_id: uuid.UUID) -> sa.Select[Any]:
    return (
        sa.select(
            series_date.c.series_id,
            booking.c.id.label("booking_id"),
            booking.c.ride_id,
            booking.c.rider_id,
            person.c.alias.label("rider"),
            ride.c.date,
            booking.c.state,
            booking.c.seats,
        )
        .select_from(series_date)
        .join(booking, booking.c.together_id == series_date.c.together_id)
        .join(person, person.c.id == booking.c.rider_id)
        .join(ride, ride.c.id == booking.c.ride_id)
        .join(offer, offer.c.id == ride.c.offer_id)
        .where(offer.c.driver_id == driver_id)
    )


def _series(row: sa.RowMapping) -> StoredSeries:
    ends = row["ends"]
    return StoredSeries(
        parse_series(row["content"], row["id"], row["rider_id"]),
        None if ends is None else JourneyEnds(*(Coordinate(*place) for place in ends)),
        row["created_at"],
        row["ended_at"],
    )
