"""Offers for some alone: who finds them, who books them, and what happens when that changes."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import random
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from carpool.audience import (
    ANYBODY,
    Audience,
    Circle,
    Need,
    Person,
    Seeker,
    may_ride,
)
from carpool.compile import compile_offer
from carpool.offers import WEEKDAYS, parse_offer
from carpool.ports import PublishedOffer
from carpool.quotes import Quote, read_quote, sign_quote
from core.ids import OfferId
from mobility.actions.plan_itineraries import plan_itineraries
from mobility.actions.search_rides import Around, search_rides, search_trips
from mobility.db.circles import add_block
from mobility.db.engine import Engine
from mobility.db.schema import audit, person
from mobility.mapping.carpool_gtfs import carpool_gtfs
from mobility.world import World
from routing.itinerary import RideLeg
from routing.query import Endpoint, PlanQuery
from tests.features.conftest import ZONE
from tests.features.test_open_data import table
from tests.support.booked import Ask, wait_until
from tests.support.bookings import (
    Booth,
    Driven,
    at_once,
    codes,
    first_pair,
    now,
    outcome,
    soon,
)
from tests.support.users import Somebody, code_of

Drive = Callable[..., dict[str, Any]]
WORKS = uuid.UUID(int=77)
CIRCLES = [
    Circle(), Circle(Audience.WOMEN), Circle(Audience.VERIFIED), Circle(Audience.COMMUNITY, WORKS)
]  # fmt: skip
SEEKERS = [
    ANYBODY,
    Seeker(Person(is_woman=True)),
    Seeker(Person(is_woman=True), circle=Circle(Audience.WOMEN)),
    Seeker(Person(is_verified=True, communities=frozenset({WORKS}))),
    Seeker(needs=frozenset({Need.BIKE})),
    Seeker(Person(is_woman=True, apart=frozenset({uuid.UUID(int=1), uuid.UUID(int=3)}))),
]


@pytest.fixture(scope="module")
def mixed(booth: Booth, demo_home: Path) -> World:
    """The demo's offers, each with terms drawn by a seed."""

    dice, published = random.Random(5), {}
    network = booth.desk.snapshot.network
    listed = json.loads((demo_home / "demo" / "offers.json").read_text(encoding="utf-8"))
    for row, values in enumerate(listed):
        offer = parse_offer(values, OfferId(str(uuid.UUID(int=row))))
        takes = frozenset(need for need in Need if dice.random() < 0.5)
        offer = replace(offer, circle=dice.choice(CIRCLES), takes=takes)
        driver = uuid.UUID(int=dice.randrange(5))
        published[offer.id] = PublishedOffer(offer, compile_offer(network, offer), driver)
    return world_of(booth, published)


def world_of(booth: Booth, published: dict[OfferId, PublishedOffer]) -> World:
    each = published.values()
    return World(
        booth.desk.snapshot, [p.offer for p in each], [p.body for p in each], published=published,
        quote_key=booth.key,
    )  # fmt: skip


def answer(world: World, query: PlanQuery, seeker: Seeker) -> list[tuple[Any, ...]]:
    found = plan_itineraries(world, query, seeker=seeker)
    return [
        (
            priced.itinerary.start_at, priced.itinerary.end_at, priced.price.amount_cents,
            *(
                (world.offers[leg.offer].id, leg.start.name, leg.end.name)
                if isinstance(leg, RideLeg)
                else (leg.mode, leg.start_at)
                for leg in priced.itinerary.legs
            ),
        )
        for priced in found.itineraries
    ]  # fmt: skip


def asked(world: World) -> Iterator[PlanQuery]:
    """Between the ends of offers, at about the time at which they are driven."""
    dice = random.Random(8)
    for offer in dice.sample(world.offers, 12):
        date = offer.valid_from
        while not offer.runs_on(date):
            date += dt.timedelta(days=1)
        midnight = dt.datetime.combine(date, dt.time(), world.network.zone)
        at = midnight + dt.timedelta(seconds=offer.depart_from_s - 1_200)
        ends = Endpoint(offer.start), Endpoint(offer.end)
        yield PlanQuery(*ends, at, window_s=1_800, detailed=False)


def test_the_search_is_as_in_a_world_of_the_offers_that_are_for_a_rider(
    booth: Booth, mixed: World
) -> None:
    differing = rides = 0
    for seeker in SEEKERS:
        allowed = {
            key: published
            for key, published in mixed.published.items()
            if may_ride(seeker, published.offer, published.driver_id)
        }
        assert 0 < len(allowed) < len(mixed.published)
        # What is for everyone may be masked too; so the twin's offers are all for everyone.
        alone = world_of(
            booth,
            {
                key: replace(one, offer=replace(one.offer, circle=Circle()))
                for key, one in allowed.items()
            },
        )
        for query in asked(mixed):
            expected = answer(alone, query, ANYBODY)
            assert answer(mixed, query, seeker) == expected
            rides += sum(isinstance(part, tuple) for it in expected for part in it)
            differing += answer(mixed, query, ANYBODY) != expected
    assert rides > 50
    assert differing > 10


