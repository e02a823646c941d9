"""A rider books a weekly series in one act: date after date, each by itself, none twice."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any, NamedTuple

import structlog

from carpool.bookings import Booking, BookingEvent, BookingState, BookingStateConflict
from carpool.quotes import Quote, read_quote
from carpool.series import Refused, Series, not_driven
from carpool.wishes import Direction
from core.errors import Conflict, InvalidInput, MobilityError
from mobility.actions.book_seats import Journey, book_journeys, check_journey
from mobility.actions.change_booking import Said, Side, change_booking
from mobility.actions.ride_desk import RideDesk
from mobility.db.changes import lock_changes
from mobility.db.engine import Connection
from mobility.db.idempotency import find_answer, keep_answer
from mobility.db.journeys import JourneyEnds
from mobility.db.notices import tell
from mobility.db.rides import SqlRideStore
from mobility.db.series import (
    SeriesDate,
    SeriesNotFound,
    StoredSeries,
    add_series,
    bookings_of,
    end_series,
    get_series,
    has_driver,
    keep_booked,
    keep_refused,
    list_dates,
    list_driven,
    list_unfinished,
)
from mobility.users.scopes import Principal

log = structlog.get_logger()
SERIES_BOOKED, SERIES_CANCELLED = "series_booked", "series_cancelled"
"""What drivers are told, once a series."""
ANSWERS = {
    BookingEvent.ACCEPT: frozenset({BookingState.PENDING_DRIVER}),
    BookingEvent.DECLINE: frozenset({BookingState.PENDING_DRIVER}),
    BookingEvent.CANCEL_DRIVER: frozenset(
        {BookingState.PENDING_DRIVER, BookingState.CONFIRMED, BookingState.CHANGE_PROPOSED}
    ),
}
"""What a driver may do to a whole series, and to which of its bookings."""
GIVEN_BACK = frozenset(
    {
        BookingState.HELD, BookingState.PENDING_DRIVER, BookingState.CONFIRMED,
        BookingState.CHANGE_PROPOSED,
    }
)  # fmt: skip
LEFT_ALONE = dt.timedelta(minutes=2)
"""So long after it was begun, a series with open dates has lost whoever worked on it."""
UNFINISHED_AT_ONCE = 5


class _Answered(Exception):
    """Somebody else has come to this date meanwhile."""


class Wanted(NamedTuple):
    """A series as a rider asks for it."""

    out: Sequence[str]
    """Quotes of the way out."""
    back: Sequence[str]
    weekdays: frozenset[str]
    until: dt.date
    both_or_none: bool
    ends: JourneyEnds | None


@dataclass(frozen=True, slots=True)
class SeriesAnswer:
    """What a driver's answer came to."""

    done: int
    """Bookings that it has changed."""
    left: int
    """Those that had changed meanwhile."""


def book_series(
    desk: RideDesk,
    rider: Principal,
    wanted: Wanted,
    quote_key: bytes,
    *,
    key: str | None,
    now: dt.datetime,
) -> uuid.UUID:
    """
    Book all dates of a series, each as a single booking is made, and note what came of each.

    Asked again with the same `key`, nothing is booked twice: what had not been come to is gone on
    with. Returns the id of the series.

    Raises
    ------
    QuoteInvalid, InvalidInput, InvalidSeries, KeyReused
        The quotes are not from here or no journey, the series contradicts itself, or the key came
        with another one.
    """
    series = Series(
        id=uuid.uuid4(),
        rider_id=rider.person_id,
        out=tuple(read_quote(text, quote_key) for text in wanted.out),
        back=tuple(read_quote(text, quote_key) for text in wanted.back),
        weekdays=wanted.weekdays,
        until=wanted.until,
        both_or_none=wanted.both_or_none,
    )
    for quotes in filter(None, (series.out, series.back)):
        check_journey(quotes)
    zone = desk.snapshot.network.zone
    series.check(zone)
    with desk.engine.begin() as connection:
        known = key and find_answer(connection, rider.user_id, key, _as_json(wanted), now)
        if not known:
            add_series(connection, series, series.dates(zone), wanted.ends, now)
            if key is not None:
                keep_answer(connection, rider.user_id, key, str(series.id))
    series_id = uuid.UUID(known) if known else series.id
    work_off(desk, series_id, now=now)
    return series_id


