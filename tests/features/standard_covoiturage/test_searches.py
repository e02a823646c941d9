"""Other carpool operators find rides and riders, on the running demo."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable

import httpx
import pytest

from core.geo import Coordinate, distance_m
from tests.support.standard_covoiturage import (
    ZONE,
    Ask,
    Json,
    between,
    check_around,
    check_journeys,
    found,
    moment,
    next_monday,
    request_for,
    seconds_of,
)


@pytest.mark.parametrize(
    "more",
    [
        {}, {"departureRadius": 2, "arrivalRadius": 3}, {"timeDelta": 300}, {"count": 1},
        {"timeDelta": 7200, "departureRadius": 5, "arrivalRadius": 5},
    ],
    ids=str,
)  # fmt: skip
def test_driver_journeys_hold_to_what_was_asked(
    partner: Ask, offers: list[Json], more: Json
) -> None:
    for offer in offers[:60:12]:
        at = moment(next_monday(), offer["depart_from"])
        asked = {**between(offer), "departureDate": at, **more}
        journeys = partner("GET", "/driver_journeys", params=asked).json()
        check_journeys(journeys, asked)
        for journey in journeys:
            assert journey["type"] == "PLANNED"
            assert journey["availableSeats"] >= 1
            assert not [name for name in journey if name.startswith("driverDeparture")]
        walks = [j for j in journeys if "departureToPickupWalkingDistance" in j]
        assert walks
        for journey in walks:
            walk_m = journey["departureToPickupWalkingDistance"]
            assert walk_m <= 1.4 * journey["departureToPickupWalkingDuration"]


def test_wider_searches_find_more_and_none_beyond_what_is_asked(
    partner: Ask, offers: list[Json]
) -> None:
    offer, counts = offers[0], []
    at = moment(next_monday(), offer["depart_from"])
    for radius, delta in ((0.2, 60), (1, 900), (5, 7200)):
        asked = {**between(offer), "departureDate": at, "timeDelta": delta}
        asked |= {"departureRadius": radius, "arrivalRadius": radius}
        counts.append(len(partner("GET", "/driver_journeys", params=asked).json()))
    assert counts[0] < counts[1] < counts[2]
    past = {**between(offer), "departureDate": moment(dt.date(2026, 10, 5), "07:15")}
    assert partner("GET", "/driver_journeys", params=past).json() == []
    backwards = {
        "departureLat": offer["end"]["lat"], "departureLng": offer["end"]["lon"],
        "arrivalLat": offer["start"]["lat"], "arrivalLng": offer["start"]["lon"],
        "departureDate": at,
    }  # fmt: skip
    names = [
        j["driver"]["alias"] for j in partner("GET", "/driver_journeys", params=backwards).json()
    ]
    assert offer["driver"] not in names


@pytest.mark.parametrize(
    "more",
    [
        {}, {"count": 1}, {"departureWeekdays": "TUE,SUN"}, {"timeDelta": 300},
        {"departureRadius": 3, "arrivalRadius": 3},
    ],
    ids=str,
)  # fmt: skip
def test_driver_regular_trips_hold_to_what_was_asked(
    partner: Ask, offers: list[Json], more: Json
) -> None:
    offer = offers[0]
    first, last = next_monday(), next_monday() + dt.timedelta(days=8)
    clock = f"{offer['depart_from']}:00"
    asked = {
        **between(offer), "departureTimeOfDay": clock, **more,
        "minDepartureDate": moment(first, "00:00"), "maxDepartureDate": moment(last, "00:00"),
    }  # fmt: skip
    trips = partner("GET", "/driver_regular_trips", params=asked).json()
    check_around(trips, asked)
    days = set(more.get("departureWeekdays", "MON,TUE,WED,THU,FRI,SAT,SUN").split(","))
    wanted_s = seconds_of(clock)
    for trip in trips:
        assert trip["schedules"]
        for schedule in trip["schedules"]:
            assert schedule["passengerPickupDay"] in days
            apart_s = abs(seconds_of(schedule["passengerPickupTimeOfDay"]) - wanted_s)
            assert apart_s <= asked.get("timeDelta", 900)
            for dated in schedule["journeySchedules"]:
                at = dt.datetime.fromtimestamp(dated["passengerPickupDate"], ZONE)
                assert f"{at:%a}".upper() == schedule["passengerPickupDay"]
                assert f"{at:%H:%M:%S}" == schedule["passengerPickupTimeOfDay"]
                assert first <= at.date() <= last
    mondays = [s for t in trips for s in t["schedules"] if s["passengerPickupDay"] == "MON"]
    if "MON" in days:
        assert {len(monday["journeySchedules"]) for monday in mondays} == {2}
    else:
        assert mondays == []


def test_a_date_of_a_regular_trip_can_be_booked(partner: Ask, drive: Callable[..., Json]) -> None:
    asked = drive(50, valid_to=(dt.datetime.now(ZONE).date() + dt.timedelta(days=80)).isoformat())
    journey = found(partner, asked)
    regular = {name: value for name, value in asked.items() if name != "departureDate"}
    regular["departureTimeOfDay"] = "04:05:00"
    trips = partner("GET", "/driver_regular_trips", params=regular).json()
    (own,) = [trip for trip in trips if trip["driver"]["id"] == "demo:Denis"]
    assert len(own["schedules"]) == 7
    dated = own["schedules"][0]["journeySchedules"][0]
    booked = partner("POST", "/bookings", json=request_for({**journey, **own, **dated}))
    assert booked.status_code == 201, booked.text
    assert booked.json()["passengerPickupDate"] == dated["passengerPickupDate"]


def test_wishes_are_shown_to_operators_if_their_riders_agree_and_never_their_ends(
    api: httpx.Client, partner: Ask, wish: Callable[..., Json]
) -> None:
    hidden = wish(60, shared=False)
    assert not hidden["shared"]
    assert partner("GET", "/passenger_journeys", params=hidden["asked"]).json() == []
    shown = wish(60, seats=2)
    journeys = partner("GET", "/passenger_journeys", params=shown["asked"]).json()
    check_journeys(journeys, shown["asked"])
    (journey,) = journeys
    assert journey["requestedSeats"] == 2
    assert "Rosa" not in json.dumps(journey)
    for end, name in (("start", "Pickup"), ("end", "Drop")):
        there = Coordinate(journey[f"passenger{name}Lat"], journey[f"passenger{name}Lng"])
        assert 490 <= distance_m(there, Coordinate(**shown[end])) <= 1510
    again = wish(61)
    (other,) = partner("GET", "/passenger_journeys", params=again["asked"]).json()
    assert [other[n] for n in ("passengerPickupLat", "passengerDropLng")] == [
        journey[n] for n in ("passengerPickupLat", "passengerDropLng")
    ]
    late = {**shown["asked"], "departureDate": shown["asked"]["departureDate"] + 4 * 3600}
    assert partner("GET", "/passenger_journeys", params=late).json() == []
    far = {**shown["asked"], "departureLat": shown["asked"]["departureLat"] + 0.1}
    assert partner("GET", "/passenger_journeys", params=far).json() == []


def test_recurring_wishes_are_told_by_their_days(partner: Ask, wish: Callable[..., Json]) -> None:
    days = (next_monday() - dt.datetime.now(ZONE).date()).days
    back = {"leave_from": "23:00", "arrive_by": "23:59"}
    shown = wish(days, to=20, weekdays=["mon", "thu"], back=back)
    asked = {**shown["around"], "departureTimeOfDay": "03:10:00"}
    trips = partner("GET", "/passenger_regular_trips", params=asked).json()
    check_around(trips, asked)
    (trip,) = [of for of in trips if of["passenger"]["id"] == shown["id"]]
    assert [s["passengerPickupDay"] for s in trip["schedules"]] == ["MON", "THU"]
    assert [len(s["journeySchedules"]) for s in trip["schedules"]] == [3, 3]
    never = {**asked, "departureWeekdays": "TUE"}
    names = [
        t["passenger"]["id"]
        for t in partner("GET", "/passenger_regular_trips", params=never).json()
    ]
    assert shown["id"] not in names
    home = {
        "departureLat": asked["arrivalLat"], "departureLng": asked["arrivalLng"],
        "arrivalLat": asked["departureLat"], "arrivalLng": asked["departureLng"],
        "departureRadius": 1.6, "arrivalRadius": 1.6, "departureTimeOfDay": "23:20:00",
    }  # fmt: skip
    trips = partner("GET", "/passenger_regular_trips", params=home).json()
    assert shown["id"] in [of["passenger"]["id"] for of in trips]
