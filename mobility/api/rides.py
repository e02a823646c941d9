"""Rides that somebody has booked, to their drivers; and what people are told."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from carpool.audience import Need
from carpool.bookings import Booking, BookingEvent, BookingState, RideState
from carpool.ports import StoredRide
from carpool.ratings import UNRATED, Score
from carpool.tracking import is_sure
from core.geo import Coordinate
from mobility.actions.assist_rider import tell_by_agent
from mobility.actions.change_booking import Side, change_booking
from mobility.actions.ride_desk import RideDesk
from mobility.actions.run_ride import LATE_LIMIT_S, be_late, cancel_ride, end_ride, start_ride
from mobility.api.access import Driver, SignedIn, installation_of, now_of
from mobility.api.answers import world_of
from mobility.api.bookings import Happened, desk_of, name_of_end, place_of, said
from mobility.api.offers import Place
from mobility.db.assisted import are_assisted
from mobility.db.notices import list_notices, mark_read
from mobility.db.ratings import scores_of, stars_given
from mobility.db.rides import SqlRideStore
from mobility.db.users import aliases_of
from mobility.users.scopes import Principal

router = APIRouter(prefix="/mobility/v1", tags=["rides"])
WRITES, WINDOW_S = 300, 3_600
"""Acts of one driver in an hour."""
CODE_TRIES = 10
"""Codes that are tried for one rider in that time."""
PAGE = 100


class _Person(NamedTuple):
    alias: str
    score: Score
    by_agent: bool


class Passenger(BaseModel):
    """A booking, to the driver."""

    booking_id: uuid.UUID
    rider: str
    """The name by which others know the rider."""
    by_agent: bool
    """Whether he has only a telephone: an agent tells him what is said by `…/tell`."""
    rider_stars: float | None
    """What others think of him, 1 to 5; null before the first rating."""
    rider_ratings: int
    state: BookingState
    seats: int
    needs: list[Need]
    """What the rider brings along."""
    pickup_point: str
    pickup_name: str
    dropoff_point: str
    dropoff_name: str
    pickup_door: Place | None
    dropoff_door: Place | None
    """His doors, from when the booking is confirmed until he got out; the points stand for them."""
    pickup_from: dt.datetime
    pickup_to: dt.datetime
    dropoff_by: dt.datetime
    until: dt.datetime | None
    """Until when the driver, or the rider, may answer."""


class DonePassenger(BaseModel):
    """A rider whose ride is over, to the driver, who may rate him for seven days."""

    booking_id: uuid.UUID
    rider: str
    state: BookingState
    stars_given: int | None


class Stop(BaseModel):
    """Where the driver lets somebody in or out, in the order of the drive."""

    point: str
    name: str
    at_door: bool
    """Whether it is at the rider's door; the point is then near it."""
    door: Place | None
    """Where that is, from when the booking is confirmed until he got out."""
    at: dt.datetime
    booking_id: uuid.UUID
    is_pickup: bool


class RideFacts(BaseModel):
    """A dated ride, to its driver."""

    id: uuid.UUID
    offer_id: uuid.UUID
    date: dt.date
    state: RideState
    version: int
    late_s: int
    stops: list[Stop]
    passengers: list[Passenger]
    done: list[DonePassenger]
    """Those who were driven, or did not meet the driver."""


class Late(BaseModel):
    """By how much the driver is late."""

    model_config = ConfigDict(extra="forbid")

    late_s: Annotated[int, Field(ge=0, le=LATE_LIMIT_S)]
    """0 if he is on time after all."""


class CheckIn(Happened):
    """A rider gets in."""

    code: Annotated[str, Field(max_length=20)]
    """What the rider has told the driver; without network it is sent later, with its time."""


class Message(BaseModel):
    """What a driver wants a rider to be told."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(min_length=1, max_length=300, pattern=r"^[^\x00]*$")]


class NoticeFacts(BaseModel):
    """Something that a person is told."""

    id: int
    kind: str
    content: dict[str, Any]
    at: dt.datetime
    read_at: dt.datetime | None


@router.get("/rides")
def list_driven(
    request: Request,
    driver: Driver,
    since: dt.date | None = None,
    count: Annotated[int, Query(ge=1, le=PAGE)] = PAGE,
) -> list[RideFacts]:
    """List one's rides that somebody has booked, from a day on; from today if none is said."""
    day = since or now_of(request).astimezone(world_of(request).network.zone).date()
    with installation_of(request).engine.connect() as connection:
        rides = SqlRideStore(connection).list_driven(driver.person_id, since=day, count=count)
    return _facts(request, rides)


@router.get("/rides/{ride_id}")
def read_driven(request: Request, driver: Driver, ride_id: uuid.UUID) -> RideFacts:
    """Read one of one's rides."""
    with installation_of(request).engine.connect() as connection:
        ride = SqlRideStore(connection).get_driven(driver.person_id, ride_id)
    return _facts(request, [ride])[0]