def _as_json(wanted: Wanted) -> dict[str, Any]:
    ends = wanted.ends and [[place.lat, place.lon] for place in wanted.ends]
    days = {"weekdays": sorted(wanted.weekdays), "until": wanted.until.isoformat()}
    return {**wanted._asdict(), **days, "ends": ends}


def work_off(desk: RideDesk, series_id: uuid.UUID, *, now: dt.datetime) -> None:
    """Come to all open dates of a series, in order; any process may do it, and several at once."""
    with desk.engine.connect() as connection:
        stored = get_series(connection, series_id)
        dates = list_dates(connection, [series_id])[series_id]
        driven = _Driven(connection, stored.series)
    open_dates = [d for d in dates if d.together_id is None and d.reason is None]
    for date, of_date in groupby(open_dates, key=lambda d: d.date):
        ways = [d.way for d in of_date]
        for group in [ways] if stored.series.both_or_none else [[way] for way in ways]:
            _book_date(desk, stored, driven, date, group, now)


class _Driven:
    """On which dates the offers of a series run."""

    def __init__(self, connection: Connection, series: Series) -> None:
        store = SqlRideStore(connection)
        offers = {quote.offer for quote in (*series.out, *series.back)}
        self._offers = {offer: store.read_offer(offer) for offer in offers}

    def refused(self, quotes: Sequence[Quote]) -> Refused | None:
        """Why one of the rides is not driven on its date."""
        for quote in quotes:
            found = self._offers[quote.offer]
            reason = None if found is None else not_driven(found[0], quote.date)
            if reason is not None:
                return reason
        return None


def _book_date(
    desk: RideDesk,
    stored: StoredSeries,
    driven: _Driven,
    date: dt.date,
    ways: Sequence[Direction],
    now: dt.datetime,
) -> None:
    series, zone = stored.series, desk.snapshot.network.zone
    quotes = {way: series.quotes_on(date, way, zone) for way in ways}
    reasons = {way: driven.refused(quotes[way]) for way in ways}
    if not any(reasons.values()):
        journeys = [Journey(quotes[way], _ends(stored, way)) for way in ways]
        note = partial(_note, series, date, ways, now)
        try:
            book_journeys(desk, series.rider_id, journeys, also=note, now=now)
        except _Answered:
            return
        except (Conflict, InvalidInput) as error:
            refused: Mapping[Direction, str] = dict.fromkeys(ways, error.code)
        else:
            return
    else:
        refused = {way: reasons[way] or Refused.OTHER_WAY for way in ways}
    with desk.engine.begin() as connection:
        for way, reason in refused.items():
            keep_refused(connection, series.id, date, way, reason)


def _ends(stored: StoredSeries, way: Direction) -> JourneyEnds | None:
    if stored.ends is None or way is Direction.OUT:
        return stored.ends
    return JourneyEnds(stored.ends.end, stored.ends.start)


def _note(
    series: Series,
    date: dt.date,
    ways: Sequence[Direction],
    now: dt.datetime,
    connection: Connection,
    booked: Sequence[Booking],
) -> None:
    """Note what was booked on a date, in the same transaction; the first of a driver tells him."""
    drivers = SqlRideStore(connection).drivers_of({booking.ride_id for booking in booked})
    new = {who for who in drivers.values() if not has_driver(connection, series.id, who)}
    together = list(dict.fromkeys(booking.together_id for booking in booked))
    if not keep_booked(connection, series.id, date, dict(zip(ways, together, strict=True))):
        raise _Answered
    if not new:
        return
    lock_changes(connection)  # readers who go on from the last number miss none
    for driver_id in sorted(new):
        own = next(b for b in booked if drivers[b.ride_id] == driver_id)
        content = {
            "series_id": str(series.id),
            "first": date.isoformat(),
            "until": series.until.isoformat(),
            "weekdays": sorted(series.weekdays),
            "seats": own.seats,
            "state": own.state,
        }
        tell(connection, driver_id, SERIES_BOOKED, content, now)


