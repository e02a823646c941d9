"""Bookings of whoever is signed in as a rider: /mobility/v1/bookings."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from carpool.audience import Need
from carpool.bookings import BEFORE_CONFIRMED, SEATED, Booking, BookingEvent, BookingState
from carpool.ratings import UNRATED, Score
from core.geo import Coordinate
from mobility.actions.book_seats import confirm_seats, hold_seats, own_booking
from mobility.actions.change_booking import Said, Side, change_booking, resolve_complaint
from mobility.actions.plan_b import work_out_fallbacks
from mobility.actions.return_trip import offer_return
from mobility.actions.ride_desk import RideDesk
from mobility.api.access import Authority, IdempotencyKey, Rider, installation_of, now_of
from mobility.api.answers import world_of
from mobility.api.offers import Place, VehicleContent
from mobility.api.plan import turns
from mobility.db.journeys import Fallbacks, JourneyEnds, read_journeys
from mobility.db.ratings import scores_of, stars_given
from mobility.db.rides import SqlRideStore
from mobility.db.series import series_of
from mobility.db.users import aliases_of
from mobility.users.scopes import Principal
from routing.itinerary import Family

router = APIRouter(prefix="/mobility/v1/bookings", tags=["bookings"])
WRITES, WINDOW_S = 300, 3_600
"""Changes of one rider in an hour."""
PAGE = 100
KNOWS_CAR = SEATED - BEFORE_CONFIRMED
"""States in which a rider is shown by what car he is met."""


class Journey(BaseModel):
    """From where to where a rider travels, the booked rides on the way."""

    model_config = ConfigDict(extra="forbid")

    start: Place
    end: Place

    @property
    def ends(self) -> JourneyEnds:
        """The same as coordinates; raises `InvalidInput` for those that no place has."""
        return JourneyEnds(*(Coordinate(end.lat, end.lon) for end in (self.start, self.end)))


QuoteText = Annotated[str, Field(max_length=2_000)]


class Wanted(BaseModel):
    """Rides of one journey, as an answer of `plan` quotes them."""

    model_config = ConfigDict(extra="forbid")

    quotes: Annotated[list[QuoteText], Field(min_length=1, max_length=4)]
    """`mobility.quote` of each carpool leg, in order: all are held, or none."""
    confirm: bool = False
    """Confirm at once what is held."""
    journey: Journey | None = None
    """From where to where the rider travels: what plan B and the way home are for."""


class WayFacts(BaseModel):
    """A way that was found, in short."""

    leave_at: dt.datetime
    arrive_at: dt.datetime
    family: Family


class FallbackFacts(BaseModel):
    """What the rider has besides, as it was when he booked; null where there is nothing."""

    plan_b: WayFacts | None
    """If the driver does not come: the way that gets there first."""
    way_home: WayFacts | None
    """The last way back on the day."""


class ReturnSearch(BaseModel):
    """Parameters of `plan` by which the rider finds his way back on the same day."""

    fromPlace: str  # noqa: N815 — as the parameters are called
    toPlace: str  # noqa: N815
    time: dt.datetime
    passengers: int


class BookingFacts(BaseModel):
    """A booking, to its rider."""

    id: uuid.UUID
    ride_id: uuid.UUID
    driver: str
    """The name by which others know the driver."""
    driver_stars: float | None
    """What others think of him, 1 to 5; null before the first rating."""
    driver_ratings: int
    together_id: uuid.UUID
    """The same for the rides of one journey."""
    state: BookingState
    seats: int
    needs: list[Need]
    """What the rider brings along."""
    vehicle: VehicleContent | None
    """The car, from when the booking is confirmed until the ride is over."""
    pickup_point: str
    pickup_name: str
    dropoff_point: str
    dropoff_name: str
    pickup_door: Place | None
    dropoff_door: Place | None
    """Where the driver comes to the door; the meeting points above stand for it to others."""
    pickup_from: dt.datetime
    pickup_to: dt.datetime
    """The driver comes between these."""
    dropoff_by: dt.datetime
    """Whatever others book, the rider is there by then."""
    price_cents: int | None
    currency: str
    code: str | None
    """What the rider tells the driver when getting in; from when the booking is confirmed."""
    until: dt.datetime | None
    """When it ends by itself, unless it is answered."""
    late_s: int
    """By how much the driver has said to be late."""
    fallback: FallbackFacts | None
    stars_given: int | None
    """How its rider has rated it; null before."""
    series_id: uuid.UUID | None
    """The weekly series that it belongs to."""
    return_search: ReturnSearch | None = None
    """The way back, to whoever has just booked and is not on the way again later on that day."""


class BookingPage(BaseModel):
    """A page of bookings, the newest first."""

    bookings: list[BookingFacts]
    next: uuid.UUID | None
    """`after` of the page behind it."""


class Happened(BaseModel):
    """When something happened, if not now: a phone without network tells later."""

    model_config = ConfigDict(extra="forbid")

    at: dt.datetime | None = None


def desk_of(request: Request) -> RideDesk:
    """Where this process books rides."""
    here = installation_of(request)
    world = world_of(request)
    return RideDesk(here.engine, here.wakeups, world.snapshot, world.epoch)


def point_name(request: Request, point_id: str) -> str:
    """Name of a meeting point; its id where the snapshot has lost it."""
    network = world_of(request).network
    row = network.point_row.get(point_id)
    return point_id if row is None else network.points.name[row]


def name_of_end(request: Request, point_id: str, door: Coordinate | None) -> str:
    """Street of a door, or name of a meeting point."""
    street = None if door is None else world_of(request).network.street_name(door)
    return street or point_name(request, point_id)


def place_of(door: Coordinate | None) -> Place | None:
    """A door as answers have it."""
    return None if door is None else Place(lat=door.lat, lon=door.lon)


def show_bookings(request: Request, bookings: Sequence[Booking]) -> list[BookingFacts]:
    """Bookings as their rider sees them."""
    with installation_of(request).engine.connect() as connection:
        drivers = SqlRideStore(connection).drivers_of({booking.ride_id for booking in bookings})
        aliases = aliases_of(connection, drivers.values())
        scores = scores_of(connection, drivers.values(), now_of(request))
        given = stars_given(connection, {booking.id for booking in bookings}, Side.RIDER)
        together = {booking.together_id for booking in bookings}
        journeys = read_journeys(connection, together)
        series = series_of(connection, together)
        known = {booking.ride_id for booking in bookings if booking.state in KNOWS_CAR}
        cars = SqlRideStore(connection).vehicles_of(known)
    shown = []
    for booking in bookings:
        driver_id, journey = drivers[booking.ride_id], journeys.get(booking.together_id)
        driver = aliases[driver_id], scores.get(driver_id, UNRATED)
        fallbacks = None if journey is None else journey.fallbacks
        facts = _facts(request, booking, driver, fallbacks)
        facts.stars_given = given.get(booking.id)
        facts.series_id = series.get(booking.together_id)
        if booking.state in KNOWS_CAR:
            car = cars.get(booking.ride_id)
            facts.vehicle = None if car is None else VehicleContent(**car)
        shown.append(facts)
    return shown


def _show_booked(request: Request, journey: Sequence[Booking]) -> list[BookingFacts]:
    """The same of a journey that was just booked, its last ride with the way back."""
    shown, zone = show_bookings(request, journey), world_of(request).network.zone
    with installation_of(request).engine.connect() as connection:
        back = offer_return(connection, journey, zone)
    if back is not None:
        start, end = (f"{place.lat:.6f},{place.lon:.6f}" for place in back.ends)
        shown[-1].return_search = ReturnSearch(
            fromPlace=start, toPlace=end, time=back.at, passengers=journey[-1].seats
        )
    return shown


def _facts(
    request: Request, booking: Booking, driver: tuple[str, Score], fallbacks: Fallbacks | None
) -> BookingFacts:
    alias, score = driver
    named = {
        "driver": alias,
        "driver_stars": score.stars,
        "driver_ratings": score.count,
        "stars_given": None,
        "series_id": None,
        "return_search": None,
        "vehicle": None,
        "needs": sorted(booking.needs),
        "pickup_name": name_of_end(request, booking.pickup_point, booking.pickup_door),
        "dropoff_name": name_of_end(request, booking.dropoff_point, booking.dropoff_door),
        "pickup_door": place_of(booking.pickup_door),
        "dropoff_door": place_of(booking.dropoff_door),
        "fallback": fallbacks and _fallback(booking, fallbacks),
    }
    own = set(BookingFacts.model_fields) - set(named)
    values = {name: getattr(booking, name) for name in own} | named
    if booking.state in BEFORE_CONFIRMED:
        values["code"] = None
    return BookingFacts(**values)


def _fallback(booking: Booking, fallbacks: Fallbacks) -> FallbackFacts:
    plan_b, way_home = (
        None if way is None else WayFacts(**way._asdict())
        for way in (fallbacks.plan_b.get(booking.id), fallbacks.way_home)
    )
    return FallbackFacts(plan_b=plan_b, way_home=way_home)


def said(given: Happened | None, now: dt.datetime, code: str | None = None) -> Said:
    """What was told with a request, its time with an offset."""
    at = None if given is None else given.at
    return Said(now if at is None else at if at.tzinfo else at.replace(tzinfo=dt.UTC), code)


@router.post("", status_code=201)
def book(
    request: Request, rider: Rider, given: Wanted, key: IdempotencyKey = None
) -> list[BookingFacts]:
    """Hold the seats of a journey for five minutes, and confirm them at once if so wanted."""
    desk, world, now = counted(request, rider), world_of(request), now_of(request)
    ends = None if given.journey is None else given.journey.ends
    held = hold_seats(desk, rider, given.quotes, world.quote_key, key=key, now=now, ends=ends)
    with turns:
        work_out_fallbacks(world, desk, held)
    if given.confirm and all(booking.state is BookingState.HELD for booking in held):
        held = confirm_seats(desk, rider, held[0].id, now=now)
    return _show_booked(request, held)


@router.get("")
def list_own(
    request: Request,
    rider: Rider,
    after: uuid.UUID | None = None,
    count: Annotated[int, Query(ge=1, le=PAGE)] = PAGE,
) -> BookingPage:
    """List one's own bookings, the newest first, whatever became of them."""
    with installation_of(request).engine.connect() as connection:
        found = SqlRideStore(connection).list_of_rider(rider.person_id, after=after, count=count)
    following = found[-1].id if len(found) == count else None
    return BookingPage(bookings=show_bookings(request, found), next=following)


