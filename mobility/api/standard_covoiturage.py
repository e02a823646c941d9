"""The Standard Covoiturage for other carpool operators: /standard-covoiturage."""

from __future__ import annotations

import datetime as dt
import re
import threading
import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from carpool.offers import WEEKDAYS
from carpool.partner_bookings import Status
from core.errors import InvalidInput
from core.geo import Coordinate
from mobility.actions.book_for_partner import (
    book_for_partner,
    change_partner_booking,
    get_partner_booking,
)
from mobility.actions.hear_partner import hear_booking_event, hear_message
from mobility.actions.search_rides import RESULTS, Around, search_rides, search_trips
from mobility.actions.search_wishes import search_wish_trips, search_wishes
from mobility.api.access import PARTNERS_ONLY, Partner, installation_of, now_of
from mobility.api.answers import site_of, world_of
from mobility.api.bookings import desk_of
from mobility.api.standard_models import (
    Between,
    Booking,
    BookingEvent,
    Message,
    OnDate,
    OnWeekdays,
    SentMessage,
    StatusName,
)
from mobility.db.partners import PartnerBooking
from mobility.db.rides import SqlRideStore
from mobility.db.users import aliases_of
from mobility.db.wishes import SharedWish, list_shared
from mobility.mapping.standard_covoiturage import StandardWriter
from mobility.users.scopes import Principal


async def _said_once(request: Request) -> None:
    """Refuse a parameter that comes twice: lists have commas here; raises `InvalidInput`."""
    given = request.query_params
    if len(given.multi_items()) > len(given):
        raise InvalidInput("each parameter once: lists have commas between")


router = APIRouter(
    prefix="/standard-covoiturage", tags=["standard covoiturage"],
    dependencies=[Depends(_said_once)],
)  # fmt: skip
WRITES, WINDOW_S = 3_000, 3_600
"""Bookings, changes, events and messages of one program in an hour."""
SEARCHES_AT_ONCE = 1
"""Of one process: those of its own riders come first."""
_turns = threading.Semaphore(SEARCHES_AT_ONCE)
CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.\d+)?")
Json = dict[str, Any]


@router.get("/status", response_class=Response)
def status() -> Response:
    """Say that the service answers."""
    return Response()


@router.get("/driver_journeys")
def driver_journeys(request: Request, asked: Annotated[OnDate, Query()]) -> list[Json]:
    """Find rides of drivers around a moment; the `id` of each can be booked."""
    world, writer = world_of(request), writer_of(request)
    with _turns:
        found = search_rides(
            world, _around(asked), _moment(asked.departure_date), now=now_of(request)
        )
    return [writer.driver_journey(ride) for ride in found]


@router.get("/driver_regular_trips")
def driver_regular_trips(request: Request, asked: Annotated[OnWeekdays, Query()]) -> list[Json]:
    """Find recurring offers around a time of day, with the next dates of each."""
    world, writer = world_of(request), writer_of(request)
    clock_s, weekdays, dates = _regularly(request, asked)
    with _turns:
        found = search_trips(world, _around(asked), clock_s, weekdays, dates, now=now_of(request))
    return [writer.driver_regular_trip(trip) for trip in found]


@router.get("/passenger_journeys", dependencies=PARTNERS_ONLY)
def passenger_journeys(request: Request, asked: Annotated[OnDate, Query()]) -> list[Json]:
    """Find wishes around a moment whose riders agreed to be shown, near their ends."""
    wishes, writer, at = _shared(request), writer_of(request), _moment(asked.departure_date)
    with _turns:
        found = search_wishes(world_of(request), wishes, _around(asked), at, now=now_of(request))
    return [writer.passenger_journey(wish) for wish in found]


@router.get("/passenger_regular_trips", dependencies=PARTNERS_ONLY)
def passenger_regular_trips(request: Request, asked: Annotated[OnWeekdays, Query()]) -> list[Json]:
    """Find recurring wishes around a time of day whose riders agreed to be shown."""
    wishes, writer = _shared(request), writer_of(request)
    clock_s, weekdays, dates = _regularly(request, asked)
    with _turns:
        found = search_wish_trips(
            world_of(request), wishes, _around(asked), clock_s, weekdays, dates, now=now_of(request)
        )
    return [writer.passenger_regular_trip(trip) for trip in found]


