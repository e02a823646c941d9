"""Montpellier without a street map: 2,054 stops, straight walks, the raw feed as judge."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from carpool.compile import OfferUnusable, compile_offer
from carpool.offers import WEEKDAYS, Offer
from core.geo import Coordinate
from core.ids import OfferId
from routing.places import MatchKind
from tests.oracles.check_context import CheckContext
from tests.oracles.feed_tables import FeedTables
from tests.oracles.itinerary_checker import check_itinerary, decoded
from tests.oracles.straight_oracle import StraightOracle
from tests.support.no_streets import (
    BUILD_LIMIT_BYTES,
    BUILD_LIMIT_S,
    BareTerritory,
    build_bare,
)
from tests.support.territories import random_places, shared_data

ZONE = ZoneInfo("Europe/Paris")
AT = dt.datetime(2024, 1, 19, 8, tzinfo=ZONE)
PAIR_COUNT = 40
MOST_MINUTES = 180
COMEDIE, MOSSON = Coordinate(43.6085, 3.8797), Coordinate(43.6162, 3.8197)


@pytest.fixture(scope="module")
def feed() -> Path:
    return shared_data("montpellier") / "tam_gtfs.zip"


@pytest.fixture(scope="module")
def montpellier(feed: Path, tmp_path_factory: pytest.TempPathFactory) -> BareTerritory:
    out = tmp_path_factory.mktemp("montpellier")
    return build_bare("montpellier", ZONE.key, {"tam": feed}, out)


@pytest.fixture(scope="module")
def tables(feed: Path) -> FeedTables:
    return FeedTables("tam", feed)


def _ends(place: Coordinate) -> str:
    return f"{place.lat!r},{place.lon!r}"


def _stop(territory: BareTerritory, name: str) -> str:
    (match,) = territory.world.snapshot.places.search(name, count=1)
    assert match.kind is MatchKind.STOP
    return match.id


def _violations(
    answer: dict[str, Any], tables: FeedTables, origin: Coordinate, destination: Coordinate
) -> list[str]:
    context = CheckContext(
        StraightOracle(), {"tam": tables}, SimpleNamespace(offers=[]), origin, destination, ZONE,
        earliest_at=AT,
    )  # type: ignore[arg-type] # fmt: skip
    every = [*answer["itineraries"], *answer["direct"]]
    return [text for itinerary in every for text in check_itinerary(itinerary, context)]


def test_build_takes_a_minute_and_three_gigabytes_at_most(montpellier: BareTerritory) -> None:
    assert montpellier.build_s <= BUILD_LIMIT_S
    assert montpellier.peak_bytes <= BUILD_LIMIT_BYTES


def test_manifest_says_that_there_are_no_streets(montpellier: BareTerritory) -> None:
    about = montpellier.world.snapshot.about
    assert about["streets"] is False
    assert about["bbox"] == pytest.approx([3.701, 43.5243, 4.0409, 43.7518], abs=1e-3)
    assert 43.5 < about["centre"]["lat"] < 43.8


def test_every_itinerary_between_doors_holds(
    montpellier: BareTerritory, tables: FeedTables
) -> None:
    network = montpellier.world.network
    places = random_places(network, 2 * PAIR_COUNT, seed=20240119)
    found, violations, minutes = 0, [], []
    for origin, destination in zip(places[::2], places[1::2], strict=True):
        answer = montpellier.plan(_ends(origin), _ends(destination), AT)
        found += bool(answer["itineraries"])
        minutes += [i["duration"] / 60 for i in answer["itineraries"][:1]]
        violations += _violations(answer, tables, origin, destination)
    assert not violations, "\n".join(violations[:10])
    assert found >= 0.8 * PAIR_COUNT
    assert np.median(minutes) < 60
    assert max(minutes) < MOST_MINUTES


def test_tram_and_a_walk_beat_the_slow_line_from_mosson_to_comedie(
    montpellier: BareTerritory,
) -> None:
    # Line 1 leaves at 08:02 and is there at 08:34. Line 3 leaves at 08:02 too and needs 20 minutes
    # to Observatoire, 333 m away in a straight line.
    start, end = (_stop(montpellier, name) for name in ("Mosson", "Comédie"))
    first = montpellier.plan(start, end, AT)["itineraries"][0]
    told = [(leg["mode"], leg.get("routeShortName"), leg["duration"]) for leg in first["legs"]]
    assert told == [("TRAM", "3", 1200), ("WALK", None, 333)]
    assert dt.datetime.fromisoformat(first["startTime"]) == AT + dt.timedelta(minutes=2)


def test_walks_are_straight_lines_and_the_answer_says_so(montpellier: BareTerritory) -> None:
    answer = montpellier.plan(_ends(MOSSON), _ends(COMEDIE), AT)
    walks = [leg for i in answer["itineraries"] for leg in i["legs"] if leg["mode"] == "WALK"]
    assert walks
    for leg in walks:
        line = decoded(leg["legGeometry"]["points"], leg["legGeometry"]["precision"])
        assert len(line) == 2
        ends = [(leg[side]["lat"], leg[side]["lon"]) for side in ("from", "to")]
        assert [(p.lat, p.lon) for p in line] == [pytest.approx(e, abs=1e-6) for e in ends]
    assert answer["mobility"]["messages"] == [
        {
            "code": "no_street_map",
            "fr": "Pas de plan des rues sur ce territoire : les marches sont des lignes droites.",
            "en": "No street map in this territory: walks are straight lines.",
        }
    ]


def test_far_from_any_stop_the_answer_names_the_nearest(montpellier: BareTerritory) -> None:
    answer = montpellier.plan("43.66,3.70", _ends(COMEDIE), AT)
    codes = [message["code"] for message in answer["mobility"]["messages"]]
    assert answer["itineraries"] == []
    assert codes == ["no_stop_near_origin", "nothing_better_than_walking", "no_street_map"]


def test_nobody_cycles_or_drives_without_streets(montpellier: BareTerritory) -> None:
    answer = montpellier.plan(_ends(MOSSON), _ends(COMEDIE), AT, directModes="BIKE,CAR")
    assert answer["direct"] == []


def test_offer_is_refused_for_want_of_streets(montpellier: BareTerritory) -> None:
    offer = Offer(
        id=OfferId("00000000-0000-0000-0000-000000000001"),
        driver="generated-1",
        start=MOSSON,
        end=COMEDIE,
        vias=(),
        depart_from_s=8 * 3600,
        depart_to_s=8 * 3600,
        weekdays=frozenset(WEEKDAYS),
        valid_from=dt.date(2024, 1, 1),
        valid_to=dt.date(2024, 2, 1),
        seat_count=3,
        detour_budget_s=600,
    )
    with pytest.raises(OfferUnusable, match="no street open to cars"):
        compile_offer(montpellier.world.network, offer)


def test_names_are_those_of_stops(montpellier: BareTerritory) -> None:
    found = montpellier.world.snapshot.places.search("gare")
    assert found
    assert {match.kind for match in found} == {MatchKind.STOP}
