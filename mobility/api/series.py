"""Weekly series of bookings: /mobility/v1/series; and to drivers: /mobility/v1/passenger-series."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from carpool.bookings import Booking, BookingEvent, BookingState
from carpool.offers import WEEKDAYS, OfferState
from carpool.series import DateAnswer, answer_of
from carpool.wishes import Direction
from mobility.actions.book_series import (
    Wanted,
    answer_series,
    book_series,
    cancel_series,
    dates_with_bookings,
)
from mobility.api.access import Driver, IdempotencyKey, Rider, installation_of, now_of
from mobility.api.answers import world_of
from mobility.api.bookings import Journey, QuoteText, counted, point_name
from mobility.api.offers import Weekday
from mobility.api.rides import counted_driver
from mobility.db.series import (
    SeriesDate,
    SeriesOffer,
    SeriesRide,
    StoredSeries,
    booked_versions,
    get_series,
    list_driven,
    list_offers,
    list_series,
)
from mobility.users.scopes import Principal

router = APIRouter(prefix="/mobility/v1", tags=["series"])
SERIES, WINDOW_S = 20, 3_600
"""That one rider books, or goes on with, in an hour: each is up to 180 bookings."""
LISTED = 20


class SeriesWanted(BaseModel):
    """The same journey on the same days of the week, as answers of `plan` quote it on one date."""

    model_config = ConfigDict(extra="forbid")

    out: Annotated[list[QuoteText], Field(min_length=1, max_length=4)]
    """`mobility.quote` of each carpool leg of the way out, in order; it is the first date."""
    back: Annotated[list[QuoteText], Field(max_length=4)] = []
    """The same of a way back on that date."""
    weekdays: Annotated[list[Weekday], Field(min_length=1, max_length=7)]
    until: dt.date
    """The last date: within 90 days of the first."""
    both_or_none: bool = False
    """Book a date only where both ways are there."""
    journey: Journey | None = None
    """From where to where the rider travels out, if further than by these rides."""


class DateBooking(BaseModel):
    """A booking of a date, in short."""

    id: uuid.UUID
    state: BookingState
    pickup_from: dt.datetime
    dropoff_by: dt.datetime


class DateFacts(BaseModel):
    """One way of one date."""

    date: dt.date
    way: Direction
    answer: DateAnswer
    reason: str | None
    """Why it is refused: not_driven, except_date, other_way, cancelled, or what a single booking
    would have been refused with."""
    bookings: list[DateBooking]


class SeriesOfferFacts(BaseModel):
    """An offer that a series rides by."""

    offer_id: uuid.UUID
    state: OfferState
    """Paused or ended, it takes no new bookings; those that it has it keeps."""
    changed: bool
    """Whether its driver has changed it since: what was booked holds as it was promised."""


class SeriesFacts(BaseModel):
    """A series, to its rider."""

    id: uuid.UUID
    weekdays: list[Weekday]
    first: dt.date
    until: dt.date
    both_or_none: bool
    seats: int
    pickup_name: str
    """Of the way out."""
    dropoff_name: str
    created_at: dt.datetime
    ended_at: dt.datetime | None
    """When its rider has given it back."""
    offers: list[SeriesOfferFacts]
    dates: list[DateFacts]


class PassengerDate(BaseModel):
    """A date on which somebody rides along by a series."""

    ride_id: uuid.UUID
    booking_id: uuid.UUID
    date: dt.date
    state: BookingState


class PassengerSeries(BaseModel):
    """A series, to a driver: what is to come of it in his cars."""

    id: uuid.UUID
    rider: str
    """The name by which others know the rider."""
    seats: int
    dates: list[PassengerDate]


class SeriesAnswered(BaseModel):
    """What an answer to a whole series came to."""

    done: int
    """Bookings that it has changed."""
    left: int
    """Those that had changed meanwhile: look at them one by one."""


@router.post("/series", status_code=201)
def book(
    request: Request, rider: Rider, given: SeriesWanted, key: IdempotencyKey = None
) -> SeriesFacts:
    """Book a weekly series, both ways if so wanted: each date is answered by itself."""
    desk, now = counted(request, rider), now_of(request)
    here = installation_of(request)
    here.limits.count(f"series:{rider.user_id}", most=SERIES, per_s=WINDOW_S)
    wanted = Wanted(
        given.out, given.back, frozenset(given.weekdays), given.until, given.both_or_none,
        None if given.journey is None else given.journey.ends,
    )  # fmt: skip
    quote_key = world_of(request).quote_key
    series_id = book_series(desk, rider, wanted, quote_key, key=key, now=now)
    return read_own(request, rider, series_id)


@router.get("/series")
def list_own(request: Request, rider: Rider) -> list[SeriesFacts]:
    """List one's own series, the newest first, ended ones too."""
    with installation_of(request).engine.connect() as connection:
        found = list_series(connection, rider.person_id, LISTED)
    return _facts(request, found)


