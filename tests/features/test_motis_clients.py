"""Existing MOTIS clients work unmodified against the running demo."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mobility.actions.run_demo import RunningServer, example_journey

CLIENTS = Path(__file__).parent.parent / "clients"


@pytest.fixture(scope="module")
def answers(demo_server: RunningServer, demo_home: Path) -> dict[str, Any]:
    """What `@motis-project/motis-client` reads of the demo."""
    node = shutil.which("node")
    if node is None or not (CLIENTS / "node_modules").is_dir():
        pytest.skip("Node.js or the npm client is absent: run make test")
    example, _ = example_journey(demo_home / "demo" / "territory.yaml", demo_server.base_url)
    ends = [f"{example[end]['lat']},{example[end]['lon']}" for end in ("from", "to")]
    done = subprocess.run(
        [node, "plan.mjs", demo_server.base_url, *ends, "2026-11-24T06:00:00.000Z"],
        cwd=CLIENTS,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    read: dict[str, Any] = json.loads(done.stdout)
    return read


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
