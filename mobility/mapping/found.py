"""Rides and wishes as searches of other operators find them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from carpool.offers import Offer
from carpool.quotes import Quote
from carpool.wishes import Direction
from core.geo import Coordinate
from mobility.db.wishes import SharedWish


@dataclass(frozen=True, slots=True)
class FoundRide:
    """A ride that an offer could take somebody on; its quote can be booked."""

    offer: Offer
    quote: Quote
    pickup: int
    """Row of the meeting point."""
    dropoff: int
    metres: int
    seats: int
    """Free seats."""
    walk_to_s: int | None
    """Walk to the pick-up, where footways lead there."""
    walk_from_s: int | None


@dataclass(frozen=True, slots=True)
class FoundTrip:
    """A recurring offer with the next dates on which it could take somebody."""

    rides: tuple[FoundRide, ...]
    weekdays: tuple[str, ...]
    """Days of the week of the pick-up."""
    pickup_clock_s: int
    """Seconds of the day at the pick-up, less than a day."""


@dataclass(frozen=True, slots=True)
class FoundWish:
    """One way of a wish on a date, between places that stand for its ends."""

    shared: SharedWish
    direction: Direction
    start: Coordinate
    end: Coordinate
    drive_s: int
    metres: int
    date: dt.date
    """Date of the wish."""
    pickup_s: int
    """Epoch second of the pick-up nearest to the time asked for."""


@dataclass(frozen=True, slots=True)
class FoundWishTrip:
    """One way of a recurring wish with its next dates."""

    wishes: tuple[FoundWish, ...]
    weekdays: tuple[str, ...]
    """Days of the week of the pick-up."""
    pickup_clock_s: int
