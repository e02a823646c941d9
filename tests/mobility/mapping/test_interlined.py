"""Vehicles that go on as another trip, or leave every so often, as answers tell them."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from mobility.mapping.fare_legs import fare_legs
from mobility.mapping.motis import Detail, MotisWriter
from mobility.mapping.priced import PricedItinerary
from payments.rating import price_itinerary
from payments.tariff_file import parse_tariff
from tests.oracles.itinerary_checker import decoded
from tests.support.tiny import answer, tiny_world

pytestmark = pytest.mark.unit

ABOARD = """
    L1   Mairie  Gare   Halle
         07:00   07:10  07:15
    block Bus1 07:00
    L2   Halle   Port   Lycée
         07:17   07:20  07:25
    block Bus1 07:17
    L3   Lycée   Ferme
         07:30   07:40
"""
TARIFF = parse_tariff(
    {
        "tariff": "flat",
        "currency": "EUR",
        "timezone": "Europe/Paris",
        "leg_prices": [{"id": "bus", "when": {"mode": "bus"}, "base_cents": 150}],
    }
)
ENDS = "Mairie", "Ferme"
Json = dict[str, Any]


def written(text: str, *, joined: bool = True) -> Json:
    """The only itinerary of a world, with a flat price for each boarding."""
    world = tiny_world(text)
    (itinerary,) = answer(world, *ENDS, depart="06:50").itineraries
    legs, rows = fare_legs(itinerary)
    price = price_itinerary([TARIFF], legs)
    charges = tuple(replace(c, legs=tuple(rows[i] for i in c.legs)) for c in price.charges)
    around = SimpleNamespace(network=world.network, offers=())
    writer = MotisWriter(cast("Any", around), 6, "en", Detail(joined=joined))
    priced = PricedItinerary(itinerary, replace(price, charges=charges), None)
    return writer.itinerary(priced, fares=True)


def test_legs_of_one_vehicle_are_told_apart_when_asked_for() -> None:
    told = written(ABOARD, joined=False)
    assert told["transfers"] == 1
    assert [(leg["displayName"], leg.get("interlineWithPreviousLeg")) for leg in told["legs"]] == [
        ("L1", None), ("L2", True), ("L3", None),
    ]  # fmt: skip
    assert told["legs"][1]["from"]["arrival"] == told["legs"][0]["endTime"]
    assert [stop["name"] for stop in told["legs"][0]["intermediateStops"]] == ["Gare"]
    # One fare each time that the rider gets in.
    charges = told["mobility"]["price"]["charges"]
    assert [(c["legs"], c["amount_cents"]) for c in charges] == [([0], 150), ([2], 150)]
    assert [leg.get("fareTransferIndex") for leg in told["legs"]] == [0, None, 1]


def test_vehicle_is_one_leg_with_all_stops_unless_asked_otherwise() -> None:
    told, apart = written(ABOARD), written(ABOARD, joined=False)
    first, last = told["legs"]
    assert told["transfers"] == 1
    assert (first["displayName"], last["displayName"]) == ("L1", "L3")
    assert (first["from"]["name"], first["to"]["name"]) == ("Mairie", "Lycée")
    assert (first["startTime"], first["endTime"], first["duration"]) == (
        "2026-03-10T06:00:00Z", "2026-03-10T06:25:00Z", 25 * 60,
    )  # fmt: skip
    assert [
        (stop["name"], stop["arrival"][11:16], stop["departure"][11:16])
        for stop in first["intermediateStops"]
    ] == [("Gare", "06:10", "06:10"), ("Halle", "06:15", "06:17"), ("Port", "06:20", "06:20")]
    assert "interlineWithPreviousLeg" not in first
    parts = apart["legs"][:2]
    assert first["distance"] == pytest.approx(sum(leg["distance"] for leg in parts), abs=0.1)
    lines = [decoded(leg["legGeometry"]["points"], 6) for leg in (first, *parts)]
    assert lines[0] == lines[1] + lines[2]
    charges = told["mobility"]["price"]["charges"]
    assert [(c["legs"], c["amount_cents"]) for c in charges] == [([0], 150), ([1], 150)]
    assert [leg["fareTransferIndex"] for leg in told["legs"]] == [0, 1]


def test_stops_where_one_trip_ends_and_another_begins_both_stand() -> None:
    told = written(
        """
        L1   Mairie  Gare
             07:00   07:10
        L2   Halle   Ferme
             07:20   07:25
        aboard L1@07:00 > L2@07:20
        """
    )
    (leg,) = told["legs"]
    assert [stop["name"] for stop in leg["intermediateStops"]] == ["Gare", "Halle"]


FREQUENT = """
    L1   Mairie  Gare   Ferme
         05:03   05:10  05:20
    every 10min L1@05:03 07:00-07:20
    every 20min L1@05:03 07:20-07:21 exact
"""


def test_leg_says_how_often_a_vehicle_leaves_where_times_are_not_exact() -> None:
    # Two leave about every ten minutes from 07:00 on, one at 07:20 sharp.
    world = tiny_world(FREQUENT)
    writer = MotisWriter(
        cast("Any", SimpleNamespace(network=world.network, offers=())), 6, "en", Detail()
    )
    found = answer(world, *ENDS, between=("06:50", "07:30")).itineraries
    legs = [writer.unpriced(itinerary)["legs"][0] for itinerary in found]
    own = [leg["mobility"] for leg in legs]
    told = [(o.get("times"), o.get("headway_s")) for o in own]
    assert [(leg["startTime"][11:16], *t) for leg, t in zip(legs, told, strict=True)] == [
        ("06:00", "approximate", 600),
        ("06:10", "approximate", 600),
        ("06:20", None, None),
    ]