@router.get("/{booking_id}")
def read_own(request: Request, rider: Rider, booking_id: uuid.UUID) -> BookingFacts:
    """Read one of one's own bookings."""
    with installation_of(request).engine.connect() as connection:
        booking = own_booking(SqlRideStore(connection), rider, booking_id)
    return show_bookings(request, [booking])[0]


@router.post("/{booking_id}/confirm")
def confirm(request: Request, rider: Rider, booking_id: uuid.UUID) -> list[BookingFacts]:
    """Take the seats that are held, of all rides of the journey."""
    desk = counted(request, rider)
    now = now_of(request)
    return _show_booked(request, confirm_seats(desk, rider, booking_id, now=now))


@router.post("/{booking_id}/cancel")
def cancel(request: Request, rider: Rider, booking_id: uuid.UUID) -> BookingFacts:
    """Give a seat back."""
    return _act(request, rider, booking_id, BookingEvent.CANCEL_RIDER)


@router.post("/{booking_id}/accept-change")
def accept_change(request: Request, rider: Rider, booking_id: uuid.UUID) -> BookingFacts:
    """Stay, although the driver is late."""
    return _act(request, rider, booking_id, BookingEvent.ACCEPT_CHANGE)


@router.post("/{booking_id}/refuse-change")
def refuse_change(request: Request, rider: Rider, booking_id: uuid.UUID) -> BookingFacts:
    """Leave, as the driver does not keep what he promised."""
    return _act(request, rider, booking_id, BookingEvent.REFUSE_CHANGE)


