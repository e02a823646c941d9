"""Other carpool operators find, book, tell and write, on the running demo."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from core.geo import Coordinate, distance_m
from mobility.actions.hear_partner import hear_booking_event
from mobility.actions.run_demo import RunningServer
from mobility.db.engine import Engine
from mobility.db.identities import add_identity
from mobility.users.oidc import Vouched
from mobility.users.scopes import TOKEN, Principal, Scope
from tests.features.test_schemathesis import CHECKS, HOOKS
from tests.support.bookings import Booth
from tests.support.standard_covoiturage import (
    BASE,
    check_around,
    check_format,
    check_journeys,
    document_file,
)
from tests.support.users import Somebody

ZONE = ZoneInfo("Europe/Paris")
FRESH_S = 10.0
"""Changes are there within a second; the machine may be busy."""
THEIRS = "covoiturage.example.org"
Ask = Callable[..., httpx.Response]
Json = dict[str, Any]


@pytest.fixture(scope="module")
def offers(demo_home: Path) -> list[Json]:
    """Drives of the demo on all working days."""
    found = json.loads((demo_home / "demo" / "offers.json").read_text(encoding="utf-8"))
    return [offer for offer in found if {"mon", "tue"} <= set(offer["weekdays"])]


@pytest.fixture
def partner(api: httpx.Client, somebody: Callable[..., Somebody]) -> Ask:
    """Requests of another operator's program, each answer checked by the document."""
    own = somebody(Scope.APP)

    def request(method: str, path: str, *, key: str = own.secret, **more: Any) -> httpx.Response:
        answer = api.request(method, BASE + path, headers={"X-API-Key": key}, **more)
        check_format(answer)
        return answer

    return request


@pytest.fixture
def drive(ask: Ask, offers: list[Json]) -> Iterator[Callable[..., Json]]:
    """Publishes a drive at four in the morning of a day ahead; gives what finds it."""
    own: list[str] = []
    ends = {
        name: {"lat": offers[0][name]["lat"], "lon": offers[0][name]["lon"], "public": True}
        for name in ("start", "end")
    }

    def publish(days: int, **changes: Any) -> Json:
        date = dt.datetime.now(ZONE).date() + dt.timedelta(days=days)
        content = {
            **ends, "depart_from": "04:00", "depart_to": "04:10", "valid_from": date.isoformat(),
            "valid_to": date.isoformat(), "seats": 2, "detour_budget_s": 600, **changes,
        }  # fmt: skip
        answer = ask("driver", "POST", "/offers", json=content)
        assert answer.status_code == 201, answer.text
        own.append(answer.json()["id"])
        return {**between(ends), "departureDate": moment(date, "04:05")}

    yield publish
    for ride in ask("driver", "GET", "/rides").json():
        if ride["state"] in ("scheduled", "en_route"):
            ask("driver", "POST", f"/rides/{ride['id']}/cancel")
    for offer_id in own:
        ask("driver", "DELETE", f"/offers/{offer_id}")


@pytest.fixture
def wish(ask: Ask, offers: list[Json]) -> Iterator[Callable[..., Json]]:
    """Saves a wish of the demo's rider for a day ahead; gives its facts, and what finds it."""
    own: list[str] = []
    ends = {n: {k: offers[0][n][k] for k in ("lat", "lon")} for n in ("start", "end")}

    def save(days: int, *, to: int = 0, **changes: Any) -> Json:
        date = dt.datetime.now(ZONE).date() + dt.timedelta(days=days)
        content = {
            **ends, "out": {"leave_from": "03:00", "arrive_by": "04:30"},
            "valid_from": date.isoformat(), "shared": True,
            "valid_to": (date + dt.timedelta(days=to)).isoformat(), **changes,
        }  # fmt: skip
        answer = ask("rider", "POST", "/wishes", json=content)
        assert answer.status_code == 201, answer.text
        own.append(answer.json()["id"])
        around = {**between(ends), "departureRadius": 1.6, "arrivalRadius": 1.6}
        asked = {**around, "departureDate": moment(date, "03:10"), "timeDelta": 60}
        return {**answer.json(), "asked": asked, "around": around}

    yield save
    for wish_id in own:
        ask("rider", "DELETE", f"/wishes/{wish_id}")


def between(ends: Json) -> Json:
    return {
        "departureLat": ends["start"]["lat"], "departureLng": ends["start"]["lon"],
        "arrivalLat": ends["end"]["lat"], "arrivalLng": ends["end"]["lon"],
    }  # fmt: skip


