"""GTFS-Fares V2 and GBFS prices as tariffs to begin with, and what they cannot say."""

from __future__ import annotations

import datetime as dt
import zipfile
from pathlib import Path
from typing import Any

import pytest

from core.errors import InvalidInput
from gtfs_data.checks import Findings
from gtfs_data.kept import read_archive_tables
from mobility.mapping.gbfs_pricing import pricing_tariff
from mobility.mapping.gtfs_fares_v2 import FARES_V2_TABLES, starting_tariff_v2
from mobility.mapping.starting_tariff import StartingTariff
from payments.bill import Proof
from payments.rating import price_itinerary, rate
from payments.tariff import FareLeg, Tariff
from payments.tariff_file import parse_tariff
from tests.support.territories import shared_data

AT = dt.datetime(2027, 3, 24, 16, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
ALWAYS = dt.date(2027, 1, 1), dt.date(2027, 12, 31)
TABLES = {
    "agency": """agency_id,agency_name,agency_url,agency_timezone
        a,A,http://a.example,Europe/Paris""",
    "routes": """route_id,route_type,network_id
        T1,0,city
        B1,3,city
        X1,3,
        F1,4,boats""",
    "stops": """stop_id,stop_name,stop_lat,stop_lon,zone_id
        s1,S1,45,1,A
        s2,S2,45,1,A
        s3,S3,45,1,B""",
    "calendar": """service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,\
start_date,end_date
        week,1,1,1,1,1,0,0,20270101,20271231""",
    "rider_categories": """rider_category_id,rider_category_name,is_default_fare_category
        adult,Adult,1
        youth,Youth,0""",
    "areas": """area_id,area_name
        in,In
        out,Out
        odd,Odd""",
    "stop_areas": """area_id,stop_id
        in,s1
        in,s2
        out,s3
        odd,s1""",
    "timeframes": """timeframe_group_id,start_time,end_time,service_id
        peak,16:00:00,19:00:00,week""",
    "fare_products": """fare_product_id,rider_category_id,fare_media_id,amount,currency
        single,adult,,2.00,EUR
        single,youth,,1.00,EUR
        peak,adult,cash,2.60,EUR
        peak,adult,card,2.50,EUR
        far,,,3.10,EUR
        boat,,,5,EUR
        free,,,0,EUR
        two,adult,,2.00,EUR""",
    "fare_leg_rules": """leg_group_id,network_id,from_area_id,to_area_id,\
from_timeframe_group_id,fare_product_id
        city,city,,,,single
        city,city,,,peak,peak
        city,city,in,out,,far
        boats,boats,,,,boat
        boats,boats,,,,free
        odd,city,odd,,,far
        other,,,,,single
        lost,none,,,,single""",
    "fare_transfer_rules": """from_leg_group_id,to_leg_group_id,fare_product_id,transfer_count,\
duration_limit,duration_limit_type,fare_transfer_type
        city,city,,2,3600,1,0
        city,boats,,,3600,1,0
        boats,city,two,,3600,1,2
        boats,boats,,1,,,0""",
}


def of_feed(path: Path) -> StartingTariff:
    return starting_tariff_v2("f", read_archive_tables(path, FARES_V2_TABLES, Findings()))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> StartingTariff:
    path = tmp_path_factory.mktemp("v2") / "feed.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in TABLES.items():
            archive.writestr(f"{name}.txt", text.replace(" ", "") + "\n")
    return of_feed(path)


def ride(route: str, mode: str, zones: tuple[str, ...] = (), at: dt.datetime = AT) -> FareLeg:
    return FareLeg(mode, at, 0, zones=zones, route=f"f:{route}")


def cents(tariff: Tariff, *legs: FareLeg) -> int | None:
    return price_itinerary([tariff], legs).amount_cents


def test_networks_areas_times_and_categories_have_their_prices(made: StartingTariff) -> None:
    tariff = parse_tariff(made.content)
    quiet = AT.replace(hour=9)
    assert cents(tariff, ride("T1", "tram", at=quiet)) == 200
    assert cents(tariff, ride("T1", "tram")) == 250  # 17:00 in Paris
    assert cents(tariff, ride("B1", "bus", ("f:A", "f:B"), quiet)) == 310
    assert cents(tariff, ride("F1", "ferry", at=quiet)) == 500
    # A rule without a network is for lines of no network that others name.
    assert cents(tariff, ride("X1", "bus", at=quiet)) == 200
    assert cents(tariff, ride("Y9", "bus", at=quiet)) is None
    youth = [Proof("youth", *ALWAYS)]
    assert rate([tariff], [ride("T1", "tram", at=quiet)], youth).amount_cents == 100
    within = [ride("T1", "tram", at=quiet), ride("B1", "bus", at=quiet + HOUR)]
    assert cents(tariff, *within) == 200
    assert cents(tariff, within[0], ride("B1", "bus", at=quiet + 1.1 * HOUR)) == 400
    assert tariff.fare_journeys[0].most_legs == 3


def test_what_a_tariff_cannot_say_is_listed(made: StartingTariff) -> None:
    told = "\n".join(made.left_out)
    for said in (
        "product peak: prices by media; the cheapest is kept",
        "product free: for the same legs as boat, and it is not said for whom",
        "leg group odd: area odd is no zone of stops.txt",
        "leg group lost: network none has no routes",
        "transfer city → boats: its price is not that of the dearer leg",
        "transfer boats → city: its price is not that of the dearer leg",
        "transfer boats → boats: without a limit of time",
    ):
        assert said in told
    assert len(made.left_out) == 7


def test_published_fares_of_two_agencies() -> None:
    feeds = shared_data("feeds")
    tariff = parse_tariff(of_feed(feeds / "ctran_flex_fares2.zip").content)
    route = min(tariff.leg_prices[-1].when.routes or ())
    first, second = (FareLeg("bus", AT + nth * 2 * HOUR, 0, route=route) for nth in range(2))
    assert cents(tariff, first, second) == 125  # two hours and a half
    for category, wanted in (("HONORED_CITIZEN", 60), ("YOUTH", 0)):
        assert rate([tariff], [first], [Proof(category, *ALWAYS)]).amount_cents == wanted
    sound = of_feed(feeds / "sound_transit_fares2.zip")
    tariff = parse_tariff(sound.content)
    link, t_line = ride("2LINE", "tram"), ride("TLINE", "tram", at=AT + HOUR)
    assert (cents(tariff, link), cents(tariff, t_line)) == (300, 200)
    assert cents(tariff, link, t_line) == 300
    assert any("orca_reduced" in line for line in sound.left_out)


def plans(**plan: Any) -> dict[str, Any]:
    return {"data": {"plans": [{"plan_id": "p", "currency": "EUR", "price": 1, **plan}]}}


def test_a_plan_of_bikes_is_priced_by_time_and_distance() -> None:
    given = plans(
        price=2, per_min_pricing=[{"start": 30, "rate": 0.05, "interval": 1}],
        per_km_pricing=[
            {"start": 5, "end": 10, "rate": 0.5, "interval": 1},
            {"start": 8, "rate": 0.25, "interval": 1},
        ],
    )  # fmt: skip
    made = pricing_tariff("bikes", given, "Europe/Paris")
    assert made.left_out == ()
    tariff = parse_tariff(made.content)
    bike = FareLeg("bike", AT, 12_000, 45 * 60)
    assert cents(tariff, bike) == 200 + 15 * 5 + (5 * 50 + 4 * 25)
    assert cents(tariff, FareLeg("bike", AT, 4_000, 20 * 60)) == 200


def test_what_of_a_plan_cannot_be_said_is_listed() -> None:
    given = plans(
        per_min_pricing=[
            {"start": 0, "rate": 1, "interval": 0},
            {"start": 0, "end": 30, "rate": 1, "interval": 10},
            {"start": 30, "rate": 2, "interval": 1},
        ],
        fare_capping={"duration": 1_440, "price": 5}, price=1.005,
    )  # fmt: skip
    given["data"]["plans"].append({"plan_id": "q", "currency": "EUR", "price": 3})
    made = pricing_tariff("bikes", given, "Europe/Paris")
    told = "\n".join(made.left_out)
    for said in (
        "1.005 is no whole number of cents", "an amount once at 0", "whole intervals of 10",
        "only the first rate by the minute", "plan p: fare_capping", "plan q: no bike is known",
    ):  # fmt: skip
        assert said in told
    assert parse_tariff(made.content).leg_prices[0].per_min_millicents == 10_000
    for wrong in ({}, {"data": {"plans": []}}, plans(price="dear"), [], plans(currency=3)):
        if wrong == plans(currency=3):
            with pytest.raises(InvalidInput):
                parse_tariff(pricing_tariff("bikes", wrong, "Europe/Paris").content)
        else:
            with pytest.raises(InvalidInput, match="system_pricing_plans"):
                pricing_tariff("bikes", wrong, "Europe/Paris")
