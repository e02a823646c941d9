"""A weekly series: one journey on the same days of the week, perhaps with the way back."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from carpool.audience import Need
from carpool.bookings import Booking, BookingState
from carpool.offers import WEEKDAYS, Offer
from carpool.quotes import Quote
from carpool.wishes import Direction
from core.errors import InvalidInput
from core.geo import Coordinate
from core.ids import OfferId
from core.time import day_start_epoch_s, to_instant

DAYS_LIMIT = 90
"""From the first date to the last: a quarter of a year, to be booked anew by whoever goes on."""
BACK_WITHIN_S = 86_400
"""So long after the way out ends, the way back still belongs to its date."""


class InvalidSeries(InvalidInput):
    """A series that contradicts itself."""

    code = "invalid_series"


class DateAnswer(StrEnum):
    """What became of one way of one date."""

    OPEN = "open"
    """Nobody has come to it yet."""
    BOOKED = "booked"
    ASKED = "asked"
    """The driver has still to answer."""
    REFUSED = "refused"
    OVER = "over"
    """It was booked or asked for, and has ended since."""


class Refused(StrEnum):
    """Why a date was not even tried; else it is the code of what booking it has refused."""

    NOT_DRIVEN = "not_driven"
    """The driver does not drive on this day of the week, or not any more."""
    EXCEPT_DATE = "except_date"
    """He drives on this day of the week, but not on this date."""
    OTHER_WAY = "other_way"
    """The other way of the date is not there, and it is both or none."""
    CANCELLED = "cancelled"
    """The series was given back before anybody came to it."""


@dataclass(frozen=True, slots=True)
class Series:
    """What a rider asks for, from the date of the way out that he was quoted on."""

    id: uuid.UUID
    rider_id: uuid.UUID
    out: tuple[Quote, ...]
    back: tuple[Quote, ...]
    """Of the same date; empty without a way back."""
    weekdays: frozenset[str]
    until: dt.date
    both_or_none: bool

    def first(self, zone: ZoneInfo) -> dt.date:
        """Date on which the quoted way out begins, on the clock of the territory."""
        return to_instant(self.out[0].pickup_s, zone).date()

    def check(self, zone: ZoneInfo) -> None:
        """Raise `InvalidSeries` where days, dates or ways contradict each other."""
        first = self.first(zone)
        if not self.weekdays:
            raise InvalidSeries("weekdays: one at least")
        if not first <= self.until < first + dt.timedelta(days=DAYS_LIMIT):
            raise InvalidSeries(f"until: {first} or later, and within {DAYS_LIMIT} days")
        if not self.dates(zone):
            raise InvalidSeries(f"none of these days of the week lies between {first} and until")
        if self.back:
            apart_s = self.back[0].pickup_s - self.out[-1].dropoff_s
            if not 0 <= apart_s <= BACK_WITHIN_S:
                raise InvalidSeries("back: after the way out, and on its date")
        if self.both_or_none and not self.back:
            raise InvalidSeries("both_or_none: there is no way back")

    def dates(self, zone: ZoneInfo) -> list[dt.date]:
        """All dates, in order."""
        first = self.first(zone)
        days = (first + dt.timedelta(days=i) for i in range((self.until - first).days + 1))
        return [day for day in days if WEEKDAYS[day.weekday()] in self.weekdays]

    def ways(self) -> tuple[Direction, ...]:
        """Ways of each date."""
        return (Direction.OUT, Direction.BACK) if self.back else (Direction.OUT,)

    def quotes_on(self, date: dt.date, way: Direction, zone: ZoneInfo) -> tuple[Quote, ...]:
        """Quotes of one way, as they read on a date: the same times on the clock."""
        later = date - self.first(zone)
        quotes = self.out if way is Direction.OUT else self.back
        return tuple(_moved(quote, later, zone) for quote in quotes)


def _moved(quote: Quote, later: dt.timedelta, zone: ZoneInfo) -> Quote:
    date = quote.date + later
    later_s = day_start_epoch_s(date, zone) - day_start_epoch_s(quote.date, zone)
    return replace(
        quote,
        date=date,
        pickup_s=quote.pickup_s + later_s,
        dropoff_s=quote.dropoff_s + later_s,
        latest_s=quote.latest_s + later_s,
    )


def not_driven(offer: Offer, date: dt.date) -> Refused | None:
    """Why an offer is not driven on a date, or None if it is."""
    if offer.runs_on(date):
        return None
    return Refused.EXCEPT_DATE if date in offer.except_dates else Refused.NOT_DRIVEN


def answer_of(reason: str | None, bookings: Sequence[Booking]) -> DateAnswer:
    """What became of one way of one date, by its bookings, all of which it needs."""
    if reason is not None:
        return DateAnswer.REFUSED
    if not bookings:
        return DateAnswer.OPEN
    if not all(booking.takes_seats for booking in bookings):
        return DateAnswer.OVER
    asked = any(booking.state is BookingState.PENDING_DRIVER for booking in bookings)
    return DateAnswer.ASKED if asked else DateAnswer.BOOKED


def series_as_json(series: Series) -> dict[str, Any]:
    """What is kept of a series beside its ids."""
    return {
        "out": [_quote_as_json(quote) for quote in series.out],
        "back": [_quote_as_json(quote) for quote in series.back],
        "weekdays": [day for day in WEEKDAYS if day in series.weekdays],
        "until": series.until.isoformat(),
        "both_or_none": series.both_or_none,
    }


def parse_series(values: dict[str, Any], series_id: uuid.UUID, rider_id: uuid.UUID) -> Series:
    """Undo `series_as_json`."""
    return Series(
        id=series_id,
        rider_id=rider_id,
        out=tuple(map(_quote, values["out"])),
        back=tuple(map(_quote, values["back"])),
        weekdays=frozenset(values["weekdays"]),
        until=dt.date.fromisoformat(values["until"]),
        both_or_none=values["both_or_none"],
    )


def _quote_as_json(quote: Quote) -> dict[str, Any]:
    return {**asdict(quote), "date": quote.date.isoformat()}


def _quote(values: dict[str, Any]) -> Quote:
    date, offer = dt.date.fromisoformat(values["date"]), OfferId(values["offer"])
    needs = tuple(map(Need, values.get("needs", ())))
    doors = {
        name: None if values.get(name) is None else Coordinate(**values[name])
        for name in ("pickup_door", "dropoff_door")
    }
    return Quote(**{**values, "date": date, "offer": offer, "needs": needs, **doors})
