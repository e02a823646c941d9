"""An operator switches an elevator of the demo's station; the running server leads around it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from mobility.actions.switch_elevator import ElevatorUnknown, switch_elevator
from mobility.db.audit import list_acts
from mobility.db.elevators import list_outages
from mobility.installation import open_installation, opened_database
from mobility.settings import Settings
from tests.support.stations import lift_id, station_world

ROOT = Path(__file__).resolve().parents[2]
ELEVATOR = "rail:S002-ascenseur-2"
FRESH_S = 5.0
"""Changes are there within a second; the machine may be busy."""
QUERY = {
    "fromPlace": "46.58,1.2",
    "toPlace": "rail:S001",
    "time": "2026-11-24T08:00:00+01:00",
    "pedestrianProfile": "WHEELCHAIR",
}


@pytest.fixture
def operate(demo_home: Path) -> Iterator[Callable[..., subprocess.CompletedProcess[str]]]:
    """`mobility elevators …` on the demo, whose elevators run again in the end."""

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "mobility.cli", "elevators", *words],
            cwd=ROOT, env={**os.environ, "MOBILITY_HOME": str(demo_home), "COLUMNS": "200"},
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    yield run
    run("back", ELEVATOR)


def runs(api: httpx.Client) -> bool:
    listed = api.get("/mobility/v1/elevators").json()
    return bool({row["id"]: row["in_service"] for row in listed}[ELEVATOR])


def wait_until(api: httpx.Client, *, in_service: bool) -> None:
    until = time.monotonic() + FRESH_S
    while runs(api) != in_service:
        assert time.monotonic() < until, "the server did not hear of it"


def planned(api: httpx.Client) -> dict[str, Any]:
    answer: dict[str, Any] = api.get("/api/v6/plan", params=QUERY).json()
    return answer


def pathways(answer: dict[str, Any]) -> list[str]:
    return [
        pathway["id"]
        for itinerary in answer["itineraries"]
        for leg in itinerary["legs"]
        for pathway in leg["mobility"].get("pathways", [])
    ]


def test_server_leads_around_an_elevator_until_it_is_back(
    api: httpx.Client, operate: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    usual = planned(api)
    assert ELEVATOR in pathways(usual)
    done = operate("out", ELEVATOR)
    assert done.returncode == 0, done.stderr
    wait_until(api, in_service=False)
    without = planned(api)
    assert ELEVATOR not in pathways(without)
    assert "elevator_out_of_service" in [m["code"] for m in without["mobility"]["messages"]]
    assert "out of service" in operate("list").stdout
    assert operate("back", ELEVATOR).returncode == 0
    wait_until(api, in_service=True)
    assert planned(api)["itineraries"] == usual["itineraries"]


def test_who_switches_an_elevator_stands_in_the_audit_log(
    demo_home: Path, operate: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    operate("out", ELEVATOR)
    operate("back", ELEVATOR)
    with opened_database(Settings(home=demo_home)) as engine, engine.connect() as connection:
        acts = list_acts(connection, None, 2)
    assert [(a.act, a.subject, a.actor_id, a.detail["in_service"]) for a in acts] == [
        ("elevator_switched", ELEVATOR, None, True),
        ("elevator_switched", ELEVATOR, None, False),
    ]


def test_elevator_that_nobody_knows_is_refused(
    operate: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    done = operate("out", "rail:nowhere")
    assert done.returncode == 1
    assert "elevator_unknown" in done.stderr


def test_elevator_of_the_street_map_is_switched_by_its_id(demo_home: Path) -> None:
    """In another town than the demo's, whose map has none; both keep their outages in one place."""
    network = station_world("stop Gare 6000 yes\nlift 6060\ntrip T1 Gare 07:00 Gare 07:10").network
    own = lift_id(6060)
    with contextlib.closing(open_installation(Settings(home=demo_home))) as here:
        for in_service in (False, True):
            switch_elevator(here.engine, here.wakeups, network, own, in_service=in_service)
            with here.engine.connect() as connection:
                out = {outage.elevator_id for outage in list_outages(connection)}
            assert (own in out) is not in_service
        with pytest.raises(ElevatorUnknown):
            switch_elevator(here.engine, here.wakeups, network, lift_id(7), in_service=False)
