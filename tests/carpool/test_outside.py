"""Rows of other operators, and which drives they are."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from carpool.offers import InvalidOffer, offer_as_json, parse_offer
from carpool.outside import (
    DETOUR_BUDGET_S,
    Drive,
    RowUnusable,
    digest_of,
    offer_of,
    one_car_each,
    read_journey,
    read_regular_trip,
)
from core.geo import Coordinate
from core.ids import OfferId
from routing.polyline import decode_polyline, encode_polyline

pytestmark = pytest.mark.unit

ZONE = ZoneInfo("Europe/Paris")
OPERATOR = "autre.example.org"
TODAY = dt.date(2026, 11, 28)


def at(text: str) -> int:
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp())


def journey(**changes: Any) -> dict[str, Any]:
    row = {
        "id": "j1", "operator": OPERATOR, "duration": 1_800, "type": "PLANNED",
        "driver": {"id": "7", "operator": OPERATOR, "alias": "Nils"},
        "passengerPickupLat": 46.5, "passengerPickupLng": 1.0, "passengerDropLat": 46.6,
        "passengerDropLng": 1.2, "passengerPickupDate": at("2026-11-30T07:30:00"),
        "availableSeats": 3, "price": {"type": "PAYING", "amount": 1.255, "currency": "EUR"},
        "webUrl": f"https://{OPERATOR}/j/1",
    }  # fmt: skip
    return {name: value for name, value in {**row, **changes}.items() if value is not None}


def trip(**changes: Any) -> dict[str, Any]:
    days = [("MON", "07:30:00"), ("TUE", "07:30:00"), ("FRI", "08:00:00")]
    schedules = [{"passengerPickupDay": d, "passengerPickupTimeOfDay": t} for d, t in days]
    row = journey(schedules=schedules, **changes)
    return {name: value for name, value in row.items() if name != "passengerPickupDate"}


def test_a_journey_is_driven_at_its_time_from_where_a_passenger_is_picked_up() -> None:
    offer = offer_of(read_journey(journey(), ZONE), OPERATOR, TODAY)
    assert (offer.start, offer.end) == (Coordinate(46.5, 1.0), Coordinate(46.6, 1.2))
    assert offer.depart_from_s == offer.depart_to_s == 7 * 3600 + 1800
    assert offer.valid_from == offer.valid_to == dt.date(2026, 11, 30)
    assert offer.weekdays == {"mon"}
    assert (offer.seat_count, offer.detour_budget_s) == (3, DETOUR_BUDGET_S)
    assert offer.driver == f"Nils ({OPERATOR})"
    assert offer.outside is not None
    # Half a cent is rounded up: 1.255 EUR.
    assert (offer.outside.url, offer.outside.price_cents) == (f"https://{OPERATOR}/j/1", 126)
    stored = parse_offer(offer_as_json(offer), OfferId(""))
    assert stored == offer


def test_a_drivers_own_ends_are_taken_where_place_and_time_are_told() -> None:
    own = {
        "driverDepartureLat": 46.4, "driverDepartureLng": 0.9, "driverArrivalLat": 46.7,
        "driverArrivalLng": 1.3,
    }  # fmt: skip
    without_time = read_journey(journey(**own), ZONE)
    assert (without_time.start, without_time.end) == (Coordinate(46.5, 1), Coordinate(46.7, 1.3))
    whole = read_journey(journey(**own, driverDepartureDate=at("2026-11-30T07:10:00")), ZONE)
    assert (whole.start, whole.leaves_s) == (Coordinate(46.4, 0.9), 7 * 3600 + 600)
    after = read_journey(journey(**own, driverDepartureDate=at("2026-11-30T09:10:00")), ZONE)
    assert after.start == Coordinate(46.5, 1.0), "who leaves after his pick-up was not understood"


@pytest.mark.parametrize(
    ("local", "clock_s", "date"),
    [
        # The day begins at noon less twelve hours: at 23:00 in spring, at the second one in autumn.
        ("2027-03-28T08:00:00", 8 * 3600, "2027-03-28"),
        ("2026-10-25T08:00:00", 8 * 3600, "2026-10-25"),
        ("2026-10-25T00:30:00", 24 * 3600 + 1800, "2026-10-24"),
    ],
)
def test_clocks_that_change_do_not_move_a_drive(local: str, clock_s: int, date: str) -> None:
    drive = read_journey(journey(passengerPickupDate=at(local)), ZONE)
    assert drive.date == dt.date.fromisoformat(date)
    offer = offer_of(drive, OPERATOR, TODAY)
    assert offer.runs_on(drive.date)
    assert offer.depart_from_s == clock_s


def test_a_regular_trip_is_one_drive_for_each_time_of_day() -> None:
    early, late = read_regular_trip(trip())
    assert (early.leaves_s, early.weekdays) == (27_000, {"mon", "tue"})
    assert (late.leaves_s, late.weekdays) == (28_800, {"fri"})
    offers = [offer_of(early, OPERATOR, TODAY + dt.timedelta(days=n)) for n in (0, 20)]
    assert digest_of(offers[0]) == digest_of(offers[1]), "the same on every day of a year"
    assert offers[0].runs_on(dt.date(2026, 12, 1))
    assert not offers[0].runs_on(dt.date(2026, 12, 2))


def test_one_driver_is_in_one_car_at_a_time() -> None:
    short = read_journey(journey(id="a", duration=600), ZONE)
    long = read_journey(journey(id="b", duration=2_400), ZONE)
    later = read_journey(journey(id="c", passengerPickupDate=at("2026-11-30T08:10:00")), ZONE)
    next_week = read_journey(journey(id="d", passengerPickupDate=at("2026-12-07T07:30:00")), ZONE)
    other = read_journey(journey(id="e", driver={"id": "8", "alias": "Ida"}), ZONE)
    kept = one_car_each([short, long, later, next_week, other])
    assert {drive.given_id for drive in kept} == {"b", "c", "d", "e"}
    friday = {"passengerPickupDay": "FRI", "passengerPickupTimeOfDay": "07:30:00"}
    (on_fridays,) = read_regular_trip({**trip(), "schedules": [friday]})
    assert len(one_car_each([long, on_fridays])) == 2, "that is a Monday"
    kept = one_car_each([short, long, next_week, *read_regular_trip(trip())])
    # It is driven on Mondays: its dates are the same car.
    assert [(drive.date, drive.weekdays) for drive in kept] == [
        (None, {"mon", "tue"}), (None, {"fri"}),
    ]  # fmt: skip


WRONG: list[Any] = [
    None, 7, "x", [], {}, {"duration": -1}, {"duration": "long"}, {"duration": True},
    {"duration": float("nan")}, {"duration": 10**9}, {"availableSeats": 0},
    {"availableSeats": float("inf")}, {"driver": None}, {"driver": "Nils"}, {"driver": {"id": ""}},
    {"driver": {"id": 3}}, {"passengerPickupLat": None}, {"passengerPickupLat": 91},
    {"passengerDropLng": "east"}, {"passengerDropLng": float("nan")},
    {"passengerPickupDate": None}, {"passengerPickupDate": "soon"}, {"passengerPickupDate": 1e300},
    {"id": 5}, {"id": " "},
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_what_makes_no_sense_is_no_drive(wrong: Any) -> None:
    row = wrong
    if wrong and isinstance(wrong, dict):
        row = {name: value for name, value in {**journey(), **wrong}.items() if value is not None}
    with pytest.raises(RowUnusable):
        read_journey(row, ZONE)


@pytest.mark.parametrize(
    "schedules",
    [None, [], {}, [7], [{"passengerPickupDay": "MON"}],
     [{"passengerPickupDay": "LUN", "passengerPickupTimeOfDay": "07:30:00"}],
     [{"passengerPickupDay": "MON", "passengerPickupTimeOfDay": "24:00:00"}]],
)  # fmt: skip
def test_a_regular_trip_without_times_is_none(schedules: Any) -> None:
    with pytest.raises(RowUnusable):
        read_regular_trip({**trip(), "schedules": schedules})


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://x.example/a?b=c", True), ("http://x.example", True),
        ("javascript:alert(1)", False), ("//x.example", False), ("https:///x", False),
        ("https://x.example/\n", False), (7, False),
        ("data:text/html,x", False), ("https://x.example/" + "a" * 3_000, False),
    ],
)  # fmt: skip
def test_a_link_leads_to_a_page_or_to_the_operator(url: Any, kept: bool) -> None:
    outside = offer_of(read_journey(journey(webUrl=url), ZONE), OPERATOR, TODAY).outside
    assert outside is not None
    assert outside.url == (url if kept else f"https://{OPERATOR}/")


@pytest.mark.parametrize(
    ("price", "cents", "currency"),
    [
        (None, None, "EUR"), ({"type": "FREE"}, 0, "EUR"),
        ({"type": "UNKNOWN", "amount": 3}, None, "EUR"),
        ({"amount": 2.5, "currency": "CHF"}, 250, "CHF"), ({"amount": -1}, None, "EUR"),
        ({"amount": 1e9}, None, "EUR"), ({"amount": float("nan")}, None, "EUR"),
        ({"amount": 2, "currency": "euro"}, None, "EUR"), ("free", None, "EUR"),
    ],
)  # fmt: skip
def test_a_price_is_told_or_unknown_but_never_made_up(
    price: Any, cents: int | None, currency: str
) -> None:
    drive = read_journey(journey(price=price), ZONE)
    assert (drive.price_cents, drive.currency) == (cents, currency)


def test_a_drawn_way_leads_through_points_evenly_along_it() -> None:
    lat = [46.5 + k / 1000 for k in range(101)]
    text = encode_polyline(*map(_array, (lat, [1.0] * 101)), 5)
    path = read_journey(journey(journeyPolyline=text), ZONE).path
    assert [point.lat for point in path] == pytest.approx([46.525, 46.55, 46.575], abs=0.002)
    for wrong in ("", "é", "~" * 40, text[:-1], "\x00", 5):
        assert read_journey(journey(journeyPolyline=wrong), ZONE).path == ()


def test_polylines_are_read_as_they_were_written() -> None:
    dice = random.Random(3)
    for decimals in (5, 6, 7):
        points = [
            (round(dice.uniform(-90, 90), decimals), round(dice.uniform(-180, 180), decimals))
            for _ in range(50)
        ]
        lat, lon = zip(*points, strict=True)
        text = encode_polyline(_array(lat), _array(lon), decimals)
        read = decode_polyline(text, decimals, limit=100)
        assert [(round(a, decimals), round(b, decimals)) for a, b in read] == points
        assert len(decode_polyline(text, decimals, limit=7)) == 7
    with pytest.raises(ValueError, match="polyline"):
        decode_polyline("_p~iF~ps|", 5, limit=9)


def test_a_row_that_no_drive_can_be_made_of_is_refused_as_an_offer() -> None:
    drive = read_journey(journey(), ZONE)
    with pytest.raises(InvalidOffer):
        offer_of(_with(drive, seats=0), OPERATOR, TODAY)


def _with(drive: Drive, **changes: Any) -> Drive:
    return replace(drive, **changes)


def _array(values: Any) -> Any:
    return np.array(values, float)
