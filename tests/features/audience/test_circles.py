"""Offers for some alone: who finds them, who books them, and what happens when that changes."""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from mobility.db.circles import add_block
from mobility.db.engine import Engine
from mobility.db.schema import audit
from tests.support.booked import Ask, wait_until
from tests.support.bookings import Booth, Driven, at_once, first_pair, now, outcome
from tests.support.circles import book, leg, offer_of, say_woman, shown
from tests.support.users import Somebody, code_of


def test_women_to_women(
    api: httpx.Client, ask: Ask, somebody: Callable[..., Somebody], ends: dict[str, Any]
) -> None:
    driver, woman, man = somebody(), somebody(), somebody()
    refused = offer_of(ask, driver, 121, ends, audience="women")
    assert (refused.status_code, code_of(refused)) == (403, "not_in_audience")
    say_woman(ask, driver)
    say_woman(ask, woman)
    offer = offer_of(ask, driver, 121, ends, audience="women").json()
    found = shown(api, offer, woman)
    assert found["mobility"]["audience"] == "women"
    assert leg(api, offer, man) is None
    assert leg(api, offer, None) is None
    assert shown(api, offer, woman, carpoolAudience="women")
    asked_in_vain = api.get(
        "/api/v6/plan",
        params={"fromPlace": "0,0", "toPlace": "0,0", "carpoolAudience": "women"},
        headers=man.headers,
    )
    assert (asked_in_vain.status_code, code_of(asked_in_vain)) == (403, "not_in_audience")
    passed_on = book(ask, man, found)
    assert (passed_on.status_code, code_of(passed_on)) == (403, "not_in_audience")
    assert book(ask, woman, found).status_code == 201
    # What is left of the booked date is for them alone, too.
    other = somebody()
    say_woman(ask, other)
    assert shown(api, offer, other)
    assert leg(api, offer, None) is None
    partner = api.get(
        "/standard-covoiturage/driver_journeys",
        params={
            "departureLat": offer["start"]["lat"], "departureLng": offer["start"]["lon"],
            "arrivalLat": offer["end"]["lat"], "arrivalLng": offer["end"]["lon"],
            "departureDate": int(
                dt.datetime.fromisoformat(f"{offer['valid_from']}T05:00:00+02:00").timestamp()
            ),
            "timeDelta": 7_200,
        },
    )  # fmt: skip
    assert partner.status_code == 200, partner.text
    assert driver_names(partner) & {offer["driver"]} == set()


def driver_names(answer: httpx.Response) -> set[str]:
    return {journey["driver"]["alias"] for journey in answer.json()}


def test_what_one_is_no_more_one_offers_no_more(
    ask: Ask, somebody: Callable[..., Somebody], ends: dict[str, Any]
) -> None:
    driver = somebody()
    say_woman(ask, driver)
    offer = offer_of(ask, driver, 122, ends, audience="women").json()
    wish = ask(
        driver.secret, "POST", "/wishes",
        json={
            "start": {n: ends["start"][n] for n in ("lat", "lon")},
            "end": {n: ends["end"][n] for n in ("lat", "lon")},
            "out": {"leave_from": "04:00", "arrive_by": "06:00"}, "audience": "women",
            "valid_from": offer["valid_from"], "valid_to": offer["valid_from"],
        },
    )  # fmt: skip
    assert wish.status_code == 201, wish.text
    say_woman(ask, driver, is_woman=False)
    path = f"/offers/{offer['id']}"
    assert ask(driver.secret, "GET", path).json()["state"] == "paused"
    assert [w["open"] for w in ask(driver.secret, "GET", "/wishes").json()] == [False]
    assert code_of(ask(driver.secret, "POST", f"{path}/resume")) == "not_in_audience"
    # Marks are nobody else's: neither an offer nor a user's facts tell them.
    me = ask(driver.secret, "GET", "/users/me").json()
    assert not any("woman" in name for name in me)


def test_verified_people_among_themselves(
    api: httpx.Client,
    ask: Ask,
    engine: Engine,
    somebody: Callable[..., Somebody],
    ends: dict[str, Any],
) -> None:
    driver, rider = somebody(), somebody()
    for who in (driver, rider):
        path = f"/users/{who.id}/verification"
        assert code_of(ask(who.secret, "PUT", path, json={"verified": True})) == "not_allowed"
        assert ask("operator", "PUT", path, json={"verified": True}).status_code == 204
        with engine.connect() as connection:
            rows = connection.execute(audit.select().where(audit.c.subject == str(who.id)))
            assert [row.act for row in rows] == ["person_verified"]
    offer = offer_of(ask, driver, 123, ends, audience="verified").json()
    found = shown(api, offer, rider)
    assert leg(api, offer, None) is None
    ask("authority", "PUT", f"/users/{rider.id}/verification", json={"verified": False})
    assert leg(api, offer, rider) is None
    assert code_of(book(ask, rider, found)) == "not_in_audience"