@router.post("/bookings", status_code=201)
def book(request: Request, partner: Partner, given: Booking) -> Json:
    """Book a seat for a rider of another operator, or ask a rider for a driver of it."""
    _count(request, partner)
    made = book_for_partner(
        desk_of(request), world_of(request), partner, operator_of(request), given.content(),
        now=now_of(request),
    )  # fmt: skip
    return _facts(request, made)


@router.get("/bookings/{bookingId}")
def read_booking(
    request: Request,
    partner: Partner,
    bookingId: uuid.UUID,  # noqa: N803 — the standard's name
) -> Json:
    """Read a booking that this operator has made or told."""
    return _facts(request, get_partner_booking(desk_of(request), partner, str(bookingId)))


@router.patch("/bookings/{bookingId}", response_class=Response)
def change_booking(
    request: Request,
    partner: Partner,
    bookingId: uuid.UUID,  # noqa: N803 — the standard's name
    status: StatusName,
    message: Annotated[Message | None, Query()] = None,
) -> Response:
    """Say what became of a booking."""
    _count(request, partner)
    change_partner_booking(
        desk_of(request), partner, str(bookingId), Status(status), message, now=now_of(request)
    )
    return Response()


@router.post("/booking_events", response_class=Response)
def tell_booking(request: Request, partner: Partner, given: BookingEvent) -> Response:
    """Say what became of a booking that a rider of ours has with another operator."""
    _count(request, partner)
    issuer = installation_of(request).issuer
    hear_booking_event(desk_of(request), partner, issuer, given.content(), now=now_of(request))
    return Response()


@router.post("/messages", status_code=201, response_class=Response)
def send_message(request: Request, partner: Partner, given: SentMessage) -> Response:
    """Send a message to one of our drivers, or to a rider whose wish is shown."""
    _count(request, partner)
    engine = installation_of(request).engine
    hear_message(engine, operator_of(request), given.content(), now=now_of(request))
    return Response(status_code=201)


def operator_of(request: Request) -> str:
    """Host name by which other operators know this one."""
    return installation_of(request).settings.operator or request.url.hostname or "localhost"


def writer_of(request: Request) -> StandardWriter:
    """Writer of answers to this request."""
    return StandardWriter(world_of(request), operator_of(request), site_of(request))


def _facts(request: Request, found: PartnerBooking) -> Json:
    own = driver = None
    if found.booking_id is not None:
        with installation_of(request).engine.connect() as connection:
            own, driver_id = SqlRideStore(connection).find_booking(found.booking_id)
            driver = aliases_of(connection, [driver_id])[driver_id]
    return writer_of(request).booking(found, own, driver)


def _shared(request: Request) -> list[SharedWish]:
    today = now_of(request).astimezone(world_of(request).network.zone).date()
    with installation_of(request).engine.connect() as connection:
        return list_shared(connection, today)


def _around(asked: Between) -> Around:
    return Around(
        Coordinate(asked.departure_lat, asked.departure_lng),
        Coordinate(asked.arrival_lat, asked.arrival_lng),
        asked.departure_radius * 1000,
        asked.arrival_radius * 1000,
        asked.time_delta,
        min(asked.count, RESULTS),
    )


def _regularly(
    request: Request, asked: OnWeekdays
) -> tuple[int, frozenset[str], tuple[dt.date, dt.date]]:
    """Seconds of the day, days of the week, first and last date."""
    clock = CLOCK.fullmatch(asked.departure_time_of_day)
    if clock is None:
        raise InvalidInput("departureTimeOfDay: such as 07:30:00")
    hours, minutes, seconds = map(int, clock.groups())
    weekdays = frozenset(day.strip().lower() for day in asked.departure_weekdays.split(","))
    if not weekdays <= set(WEEKDAYS):
        raise InvalidInput("departureWeekdays: MON … SUN, with commas between")
    zone = world_of(request).network.zone
    first, last = (
        _moment(at).astimezone(zone).date()
        for at in (asked.min_departure_date, asked.max_departure_date)
    )
    return hours * 3600 + minutes * 60 + seconds, weekdays, (first, last)


def _moment(epoch_s: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(epoch_s, dt.UTC)


def _count(request: Request, partner: Principal) -> None:
    limits = installation_of(request).limits
    limits.count(f"partner:{partner.user_id}", most=WRITES, per_s=WINDOW_S)
