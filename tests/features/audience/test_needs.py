"""What riders bring along, and by when drivers must be there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx

from carpool.audience import Need
from carpool.quotes import Quote, read_quote, sign_quote
from tests.support.booked import ZONE, Ask
from tests.support.bookings import Booth, Driven, at_once, codes, first_pair, outcome
from tests.support.circles import book, leg, offer_of, shown
from tests.support.users import Somebody, code_of


def quote_with(booth: Booth, driven: Driven, *needs: Need) -> str:
    plain: Quote = read_quote(booth.quote(driven, *first_pair(driven)), booth.key)
    return sign_quote(replace(plain, needs=needs), booth.key)


def test_a_quote_keeps_what_its_rider_brings_and_old_ones_are_read(
    booth: Booth, driven: Callable[..., Driven]
) -> None:
    ride = driven(takes=frozenset({Need.BIKE}))
    text = quote_with(booth, ride, Need.BIKE, Need.SMALL_LUGGAGE)
    assert read_quote(text, booth.key).needs == (Need.BIKE, Need.SMALL_LUGGAGE)
    assert read_quote(quote_with(booth, ride), booth.key).needs == ()


def test_a_car_takes_one_bike_and_no_trunk_that_it_has_no_room_for(
    booth: Booth, driven: Callable[..., Driven]
) -> None:
    ride = driven(takes=frozenset({Need.BIKE, Need.SMALL_LUGGAGE}))
    first, second, third = (booth.person("rider") for _ in range(3))
    trunk = quote_with(booth, ride, Need.LARGE_LUGGAGE)
    assert outcome(lambda: booth.book(first, trunk))[1] == "car_does_not_take"
    bike = quote_with(booth, ride, Need.BIKE, Need.SMALL_LUGGAGE)
    (booked,) = booth.book(first, bike)
    assert booked.needs == {Need.BIKE, Need.SMALL_LUGGAGE}
    assert outcome(lambda: booth.book(second, bike))[1] == "car_does_not_take"
    bag = quote_with(booth, ride, Need.SMALL_LUGGAGE)
    assert booth.book(third, bag), "bags are not counted"


def test_the_last_place_for_a_bike_is_not_taken_twice(
    booth: Booth, driven: Callable[..., Driven]
) -> None:

    ride = driven(takes=frozenset({Need.BIKE}))
    quote = quote_with(booth, ride, Need.BIKE)
    riders = [booth.person("rider") for _ in range(3)]
    results = at_once(*(lambda who=who: booth.book(who, quote) for who in riders))  # type: ignore[misc]
    assert codes(results) == ["car_does_not_take"] * 2


def test_the_car_is_shown_once_the_seat_is_confirmed_and_what_the_rider_brings_to_the_driver(
    api: httpx.Client, ask: Ask, somebody: Callable[..., Somebody], ends: dict[str, Any]
) -> None:
    driver, rider = somebody(), somebody()
    car = {
        "make": "Renault Zoé", "colour": "bleue", "plate": "AB-123-CD", "energy": "electric",
        "fiscal_power": 3,
    }  # fmt: skip
    offer = offer_of(
        ask, driver, 130, ends, vehicle=car, takes=["large_luggage", "bike"], acceptance="ask"
    ).json()
    assert offer["vehicle"] == car
    found = shown(api, offer, rider, carpoolNeeds="bike,small_luggage")
    assert found["mobility"]["takes"] == ["large_luggage", "bike"]
    assert "AB-123" not in str(found)
    assert leg(api, offer, rider, carpoolNeeds="child_seat") is None
    unknown = api.get(
        "/api/v6/plan", params={"fromPlace": "0,0", "toPlace": "0,0", "carpoolNeeds": "piano"}
    )
    assert (unknown.status_code, code_of(unknown)) == (422, "invalid_input")
    (booking,) = book(ask, rider, found).json()
    assert (booking["state"], booking["vehicle"]) == ("pending_driver", None)
    assert booking["needs"] == ["bike", "small_luggage"]
    (ride,) = ask(driver.secret, "GET", "/rides").json()
    assert ride["passengers"][0]["needs"] == ["bike", "small_luggage"]
    ask(driver.secret, "POST", f"/rides/{ride['id']}/passengers/{booking['id']}/accept")
    path = f"/bookings/{booking['id']}"
    assert ask(rider.secret, "GET", path).json()["vehicle"] == car
    other = somebody()
    assert leg(api, offer, other, carpoolNeeds="bike") is None, "there is one place for a bike"
    assert ask(rider.secret, "POST", f"{path}/cancel").json()["vehicle"] is None
    assert shown(api, offer, other, carpoolNeeds="bike")


def test_a_driver_who_must_be_there_in_time_leaves_early_enough(
    api: httpx.Client, ask: Ask, somebody: Callable[..., Somebody], ends: dict[str, Any]
) -> None:
    driver = somebody()
    both = offer_of(ask, driver, 131, ends, arrive_from="06:00", arrive_to="06:10")
    assert (both.status_code, code_of(both)) == (422, "invalid_offer")
    assert "either depart_from and depart_to, or arrive_from and arrive_to" in both.json()["detail"]
    made = offer_of(
        ask, driver, 131, ends, depart_from=None, depart_to=None, arrive_from="05:40",
        arrive_to="06:00",
    )  # fmt: skip
    assert made.status_code == 201, made.text
    offer = made.json()
    assert (offer["depart_from"], offer["arrive_to"]) == (None, "06:00:00")
    found = shown(api, offer, None, searchWindow=5_400)
    ends_at = dt.datetime.fromisoformat(found["endTime"]).astimezone(ZONE)
    assert ends_at.time() <= dt.time(6)
    assert ask(driver.secret, "GET", f"/offers/{offer['id']}").json()["arrive_from"] == "05:40:00"
    before = offer_of(
        ask, driver, 131, ends, depart_from=None, depart_to=None, arrive_from="00:01",
        arrive_to="00:02",
    )  # fmt: skip
    assert (before.status_code, code_of(before)) == (422, "offer_unusable")
    rider = somebody()
    assert book(ask, rider, found).status_code == 201
