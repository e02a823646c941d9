"""Riders book what the search shows them, and drivers see it, on the running demo."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx

from tests.support.booked import Ask, book, found, leg_of, told, wait_until


def test_a_seat_that_is_held_is_not_found_until_it_is_given_back(
    api: httpx.Client, ask: Ask, drive: Callable[..., dict[str, Any]]
) -> None:
    offer = drive(40, seats=1)
    leg = found(api, offer)
    assert leg["ticketUrls"]["web"]
    held = book(ask, leg)
    assert held.status_code == 201, held.text
    (booking,) = held.json()
    assert (booking["state"], booking["seats"], booking["code"]) == ("held", 1, None)
    assert booking["until"] is not None
    wait_until(lambda: leg_of(api, offer) is None)
    path = f"/bookings/{booking['id']}"
    assert ask("rider", "POST", f"{path}/cancel").json()["state"] == "cancelled_rider"
    again = found(api, offer)
    assert again["mobility"]["quote"] == leg["mobility"]["quote"]


def test_what_is_left_of_a_ride_is_found_and_can_be_booked(
    api: httpx.Client, ask: Ask, drive: Callable[..., dict[str, Any]]
) -> None:
    offer = drive(41, seats=3)
    leg = found(api, offer, passengers=2)
    (booking,) = book(ask, leg, confirm=True).json()
    assert (booking["state"], booking["seats"]) == ("confirmed", 2)
    assert len(booking["code"]) == 4
    wait_until(lambda: leg_of(api, offer, passengers=2) is None)
    left = found(api, offer)
    assert left["mobility"]["seats_left"] == 1
    refused = book(ask, left)
    assert (refused.status_code, refused.json()["code"]) == (409, "already_on_the_way")
    other = book(ask, left, who="authority", confirm=True)
    assert other.status_code == 201, other.text
    wait_until(lambda: leg_of(api, offer) is None)


def test_a_driver_answers_sees_his_stops_and_lets_in_by_the_code(
    api: httpx.Client, ask: Ask, drive: Callable[..., dict[str, Any]]
) -> None:
    offer = drive(42, acceptance="ask")
    leg = found(api, offer)
    (booking,) = book(ask, leg, confirm=True).json()
    assert (booking["state"], booking["code"]) == ("pending_driver", None)
    rides = ask("driver", "GET", "/rides", params={"since": offer["date"]}).json()
    (ride,) = [r for r in rides if r["offer_id"] == offer["id"]]
    (passenger,) = ride["passengers"]
    assert passenger["rider"] == "demo:Rosa"
    assert passenger["state"] == "pending_driver"
    assert [stop["is_pickup"] for stop in ride["stops"]] == [True, False]
    assert [stop["point"] for stop in ride["stops"]] == [
        leg["mobility"]["pickup_point_id"], leg["mobility"]["dropoff_point_id"],
    ]  # fmt: skip
    assert ride["stops"][0]["at"] == booking["pickup_from"]
    path = f"/rides/{ride['id']}/passengers/{booking['id']}"
    assert ask("driver", "POST", f"{path}/accept").status_code == 200
    code = ask("rider", "GET", f"/bookings/{booking['id']}").json()["code"]
    assert len(code) == 4
    assert told(ask, "rider", "booking_accept", booking_id=booking["id"]) is not None
    assert told(ask, "driver", "booking_request", booking_id=booking["id"]) is not None
    wrong = ask("driver", "POST", f"{path}/board", json={"code": "none"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "wrong_code")
    soon = ask("driver", "POST", f"{path}/board", json={"code": code})
    assert (soon.status_code, soon.json()["code"]) == (409, "too_soon")
    cancelled = ask("driver", "POST", f"/rides/{ride['id']}/cancel").json()
    assert (cancelled["state"], cancelled["passengers"]) == ("cancelled", [])
    kept = ask("rider", "GET", f"/bookings/{booking['id']}").json()
    assert kept["state"] == "cancelled_driver"
    wait_until(lambda: leg_of(api, offer) is None)


def test_bookings_are_their_riders_and_quotes_are_not_made_up(
    api: httpx.Client, ask: Ask, drive: Callable[..., dict[str, Any]]
) -> None:
    offer = drive(43)
    leg = found(api, offer)
    quote = leg["mobility"]["quote"]
    for wrong in (quote[:-4] + "AAAA", "x", "", "é", "a" * 2000):
        refused = ask("rider", "POST", "/bookings", json={"quotes": [wrong]})
        assert (refused.status_code, refused.json()["code"]) == (422, "quote_invalid"), wrong
    twice = ask("rider", "POST", "/bookings", json={"quotes": [quote, quote]})
    assert (twice.status_code, twice.json()["code"]) == (422, "invalid_input")
    (booking,) = book(ask, leg).json()
    path = f"/bookings/{booking['id']}"
    for method, where in (("GET", ""), ("POST", "/cancel"), ("POST", "/confirm")):
        assert ask("driver", method, path + where).json()["code"] in (
            "booking_not_found", "not_allowed",
        )  # fmt: skip
    ride = f"/rides/{booking['ride_id']}"
    assert ask("rider", "GET", ride).status_code == 403
    other = ask("driver", "GET", f"/rides/{booking['id']}")
    assert (other.status_code, other.json()["code"]) == (404, "ride_not_found")
    headers = {"Idempotency-Key": "again"}
    ask("rider", "POST", f"{path}/cancel")
    keyed = [
        ask("rider", "POST", "/bookings", json={"quotes": [quote]}, headers=headers).json()
        for _ in range(3)
    ]
    assert len({facts[0]["id"] for facts in keyed}) == 1
    page = ask("rider", "GET", "/bookings", params={"count": 1}).json()
    assert page["bookings"][0]["id"] == keyed[0][0]["id"]
    behind = ask("rider", "GET", "/bookings", params={"count": 1, "after": page["next"]}).json()
    assert behind["bookings"][0]["id"] == booking["id"]
