"""Existing MOTIS clients work unmodified against the running demo."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mobility.actions.run_demo import RunningServer, example_journey

CLIENTS = Path(__file__).parent.parent / "clients"


TIME = "2026-11-24T06:00:00.000Z"


def run_client(script: str, *given: str, base_url: str) -> dict[str, Any]:
    """What a script of `tests/clients` read of the demo."""
    node = shutil.which("node")
    if node is None or not (CLIENTS / "node_modules").is_dir():
        pytest.skip("Node.js or the npm client is absent: run make test")
    done = subprocess.run(
        [node, script, *given],
        cwd=CLIENTS,
        env={**os.environ, "MOTIS_BASE_URL": base_url},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    read: dict[str, Any] = json.loads(done.stdout)
    return read


@pytest.fixture(scope="module")
def ends(demo_server: RunningServer, demo_home: Path) -> list[str]:
    """The farm and the hospital of the first example."""
    example, _ = example_journey(demo_home / "demo" / "territory.yaml", demo_server.base_url)
    return [f"{example[end]['lat']},{example[end]['lon']}" for end in ("from", "to")]


@pytest.fixture(scope="module")
def answers(demo_server: RunningServer, ends: list[str]) -> dict[str, Any]:
    """What `@motis-project/motis-client` reads of the demo."""
    url = demo_server.base_url
    return run_client("plan.mjs", url, *ends, TIME, base_url=url)


@pytest.fixture(scope="module")
def fptf(demo_server: RunningServer, ends: list[str]) -> dict[str, Any]:
    """What `@motis-project/motis-fptf-client` reads of the demo."""
    return run_client("fptf.mjs", *ends, "urbain:S002", TIME, base_url=demo_server.base_url)


def test_motis_client_plans_a_trip_with_a_carpool_leg(answers: dict[str, Any]) -> None:
    assert answers["errors"] == []
    assert answers["planStatus"] == 200
    legs = [leg for it in answers["plan"]["itineraries"] for leg in it["legs"]]
    rides = [leg for leg in legs if leg["mode"] == "RIDE_SHARING"]
    assert rides
    assert rides[0]["routeType"] == 1551
    assert rides[0]["legGeometry"]["precision"] == 6
    assert rides[0]["ticketUrls"]["web"]


def test_motis_client_reads_fares_of_every_priced_itinerary(answers: dict[str, Any]) -> None:
    for itinerary in answers["plan"]["itineraries"]:
        products = [
            product["amount"]
            for transfer in itinerary["fareTransfers"]
            for leg in transfer["effectiveFareLegProducts"]
            for option in leg
            for product in option
        ]
        total = itinerary["mobility"]["price"]["amount_cents"]
        assert round(sum(products) * 100) == total


def test_motis_client_finds_a_stop_by_name_and_reads_its_board(answers: dict[str, Any]) -> None:
    assert any(match["type"] == "STOP" for match in answers["geocode"])
    assert len(answers["stoptimes"]["stopTimes"]) == 5
    times = [event["place"]["departure"] for event in answers["stoptimes"]["stopTimes"]]
    assert times == sorted(times)
    assert answers["health"] == 200


def test_journeys_of_the_fptf_client_are_valid(fptf: dict[str, Any]) -> None:
    assert len(fptf["journeys"]) >= 3
    assert fptf["invalid"] == []
    lines = [leg["line"] for j in fptf["journeys"] for leg in j["legs"] if leg.get("line")]
    assert {"Covoiturage", "T1"} <= {line["name"] for line in lines}
    assert all(line["operator"]["name"] for line in lines)


def test_fptf_client_reads_boards_names_and_reach(fptf: dict[str, Any]) -> None:
    assert fptf["found"]["name"] == "Gare de Valmont"
    assert any(place["type"] in ("stop", "station") for place in fptf["locations"])
    for board in ("departures", "arrivals"):
        times = [event["when"] for event in fptf[board]]
        assert len(times) > 10
        assert times == sorted(times)
    minutes = [step["duration"] for step in fptf["reachable"]["reachable"]]
    assert minutes == sorted(minutes)
    assert 0 < minutes[-1] <= 60