def test_a_community_is_joined_by_its_code_and_left_at_will(
    api: httpx.Client, ask: Ask, somebody: Callable[..., Somebody], ends: dict[str, Any]
) -> None:
    driver, rider, stranger = somebody(), somebody(), somebody()
    name = f"Atelier {uuid.uuid4().hex[:8]}"
    assert code_of(ask("rider", "POST", "/communities", json={"name": name})) == "not_allowed"
    made = ask("operator", "POST", "/communities", json={"name": name}).json()
    assert code_of(ask("operator", "POST", "/communities", json={"name": name})) == (
        "community_taken"
    )
    for who in (driver, rider, rider):
        joined = ask(who.secret, "POST", "/communities/join", json={"code": made["code"].lower()})
        assert joined.json() == {"id": made["id"], "name": name}
    wrong = ask(stranger.secret, "POST", "/communities/join", json={"code": "ABCDEFGHJK"})
    assert (wrong.status_code, code_of(wrong)) == (404, "community_unknown")
    listed = {each["id"]: each for each in ask("operator", "GET", "/communities/managed").json()}
    assert listed[made["id"]]["member_count"] == 2
    terms = {"audience": "community", "community": made["id"]}
    assert code_of(offer_of(ask, stranger, 124, ends, **terms)) == "not_in_audience"
    assert code_of(offer_of(ask, driver, 124, ends, audience="community")) == "invalid_offer"
    offer = offer_of(ask, driver, 124, ends, **terms).json()
    assert offer["community"] == made["id"]
    assert shown(api, offer, rider)
    assert shown(api, offer, rider, carpoolAudience=made["id"])
    assert leg(api, offer, stranger) is None
    other = ask("operator", "POST", f"/communities/{made['id']}/code").json()["code"]
    assert other != made["code"]
    assert code_of(
        ask(stranger.secret, "POST", "/communities/join", json={"code": made["code"]})
    ) == "community_unknown"  # fmt: skip
    assert ask(rider.secret, "POST", f"/communities/{made['id']}/leave").status_code == 204
    assert leg(api, offer, rider) is None
    assert ask(rider.secret, "GET", "/communities").json() == []
    assert ask("operator", "DELETE", f"/communities/{made['id']}").status_code == 204
    path = f"/offers/{offer['id']}"
    assert ask(driver.secret, "GET", path).json()["state"] == "paused"
    assert code_of(ask(driver.secret, "POST", f"{path}/resume")) == "not_in_audience"


@pytest.mark.parametrize("by_the_driver", [True, False])
def test_people_who_stay_apart_neither_find_nor_book_each_other_and_are_not_told(
    api: httpx.Client,
    ask: Ask,
    somebody: Callable[..., Somebody],
    alias: Callable[[Somebody], str],
    ends: dict[str, Any],
    by_the_driver: bool,
) -> None:
    driver, rider = somebody(), somebody()
    days = 125 + by_the_driver
    offer = offer_of(ask, driver, days, ends).json()
    found = shown(api, offer, rider)
    one, other = (driver, rider) if by_the_driver else (rider, driver)
    block = ask(one.secret, "POST", "/blocks", json={"alias": alias(other)})
    assert block.status_code == 201, block.text
    assert leg(api, offer, rider) is None
    assert leg(api, offer, None) is not None
    refused = book(ask, rider, found)
    assert (refused.status_code, code_of(refused)) == (409, "ride_not_free")
    assert ask(other.secret, "GET", "/blocks").json() == []
    assert ask(other.secret, "GET", "/notices").json() == []
    (listed,) = ask(one.secret, "GET", "/blocks").json()
    assert listed["alias"] == alias(other)
    assert ask(one.secret, "DELETE", f"/blocks/{listed['person_id']}").status_code == 204
    assert book(ask, rider, leg(api, offer, rider)).status_code == 201
    nobody = ask(one.secret, "POST", "/blocks", json={"alias": f"nobody {uuid.uuid4()}"})
    assert (nobody.status_code, code_of(nobody)) == (404, "person_unknown")
    assert code_of(ask(one.secret, "POST", "/blocks", json={"alias": alias(one)})) == (
        "invalid_input"
    )


def test_what_is_narrowed_holds_for_booked_dates_at_once(
    ask: Ask, api: httpx.Client, somebody: Callable[..., Somebody], ends: dict[str, Any]
) -> None:
    driver, first, second = somebody(), somebody(), somebody()
    say_woman(ask, driver)
    offer = offer_of(ask, driver, 127, ends).json()
    found = shown(api, offer, first)
    assert book(ask, first, found).status_code == 201
    left = shown(api, offer, second)
    entered = {
        name: offer[name]
        for name in (
            "start", "end", "depart_from", "depart_to", "valid_from", "valid_to", "seats",
            "detour_budget_s",
        )
    }  # fmt: skip
    changed = ask(
        driver.secret, "PUT", f"/offers/{offer['id']}",
        json={**entered, "audience": "women", "version": 1},
    )  # fmt: skip
    assert changed.status_code == 200, changed.text
    assert code_of(book(ask, second, left)) == "not_in_audience"
    wait_until(lambda: leg(api, offer, second) is None)


