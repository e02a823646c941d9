"""
Offers of other operators: rows of the Standard Covoiturage → drives → offers that are searched.

A row tells a place and a time at which a passenger is picked up and a place where he is dropped. It
may tell the driver's own ends too, and the way between. Its driver has promised nothing to us: he
leaves exactly when his operator says, drives the way that is drawn, and goes hardly out of it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from carpool.offers import (
    SEAT_LIMIT,
    WEEKDAYS,
    Acceptance,
    Offer,
    Outside,
    offer_as_json,
)
from core.errors import InvalidInput
from core.geo import Coordinate
from core.ids import OfferId
from core.time import DAY_S, day_start_epoch_s, to_instant
from routing.polyline import decode_polyline

DETOUR_BUDGET_S = 120
"""What a driver is taken to accept: meeting points that lie on his way, or next to it."""
VIAS = 3
"""Points of a drawn way through which a drive is led."""
POINTS_LIMIT = 20_000
"""Points of one drawn way."""
DURATION_LIMIT_S = 18 * 3600
TEXT_LIMIT, URL_LIMIT = 60, 2_000
CENTS_LIMIT = 100_000
DECIMALS = 5
"""Of polylines, as the standard has them."""
CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?")
CURRENCY = re.compile(r"[A-Z]{3}")
Row = Mapping[str, Any]


class RowUnusable(InvalidInput):
    """A row that another operator should not have sent."""

    code = "row_unusable"


@dataclass(frozen=True, slots=True)
class Drive:
    """What one row says of one car."""

    driver_id: str
    alias: str
    start: Coordinate
    end: Coordinate
    path: tuple[Coordinate, ...]
    """Points between start and end through which the drawn way leads."""
    leaves_s: int
    """From the start, seconds of the day on the clock of the territory."""
    duration_s: int
    date: dt.date | None
    """Of a journey; None: regular."""
    weekdays: frozenset[str]
    seats: int
    url: str | None
    price_cents: int | None
    currency: str
    given_id: str | None

    @property
    def key(self) -> str:
        """By which the drive is known again: the operator's own id, if it gives one."""
        told = self.given_id or json.dumps(
            [
                self.driver_id, self.start.lat, self.start.lon, self.end.lat, self.end.lon,
                self.leaves_s, self.date and self.date.isoformat(), sorted(self.weekdays),
            ]
        )  # fmt: skip
        return hashlib.sha256(told.encode()).hexdigest()

    def overlaps(self, other: Drive) -> bool:
        """Whether somebody would be in two cars at once."""
        starts = [own.leaves_s for own in (self, other)]
        if self.date is not None and other.date is not None:
            starts = [
                s + own.date.toordinal() * DAY_S
                for s, own in zip(starts, (self, other), strict=True)
                if own.date is not None
            ]
        elif not self.weekdays & other.weekdays:
            return False
        (a, b) = starts
        return a < b + other.duration_s and b < a + self.duration_s


def read_journey(row: Row, zone: ZoneInfo) -> Drive:
    """Read a journey of a driver; raises `RowUnusable`."""
    values = _checked(row)
    pickup_s = _number(values, "passengerPickupDate")
    start, end, at_s = _ends(values, pickup_s)
    date = to_instant(at_s, zone).date()
    if at_s < day_start_epoch_s(date, zone):  # in the night in which an hour comes twice
        date -= dt.timedelta(days=1)
    return _drive(
        values,
        start,
        end,
        leaves_s=at_s - day_start_epoch_s(date, zone),
        date=date,
        weekdays=frozenset({WEEKDAYS[date.weekday()]}),
        given_id=_text(values, "id", None),
    )


