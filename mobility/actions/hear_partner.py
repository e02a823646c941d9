"""Another operator tells: of what our rider has booked there, and messages to our people."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from carpool.partner_bookings import Kind, Status
from core.errors import NotFound
from mobility.actions.book_for_partner import (
    PARTNER_MESSAGE,
    change_partner_booking,
    tell_rider,
)
from mobility.actions.ride_desk import RideDesk
from mobility.db.changes import lock_changes
from mobility.db.engine import Engine
from mobility.db.identities import find_identity
from mobility.db.notices import tell
from mobility.db.partners import (
    PartnerBooking,
    PartnerBookingKnown,
    add_partner_booking,
    find_driver,
)
from mobility.db.users import get_user
from mobility.db.wishes import list_shared
from mobility.mapping.shared_wishes import read_wish_id
from mobility.users.scopes import Principal

if TYPE_CHECKING:  # loaded only where an issuer is set
    from mobility.users.oidc import OpenIdIssuer


class RecipientUnknown(NotFound):
    """Nobody here is to be reached by this id."""

    code = "missing_user"


def hear_booking_event(
    desk: RideDesk,
    owner: Principal,
    issuer: OpenIdIssuer | None,
    event: Mapping[str, Any],
    *,
    now: dt.datetime,
) -> None:
    """
    Keep what another operator tells of a booking there; the first time the booking becomes known.

    Whose it is says the token of the event, if the issuer by which people sign in here gave it.

    Raises
    ------
    StatusAlreadySet, BookingStateConflict
        The booking has this status, or cannot get it any more.
    """
    data = event["data"]
    new = PartnerBooking(
        id=uuid.uuid4(),
        owner_id=owner.user_id,
        outside_id=data["id"],
        kind=Kind.TOLD,
        content=data,
        said=Status(data["status"]),
        booking_id=None,
        person_id=_rider_of(desk.engine, issuer, event["idToken"]),
        state=None,
    )
    try:
        with desk.engine.begin() as connection:
            add_partner_booking(connection, new, now)
            tell_rider(connection, new, now)
    except PartnerBookingKnown:
        change_partner_booking(desk, owner, new.outside_id, Status(data["status"]), None, now=now)


def _rider_of(engine: Engine, issuer: OpenIdIssuer | None, token: str) -> uuid.UUID | None:
    vouched = None if issuer is None else issuer.find_named(token)
    if vouched is None:
        return None
    with engine.begin() as connection:
        user_id = find_identity(connection, vouched.issuer, vouched.subject)
        return None if user_id is None else get_user(connection, user_id).person_id


def hear_message(
    engine: Engine, operator: str, message: Mapping[str, Any], *, now: dt.datetime
) -> None:
    """
    Give a message to our driver, or to our rider whose wish is shown to other operators.

    Raises
    ------
    RecipientUnknown
        There is no such person here, or no more.
    """
    to, sender = message["to"], message["from"]
    with engine.begin() as connection:
        person_id = None
        if to["operator"] == operator and message["recipientCarpoolerType"] == "DRIVER":
            person_id = find_driver(connection, to["id"])
        elif to["operator"] == operator and (wish_id := read_wish_id(to["id"])) is not None:
            shared = list_shared(connection, now.date(), wish_id)
            person_id = shared[0].wish.rider_id if shared else None
        if person_id is None:
            raise RecipientUnknown(f"nobody here is to be reached as {to['id']!r}")
        told = {
            "from": sender["alias"],
            "operator": sender["operator"],
            "message": message["message"],
            "booking_id": message.get("bookingId"),
        }
        lock_changes(connection)  # readers who go on from the last number miss none
        tell(connection, person_id, PARTNER_MESSAGE, told, now)
