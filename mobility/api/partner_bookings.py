"""Rides of our riders with drivers of other operators: /mobility/v1/partner-bookings."""

from __future__ import annotations

import datetime as dt
import uuid

from fastapi import APIRouter, Request
from pydantic import BaseModel

from carpool.partner_bookings import Kind, Status
from mobility.actions.answer_partner import answer_partner
from mobility.actions.book_for_partner import pickup_at
from mobility.api.access import Rider, installation_of, now_of
from mobility.api.own import Coordinates
from mobility.db.partners import PartnerBooking, list_of_rider
from mobility.users.scopes import Principal

router = APIRouter(prefix="/mobility/v1/partner-bookings", tags=["bookings"])
WRITES, WINDOW_S = 300, 3_600
"""Answers of one rider in an hour."""


class PartnerBookingFacts(BaseModel):
    """A ride with another operator's driver, to our rider."""

    id: uuid.UUID
    kind: Kind
    """asked: the driver would take the rider, who answers; told: it was booked at the operator."""
    status: Status
    operator: str
    driver: str
    """The name by which others know the driver."""
    pickup_at: dt.datetime
    pickup: Coordinates
    dropoff: Coordinates
    pickup_address: str | None
    dropoff_address: str | None
    price: float | None
    currency: str | None
    url: str | None
    """The booking at the other operator."""


@router.get("")
def list_own(request: Request, rider: Rider) -> list[PartnerBookingFacts]:
    """List one's own rides with other operators' drivers, the newest first."""
    with installation_of(request).engine.connect() as connection:
        found = list_of_rider(connection, rider.person_id)
    return [_facts(booking) for booking in found if "driver" in booking.content]


@router.post("/{booking_id}/confirm")
def confirm(request: Request, rider: Rider, booking_id: uuid.UUID) -> PartnerBookingFacts:
    """Ride with a driver of another operator who asks."""
    return _answer(request, rider, booking_id, Status.CONFIRMED)


@router.post("/{booking_id}/cancel")
def cancel(request: Request, rider: Rider, booking_id: uuid.UUID) -> PartnerBookingFacts:
    """Do not, or not after all."""
    return _answer(request, rider, booking_id, Status.CANCELLED)


def _answer(
    request: Request, rider: Principal, booking_id: uuid.UUID, status: Status
) -> PartnerBookingFacts:
    here, now = installation_of(request), now_of(request)
    here.limits.count(f"bookings:{rider.user_id}", most=WRITES, per_s=WINDOW_S)
    return _facts(answer_partner(here.engine, rider, booking_id, status, now=now))


def _facts(booking: PartnerBooking) -> PartnerBookingFacts:
    content = booking.content
    price = content.get("price", {})
    return PartnerBookingFacts(
        id=booking.id,
        kind=booking.kind,
        status=booking.status,
        operator=content["driver"]["operator"],
        driver=content["driver"]["alias"],
        pickup_at=pickup_at(content),
        pickup=_place(booking, "Pickup"),
        dropoff=_place(booking, "Drop"),
        pickup_address=content.get("passengerPickupAddress"),
        dropoff_address=content.get("passengerDropAddress"),
        price=price.get("amount"),
        currency=price.get("currency"),
        url=content.get("webUrl"),
    )


def _place(booking: PartnerBooking, name: str) -> Coordinates:
    lat, lon = (booking.content[f"passenger{name}{axis}"] for axis in ("Lat", "Lng"))
    return Coordinates(lat=lat, lon=lon)