@router.post("/rides/{ride_id}/start")
def start(request: Request, driver: Driver, ride_id: uuid.UUID) -> RideFacts:
    """Leave: from now on nobody books."""
    desk, now = counted_driver(request, driver)
    return _facts(request, [start_ride(desk, driver, ride_id, now=now)])[0]


@router.post("/rides/{ride_id}/end")
def end(request: Request, driver: Driver, ride_id: uuid.UUID) -> RideFacts:
    """Arrive: whoever is aboard has been driven."""
    desk, now = counted_driver(request, driver)
    return _facts(request, [end_ride(desk, driver, ride_id, now=now)])[0]


@router.post("/rides/{ride_id}/late")
def late(request: Request, driver: Driver, ride_id: uuid.UUID, given: Late) -> RideFacts:
    """Be late: riders are told, and asked where it breaks what they were promised."""
    desk, now = counted_driver(request, driver)
    return _facts(request, [be_late(desk, driver, ride_id, given.late_s, now=now)])[0]


@router.post("/rides/{ride_id}/cancel")
def cancel(request: Request, driver: Driver, ride_id: uuid.UUID) -> RideFacts:
    """Not drive, or break down on the way: riders are told and owe nothing."""
    desk, now = counted_driver(request, driver)
    return _facts(request, [cancel_ride(desk, driver, ride_id, now=now)])[0]


@router.post("/rides/{ride_id}/passengers/{booking_id}/accept")
def accept(
    request: Request, driver: Driver, ride_id: uuid.UUID, booking_id: uuid.UUID
) -> RideFacts:
    """Accept a rider who asks."""
    return _act(request, driver, ride_id, booking_id, BookingEvent.ACCEPT)


@router.post("/rides/{ride_id}/passengers/{booking_id}/decline")
def decline(
    request: Request, driver: Driver, ride_id: uuid.UUID, booking_id: uuid.UUID
) -> RideFacts:
    """Not accept a rider who asks."""
    return _act(request, driver, ride_id, booking_id, BookingEvent.DECLINE)


@router.post("/rides/{ride_id}/passengers/{booking_id}/cancel")
def cancel_passenger(
    request: Request, driver: Driver, ride_id: uuid.UUID, booking_id: uuid.UUID
) -> RideFacts:
    """Not take one rider along, who owes nothing."""
    return _act(request, driver, ride_id, booking_id, BookingEvent.CANCEL_DRIVER)


@router.post("/rides/{ride_id}/passengers/{booking_id}/board")
def board(
    request: Request,
    driver: Driver,
    ride_id: uuid.UUID,
    booking_id: uuid.UUID,
    given: CheckIn,
) -> RideFacts:
    """Let a rider in, by the code that he was given."""
    limits = installation_of(request).limits
    limits.count(f"code:{booking_id}", most=CODE_TRIES, per_s=WINDOW_S)
    return _act(request, driver, ride_id, booking_id, BookingEvent.BOARD, given, given.code)


@router.post("/rides/{ride_id}/passengers/{booking_id}/alight")
def alight(
    request: Request,
    driver: Driver,
    ride_id: uuid.UUID,
    booking_id: uuid.UUID,
    given: Happened | None = None,
) -> RideFacts:
    """Let a rider out: the ride is used, and billed."""
    return _act(request, driver, ride_id, booking_id, BookingEvent.COMPLETE, given)


@router.post("/rides/{ride_id}/passengers/{booking_id}/absent")
def absent(
    request: Request,
    driver: Driver,
    ride_id: uuid.UUID,
    booking_id: uuid.UUID,
    given: Happened | None = None,
) -> RideFacts:
    """Say that a rider did not come: from five minutes after the pick-up window on."""
    return _act(request, driver, ride_id, booking_id, BookingEvent.NO_SHOW_RIDER, given)


@router.post("/rides/{ride_id}/passengers/{booking_id}/tell", status_code=204)
def tell_passenger(
    request: Request, driver: Driver, ride_id: uuid.UUID, booking_id: uuid.UUID, given: Message
) -> None:
    """Have an agent call a rider who has only a telephone."""
    desk, now = counted_driver(request, driver)
    tell_by_agent(desk.engine, driver, ride_id, booking_id, given.text, now=now)


@router.get("/notices", tags=["notices"])
def notices(
    request: Request,
    person: SignedIn,
    after: Annotated[int, Query(ge=0, lt=2**63)] = 0,
    count: Annotated[int, Query(ge=1, le=PAGE)] = PAGE,
    *,
    newest: Annotated[bool, Query(description="The last ones, the newest first.")] = False,
) -> list[NoticeFacts]:
    """List what one was told, in order, from behind a notice on."""
    with installation_of(request).engine.connect() as connection:
        found = list_notices(connection, person.person_id, after=after, count=count, newest=newest)
    return [NoticeFacts(**{n: getattr(f, n) for n in NoticeFacts.model_fields}) for f in found]