def moment(date: dt.date, clock: str) -> int:
    local = dt.datetime.combine(date, dt.time.fromisoformat(clock), ZONE)
    return int(local.timestamp())


def next_monday() -> dt.date:
    today = dt.datetime.now(ZONE).date()
    return today + dt.timedelta(days=7 - today.weekday())


def found(partner: Ask, asked: Json, driver: str = "demo:Denis") -> Json:
    """The journey of a driver, once the processes know of it."""
    until = time.monotonic() + FRESH_S
    while True:
        journeys = partner("GET", "/driver_journeys", params=asked).json()
        own = [journey for journey in journeys if journey["driver"]["id"] == driver]
        if own:
            assert len(own) == 1
            own_journey: Json = own[0]
            return own_journey
        assert time.monotonic() < until, "the drive is not there in time"
        time.sleep(0.05)


def request_for(journey: Json, **changes: Any) -> Json:
    """A booking as another operator asks for it."""
    places = [n for n in journey if n.startswith("passenger") and n != "passenger"]
    rider = {"id": uuid.uuid4().hex, "operator": THEIRS, "alias": "Zoé"}
    booking = {
        "id": str(uuid.uuid4()), "driver": journey["driver"], "passenger": rider,
        "status": "WAITING_CONFIRMATION", "price": journey["price"],
        "driverJourneyId": journey["id"], **{name: journey[name] for name in places}, **changes,
    }  # fmt: skip
    return {name: value for name, value in booking.items() if value is not None}


def told_booking(**changes: Any) -> Json:
    driver = {"id": "d1", "operator": THEIRS, "alias": "Dédé"}
    data = {
        "id": str(uuid.uuid4()), "passengerPickupDate": moment(next_monday(), "08:00"),
        "passengerPickupLat": 46.5, "passengerPickupLng": 1.1, "passengerDropLat": 46.6,
        "passengerDropLng": 1.2, "status": "WAITING_CONFIRMATION", "driver": driver,
        "price": {"type": "PAYING", "amount": 1.5, "currency": "EUR"},
        "webUrl": f"https://{THEIRS}/b/1",
    }  # fmt: skip
    return {"id": str(uuid.uuid4()), "idToken": "a.b.c", "data": {**data, **changes}}


def status_of(partner: Ask, booking_id: str) -> str:
    answer = partner("GET", f"/bookings/{booking_id}")
    assert answer.status_code == 200, answer.text
    status: str = answer.json()["status"]
    return status


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


def seconds_of(clock: str) -> int:
    hours, minutes, seconds = map(int, clock.split(":"))
    return hours * 3600 + minutes * 60 + seconds


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


def test_a_seat_is_booked_once_for_each_id_and_given_back(
    partner: Ask, ask: Ask, drive: Callable[..., Json], somebody: Callable[..., Somebody]
) -> None:
    asked = drive(51, seats=1)
    journey = found(partner, asked)
    booking = request_for(journey)
    made = partner("POST", "/bookings", json=booking)
    assert made.status_code == 201, made.text
    assert made.json()["status"] == "CONFIRMED", "its driver accepts whoever fits"
    assert len(made.json()["mobility"]["code"]) == 4
    again = partner("POST", "/bookings", json=booking)
    assert (again.status_code, again.json()["code"]) == (400, "booking_known")
    full = partner("POST", "/bookings", json=request_for(journey))
    assert (full.status_code, full.json()["code"]) == (400, "ride_not_free")
    read = partner("GET", f"/bookings/{booking['id']}")
    assert read.json() == made.json()
    stranger = somebody(Scope.APP).secret
    assert partner("GET", f"/bookings/{booking['id']}", key=stranger).status_code == 404
    cancel = {"status": "CANCELLED"}
    path = f"/bookings/{booking['id']}"
    assert partner("PATCH", path, params=cancel, key=stranger).status_code == 404
    rides = ask("driver", "GET", "/rides").json()
    (rider,) = [p["rider"] for r in rides for p in r["passengers"]]
    assert rider.startswith(f"Zoé ({THEIRS})")
    assert partner("PATCH", path, params=cancel).status_code == 200
    assert status_of(partner, booking["id"]) == "CANCELLED"
    freed = partner("POST", "/bookings", json=request_for(found(partner, asked)))
    assert freed.status_code == 201, freed.text