@router.post("/{booking_id}/driver-absent")
def driver_absent(
    request: Request, rider: Rider, booking_id: uuid.UUID, given: Happened | None = None
) -> BookingFacts:
    """Say that the driver did not come: from fifteen minutes after the pick-up window on."""
    return _act(request, rider, booking_id, BookingEvent.NO_SHOW_DRIVER, given)


@router.post("/{booking_id}/complain")
def complain(request: Request, rider: Rider, booking_id: uuid.UUID) -> BookingFacts:
    """Complain about a ride, for seven days."""
    return _act(request, rider, booking_id, BookingEvent.COMPLAIN)


@router.post("/{booking_id}/resolve")
def resolve(request: Request, authority: Authority, booking_id: uuid.UUID) -> BookingFacts:
    """Close a complaint that was looked at."""
    now = now_of(request)
    resolved = resolve_complaint(desk_of(request), authority, booking_id, now=now)
    after = show_bookings(request, [resolved])[0]
    after.code = after.fallback = after.vehicle = None
    return after


def _act(
    request: Request,
    rider: Principal,
    booking_id: uuid.UUID,
    event: BookingEvent,
    given: Happened | None = None,
) -> BookingFacts:
    desk, now = counted(request, rider), now_of(request)
    after = change_booking(desk, rider, Side.RIDER, booking_id, event, said(given, now), now=now)
    return show_bookings(request, [after])[0]


def counted(request: Request, rider: Principal) -> RideDesk:
    """Where a rider books, one more of his requests counted."""
    limits = installation_of(request).limits
    limits.count(f"bookings:{rider.user_id}", most=WRITES, per_s=WINDOW_S)
    return desk_of(request)
