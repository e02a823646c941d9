"""What a rider has if the driver does not come, on the running demo."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx

from carpool.audience import Audience, Circle, Need
from carpool.bookings import BookingEvent, BookingState
from carpool.quotes import read_quote, sign_quote
from core.ids import OfferId
from mobility.actions.change_booking import Side
from mobility.actions.plan_b import show_plan_b, take_plan_b
from mobility.mapping.priced import PricedItinerary
from mobility.world import World
from routing.itinerary import RideLeg
from tests.support.booked import Ask, book, found
from tests.support.bookings import Booth, Driven, first_pair, now, soon

Drive = Callable[..., dict[str, Any]]
WALK = dt.timedelta(minutes=15)
"""From where somebody is let out, at most."""


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def ends_of(offer: dict[str, Any]) -> dict[str, Any]:
    return {end: {name: offer[end][name] for name in ("lat", "lon")} for end in ("start", "end")}


def offers_in(itinerary: dict[str, Any]) -> set[str]:
    return {
        leg["mobility"]["offer_id"]
        for leg in itinerary["legs"]
        if "offer_id" in leg.get("mobility", {})
    }


def leads_elsewhere(
    itinerary: dict[str, Any], left: dict[str, Any], other_leg: dict[str, Any]
) -> bool:
    """
    Whether another driver takes the rider, as soon as a known one does.

    Others may drive at the same time: which of them it is does not matter.
    """
    latest = at(other_leg["endTime"]) + WALK
    by_car = offers_in(itinerary)
    return bool(by_car) and left["id"] not in by_car and at(itinerary["endTime"]) <= latest


def two_drives(
    api: httpx.Client, drive: Drive, day: int, hour: str = "05"
) -> tuple[dict[str, Any], ...]:
    """A drive, the same one half an hour later, and the legs by which a rider goes with each."""
    first = drive(day, depart_from=f"{hour}:00", depart_to=f"{hour}:10")
    second = drive(day, depart_from=f"{hour}:30", depart_to=f"{hour}:35")
    later = found(api, second, time=f"{second['date']}T{hour}:20:00")
    return first, found(api, first, time=f"{first['date']}T{int(hour) - 1:02d}:50:00"), later


def drive_back(api: httpx.Client, drive: Drive, day: int, there: dict[str, Any]) -> None:
    """A drive that takes riders back in the evening, whatever else runs on that weekday."""
    ends = ends_of(there)
    start, end = ({**ends[name], "public": True} for name in ("end", "start"))
    back = drive(day, start=start, end=end, depart_from="20:00", depart_to="20:10")
    found(api, back, time=f"{back['date']}T19:50:00")


def test_plan_b_is_worked_out_when_a_seat_is_booked_and_taken_when_its_driver_cancels(
    api: httpx.Client, ask: Ask, drive: Drive
) -> None:
    first, leg, second_leg = two_drives(api, drive, 60)
    drive_back(api, drive, 60, first)
    (booking,) = book(ask, leg, confirm=True, journey=ends_of(first)).json()
    plan_b, way_home = booking["fallback"]["plan_b"], booking["fallback"]["way_home"]
    assert plan_b["family"] == "carpool"
    assert at(plan_b["arrive_at"]) > at(booking["dropoff_by"])
    assert at(way_home["leave_at"]) > at(plan_b["arrive_at"])
    path = f"/bookings/{booking['id']}"
    assert ask("rider", "GET", path).json()["fallback"] == booking["fallback"]
    shown = ask("rider", "GET", f"{path}/plan-b").json()["itinerary"]
    assert leads_elsewhere(shown, first, second_leg)
    assert (at(shown["startTime"]), at(shown["endTime"])) == (
        at(plan_b["leave_at"]), at(plan_b["arrive_at"]),
    )  # fmt: skip
    early = ask("rider", "POST", f"{path}/take-plan-b")
    assert (early.status_code, early.json()["code"]) == (409, "booking_state")
    ask("driver", "POST", f"/rides/{booking['ride_id']}/cancel")
    taken = ask("rider", "POST", f"{path}/take-plan-b")
    assert taken.status_code == 200, taken.text
    (other,) = taken.json()["bookings"]
    assert other["state"] == "confirmed"
    assert other["ride_id"] != booking["ride_id"]
    assert leads_elsewhere(taken.json()["itinerary"], first, second_leg)
    assert ask("driver", "GET", f"{path}/plan-b").status_code in (403, 404)


def test_a_rider_leaves_a_late_driver_for_plan_b_and_what_follows_is_given_back(
    api: httpx.Client, ask: Ask, drive: Drive
) -> None:
    first, leg, second_leg = two_drives(api, drive, 61)
    _, onward, _ = two_drives(api, drive, 61, hour="18")
    quotes = [each["mobility"]["quote"] for each in (leg, onward)]
    wanted = {"quotes": quotes, "confirm": True, "journey": ends_of(first)}
    booked = ask("rider", "POST", "/bookings", json=wanted).json()
    early, late = booked
    assert {facts["fallback"]["plan_b"]["family"] for facts in booked} <= {"carpool", "transit"}
    ask("driver", "POST", f"/rides/{early['ride_id']}/late", json={"late_s": 5_400})
    path = f"/bookings/{early['id']}"
    assert ask("rider", "GET", path).json()["state"] == "change_proposed"
    taken = ask("rider", "POST", f"{path}/take-plan-b").json()
    assert leads_elsewhere(taken["itinerary"], first, second_leg)
    states = {
        facts["id"]: facts["state"] for facts in ask("rider", "GET", "/bookings").json()["bookings"]
    }
    assert states[early["id"]] == "cancelled_driver"
    assert states[late["id"]] == "cancelled_rider"
    assert [states[facts["id"]] for facts in taken["bookings"]] == ["confirmed"]


def test_who_has_nothing_else_is_told_so(api: httpx.Client, ask: Ask, drive: Drive) -> None:
    offer = drive(62)
    nowhere = {"lat": 0.0, "lon": 0.0}
    journey = {"start": nowhere, "end": nowhere}
    wrong = book(ask, found(api, offer), journey={"start": {"lat": 91, "lon": 0}, "end": nowhere})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid_input")
    (lost,) = book(ask, found(api, offer), journey=journey).json()
    assert lost["fallback"] == {"plan_b": None, "way_home": None}
    shown = ask("rider", "GET", f"/bookings/{lost['id']}/plan-b").json()
    assert shown == {"itinerary": None}
    ask("rider", "POST", f"/bookings/{lost['id']}/confirm")
    ask("driver", "POST", f"/rides/{lost['ride_id']}/late", json={"late_s": 5_400})
    refused = ask("rider", "POST", f"/bookings/{lost['id']}/take-plan-b")
    assert (refused.status_code, refused.json()["code"]) == (409, "no_plan_b")
    kept = ask("rider", "GET", f"/bookings/{lost['id']}").json()
    assert kept["state"] == "change_proposed"


def test_a_ride_that_others_have_filled_meanwhile_is_left_out(
    booth: Booth, driven: Callable[..., Driven]
) -> None:
    """The search still shows the second driver's seats, which are taken by now."""
    date, five = soon(), 5 * 3600
    first, second, third = (
        driven(date=date, window_s=(leaves_s, leaves_s + 300))
        for leaves_s in (five, five + 1_800, five + 3_600)
    )
    offers = [ride.offer for ride in (first, second, third)]
    bodies = [ride.way.body for ride in (first, second, third)]
    world = World(booth.desk.snapshot, offers, bodies, quote_key=booth.key)
    rider, others = booth.person("rider"), booth.person("others")
    (booked,) = booth.book(rider, booth.quote(first, *first_pair(first)))
    booth.act(first.driver, Side.DRIVER, booked.id, BookingEvent.CANCEL_DRIVER)
    shown = show_plan_b(world, booth.desk, rider, booked.id, now=now())
    assert shown is not None
    assert offers_of(world, shown) == {second.offer.id}
    booth.book(others, booth.quote(second, *first_pair(second), seats=second.offer.seat_count))
    taken = take_plan_b(world, booth.desk, rider, booked.id, now=now())
    assert offers_of(world, taken.priced) == {third.offer.id}
    assert [booking.state for booking in taken.bookings] == [BookingState.CONFIRMED]


