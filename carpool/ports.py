"""What carpool needs from the outside; `mobility/db` implements it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from carpool.bookings import Booking, RideState
from carpool.offers import Offer, OfferState
from routing.raptor.body_table import Body


@dataclass(frozen=True, slots=True)
class StoredOffer:
    """An offer as the store keeps it, with its compiled body for one ground, if there is one."""

    offer: Offer
    version: int
    state: OfferState
    body: bytes | None
    entered: Mapping[str, Any] | None = None
    """Ends as the driver entered them: for him alone, never read to search or to compile."""
    driver_id: uuid.UUID | None = None
    """His person; None of an offer that is not stored yet."""


@dataclass(frozen=True, slots=True)
class PublishedOffer:
    """An offer that is searched, compiled."""

    offer: Offer
    body: Body
    """Without the meeting points that are suspended."""
    driver_id: uuid.UUID | None = None
    """His person; None where nobody is known, as in a study."""


@dataclass(frozen=True, slots=True)
class PlannedVisit:
    """One visit of a ride's plan, by the ids of its booking and the way of the offer."""

    booking: uuid.UUID
    is_pickup: bool
    segment: int
    at: dt.datetime
    reached_at: dt.datetime | None = None
    """When the car was seen there."""


@dataclass(frozen=True, slots=True)
class StoredRide:
    """A dated ride that somebody has asked for, with the bookings that take its seats."""

    id: uuid.UUID
    offer: Offer
    """The offer as it was when the first of these booked: changed since, it holds for others."""
    offer_version: int
    driver_id: uuid.UUID
    date: dt.date
    version: int
    state: RideState
    late_s: int
    """By how much the ride counts as late: `carpool.tracking.late_in_force_s`."""
    plan: tuple[PlannedVisit, ...]
    bookings: tuple[Booking, ...]
    offer_state: OfferState
    latest_version: int
    """State and version of the offer as it is by now."""
    said_late_s: int = 0
    """By how much the driver has said to be later than planned …"""
    said_at: dt.datetime | None = None
    seen_late_s: int | None = None
    """… and by how much he is, as far as his phone has told."""
    seen_at: dt.datetime | None = None
    vias_reached: tuple[int, ...] = ()
    """When the car was at the driver's own stops between start and end, epoch seconds."""
    asked: int = 0
    """For how many times five minutes after the planned departure people were asked, or told."""
    start_private: bool = True
    end_private: bool = True
    """Whether a place stands for an end that others must not learn."""

    def booking(self, booking_id: uuid.UUID) -> Booking:
        """One of the ride's bookings."""
        return next(b for b in self.bookings if b.id == booking_id)
