"""Other carpool operators book seats for their riders, on the running demo."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable

import pytest

from mobility.users.scopes import Scope
from tests.support.standard_covoiturage import (
    THEIRS,
    Ask,
    Json,
    found,
    request_for,
    status_of,
)
from tests.support.users import Somebody


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