def test_a_driver_who_wants_to_be_asked_answers_other_operators_riders(
    partner: Ask, ask: Ask, drive: Callable[..., Json]
) -> None:
    journey = found(partner, drive(52, acceptance="ask"))
    booking = request_for(journey)
    made = partner("POST", "/bookings", json=booking).json()
    assert (made["status"], made["mobility"]["code"]) == ("WAITING_CONFIRMATION", None)
    early = partner("PATCH", f"/bookings/{booking['id']}", params={"status": "CONFIRMED"})
    assert (early.status_code, early.json()["code"]) == (409, "booking_state")
    (ride,) = [r for r in ask("driver", "GET", "/rides").json() if r["state"] == "scheduled"]
    own = ride["passengers"][0]["booking_id"]
    accepted = ask("driver", "POST", f"/rides/{ride['id']}/passengers/{own}/accept")
    assert accepted.status_code == 200, accepted.text
    assert status_of(partner, booking["id"]) == "CONFIRMED"
    same = partner("PATCH", f"/bookings/{booking['id']}", params={"status": "CONFIRMED"})
    assert (same.status_code, same.json()["error"]) == (409, "status_already_set")
    ask("driver", "POST", f"/rides/{ride['id']}/passengers/{own}/cancel")
    assert status_of(partner, booking["id"]) == "CANCELLED"


@pytest.mark.parametrize(
    ("days", "steps"),
    [
        (53, [("COMPLETED_PENDING_VALIDATION", 200), ("VALIDATED", 200), ("VALIDATED", 409)]),
        (54, [("VALIDATED", 200), ("VALIDATED", 409), ("CANCELLED", 409)]),
        (55, [("CANCELLED", 200), ("VALIDATED", 409), ("CANCELLED", 409), ("CONFIRMED", 409)]),
        (56, [("WAITING_CONFIRMATION", 409), ("DONE", 400), ("", 400)]),
    ],
)
def test_a_booking_changes_as_the_standard_says(
    partner: Ask, drive: Callable[..., Json], days: int, steps: list[tuple[str, int]]
) -> None:
    booking = request_for(found(partner, drive(days, acceptance="ask")))
    assert partner("POST", "/bookings", json=booking).status_code == 201
    status = status_of(partner, booking["id"])
    assert status == "WAITING_CONFIRMATION"
    for wanted, code in steps:
        answer = partner("PATCH", f"/bookings/{booking['id']}", params={"status": wanted})
        assert answer.status_code == code, (wanted, answer.text)
        status = wanted if code == 200 else status
        assert status_of(partner, booking["id"]) == status
    unknown = partner("PATCH", f"/bookings/{uuid.uuid4()}", params={"status": "VALIDATED"})
    assert (unknown.status_code, unknown.json()["error"]) == (404, "missing_booking")