def offers_of(world: World, priced: PricedItinerary) -> set[OfferId]:
    legs = priced.itinerary.legs
    return {world.offers[leg.offer].id for leg in legs if isinstance(leg, RideLeg)}


def test_plan_b_is_among_the_offers_that_are_for_the_rider_and_what_he_brings(
    booth: Booth, driven: Callable[..., Driven]
) -> None:
    date, five, bike = soon(), 5 * 3600, frozenset({Need.BIKE})
    first, for_women, without_room, last = (
        driven(date=date, window_s=(five + wait_s, five + wait_s + 300), **terms)
        for wait_s, terms in (
            (0, {"takes": bike}), (1_800, {"takes": bike, "circle": Circle(Audience.WOMEN)}),
            (2_400, {}), (3_600, {"takes": bike}),
        )
    )  # fmt: skip
    rides = (first, for_women, without_room, last)
    world = World(
        booth.desk.snapshot, [ride.offer for ride in rides], [ride.way.body for ride in rides],
        quote_key=booth.key,
    )  # fmt: skip
    rider = booth.person("rider")
    plain = read_quote(booth.quote(first, *first_pair(first)), booth.key)
    quote = sign_quote(replace(plain, needs=(Need.BIKE,)), booth.key)
    (booked,) = booth.book(rider, quote)
    booth.act(first.driver, Side.DRIVER, booked.id, BookingEvent.CANCEL_DRIVER)
    taken = take_plan_b(world, booth.desk, rider, booked.id, now=now())
    assert offers_of(world, taken.priced) == {last.offer.id}
    assert [booking.needs for booking in taken.bookings] == [bike]