def read_regular_trip(row: Row) -> list[Drive]:
    """Read a regular trip, one drive for each time of day; raises `RowUnusable`."""
    values = _checked(row)
    days: dict[int, set[str]] = {}
    schedules = values.get("schedules")
    if not isinstance(schedules, list) or not schedules:
        raise RowUnusable("schedules: there are none")
    for schedule in schedules[: 7 * len(WEEKDAYS)]:
        own = _checked(schedule)
        day = str(own.get("passengerPickupDay", "")).lower()
        clock = CLOCK.fullmatch(str(own.get("passengerPickupTimeOfDay", "")))
        if day not in WEEKDAYS or clock is None:
            raise RowUnusable("schedules: a day and a time of day are expected")
        hours, minutes, seconds = (int(part or 0) for part in clock.groups())
        days.setdefault(hours * 3600 + minutes * 60 + seconds, set()).add(day)
    start, end = _place(values, "passengerPickup"), _place(values, "passengerDrop")
    return [
        _drive(values, start, end, leaves_s=at_s, date=None, weekdays=frozenset(own), given_id=None)
        for at_s, own in sorted(days.items())
    ]


def one_car_each(drives: Iterable[Drive]) -> list[Drive]:
    """
    Drives of which no two are one driver's at one time.

    Other searches find the same car between other places, under another id. Regular trips are kept
    rather than their single dates, then the longest.
    """
    kept: dict[str, list[Drive]] = {}
    ordered = sorted(drives, key=lambda d: (d.date is not None, -d.duration_s, d.key))
    for drive in ordered:
        own = kept.setdefault(drive.driver_id, [])
        if not any(drive.overlaps(other) for other in own):
            own.append(drive)
    return [drive for own in kept.values() for drive in own]


def offer_of(drive: Drive, operator: str, today: dt.date) -> Offer:
    """Offer of a drive, its id left empty; the same on every day of a year."""
    return Offer(
        id=OfferId(""),
        driver=f"{drive.alias} ({operator})",
        start=drive.start,
        end=drive.end,
        vias=drive.path,
        depart_from_s=drive.leaves_s,
        depart_to_s=drive.leaves_s,
        weekdays=drive.weekdays,
        valid_from=drive.date or dt.date(today.year, 1, 1),
        valid_to=drive.date or dt.date(today.year + 1, 12, 31),
        seat_count=drive.seats,
        detour_budget_s=DETOUR_BUDGET_S,
        acceptance=Acceptance.ASK,
        outside=Outside(
            operator, drive.url or f"https://{operator}/", drive.price_cents, drive.currency
        ),
    )


def digest_of(offer: Offer) -> bytes:
    """By which one sees that nothing has changed."""
    told = json.dumps(offer_as_json(replace(offer, id=OfferId(""))), sort_keys=True)
    return hashlib.sha256(told.encode()).digest()


def _drive(
    values: Row,
    start: Coordinate,
    end: Coordinate,
    *,
    leaves_s: int,
    date: dt.date | None,
    weekdays: frozenset[str],
    given_id: str | None,
) -> Drive:
    driver = _checked(values.get("driver"))
    seats = _number(values, "availableSeats", 1)
    duration_s = _number(values, "duration")
    if not 0 < duration_s <= DURATION_LIMIT_S:
        raise RowUnusable("duration: nobody drives so long")
    if seats < 1:
        raise RowUnusable("availableSeats: none is left")
    driver_id = _text(driver, "id")
    assert driver_id is not None
    alias = _text(driver, "alias", driver_id) or driver_id
    price_cents, currency = _price(values.get("price"))
    return Drive(
        driver_id=driver_id,
        alias=alias[:TEXT_LIMIT],
        start=start,
        end=end,
        path=_path(values.get("journeyPolyline")),
        leaves_s=leaves_s,
        duration_s=duration_s,
        date=date,
        weekdays=weekdays,
        seats=min(seats, SEAT_LIMIT),
        url=_url(values.get("webUrl")),
        price_cents=price_cents,
        currency=currency,
        given_id=given_id,
    )


