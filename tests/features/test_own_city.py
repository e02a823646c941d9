"""The three commands of docs/own-city.md, on the city that it shows."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from mobility.actions.run_demo import start_server
from mobility.installation import stop_servers
from mobility.settings import Settings
from tests.conftest import free_port
from tests.support.territories import shared_data

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that one stands in, with the sources of the city."""
    folder = Path(tempfile.mkdtemp(prefix="mobility-own-"))
    folder.chmod(0o711)
    for name in ("eptc_gtfs.zip", "trensurb_gtfs.zip", "poa.osm.pbf"):
        shutil.copy(shared_data("porto_alegre") / name, folder / name)
    yield folder
    stop_servers(Settings(home=folder / ".mobility"))
    shutil.rmtree(folder, ignore_errors=True)


def run(folder: Path, *words: str, code: int = 0) -> str:
    """Run `mobility` in a folder, without a terminal; returns what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "mobility.cli", *words],
        cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    return done.stdout


def test_three_commands_from_files_to_a_served_planner(folder: Path) -> None:
    told = run(
        folder, "init", "porto-alegre", "--gtfs", "bus=eptc_gtfs.zip",
        "--gtfs", "train=trensurb_gtfs.zip", "--osm", "poa.osm.pbf",
    )  # fmt: skip
    assert "mobility build porto-alegre/territory.yaml" in told
    told = run(folder, "build", "porto-alegre/territory.yaml")
    assert "3,622  trips" in told
    assert "1,517 of 4,010 stops" in " ".join(told.replace("│", " ").split())
    server = start_server(Settings(home=folder / ".mobility"), free_port())
    try:
        ends = {"fromPlace": "-30.0331,-51.23", "toPlace": "train:AP"}
        given = {**ends, "time": "2019-05-15T16:00:00Z"}  # 13:00 by the clocks there
        answer = httpx.get(f"{server.base_url}/api/v6/plan", params=given, timeout=30).json()
    finally:
        server.process.terminate()
        server.process.wait(timeout=30)
    legs = [leg for itinerary in answer["itineraries"] for leg in itinerary["legs"]]
    assert {"WALK", "REGIONAL_RAIL"} <= {leg["mode"] for leg in legs}
    assert answer["itineraries"][0]["duration"] < 3600


def test_doctor_says_that_these_feeds_are_of_2019(folder: Path) -> None:
    told = json.loads(run(folder, "doctor", "porto-alegre/territory.yaml", "--json", code=2))
    wrong = {check["name"] for check in told if check["level"] == "error"}
    assert wrong == {"feed bus", "feed train"}


def test_negative_coordinates_are_places_on_the_command_line(folder: Path) -> None:
    told = run(
        folder, "plan", "-30.0331,-51.23", "Estação Aeroporto", "--depart", "2019-05-15T13:00"
    )
    assert "ESTACAO AEROPORTO" in told
