"""Journeys by Porto's metro cost what its own fare tables say of the zones of their stops."""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from dataclasses import replace
from decimal import Decimal
from typing import Any

from core.geo import Coordinate
from gtfs_data.checks import Findings
from gtfs_data.kept import read_archive_tables
from mobility.mapping.gtfs_fares import FARE_TABLES, starting_tariff
from mobility.world import World
from payments.tariff_file import parse_tariff
from tests.support.territories import TestedTerritory

TRINDADE = Coordinate(41.1521, -8.6093)
ENDS = {
    "airport": Coordinate(41.2371, -8.6694),
    "Vila do Conde": Coordinate(41.3517, -8.7440),
    "Póvoa": Coordinate(41.3770, -8.7580),
    "Gaia": Coordinate(41.1242, -8.6060),
    "Fânzeres": Coordinate(41.1710, -8.5420),
    "Maia": Coordinate(41.2350, -8.6240),
}


def test_journeys_by_metro_cost_what_the_fare_tables_say(porto: Any) -> None:
    path = porto.feeds["metro"]
    made = starting_tariff("metro", read_archive_tables(path, FARE_TABLES, Findings()))
    snapshot = replace(porto.world.snapshot, tariff=parse_tariff(made.content))
    territory = TestedTerritory(World(snapshot), porto.feeds, porto.date)
    with zipfile.ZipFile(path) as archive:

        def rows(name: str) -> list[dict[str, str]]:
            text = archive.read(f"{name}.txt").decode("utf-8-sig")
            return list(csv.DictReader(io.StringIO(text)))

        zone_of = {row["stop_id"]: row["zone_id"] for row in rows("stops")}
        price_of = {
            row["fare_id"]: int(Decimal(row["price"]) * 100) for row in rows("fare_attributes")
        }
        published: dict[tuple[str, str], set[int]] = {}
        for row in rows("fare_rules"):
            pair = row["origin_id"], row["destination_id"]
            published.setdefault(pair, set()).add(price_of[row["fare_id"]])
    at = dt.datetime.combine(porto.date, dt.time(9), porto.zone)
    seen: set[int] = set()
    compared = 0
    for end in ENDS.values():
        for pair in ((TRINDADE, end), (end, TRINDADE)):
            answer = territory.plan(*pair, at, maxPreTransitTime=1800, searchWindow=7200)
            for itinerary in answer["itineraries"]:
                rides = [leg for leg in itinerary["legs"] if leg["mode"] != "WALK"]
                if len(rides) != 1 or rides[0]["mode"] != "SUBWAY":
                    continue
                zones = tuple(
                    zone_of[rides[0][side]["stopId"].removeprefix("metro:")]
                    for side in ("from", "to")
                )
                amount = itinerary["mobility"]["price"]["amount_cents"]
                assert amount in published.get(zones, {None}), zones
                compared += 1
                seen.add(amount)
    assert compared > 20
    assert len(seen - {None}) >= 3
