"""Carpool offers as a GTFS feed: what validators, our own reader and caches say of it."""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import httpx
import pytest
import yaml

from carpool.fixed_trips import fixed_trip
from gtfs_data.checks import Severity
from mobility.actions.check_feed import check_feed
from mobility.db.changes import Position
from mobility.demo.tariff import TARIFF_YAML
from mobility.mapping.carpool_gtfs import carpool_gtfs
from mobility.world import World
from payments.tariff_file import parse_tariff
from tests.support.check_peers import PEERS

SITE = "https://mobility.example.org"
BLOCKING = {"ERROR", "CRITICAL", "HIGH"}
NO_SHAPES = "DQ_006"
"""Said of feeds without shapes: which streets a driver takes is not told."""


@pytest.fixture(scope="module")
def feed(porto: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("feed") / "carpool.zip"
    path.write_bytes(carpool_gtfs(porto.world, SITE))
    return path


def table(feed: bytes, name: str) -> list[dict[str, str]]:
    with zipfile.ZipFile(io.BytesIO(feed)) as archive:
        return list(csv.DictReader(io.StringIO(archive.read(f"{name}.txt").decode())))


@pytest.mark.parametrize("peer", PEERS)
def test_validators_find_no_error(feed: Path, peer: str) -> None:
    found = PEERS[peer](feed)
    blocking = {rule.split("@")[0] for rule, kinds in found.items() if kinds & BLOCKING}
    assert blocking <= {NO_SHAPES}


def test_our_own_reader_finds_no_error(feed: Path, porto: Any) -> None:
    findings = check_feed(feed, today=porto.date).findings
    assert [f for f in findings if f.severity is Severity.ERROR] == []


def test_every_offer_that_passes_two_points_is_a_trip(feed: Path, porto: Any) -> None:
    world: World = porto.world
    trips = {row["trip_id"] for row in table(feed.read_bytes(), "trips")}
    expected = {
        f"carpool:{offer.id}"
        for offer, body in zip(world.offers, world.bodies, strict=True)
        if fixed_trip(body, world.network.ground.drive_s)
    }
    assert trips == expected
    assert len(trips) > len(world.offers) // 2
    assert {row["route_type"] for row in table(feed.read_bytes(), "routes")} == {"1551"}


def test_booked_date_is_left_out_of_the_offer_and_a_trip_of_its_own(porto: Any) -> None:
    world: World = porto.world
    offer, body = world.offers[0], world.bodies[0]
    base = replace(offer, except_dates=frozenset({porto.date}))
    part = replace(offer, valid_from=porto.date, valid_to=porto.date)
    late = replace(part, depart_from_s=part.depart_from_s + 600)
    rides = {porto.date: SimpleNamespace(ride=SimpleNamespace(offer=offer), planned=[(part, body)])}
    shown = World(world.snapshot, [base, late], [body, body], rides=rides)  # type: ignore[arg-type]
    booked = carpool_gtfs(shown, SITE)
    assert len({row["departure_time"] for row in table(booked, "stop_times")}) > 1
    of_trip = {row["trip_id"]: row["service_id"] for row in table(booked, "trips")}
    date = f"{porto.date:%Y%m%d}"
    assert set(of_trip) == {f"carpool:{offer.id}", f"carpool:{offer.id}:{date}:1"}
    assert table(booked, "calendar_dates") == [
        {"service_id": of_trip[f"carpool:{offer.id}"], "date": date, "exception_type": "2"}
    ]


def test_same_offers_give_the_same_feed_whatever_else_changed(porto: Any) -> None:
    world: World = porto.world
    position = Position(uuid4(), world.revision + 7)
    later = World(world.snapshot, world.offers, world.bodies, position=position)
    assert carpool_gtfs(later, SITE) == carpool_gtfs(world, SITE)
    fewer = World(world.snapshot, world.offers[1:], world.bodies[1:], position=position)
    versions = [
        table(carpool_gtfs(of, SITE), "feed_info")[0]["feed_version"] for of in (world, fewer)
    ]
    assert versions[0] != versions[1]


def test_tariff_is_served_as_it_was_written_and_not_sent_twice(api: httpx.Client) -> None:
    first = api.get("/open-data/tariff.yaml")
    assert first.status_code == httpx.codes.OK
    assert first.text == TARIFF_YAML
    read = parse_tariff(yaml.safe_load(first.text))
    assert first.headers["etag"] == f'"{read.content_hash}"'
    again = api.get("/open-data/tariff.yaml", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (httpx.codes.NOT_MODIFIED, b"")


def test_feed_is_served_and_not_sent_twice(api: httpx.Client) -> None:
    first = api.get("/open-data/gtfs/carpool.zip")
    assert first.status_code == httpx.codes.OK
    assert first.headers["content-type"] == "application/zip"
    assert table(first.content, "agency")[0]["agency_url"].startswith("http")
    again = api.get("/open-data/gtfs/carpool.zip", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == httpx.codes.NOT_MODIFIED
    assert again.content == b""
