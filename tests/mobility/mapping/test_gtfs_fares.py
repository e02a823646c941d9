"""Fares of real feeds as tariffs: every published row is priced identically."""

from __future__ import annotations

import csv
import datetime as dt
import io
import itertools
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from gtfs_data.checks import Findings
from gtfs_data.kept import read_archive_tables
from mobility.mapping.gtfs_fares import FARE_TABLES, starting_tariff
from payments.rating import price_itinerary, rate
from payments.tariff import FareLeg, Tariff
from payments.tariff_file import parse_tariff
from tests.support.territories import shared_data

AT = dt.datetime(2027, 3, 24, 9, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def imported(path: Path, feed_id: str) -> tuple[Tariff, tuple[str, ...], dict[str, pd.DataFrame]]:
    tables = read_archive_tables(path, FARE_TABLES, Findings())
    made = starting_tariff(feed_id, tables)
    return parse_tariff(made.content), made.left_out, tables


@pytest.mark.parametrize(
    ("file", "mode", "row_count"),
    [
        ("porto/metro_2025_explicit.zip", "subway", 175),
        ("realtime/bart/bart_gtfs.zip", "subway", 2_304),
    ],
)
def test_every_published_fare_rule_is_priced_as_published(
    file: str, mode: str, row_count: int
) -> None:
    folder, name = file.rsplit("/", 1)
    tariff, left_out, tables = imported(shared_data(folder) / name, "feed")
    prices = dict(tables["fare_attributes"][["fare_id", "price"]].to_numpy())
    columns = ["fare_id", "route_id", "origin_id", "destination_id"]
    rows = tables["fare_rules"][columns].to_numpy().tolist()
    assert len(rows) == row_count
    modes = {m for rule in tariff.leg_prices for m in rule.when.modes}
    assert mode in modes
    for fare_id, route, start, end in rows:
        leg = FareLeg(mode, AT, 0, zones=(f"feed:{start}", f"feed:{end}"), route=f"feed:{route}")
        priced = price_itinerary([tariff], [leg])
        assert priced.amount_cents == Decimal(prices[fare_id]) * 100, (fare_id, route, start, end)
    assert all("transfers without a limit" in line for line in left_out)


def test_porto_alegres_integrated_tariff_prices_its_published_tables() -> None:
    """Of r5r's tables: one discounted transfer within 60 minutes, no route has its own fare."""
    with zipfile.ZipFile(shared_data("porto_alegre") / "integrated_fares.zip") as archive:

        def table(name: str) -> list[dict[str, str]]:
            return list(csv.DictReader(io.StringIO(archive.read(f"{name}.csv").decode())))

        types, transfers, routes = map(
            table, ("fares_per_type", "fares_per_transfer", "fares_per_route")
        )
        settings = {row["setting"]: row["value"] for row in table("global_settings")}
    assert settings["max_discounted_transfers"] == "1"
    window_min = int(settings["transfer_time_allowance"])

    def cents(text: str) -> int:
        return int(Decimal(text) * 100)

    journeys: list[dict[str, Any]] = [
        {
            "id": f"{row['first_leg']}+{row['second_leg']}",
            "window_min": window_min,
            "pattern": [row["first_leg"].lower(), row["second_leg"].lower()],
            "price_cents": cents(row["fare"]),
            "other_routes": True,
        }
        for row in transfers
    ]
    journeys += [
        {"id": row["type"], "window_min": window_min, "modes": row["type"].lower(),
         "other_routes": True}
        for row in types
        if row["unlimited_transfers"] == "TRUE"
    ]  # fmt: skip
    tariff = parse_tariff(
        {
            "tariff": "porto-alegre", "currency": "BRL", "timezone": "America/Sao_Paulo",
            "leg_prices": [
                {"id": row["type"], "when": {"mode": row["type"].lower()},
                 "base_cents": cents(row["fare"])}
                for row in types
            ],
            "fare_journeys": journeys,
        }
    )  # fmt: skip
    alone = {row["type"]: cents(row["fare"]) for row in types}

    def leg(fare_type: str, route: str, after: dt.timedelta = dt.timedelta()) -> FareLeg:
        return FareLeg(fare_type.lower(), AT + after, 0, route=route)

    for row in routes:
        one = price_itinerary([tariff], [leg(row["fare_type"], row["route_id"])])
        assert one.amount_cents == alone[row["fare_type"]]
    pairs = {(row["first_leg"], row["second_leg"]): cents(row["fare"]) for row in transfers}
    pairs["RAIL", "RAIL"] = alone["RAIL"]
    for (first, second), expected in pairs.items():
        within = [leg(first, "1"), leg(second, "2", HOUR)]
        assert price_itinerary([tariff], within).amount_cents == expected
        late = [leg(first, "1"), leg(second, "2", HOUR + dt.timedelta(minutes=1))]
        assert price_itinerary([tariff], late).amount_cents == alone[first] + alone[second]
        same = [leg(first, "1"), leg(second, "1", HOUR)]
        assert price_itinerary([tariff], same).amount_cents == alone[first] + alone[second]
    # Three buses: one discounted change, then another fare.
    three = [leg("BUS", str(n), n * HOUR / 3) for n in range(3)]
    assert price_itinerary([tariff], three).amount_cents == pairs["BUS", "BUS"] + alone["BUS"]
    for kinds in itertools.product(alone, repeat=4):
        legs = [leg(kind, str(n), n * HOUR / 6) for n, kind in enumerate(kinds)]
        assert rate([tariff], legs).amount_cents <= sum(alone[kind] for kind in kinds)


def frames(**tables: list[dict[str, Any]]) -> dict[str, pd.DataFrame]:
    return {name: pd.DataFrame(rows) for name, rows in tables.items()}


def attribute(
    fare_id: str, price: str, transfers: int, duration_s: int, **more: str
) -> dict[str, Any]:
    return {"fare_id": fare_id, "price": price, "currency_type": "EUR", "transfers": transfers,
            "transfer_duration": duration_s, **more}  # fmt: skip


def rule(row: int, fare_id: str, route: str = "", **more: str) -> dict[str, Any]:
    ends = {"origin_id": "", "destination_id": "", "contains_id": ""}
    return {"fare_id": fare_id, "route_id": route, **ends, **more, "row": row}


def test_what_a_tariff_cannot_say_is_listed_and_the_rest_is_kept() -> None:
    made = starting_tariff(
        "f",
        frames(
            agency=[{"agency_timezone": "Europe/Paris"}],
            routes=[{"route_id": "1", "route_type": 3}, {"route_id": "2", "route_type": 0}],
            fare_attributes=[
                attribute("flat", "1.60", 1, 3_600), attribute("line", "2.00", 0, -1),
                attribute("odd", "1.605", 0, -1),
                attribute("chf", "3.00", 0, -1, currency_type="CHF"),
            ],
            fare_rules=[
                rule(2, "line", "2"), rule(3, "flat", contains_id="A"), rule(4, "gone", "1"),
                rule(5, "line", "9"), rule(6, "flat", origin_id="A"), rule(7, "flat", "1"),
            ],
        ),
    )  # fmt: skip
    tariff = parse_tariff(made.content)
    assert [(r.id, r.base_cents) for r in tariff.leg_prices] == [
        ("fare flat line 7", 160), ("fare line line 2", 200), ("fare flat line 6", 160),
    ]  # fmt: skip
    (journey,) = tariff.fare_journeys
    assert (journey.window_s, journey.most_legs) == (3_600, 2)
    assert [line.split(":")[0] for line in made.left_out] == [
        "fare odd", "fare chf", "fare_rules.txt line 3", "fare_rules.txt line 4",
        "fare_rules.txt line 5",
    ]  # fmt: skip
