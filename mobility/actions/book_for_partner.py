"""Another operator books: a seat for its rider in a car of ours, or our rider for its driver."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from carpool.bookings import Booking, BookingEvent, BookingState, BookingStateConflict
from carpool.partner_bookings import SAID_BY_OPERATOR, Kind, Status, check_step
from carpool.quotes import read_quote, sign_quote
from core.errors import Conflict, InvalidInput
from core.geo import Coordinate
from mobility.actions.book_seats import confirm_seats, hold_seats
from mobility.actions.change_booking import Said, Side, change_booking
from mobility.actions.ride_desk import RideDesk
from mobility.actions.search_rides import Around, search_rides
from mobility.db.changes import lock_changes
from mobility.db.engine import Connection
from mobility.db.notices import tell
from mobility.db.partners import (
    PartnerBooking,
    PartnerBookingKnown,
    PartnerBookingNotFound,
    add_partner_booking,
    find_or_add_person,
    find_partner_booking,
    set_said,
)
from mobility.db.rides import SqlRideStore
from mobility.db.wishes import list_shared
from mobility.mapping.shared_wishes import read_wish_id
from mobility.users.scopes import Principal, Scope
from mobility.world import World

PARTNER_BOOKING, PARTNER_MESSAGE = "partner_booking", "partner_message"
"""Notices of what comes from other operators."""
SAME_PLACE_M, SAME_TIME_S = 100.0, 60
"""How near a booking without a journey's id has to be to what a driver of that name offers."""
ALIAS_LENGTH = 60


class JourneyMissing(InvalidInput):
    """There is no journey by which this could be booked."""

    code = "missing_journey"


def book_for_partner(
    desk: RideDesk,
    world: World,
    owner: Principal,
    operator: str,
    content: Mapping[str, Any],
    *,
    now: dt.datetime,
) -> PartnerBooking:
    """
    Take a booking that another operator makes, once for each of its ids.

    Parameters
    ----------
    owner
        The program that makes it.
    operator
        Host name by which other operators know this one.
    content
        A checked `Booking` of the Standard Covoiturage.

    Raises
    ------
    InvalidInput, JourneyMissing, Conflict
        It is not about anybody here, the journey is gone or full, or the id is known.
    """
    if content["status"] != Status.WAITING_CONFIRMATION:
        raise InvalidInput("status: a new booking is WAITING_CONFIRMATION")
    ours = [side for side in ("driver", "passenger") if content[side]["operator"] == operator]
    if len(ours) != 1:
        raise InvalidInput(f"either the driver or the passenger has the operator {operator}")
    with desk.engine.connect() as connection:
        if find_partner_booking(connection, owner.user_id, content["id"]) is not None:
            raise PartnerBookingKnown(f"there is a booking {content['id']} already")
    if ours == ["driver"]:
        _take_seat(desk, world, owner, content, now)
    else:
        _ask_rider(desk, owner, content, now)
    return get_partner_booking(desk, owner, content["id"])


def get_partner_booking(desk: RideDesk, owner: Principal, outside_id: str) -> PartnerBooking:
    """A booking that this operator has made or told; raises `PartnerBookingNotFound`."""
    with desk.engine.connect() as connection:
        found = find_partner_booking(connection, owner.user_id, outside_id)
    if found is None:
        raise PartnerBookingNotFound(f"there is no booking {outside_id}")
    return found


def _take_seat(
    desk: RideDesk, world: World, owner: Principal, content: Mapping[str, Any], now: dt.datetime
) -> None:
    quote = content.get("driverJourneyId") or _quote_like(world, content, now)
    published = world.published.get(read_quote(quote, world.quote_key).offer)
    if published is None or published.offer.driver != content["driver"]["id"]:
        raise JourneyMissing("this driver offers no such journey: search again")
    rider = content["passenger"]
    with desk.engine.begin() as connection:
        person_id = find_or_add_person(
            connection, owner.user_id, rider["operator"], rider["id"], _alias(rider), now
        )

    def note(connection: Connection, held: Sequence[Booking]) -> None:
        add_partner_booking(connection, _new(owner, Kind.SEAT, content, booking=held[0].id), now)

    stand_in = _stand_in(owner, person_id)
    held = hold_seats(desk, stand_in, [quote], world.quote_key, key=None, now=now, also=note)
    # What happens in between is told by the booking's status.
    with suppress(Conflict):
        confirm_seats(desk, stand_in, held[0].id, now=now)


def _ask_rider(
    desk: RideDesk, owner: Principal, content: Mapping[str, Any], now: dt.datetime
) -> None:
    wish_id = read_wish_id(content.get("passengerJourneyId") or content["passenger"]["id"])
    with desk.engine.begin() as connection:
        shared = [] if wish_id is None else list_shared(connection, now.date(), wish_id)
        if not shared:
            raise JourneyMissing("this passenger looks for no such journey: search again")
        rider_id = shared[0].wish.rider_id
        new = _new(owner, Kind.ASKED, content, person=rider_id, said=Status.WAITING_CONFIRMATION)
        add_partner_booking(connection, new, now)
        tell_rider(connection, new, now)