def test_wishes_and_offers_meet_within_their_circles_alone(
    ask: Ask, somebody: Callable[..., Somebody], ends: dict[str, Any]
) -> None:
    driver, woman, man = somebody(), somebody(), somebody()
    say_woman(ask, driver)
    say_woman(ask, woman)
    offers = {
        audience: offer_of(ask, driver, 128, ends, audience=audience).json()
        for audience in ("women", "everyone")
    }
    date = offers["women"]["valid_from"]

    def wish(who: Somebody, **changes: Any) -> str:
        answer = ask(
            who.secret, "POST", "/wishes",
            json={
                "start": {n: ends["start"][n] for n in ("lat", "lon")},
                "end": {n: ends["end"][n] for n in ("lat", "lon")},
                "out": {"leave_from": "04:00", "arrive_by": "06:30"}, "valid_from": date,
                "valid_to": date, **changes,
            },
        )  # fmt: skip
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def matched(who: Somebody, wish_id: str) -> set[str]:
        found = ask(who.secret, "GET", f"/wishes/{wish_id}/matches").json()
        return {name for name, of in offers.items() if of["id"] in {m["offer_id"] for m in found}}

    of_man, open_wish, among = wish(man), wish(woman), wish(woman, audience="women")
    with_bike = wish(man, needs=["bike"])
    wait_until(lambda: matched(woman, open_wish) == {"women", "everyone"})
    wait_until(lambda: matched(woman, among) == {"women"})
    wait_until(lambda: matched(man, of_man) == {"everyone"})
    assert matched(man, with_bike) == set()
    for who, wish_id, name in ((man, with_bike, "everyone"), (man, of_man, "women")):
        notices = ask(who.secret, "GET", "/notices").json()
        own = [n["content"] for n in notices if n["content"].get("wish_id") == wish_id]
        assert offers[name]["id"] not in {o["offer_id"] for c in own for o in c["offers"]}
    say_woman(ask, man)  # whatever one says: it is looked again
    wait_until(lambda: matched(man, of_man) == {"women", "everyone"})
    shared = {"audience": "women", "shared": True}
    refused = ask(
        woman.secret, "POST", "/wishes",
        json={
            "start": {"lat": 0, "lon": 0}, "end": {"lat": 0, "lon": 0},
            "out": {"leave_from": "04:00", "arrive_by": "06:30"}, "valid_from": date,
            "valid_to": date, **shared,
        },
    )  # fmt: skip
    assert (refused.status_code, code_of(refused)) == (422, "invalid_wish")


def test_own_plan_is_that_of_whoever_the_cookie_signs_in(
    api: httpx.Client, ask: Ask, somebody: Callable[..., Somebody], ends: dict[str, Any]
) -> None:
    driver, woman = somebody(), somebody()
    say_woman(ask, driver)
    say_woman(ask, woman)
    offer = offer_of(ask, driver, 129, ends, audience="women").json()
    shown(api, offer, woman)
    params = {
        "fromPlace": "{lat},{lon}".format(**offer["start"]),
        "toPlace": "{lat},{lon}".format(**offer["end"]),
        "time": f"{offer['valid_from']}T04:50:00", "searchWindow": 1800,
    }  # fmt: skip

    def offers_for(**headers: str) -> set[str]:
        found = api.get("/mobility/v1/plan", params=params, headers=headers)
        assert found.status_code == 200, found.text
        legs = itertools.chain(*(it["legs"] for it in found.json()["itineraries"]))
        return {leg.get("mobility", {}).get("offer_id") for leg in legs}

    assert offer["id"] in offers_for(cookie=f"mobility_session={woman.secret}")
    assert offer["id"] not in offers_for()
    over = offers_for(cookie="mobility_session=mob_over")
    assert offer["id"] not in over, "whose session is over is nobody, and is answered"
    wrong = api.get("/api/v6/plan", params=params, headers={"authorization": "Bearer mob_never"})
    assert (wrong.status_code, code_of(wrong)) == (401, "not_signed_in")


def test_who_joins_while_a_seat_is_booked_is_kept_apart_or_booked_before(
    booth: Booth, driven: Callable[..., Driven]
) -> None:
    """A block and a booking at once: one of them comes first, and what was booked stays."""

    for _ in range(4):
        ride, rider = driven(), booth.person("rider")
        quote = booth.quote(ride, *first_pair(ride))

        def block(ride: Driven = ride, rider: Any = rider) -> str:
            with booth.desk.engine.begin() as connection:
                add_block(connection, ride.driver.person_id, booth.alias(rider), now())
            return "blocked"

        def hold(rider: Any = rider, quote: str = quote) -> str:
            booth.hold(rider, quote)
            return "held"

        results = at_once(block, hold)
        assert results[0] == "blocked"
        assert results[1] in ("held", "ride_not_free")
        again = outcome(lambda rider=rider, ride=ride: booth.hold(
            rider, booth.quote(ride, *first_pair(ride), later_s=30)
        ))  # fmt: skip
        assert again[1] in ("ride_not_free", "already_on_the_way")