@router.get("/series/{series_id}")
def read_own(request: Request, rider: Rider, series_id: uuid.UUID) -> SeriesFacts:
    """Read one of one's own series, date by date."""
    with installation_of(request).engine.connect() as connection:
        found = get_series(connection, series_id, rider.person_id)
    return _facts(request, [found])[0]


@router.delete("/series/{series_id}")
def end(request: Request, rider: Rider, series_id: uuid.UUID) -> SeriesFacts:
    """Give back all seats of a series that are still to come."""
    desk, now = counted(request, rider), now_of(request)
    cancel_series(desk, rider, series_id, now=now)
    return read_own(request, rider, series_id)


@router.get("/passenger-series")
def list_passengers(request: Request, driver: Driver) -> list[PassengerSeries]:
    """List series that ride along in one's cars from today on."""
    today = now_of(request).astimezone(world_of(request).network.zone).date()
    with installation_of(request).engine.connect() as connection:
        rides = list_driven(connection, driver.person_id, today)
    found: dict[uuid.UUID, list[SeriesRide]] = {}
    for ride in rides:
        found.setdefault(ride.series_id, []).append(ride)
    return [_passenger(series_id, own) for series_id, own in found.items()]


@router.post("/passenger-series/{series_id}/accept")
def accept(request: Request, driver: Driver, series_id: uuid.UUID) -> SeriesAnswered:
    """Accept all that a rider asks for by a series."""
    return _answer(request, driver, series_id, BookingEvent.ACCEPT)


@router.post("/passenger-series/{series_id}/decline")
def decline(request: Request, driver: Driver, series_id: uuid.UUID) -> SeriesAnswered:
    """Decline all that is still asked for; what was accepted stays."""
    return _answer(request, driver, series_id, BookingEvent.DECLINE)


@router.post("/passenger-series/{series_id}/cancel")
def cancel(request: Request, driver: Driver, series_id: uuid.UUID) -> SeriesAnswered:
    """Not take a rider along any more who comes by a series; he owes nothing."""
    return _answer(request, driver, series_id, BookingEvent.CANCEL_DRIVER)


def _answer(
    request: Request, driver: Principal, series_id: uuid.UUID, event: BookingEvent
) -> SeriesAnswered:
    desk, now = counted_driver(request, driver)
    answer = answer_series(desk, driver, series_id, event, now=now)
    return SeriesAnswered(done=answer.done, left=answer.left)


def _passenger(series_id: uuid.UUID, rides: Sequence[SeriesRide]) -> PassengerSeries:
    names = PassengerDate.model_fields
    return PassengerSeries(
        id=series_id,
        rider=rides[0].rider,
        seats=rides[0].seats,
        dates=[PassengerDate(**{name: getattr(ride, name) for name in names}) for ride in rides],
    )


def _facts(request: Request, found: Sequence[StoredSeries]) -> list[SeriesFacts]:
    with installation_of(request).engine.connect() as connection:
        dates = dates_with_bookings(connection, [stored.series.id for stored in found])
        offers = list_offers(connection, {offer for stored in found for offer in _offers(stored)})
        seated = {b.ride_id for own in dates.values() for _, bs in own for b in bs if b.takes_seats}
        versions = booked_versions(connection, seated)
    zone = world_of(request).network.zone
    shown = []
    for stored in found:
        series, own = stored.series, dates[stored.series.id]
        rides = {b.ride_id for _, bookings in own for b in bookings if b.takes_seats}
        held = {versions[ride_id] for ride_id in rides}
        shown.append(
            SeriesFacts(
                id=series.id,
                weekdays=[day for day in WEEKDAYS if day in series.weekdays],
                first=series.first(zone),
                until=series.until,
                both_or_none=series.both_or_none,
                seats=series.out[0].seats,
                pickup_name=point_name(request, series.out[0].pickup),
                dropoff_name=point_name(request, series.out[-1].dropoff),
                created_at=stored.created_at,
                ended_at=stored.ended_at,
                offers=[_offer(offers[offer], held) for offer in _offers(stored)],
                dates=[_date(date, bookings) for date, bookings in own],
            )
        )
    return shown


def _offer(offer: SeriesOffer, held: Collection[tuple[uuid.UUID, int]]) -> SeriesOfferFacts:
    changed = any(of == offer.offer_id and version != offer.version for of, version in held)
    return SeriesOfferFacts(offer_id=offer.offer_id, state=offer.state, changed=changed)


def _offers(stored: StoredSeries) -> list[uuid.UUID]:
    quotes = (*stored.series.out, *stored.series.back)
    return list(dict.fromkeys(uuid.UUID(quote.offer) for quote in quotes))


def _date(date: SeriesDate, bookings: Sequence[Booking]) -> DateFacts:
    names = DateBooking.model_fields
    return DateFacts(
        date=date.date,
        way=date.way,
        answer=answer_of(date.reason, bookings),
        reason=date.reason,
        bookings=[DateBooking(**{name: getattr(b, name) for name in names}) for b in bookings],
    )