def continue_series(desk: RideDesk, *, now: dt.datetime) -> int:
    """
    Go on with series that nobody works on any more: a process has died, or lost the database.

    Any process may do this, and several at once. Returns how many were gone on with.
    """
    with desk.engine.connect() as connection:
        left = list_unfinished(connection, now - LEFT_ALONE, UNFINISHED_AT_ONCE)
    for series_id in left:
        try:
            work_off(desk, series_id, now=now)
        except MobilityError as error:  # one series must not keep the others waiting
            log.warning("series not gone on with", series=str(series_id), reason=error.code)
    return len(left)


def cancel_series(
    desk: RideDesk, rider: Principal, series_id: uuid.UUID, *, now: dt.datetime
) -> None:
    """
    Give back all seats of a series that are still to come; each driver is told once.

    Said again, it gives back what was left. Raises `SeriesNotFound`.
    """
    with desk.engine.begin() as connection:
        get_series(connection, series_id, rider.person_id)
        end_series(connection, series_id, now)
    with desk.engine.connect() as connection:
        dates = list_dates(connection, [series_id])[series_id]
        bookings = [b for own in bookings_of(connection, dates).values() for b in own]
        drivers = SqlRideStore(connection).drivers_of({b.ride_id for b in bookings})
    told: set[uuid.UUID] = set()
    for booking in sorted(bookings, key=lambda b: b.pickup_from):
        if booking.state not in GIVEN_BACK or booking.pickup_from <= now:
            continue
        driver_id = drivers[booking.ride_id]
        notice = None if driver_id in told else (driver_id, SERIES_CANCELLED)
        if _change(desk, rider, Side.RIDER, booking.id, BookingEvent.CANCEL_RIDER, series_id,
                   notice, now):  # fmt: skip
            told.add(driver_id)


def answer_series(
    desk: RideDesk,
    driver: Principal,
    series_id: uuid.UUID,
    event: BookingEvent,
    *,
    now: dt.datetime,
) -> SeriesAnswer:
    """
    Accept, decline or cancel what a series has in one's own cars; its rider is told once.

    Raises
    ------
    SeriesNotFound
        It has nothing there.
    """
    with desk.engine.connect() as connection:
        if not has_driver(connection, series_id, driver.person_id):
            raise SeriesNotFound(f"nobody rides with you by a series {series_id}")
        today = now.astimezone(desk.snapshot.network.zone).date()
        rides = list_driven(connection, driver.person_id, today, series_id)
    done = left = 0
    for ride in rides:
        if ride.state not in ANSWERS[event]:
            continue
        notice = None if done else (ride.rider_id, f"series_{event}")
        if _change(desk, driver, Side.DRIVER, ride.booking_id, event, series_id, notice, now):
            done += 1
        else:
            left += 1
    return SeriesAnswer(done, left)


def _change(
    desk: RideDesk,
    who: Principal,
    side: Side,
    booking_id: uuid.UUID,
    event: BookingEvent,
    series_id: uuid.UUID,
    notice: tuple[uuid.UUID, str] | None,
    now: dt.datetime,
) -> bool:
    """Change one booking of many, unless it has changed meanwhile; the first may bring a notice."""
    content: dict[str, object] = {"series_id": str(series_id)}
    told = [] if notice is None else [(*notice, content)]
    try:
        change_booking(desk, who, side, booking_id, event, Said(now), now=now, told=told)
    except BookingStateConflict:
        return False
    return True


def dates_with_bookings(
    connection: Connection, series_ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, list[tuple[SeriesDate, list[Booking]]]]:
    """Dates of series, each with its bookings."""
    dates = list_dates(connection, series_ids)
    bookings = bookings_of(connection, [d for own in dates.values() for d in own])
    return {
        series_id: [(d, bookings.get(d.together_id, []) if d.together_id else []) for d in own]
        for series_id, own in dates.items()
    }