def test_a_world_of_offers_to_everyone_lays_out_nothing_more_for_anybody(
    booth: Booth, mixed: World
) -> None:
    every = {
        key: replace(one, offer=replace(one.offer, circle=Circle()))
        for key, one in mixed.published.items()
    }
    world, date = world_of(booth, every), soon()
    plain = world.rides_on(date)
    assert len(plain.offer) > 0
    assert world.rides_for(date, ANYBODY) is plain
    assert world.rides_for(date, Seeker(Person(is_woman=True, is_verified=True))) is plain
    some = world.rides_for(date, Seeker(needs=frozenset({Need.BIKE})))
    assert 0 < len(some.offer) < len(plain.offer)
    assert world.rides_for(date, Seeker(needs=frozenset({Need.BIKE}))) is some, "it is kept"


def test_who_wants_no_steps_is_found_cars_that_take_wheelchairs_alone(mixed: World) -> None:
    seen = 0
    for query in asked(mixed):
        strict = replace(query, wheelchair=True, transit_modes=frozenset())
        for it in plan_itineraries(mixed, strict).itineraries:
            for leg in it.itinerary.legs:
                if isinstance(leg, RideLeg):
                    seen += 1
                    assert Need.WHEELCHAIR in mixed.offers[leg.offer].takes
                    assert leg.access is not None
                    assert leg.access.step_free.name == "YES"
    assert seen > 0


def test_the_open_feed_has_the_offers_to_everyone_alone(mixed: World) -> None:
    feed = carpool_gtfs(mixed, "https://example.org")
    named = {row["trip_id"].split(":")[1] for row in table(feed, "trips")}
    public = {offer.id for offer in mixed.offers if offer.circle == Circle()}
    assert named <= public
    assert len(named) > len(public) // 2


def test_other_operators_find_the_offers_to_everyone_alone(mixed: World) -> None:
    found, trip_count, now_at = set(), 0, dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    for query in asked(mixed):
        ends = query.origin.coordinate, query.destination.coordinate
        around = Around(*ends, 3_000, 3_000, 7_200)
        found |= {ride.offer for ride in search_rides(mixed, around, query.at, now=now_at)}
        clock_s = query.at.hour * 3_600
        days = query.at.date(), query.at.date() + dt.timedelta(days=7)
        trips = search_trips(mixed, around, clock_s, frozenset(WEEKDAYS), days, now=now_at)
        found |= {ride.offer for trip in trips for ride in trip.rides}
        trip_count += len(trips)
    assert trip_count > 5
    assert len(found) > 5
    assert {offer.circle for offer in found} == {Circle()}


# Over the API.


@pytest.fixture
def alias(engine: Engine) -> Callable[[Somebody], str]:
    def read(who: Somebody) -> str:
        with engine.connect() as connection:
            query = person.select().where(person.c.id == who.person_id)
            return str(connection.execute(query).mappings().one()["alias"])

    return read


def offer_of(ask: Ask, who: Somebody, days: int, like: dict[str, Any], **changes: Any) -> Any:
    """Publish a drive at five in the morning of a day ahead."""
    date = (dt.datetime.now(ZONE).date() + dt.timedelta(days=days)).isoformat()
    content = {
        **like, "depart_from": "05:00", "depart_to": "05:10", "valid_from": date,
        "valid_to": date, "seats": 3, "detour_budget_s": 600, **changes,
    }  # fmt: skip
    return ask(who.secret, "POST", "/offers", json=content)


@pytest.fixture
def ends(drive: Drive) -> dict[str, Any]:
    """Between where a drive of the demo goes."""
    own = drive(120)
    return {"start": own["start"], "end": own["end"]}


def leg(api: httpx.Client, offer: dict[str, Any], who: Somebody | None, **more: Any) -> Any:
    """Leg of an offer, if somebody's search has it."""
    params = {
        "fromPlace": "{lat},{lon}".format(**offer["start"]),
        "toPlace": "{lat},{lon}".format(**offer["end"]),
        "time": f"{offer['valid_from']}T04:50:00", "searchWindow": 1800, **more,
    }  # fmt: skip
    headers = {} if who is None else who.headers
    found = api.get("/api/v6/plan", params=params, headers=headers)
    assert found.status_code == 200, found.text
    legs = (leg for it in found.json()["itineraries"] for leg in it["legs"])
    own = (leg for leg in legs if leg.get("mobility", {}).get("offer_id") == offer["id"])
    return next(own, None)


def shown(api: httpx.Client, offer: dict[str, Any], who: Somebody | None, **more: Any) -> Any:
    wait_until(lambda: leg(api, offer, who, **more) is not None)
    return leg(api, offer, who, **more)


def book(ask: Ask, who: Somebody, leg: dict[str, Any], **more: Any) -> httpx.Response:
    body = {"quotes": [leg["mobility"]["quote"]], "confirm": True, **more}
    return ask(who.secret, "POST", "/bookings", json=body)


def say_woman(ask: Ask, who: Somebody, is_woman: bool = True) -> None:
    answer = ask(who.secret, "PUT", "/users/me/woman", json={"is_woman": is_woman})
    assert answer.json()["is_woman"] is is_woman, answer.text


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


# What riders bring along.


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


def test_who_joins_while_a_seat_is_booked_is_kept_apart_or_booked_before(
    booth: Booth, driven: Callable[..., Driven]
) -> None:
    """A block and a booking at once: one of them comes first, and what was booked stays."""
    from tests.support.bookings import at_once

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
