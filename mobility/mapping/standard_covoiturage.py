"""Rides, wishes and bookings → the words of the Standard Covoiturage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from carpool.bookings import BEFORE_CONFIRMED, Booking
from carpool.offers import WEEKDAYS, write_clock
from carpool.quotes import sign_quote
from core.geo import Coordinate
from core.time import to_instant
from mobility.db.partners import PartnerBooking
from mobility.mapping.found import FoundRide, FoundTrip, FoundWish, FoundWishTrip
from mobility.mapping.shared_wishes import journey_id, passenger_alias
from mobility.world import World

ID_LENGTH = 255
"""Longest id of a journey; one whose quote is longer is booked by place and time."""
SOMEBODY = "unknown"
"""Our user in a booking with another operator that did not say who it is."""
Json = dict[str, Any]


class StandardWriter:
    """
    Writes what other operators are answered.

    Parameters
    ----------
    operator
        Host name by which they know this one.
    site
        Address of this server, without a slash at its end.
    """

    def __init__(self, world: World, operator: str, site: str) -> None:
        self._world, self._operator, self._site = world, operator, site

    def driver_journey(self, ride: FoundRide) -> Json:
        """A ride that can be booked."""
        return {
            **self._driver_trip(ride),
            **self._schedule(ride),
            "availableSeats": ride.seats,
            "price": _price(ride.quote.price_cents, ride.quote.currency),
        }

    def driver_regular_trip(self, trip: FoundTrip) -> Json:
        """A recurring offer with its days and next dates."""
        schedules = [self._schedule(ride) for ride in trip.rides]
        days = self._days(trip.weekdays, trip.pickup_clock_s, schedules)
        return {**self._driver_trip(trip.rides[0]), "schedules": days}

    def passenger_journey(self, wish: FoundWish) -> Json:
        """One way of a wish on a date."""
        return {
            **self._passenger_trip(wish),
            **_wish_schedule(wish),
            "requestedSeats": wish.shared.wish.seats,
        }

    def passenger_regular_trip(self, trip: FoundWishTrip) -> Json:
        """One way of a recurring wish with its days and next dates."""
        schedules = [_wish_schedule(wish) for wish in trip.wishes]
        days = self._days(trip.weekdays, trip.pickup_clock_s, schedules)
        return {**self._passenger_trip(trip.wishes[0]), "schedules": days}

    def booking(self, stored: PartnerBooking, own: Booking | None, driver: str | None) -> Json:
        """
        A booking between two operators.

        Parameters
        ----------
        own
            Our own booking behind it, and the name of its driver.
        """
        content = stored.content
        whole = {"price": {"type": "UNKNOWN"}, **content, "status": stored.status}
        for side in ("driver", "passenger"):
            whole.setdefault(side, self._user(SOMEBODY, SOMEBODY))
        if own is None or driver is None:
            return whole
        ends = (own.pickup_point, own.dropoff_point)
        whole |= self._ends(*(self._world.network.point_row.get(of) for of in ends))
        whole |= {
            "driver": self._user(driver, driver),
            "passengerPickupDate": int(own.pickup_from.timestamp()),
            "price": _price(own.price_cents, own.currency),
            "mobility": {
                "state": own.state,
                "code": None if own.state in BEFORE_CONFIRMED else own.code,
                "until": None if own.until is None else int(own.until.timestamp()),
                "late_s": own.late_s,
            },
        }
        return whole

    def _driver_trip(self, ride: FoundRide) -> Json:
        quote, foot_mps = ride.quote, self._world.network.speeds.foot_mps
        trip = {
            "operator": self._operator,
            "driver": self._user(ride.offer.driver, ride.offer.driver),
            **self._ends(ride.pickup, ride.dropoff),
            "duration": quote.dropoff_s - quote.pickup_s,
            "distance": ride.metres,
            "webUrl": f"{self._site}/?offer={ride.offer.id}",
        }
        walks = {"departureToPickup": ride.walk_to_s, "dropoffToArrival": ride.walk_from_s}
        for name, walk_s in walks.items():
            if walk_s is not None:
                trip[f"{name}WalkingDuration"] = walk_s
                trip[f"{name}WalkingDistance"] = round(walk_s * foot_mps)
        return trip

    def _passenger_trip(self, wish: FoundWish) -> Json:
        wish_id = wish.shared.wish.id
        return {
            "operator": self._operator,
            "passenger": self._user(str(wish_id), passenger_alias(wish_id)),
            **_places(wish.start, wish.end),
            "duration": wish.drive_s,
            "distance": wish.metres,
        }

    def _schedule(self, ride: FoundRide) -> Json:
        schedule = {
            "passengerPickupDate": ride.quote.pickup_s,
            "type": "PLANNED",
            "webUrl": f"{self._site}/?offer={ride.offer.id}&date={ride.quote.date.isoformat()}",
        }
        quote = sign_quote(ride.quote, self._world.quote_key)
        return {"id": quote, **schedule} if len(quote) <= ID_LENGTH else schedule

    def _days(self, weekdays: tuple[str, ...], clock_s: int, schedules: list[Json]) -> list[Json]:
        """Schedules by the day of the week of their pick-up."""
        zone = self._world.network.zone
        return [
            {
                "passengerPickupDay": day.upper(),
                "passengerPickupTimeOfDay": write_clock(clock_s),
                "journeySchedules": [
                    of for of in schedules if _weekday(of["passengerPickupDate"], zone) == day
                ],
            }
            for day in weekdays
        ]

    def _ends(self, pickup: int | None, dropoff: int | None) -> Json:
        """Two meeting points; what this snapshot has lost is left out."""
        points, ends = self._world.network.points, Json()
        for name, row in (("Pickup", pickup), ("Drop", dropoff)):
            if row is not None:
                ends[f"passenger{name}Lat"] = float(points.lat[row])
                ends[f"passenger{name}Lng"] = float(points.lon[row])
                ends[f"passenger{name}Address"] = str(points.name[row])
        return ends

    def _user(self, user_id: str, alias: str) -> Json:
        return {"id": user_id, "operator": self._operator, "alias": alias}


def _wish_schedule(wish: FoundWish) -> Json:
    return {
        "id": journey_id(wish.shared.wish.id, wish.direction, wish.date),
        "passengerPickupDate": wish.pickup_s,
        "driverDepartureDate": wish.pickup_s,
        "type": "PLANNED",
    }


def _places(start: Coordinate, end: Coordinate) -> Json:
    return {
        "passengerPickupLat": start.lat,
        "passengerPickupLng": start.lon,
        "passengerDropLat": end.lat,
        "passengerDropLng": end.lon,
    }


def _price(cents: int | None, currency: str) -> Mapping[str, Any]:
    if cents is None:
        return {"type": "UNKNOWN", "currency": currency}
    return {"type": "PAYING" if cents else "FREE", "amount": cents / 100, "currency": currency}


def _weekday(epoch_s: int, zone: ZoneInfo) -> str:
    return WEEKDAYS[to_instant(epoch_s, zone).weekday()]