def _ends(values: Row, pickup_s: int) -> tuple[Coordinate, Coordinate, int]:
    """Start, end and epoch second: the driver's own where the operator tells place and time."""
    start, at_s = _place(values, "passengerPickup"), pickup_s
    end = _place(values, "passengerDrop")
    own = ("driverDepartureDate", "driverDepartureLat", "driverDepartureLng")
    if all(values.get(name) is not None for name in own):
        leaves_s = _number(values, "driverDepartureDate")
        if 0 <= pickup_s - leaves_s <= DURATION_LIMIT_S:
            start, at_s = _place(values, "driverDeparture"), leaves_s
    if values.get("driverArrivalLat") is not None and values.get("driverArrivalLng") is not None:
        end = _place(values, "driverArrival")
    return start, end, at_s


def _checked(row: object) -> Row:
    if not isinstance(row, Mapping):
        raise RowUnusable("an object is expected")
    return row


_NEEDED: Any = object()


def _number(values: Row, name: str, default: Any = _NEEDED) -> int:  # noqa: ANN401
    value = values.get(name)
    if value is None and default is not _NEEDED:
        return int(default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 2**40:
        raise RowUnusable(f"{name}: a number is expected")
    return int(value)


def _text(values: Row, name: str, default: Any = _NEEDED) -> str | None:  # noqa: ANN401
    value = values.get(name)
    if value is None and default is not _NEEDED:
        return None if default is None else str(default)
    if not isinstance(value, str) or not value.strip():
        raise RowUnusable(f"{name}: a text is expected")
    return "".join(c for c in value if c.isprintable())


def _place(values: Row, name: str) -> Coordinate:
    try:
        lat, lon = (float(values[f"{name}{axis}"]) for axis in ("Lat", "Lng"))
        return Coordinate(lat, lon)
    except (KeyError, TypeError, ValueError, InvalidInput) as error:
        raise RowUnusable(f"{name}: a latitude and a longitude are expected") from error


def _url(value: object) -> str | None:
    """An address that a browser may be sent to; anything else is as if it were not there."""
    if not isinstance(value, str) or len(value) > URL_LIMIT or not value.isprintable():
        return None
    return value if re.match(r"https?://[^/\s]", value) else None


def _price(value: object) -> tuple[int | None, str]:
    """Cents and currency of a price; None where it is not said in full."""
    if not isinstance(value, Mapping):
        return None, "EUR"
    currency, amount = value.get("currency", "EUR"), value.get("amount")
    if not isinstance(currency, str) or not CURRENCY.fullmatch(currency):
        return None, "EUR"
    if value.get("type") == "FREE":
        return 0, currency
    if isinstance(amount, bool) or not isinstance(amount, int | float):
        return None, currency
    if value.get("type") == "UNKNOWN" or not 0 <= amount * 100 <= CENTS_LIMIT:
        return None, currency
    cents = Decimal(str(amount)) * 100
    return int(cents.quantize(Decimal(1), ROUND_HALF_UP)), currency


def _path(polyline: object) -> tuple[Coordinate, ...]:
    """Points evenly along a drawn way; none where it cannot be read: the shortest way is taken."""
    if not isinstance(polyline, str):
        return ()
    try:
        points = decode_polyline(polyline, DECIMALS, limit=POINTS_LIMIT)
        return _along([Coordinate(lat, lon) for lat, lon in points])
    except (ValueError, InvalidInput):
        return ()


def _along(points: Sequence[Coordinate]) -> tuple[Coordinate, ...]:
    if len(points) < 2:
        return ()
    steps = [
        math.hypot(b.lat - a.lat, (b.lon - a.lon) * math.cos(math.radians(a.lat)))
        for a, b in zip(points, points[1:], strict=False)
    ]
    whole, gone = sum(steps), 0.0
    found: list[Coordinate] = []
    for point, step in zip(points[1:], steps, strict=True):
        gone += step
        if len(found) < VIAS and gone >= whole * (len(found) + 1) / (VIAS + 1):
            found.append(point)
    return tuple(found)
