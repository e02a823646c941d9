"""Offers for some alone, searched: by riders, by other operators, and in the open feed."""

from __future__ import annotations

import datetime as dt
import json
import random
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from carpool.audience import ANYBODY, Audience, Circle, Need, Person, Seeker, may_ride
from carpool.compile import compile_offer
from carpool.offers import WEEKDAYS, parse_offer
from carpool.ports import PublishedOffer
from core.ids import OfferId
from mobility.actions.plan_itineraries import plan_itineraries
from mobility.actions.search_rides import Around, search_rides, search_trips
from mobility.mapping.carpool_gtfs import carpool_gtfs
from mobility.world import World
from routing.itinerary import RideLeg
from routing.query import Endpoint, PlanQuery
from tests.features.test_open_data import table
from tests.support.bookings import Booth, soon

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