def test_bookings_of_one_id_at_once_take_one_seat(
    partner: Ask, drive: Callable[..., Json], ask: Ask
) -> None:
    booking = request_for(found(partner, drive(57, seats=4)))
    other = {**booking, "passenger": {**booking["passenger"], "id": uuid.uuid4().hex}}
    codes: list[int] = []
    together = threading.Barrier(6)

    def post(content: Json) -> None:
        together.wait()
        codes.append(partner("POST", "/bookings", json=content).status_code)

    contents = [booking, other] * 3
    threads = [threading.Thread(target=post, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [201, 400, 400, 400, 400, 400]
    rides = [r for r in ask("driver", "GET", "/rides").json() if r["state"] == "scheduled"]
    assert [p["state"] for r in rides for p in r["passengers"]] == ["confirmed"]


def test_a_booking_is_refused_where_nothing_is_there_to_book(
    partner: Ask, drive: Callable[..., Json]
) -> None:
    journey = found(partner, drive(58))
    theirs = {"id": "d", "operator": THEIRS, "alias": "D"}
    forged = journey["id"][:-4] + "AAAA"
    wrong: list[tuple[Json, str]] = [
        ({"driverJourneyId": forged}, "quote_invalid"),
        ({"driver": {**journey["driver"], "id": "demo:Rosa"}}, "missing_journey"),
        ({"driver": theirs}, "invalid_input"),
        ({"passenger": journey["driver"]}, "invalid_input"),
        ({"status": "CONFIRMED"}, "invalid_input"),
        ({"price": {"amount": "1"}}, "invalid_input"),
        ({"passengerPickupLat": 91}, "invalid_input"),
        ({"driverJourneyId": None, "passengerPickupLat": 46.0}, "missing_journey"),
    ]
    for changes, code in wrong:
        answer = partner("POST", "/bookings", json=request_for(journey, **changes))
        assert (answer.status_code, answer.json()["code"]) == (400, code), changes
    by_place = partner("POST", "/bookings", json=request_for(journey, driverJourneyId=None))
    assert by_place.status_code == 201, by_place.text
    assert by_place.json()["passengerPickupDate"] == journey["passengerPickupDate"]


def test_another_operators_driver_asks_and_our_rider_answers(
    partner: Ask, ask: Ask, wish: Callable[..., Json], somebody: Callable[..., Somebody]
) -> None:
    asked = wish(62)["asked"]
    (journey,) = partner("GET", "/passenger_journeys", params=asked).json()
    driver = {"id": "d1", "operator": THEIRS, "alias": "Dédé"}
    price = {"type": "PAYING", "amount": 1.5, "currency": "EUR"}
    changes = {"driver": driver, "price": price, "driverJourneyId": None}
    parts = {"passenger": journey["passenger"], "passengerJourneyId": journey["id"]}
    booking = request_for({**journey, "driver": driver, "price": price}, **changes, **parts)
    assert partner("POST", "/bookings", json=booking).status_code == 201
    assert partner("POST", "/bookings", json=booking).status_code == 400
    path = f"/bookings/{booking['id']}"
    early = partner("PATCH", path, params={"status": "CONFIRMED"})
    assert (early.status_code, early.json()["code"]) == (409, "booking_state")
    told = ask("rider", "GET", "/partner-bookings").json()[0]
    assert (told["driver"], told["operator"], told["kind"]) == ("Dédé", THEIRS, "asked")
    notice = ask("rider", "GET", "/notices").json()[-1]
    assert notice["content"]["partner_booking_id"] == told["id"]
    own = f"/partner-bookings/{told['id']}"
    assert ask(somebody(Scope.RIDER).secret, "POST", f"{own}/confirm").status_code == 404
    assert ask("rider", "POST", f"{own}/confirm").json()["status"] == "CONFIRMED"
    assert status_of(partner, booking["id"]) == "CONFIRMED"
    assert partner("PATCH", path, params={"status": "VALIDATED"}).status_code == 200
    late = ask("rider", "POST", f"{own}/cancel")
    assert (late.status_code, late.json()["code"]) == (409, "booking_state")
    gone = {**booking, "id": str(uuid.uuid4()), "passengerJourneyId": f"{uuid.uuid4()}:out"}
    refused = partner("POST", "/bookings", json=gone)
    assert (refused.status_code, refused.json()["code"]) == (400, "missing_journey")


def test_events_of_bookings_elsewhere_are_kept_in_their_order(partner: Ask) -> None:
    for first in ("WAITING_CONFIRMATION", "CONFIRMED"):
        event = told_booking(status=first)
        steps = [(first, 200), (first, 400)]
        steps += [("CONFIRMED", 200)] if first != "CONFIRMED" else []
        steps += [("CONFIRMED", 400), ("CANCELLED", 200), ("CONFIRMED", 400)]
        status = first
        for wanted, code in steps:
            event["data"]["status"] = wanted
            answer = partner("POST", "/booking_events", json=event)
            assert answer.status_code == code, (wanted, answer.text)
            status = wanted if code == 200 else status
            assert status_of(partner, event["data"]["id"]) == status
    passenger = {"id": "p", "operator": THEIRS, "alias": "P"}
    both = told_booking(passenger=passenger)
    assert partner("POST", "/booking_events", json=both).status_code == 400
    of_driver = told_booking(passenger=passenger)
    del of_driver["data"]["driver"]
    assert partner("POST", "/booking_events", json=of_driver).status_code == 200


def test_whoever_a_token_names_is_told_of_his_booking_elsewhere(
    booth: Booth, engine: Engine, ask: Ask, somebody: Callable[..., Somebody]
) -> None:
    rider, program, subject = somebody(), somebody(Scope.APP), uuid.uuid4().hex

    class Issuer:
        """Knows one token."""

        def find_named(self, token: str) -> Vouched | None:
            return Vouched("https://issuer.example", subject, None) if token == "good" else None

    with engine.begin() as connection:
        add_identity(connection, "https://issuer.example", subject, rider.id)
    owner = Principal(program.id, program.person_id, uuid.uuid4(), frozenset({Scope.APP}), TOKEN)
    for token in ("good", "bad"):
        event = {**told_booking(), "idToken": token}
        hear_booking_event(booth.desk, owner, Issuer(), event, now=dt.datetime.now(dt.UTC))  # type: ignore[arg-type] # what is asked of it
    (booking,) = ask(rider.secret, "GET", "/partner-bookings").json()
    assert (booking["kind"], booking["driver"]) == ("told", "Dédé")
    (notice,) = ask(rider.secret, "GET", "/notices").json()
    assert notice["content"]["partner_booking_id"] == booking["id"]
    refused = ask(rider.secret, "POST", f"/partner-bookings/{booking['id']}/cancel")
    assert (refused.status_code, refused.json()["code"]) == (409, "booking_state")


def test_messages_reach_drivers_and_riders_who_are_shown(
    partner: Ask, ask: Ask, drive: Callable[..., Json], wish: Callable[..., Json]
) -> None:
    journey, text = found(partner, drive(59)), f"Bonjour {uuid.uuid4().hex}"
    asked = wish(63)["asked"]
    (wanted,) = partner("GET", "/passenger_journeys", params=asked).json()
    stranger = {"id": uuid.uuid4().hex, "operator": THEIRS, "alias": "Zoé"}
    for who, to, kind in (
        ("driver", journey["driver"], "DRIVER"), ("rider", wanted["passenger"], "PASSENGER"),
    ):  # fmt: skip
        message = {"from": stranger, "to": to, "message": text, "recipientCarpoolerType": kind}
        assert partner("POST", "/messages", json=message).status_code == 201
        notice = last_notice(ask, who)
        assert (notice["kind"], notice["content"]["message"]) == ("partner_message", text)
        for wrong in ({"id": uuid.uuid4().hex}, {"operator": "elsewhere.example.org"}):
            unknown = partner("POST", "/messages", json={**message, "to": {**to, **wrong}})
            assert unknown.status_code == 404
    long = {**message, "message": "x" * 501}
    assert partner("POST", "/messages", json=long).status_code == 400


def last_notice(ask: Ask, who: str) -> Json:
    page, after = ask(who, "GET", "/notices").json(), 0
    last: Json = {}
    while page:
        last, after = page[-1], page[-1]["id"]
        page = ask(who, "GET", "/notices", params={"after": after}).json()
    return last


def test_searches_for_drivers_are_open_and_everything_else_takes_a_token(
    api: httpx.Client, ask: Ask, offers: list[Json]
) -> None:
    at = moment(next_monday(), offers[0]["depart_from"])
    asked = {**between(offers[0]), "departureDate": at}
    assert api.get(f"{BASE}/status").status_code == 200
    assert api.get(f"{BASE}/driver_journeys", params=asked).json()
    for key in ({}, {"X-API-Key": "mob_made_up"}, {"authorization": "Bearer x"}):
        for path in ("/passenger_journeys", f"/bookings/{uuid.uuid4()}"):
            answer = api.get(BASE + path, params=asked, headers=key)
            check_format(answer)
            assert answer.status_code == 401


REAL_VALUES = """
departureLat = {departureLat}
departureLng = {departureLng}
arrivalLat = {arrivalLat}
arrivalLng = {arrivalLng}
departureDate = {departureDate}
departureTimeOfDay = "07:15:00"
departureWeekdays = "MON,TUE"
bookingId = "{booking}"
"""


@pytest.mark.parametrize("kind", ["real", "invented"])
@pytest.mark.parametrize("count", [15, pytest.param(1000, marks=pytest.mark.slow)])
def test_no_answer_breaks_the_document(
    demo_server: RunningServer, partner: Ask, somebody: Callable[..., Somebody],
    offers: list[Json], tmp_path: Path, kind: str, count: int,
) -> None:  # fmt: skip
    key, event = somebody(Scope.APP).secret, told_booking()
    assert partner("POST", "/booking_events", json=event, key=key).status_code == 200
    config, values = tmp_path / "schemathesis.toml", ""
    if kind == "real":
        at = moment(next_monday(), offers[0]["depart_from"])
        known = {**between(offers[0]), "departureDate": at, "booking": event["data"]["id"]}
        values = f"[parameters]\n{REAL_VALUES.format(**known)}"
    config.write_text(f'hooks = "{HOOKS}"\n{values}')
    command = [
        str(Path(sys.executable).parent / "schemathesis"), "--config-file", str(config), "run",
        str(document_file()), "--url", f"{demo_server.base_url}{BASE}", "--no-color",
        "--phases", "examples,coverage,fuzzing", "--max-examples", str(count), "--seed", "1",
        "--checks", ",".join(CHECKS), "--workers", "1", "--request-timeout", "30",
        "--continue-on-failure", "--header", f"X-API-Key: {key}",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    print("\n".join(done.stdout.splitlines()[-8:]))
    assert done.returncode == 0, done.stdout[-5000:]
    assert "10 selected / 10 total" in done.stdout