def change_partner_booking(
    desk: RideDesk,
    owner: Principal,
    outside_id: str,
    status: Status,
    message: str | None,
    *,
    now: dt.datetime,
) -> None:
    """
    Let the other operator say what became of a booking.

    Raises
    ------
    PartnerBookingNotFound
        It has made no such booking.
    StatusAlreadySet, BookingStateConflict
        The booking has this status, or cannot get it any more.
    """
    found = get_partner_booking(desk, owner, outside_id)
    check_step(found.status, status)
    if found.kind is Kind.SEAT:
        _change_seat(desk, owner, found, status, message, now)
        return
    with desk.engine.begin() as connection:
        locked = find_partner_booking(connection, owner.user_id, outside_id, lock=True)
        assert locked is not None
        check_step(locked.status, status)
        if locked.kind is Kind.ASKED and status is Status.CONFIRMED:
            raise BookingStateConflict("the passenger has not answered yet")
        set_said(connection, locked.id, status, now)
        tell_rider(connection, locked, now, status=status, message=message)


def _change_seat(
    desk: RideDesk,
    owner: Principal,
    found: PartnerBooking,
    status: Status,
    message: str | None,
    now: dt.datetime,
) -> None:
    """Change a seat in a car of ours; what is said of a ride that is over moves nothing here."""
    assert found.booking_id is not None

    def check(connection: Connection) -> None:
        again = find_partner_booking(connection, owner.user_id, found.outside_id, lock=True)
        assert again is not None
        check_step(again.status, status)

    with desk.engine.connect() as connection:
        booking, driver_id = SqlRideStore(connection).find_booking(found.booking_id)
    stand_in = _stand_in(owner, booking.rider_id)
    if status is Status.CANCELLED:
        event, side = BookingEvent.CANCEL_RIDER, Side.RIDER
        change_booking(desk, stand_in, side, booking.id, event, Said(now), now=now, also=check)
    elif status is Status.CONFIRMED:
        if booking.state is not BookingState.HELD:
            raise BookingStateConflict("the driver has not answered yet")
        confirm_seats(desk, stand_in, booking.id, now=now)
    with desk.engine.begin() as connection:
        if status in SAID_BY_OPERATOR:
            SqlRideStore(connection).lock_ride(booking.ride_id)
            check(connection)
            set_said(connection, found.id, status, now)
        if message:
            lock_changes(connection)
            content = {"booking_id": str(booking.id), "message": message}
            tell(connection, driver_id, PARTNER_MESSAGE, content, now)


def tell_rider(
    connection: Connection,
    about: PartnerBooking,
    now: dt.datetime,
    *,
    status: Status | None = None,
    message: str | None = None,
) -> None:
    """Tell our rider of a booking with another operator, or of what became of it."""
    if about.person_id is None:
        return
    content = about.content
    driver = content.get("driver", {})
    told = {
        "partner_booking_id": str(about.id),
        "status": status or about.status,
        "driver": driver.get("alias"),
        "operator": driver.get("operator"),
        "pickup_at": pickup_at(content).isoformat(),
        "message": message,
    }
    lock_changes(connection)  # readers who go on from the last number miss none
    tell(connection, about.person_id, PARTNER_BOOKING, told, now)


def pickup_at(content: Mapping[str, Any]) -> dt.datetime:
    """When a booking's passenger is picked up."""
    return dt.datetime.fromtimestamp(int(content["passengerPickupDate"]), dt.UTC)


def _quote_like(world: World, content: Mapping[str, Any], now: dt.datetime) -> str:
    """Quote of what a booking without a journey's id is about."""
    around = Around(
        Coordinate(content["passengerPickupLat"], content["passengerPickupLng"]),
        Coordinate(content["passengerDropLat"], content["passengerDropLng"]),
        SAME_PLACE_M, SAME_PLACE_M, SAME_TIME_S,
    )  # fmt: skip
    for ride in search_rides(world, around, pickup_at(content), now=now):
        if ride.offer.driver == content["driver"]["id"]:
            return sign_quote(ride.quote, world.quote_key)
    raise JourneyMissing("this driver offers no journey there and then: search again")


def _new(
    owner: Principal,
    kind: Kind,
    content: Mapping[str, Any],
    *,
    booking: uuid.UUID | None = None,
    person: uuid.UUID | None = None,
    said: Status | None = None,
) -> PartnerBooking:
    return PartnerBooking(
        id=uuid.uuid4(),
        owner_id=owner.user_id,
        outside_id=content["id"],
        kind=kind,
        content=content,
        said=said,
        booking_id=booking,
        person_id=person,
        state=None,
    )


def _stand_in(owner: Principal, person_id: uuid.UUID) -> Principal:
    """The program, acting for a rider of its operator."""
    rider = frozenset({Scope.RIDER})
    return Principal(owner.user_id, person_id, owner.session_id, rider, owner.kind)


def _alias(rider: Mapping[str, Any]) -> str:
    """By what drivers know another operator's rider."""
    name = "".join(c for c in rider["alias"] if c.isprintable() and c != "@")
    name = " ".join(name.split())[:ALIAS_LENGTH] or "Passager"
    return f"{name} ({rider['operator']})"