@router.post("/notices/{notice_id}/read", status_code=204, tags=["notices"])
def read_notices(
    request: Request, person: SignedIn, notice_id: Annotated[int, Field(ge=0, lt=2**63)]
) -> Response:
    """Note that one has read what one was told up to a notice."""
    now = now_of(request)
    with installation_of(request).engine.begin() as connection:
        mark_read(connection, person.person_id, notice_id, now)
    return Response(status_code=204)


def _act(
    request: Request,
    driver: Principal,
    ride_id: uuid.UUID,
    booking_id: uuid.UUID,
    event: BookingEvent,
    given: Happened | None = None,
    code: str | None = None,
) -> RideFacts:
    desk, now = counted_driver(request, driver)
    told = said(given, now, code)
    change_booking(desk, driver, Side.DRIVER, booking_id, event, told, now=now, ride_id=ride_id)
    return read_driven(request, driver, ride_id)


def counted_driver(request: Request, driver: Principal) -> tuple[RideDesk, dt.datetime]:
    """Where a driver acts and when, one more of his requests counted."""
    limits = installation_of(request).limits
    limits.count(f"rides:{driver.user_id}", most=WRITES, per_s=WINDOW_S)
    return desk_of(request), now_of(request)


def _facts(request: Request, rides: list[StoredRide]) -> list[RideFacts]:
    with installation_of(request).engine.connect() as connection:
        done = SqlRideStore(connection).list_driven_on({ride.id for ride in rides})
        given = stars_given(connection, {booking.id for booking in done}, Side.DRIVER)
        taken = [booking for ride in rides for booking in ride.bookings]
        riders = {booking.rider_id for booking in (*taken, *done)}
        aliases = aliases_of(connection, riders)
        scores = scores_of(connection, riders, now_of(request))
        by_agent = are_assisted(connection, riders)
    people = {
        who: _Person(alias, scores.get(who, UNRATED), who in by_agent)
        for who, alias in aliases.items()
    }
    over: dict[uuid.UUID, list[DonePassenger]] = {ride.id: [] for ride in rides}
    for one in done:
        over[one.ride_id].append(
            DonePassenger(
                booking_id=one.id, rider=aliases[one.rider_id], state=one.state,
                stars_given=given.get(one.id),
            )
        )  # fmt: skip
    return [_ride_facts(request, ride, people, over[ride.id]) for ride in rides]


def _ride_facts(
    request: Request,
    ride: StoredRide,
    people: dict[uuid.UUID, _Person],
    done: list[DonePassenger],
) -> RideFacts:
    stops = []
    for visit in ride.plan:
        booking = ride.booking(visit.booking)
        point = booking.pickup_point if visit.is_pickup else booking.dropoff_point
        pickup_door, dropoff_door = _told_doors(booking)
        door = pickup_door if visit.is_pickup else dropoff_door
        at_door = booking.pickup_door if visit.is_pickup else booking.dropoff_door
        stops.append(
            Stop(
                point=point, name=name_of_end(request, point, door), door=place_of(door),
                at_door=at_door is not None, at=visit.at, booking_id=booking.id,
                is_pickup=visit.is_pickup,
            )
        )  # fmt: skip
    passengers = [_passenger(request, b, people[b.rider_id]) for b in ride.bookings]
    return RideFacts(
        id=ride.id, offer_id=uuid.UUID(ride.offer.id), date=ride.date, state=ride.state,
        version=ride.version, late_s=ride.late_s, stops=stops, passengers=passengers,
        done=done,
    )  # fmt: skip


def _passenger(request: Request, booking: Booking, who: _Person) -> Passenger:
    same = Passenger.model_fields.keys() & Booking.__dataclass_fields__.keys()
    own = {name: getattr(booking, name) for name in same} | {"needs": sorted(booking.needs)}
    pickup_door, dropoff_door = _told_doors(booking)
    own |= {"pickup_door": place_of(pickup_door), "dropoff_door": place_of(dropoff_door)}
    return Passenger(
        **own, booking_id=booking.id, rider=who.alias, by_agent=who.by_agent,
        rider_stars=who.score.stars, rider_ratings=who.score.count,
        pickup_name=name_of_end(request, booking.pickup_point, pickup_door),
        dropoff_name=name_of_end(request, booking.dropoff_point, dropoff_door),
    )  # fmt: skip


def _told_doors(booking: Booking) -> tuple[Coordinate | None, Coordinate | None]:
    """Doors of a booking as its driver learns of them: none before the rider is sure to come."""
    told = is_sure(booking.state)
    return (booking.pickup_door, booking.dropoff_door) if told else (None, None)
