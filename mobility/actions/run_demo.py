"""Set the demo up in a data directory: generated territory, snapshot, offers, server."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import Unavailable
from gtfs_data.store import SnapshotInvalid, read_manifest
from mobility.actions.build_territory import build_territory
from mobility.actions.publish_offer import publish_and_announce
from mobility.actions.seed_demo_usage import seed_usage
from mobility.actions.seed_demo_users import USERS, seed_users
from mobility.db.offers import SqlOfferStore
from mobility.db.usage import find_person
from mobility.demo.territory import build_demo_territory
from mobility.installation import open_installation
from mobility.settings import Settings
from mobility.snapshots import current_snapshot
from mobility.territory import read_territory
from mobility.world import World, open_snapshot

READY_LIMIT_S = 300
"""The first start compiles the kernels, which takes about a minute."""
POLL_S = 0.2
SEED = 7
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Step = Callable[[str], None]


def prepare_demo(settings: Settings, *, on_step: Step) -> Path:
    """Generate, build and seed what is not there yet; returns the territory file."""
    territory = settings.home / "demo" / "territory.yaml"
    if not territory.is_file():
        settings.home.mkdir(parents=True, exist_ok=True)
        build_demo_territory(territory.parent, seed=SEED, on_step=on_step)
    try:
        read_manifest(current_snapshot(settings.snapshots))
    except SnapshotInvalid:
        build_territory(read_territory(territory), settings.snapshots, on_step=on_step)
    on_step("servers, offers, users and what they used")
    installation = open_installation(settings)
    with installation.engine.connect() as connection:
        seeded = SqlOfferStore(connection).latest_revision() > 0
    if not seeded:
        offers = json.loads((territory.parent / "offers.json").read_text(encoding="utf-8"))
        snapshot = open_snapshot(installation.snapshot_folder)
        publish_and_announce(installation.engine, installation.wakeups, snapshot, offers)
    if not users_file(settings).is_file():
        seed_users(installation.engine, users_file(settings))
    with installation.engine.connect() as connection:
        rider_id = find_person(connection, USERS["rider"][0])
    assert rider_id is not None
    world = World(open_snapshot(installation.snapshot_folder))
    seed_usage(installation.engine, world, rider_id, dt.datetime.now(dt.UTC))
    installation.close()
    return territory


def users_file(settings: Settings) -> Path:
    """Where the demo keeps the passwords and tokens of its users."""
    return settings.home / "demo" / "users.json"


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A serving process and where it answers."""

    process: subprocess.Popen[bytes]
    base_url: str


def start_server(settings: Settings, port: int, *, workers: int = 1) -> RunningServer:
    """
    Start `mobility serve` and wait until it is ready.

    Raises
    ------
    Unavailable
        It ended, or was not ready in time; its output stands in ``logs/serve.log``.
    """
    base_url = f"http://127.0.0.1:{port}"
    if _get(f"{base_url}/readyz") is not None:
        raise Unavailable(f"something answers on port {port} already: choose another PORT")
    logs = settings.home / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "mobility.cli", "serve"]
    command += ["--port", str(port), "--workers", str(workers)]
    environment = {**os.environ, "MOBILITY_HOME": str(settings.home)}
    with (logs / "serve.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    deadline = time.monotonic() + READY_LIMIT_S
    while _get(f"{base_url}/readyz") is None:
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            tail = (logs / "serve.log").read_text(errors="replace")[-2000:]
            raise Unavailable(f"the server did not start; the end of its log:\n{tail}")
        time.sleep(POLL_S)
    return RunningServer(process, base_url)


def example_journey(territory: Path, base_url: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The first example trip, and what the running server answers to it."""
    riders = json.loads((territory.parent / "riders.json").read_text(encoding="utf-8"))
    example: dict[str, Any] = riders[0]
    today = dt.datetime.now(dt.UTC).date()
    day = today + dt.timedelta(days=(WEEKDAYS.index(example["weekday"]) - today.weekday()) % 7 or 7)
    parameters = {
        "fromPlace": f"{example['from']['lat']},{example['from']['lon']}",
        "toPlace": f"{example['to']['lat']},{example['to']['lon']}",
        "time": f"{day}T{example['depart']}",
    }
    answer = _get(f"{base_url}/api/v6/plan?{urllib.parse.urlencode(parameters)}")
    if answer is None:
        raise Unavailable("the server does not answer to plan")
    return example, answer


def _get(url: str) -> dict[str, Any] | None:
    try:
        with urllib.request.urlopen(url, timeout=30) as response:
            content: dict[str, Any] = json.load(response)
    except (urllib.error.URLError, OSError, ValueError):
        return None
    return content
