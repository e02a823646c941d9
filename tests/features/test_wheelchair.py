"""Washington without a street map, and the demo's town: raw feeds judge wheelchair journeys."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from starlette.datastructures import QueryParams

from core.geo import Coordinate
from mobility.actions.build_territory import build_territory
from mobility.api.parameters import Parameters
from mobility.api.plan import answer_plan
from mobility.demo.territory import build_demo_territory
from mobility.territory import read_territory
from mobility.world import Snapshot, World, open_snapshot
from tests.oracles.wheelchair_checker import WheelchairFeed, check_wheelchair
from tests.support.no_streets import build_bare
from tests.support.territories import random_places, shared_data

ITINERARIES = 200
PAIR_LIMIT = 400
MASKED = 15
"""Journeys whose elevators are put out of service, one after the other."""


@dataclass(frozen=True, slots=True)
class Town:
    """A territory, its raw feeds, and a day on which it runs."""

    snapshot: Snapshot
    feeds: dict[str, WheelchairFeed]
    at: dt.datetime

    def pairs(self) -> list[tuple[Coordinate, Coordinate]]:
        places = iter(random_places(self.snapshot.network, 2 * PAIR_LIMIT, seed=3))
        return list(zip(places, places, strict=True))

    def plan(
        self, ends: tuple[Coordinate, Coordinate], *, out: frozenset[str] = frozenset(), **more: Any
    ) -> dict[str, Any]:
        given = {
            "fromPlace": f"{ends[0].lat!r},{ends[0].lon!r}",
            "toPlace": f"{ends[1].lat!r},{ends[1].lon!r}",
            "time": self.at.isoformat(),
            "pedestrianProfile": "WHEELCHAIR",
            "maxPreTransitTime": "1800",
            "maxPostTransitTime": "1800",
            **more,
        }
        world = World(self.snapshot, shut_elevators=out)
        answer = answer_plan(world, Parameters(QueryParams(given)), given, version=6)
        read: dict[str, Any] = orjson.loads(orjson.dumps(answer))
        return read


@pytest.fixture(scope="module")
def washington(tmp_path_factory: pytest.TempPathFactory) -> Town:
    feed = shared_data("feeds") / "wmata_rail_pathways.zip"
    out = tmp_path_factory.mktemp("washington")
    territory = build_bare("washington", "America/New_York", {"wmata": feed}, out)
    snapshot = territory.world.snapshot
    at = dt.datetime(2026, 6, 9, 8, tzinfo=snapshot.network.zone)
    return Town(snapshot, {"wmata": WheelchairFeed("wmata", feed)}, at)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    out = tmp_path_factory.mktemp("town")
    source = read_territory(build_demo_territory(out))
    snapshot = open_snapshot(build_territory(source, out / "snapshots").folder)
    at = dt.datetime(2026, 11, 24, 8, tzinfo=snapshot.network.zone)
    feeds = {f: WheelchairFeed(f, out / f"{f}.zip") for f in ("urbain", "cars", "rail")}
    return Town(snapshot, feeds, at)


def violations(town: Town, **asked: Any) -> tuple[int, list[str]]:
    """Itineraries looked at, and what does not hold in them."""
    count, found = 0, []
    unknown = asked.get("wheelchairUnknown") == "true"
    for ends in town.pairs():
        for itinerary in town.plan(ends, **asked)["itineraries"]:
            found += check_wheelchair(itinerary, town.feeds, unknown=unknown)
            count += 1
        if count >= ITINERARIES:
            break
    return count, found


def test_washington_by_wheelchair_takes_no_steps_and_nothing_marked_no(washington: Town) -> None:
    count, found = violations(washington, wheelchairUnknown="true")
    assert count >= ITINERARIES
    assert found == []


def test_washington_has_no_trip_that_is_known_to_take_wheelchairs(washington: Town) -> None:
    answer = washington.plan(washington.pairs()[0])
    assert answer["itineraries"] == []
    assert "accessibility_unknown" in [m["code"] for m in answer["mobility"]["messages"]]


@pytest.mark.parametrize("unknown", ["false", "true"])
def test_town_by_wheelchair_takes_no_steps_and_nothing_marked_no(town: Town, unknown: str) -> None:
    count, found = violations(town, wheelchairUnknown=unknown)
    assert count >= ITINERARIES
    assert found == []


def test_checker_finds_what_wheelchairs_cannot_do(washington: Town) -> None:
    """On foot stairs and escalators are taken: a checker that finds none would be blind."""
    found = []
    for ends in washington.pairs()[:20]:
        for itinerary in washington.plan(ends, pedestrianProfile="FOOT")["itineraries"]:
            found += check_wheelchair(itinerary, washington.feeds, unknown=True)
    assert any("has steps" in text for text in found)


def elevators(answer: dict[str, Any]) -> list[str]:
    return [
        pathway["id"]
        for itinerary in answer["itineraries"][:1]
        for leg in itinerary["legs"]
        for pathway in leg["mobility"].get("pathways", [])
        if pathway["mode"] == "elevator"
    ]


def test_every_elevator_that_is_out_is_led_around_and_named(washington: Town) -> None:
    tried = moved = 0
    for ends in washington.pairs():
        usual = washington.plan(ends, wheelchairUnknown="true")
        for name in elevators(usual):
            out = frozenset([name])
            answer = washington.plan(ends, out=out, wheelchairUnknown="true")
            for itinerary in answer["itineraries"]:
                assert not check_wheelchair(itinerary, washington.feeds, unknown=True, out=out)
            assert answer["itineraries"] != usual["itineraries"]
            codes = [m["code"] for m in answer["mobility"]["messages"]]
            assert codes[0] == "elevator_out_of_service"
            assert name in answer["mobility"]["messages"][0]["en"]
            moved += bool(answer["itineraries"])
            tried += 1
        if tried >= MASKED:
            break
    assert tried >= MASKED
    assert moved  # some have another elevator beside them, or another entrance
