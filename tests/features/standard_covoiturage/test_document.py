"""The Standard Covoiturage as a whole: who may ask, and the document, on the running demo."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from mobility.actions.run_demo import RunningServer
from mobility.users.scopes import Scope
from tests.features.test_schemathesis import CHECKS, HOOKS
from tests.support.standard_covoiturage import (
    BASE,
    Ask,
    Json,
    between,
    check_format,
    document_file,
    moment,
    next_monday,
    told_booking,
)
from tests.support.users import Somebody


def test_searches_for_drivers_are_open_and_everything_else_takes_a_token(
    api: httpx.Client, ask: Ask, offers: list[Json]
) -> None:
    at = moment(next_monday(), offers[0]["depart_from"])
    asked = {**between(offers[0]), "departureDate": at}
    assert api.get(f"{BASE}/status").status_code == 200
    assert api.get(f"{BASE}/driver_journeys", params=asked).json()
    for key in ({}, {"X-API-Key": "mob_made_up"}, {"authorization": "Bearer x"}):
        for path in ("/passenger_journeys", f"/bookings/{uuid.uuid4()}"):
            answer = api.get(BASE + path, params=asked, headers=key)
            check_format(answer)
            assert answer.status_code == 401


def test_a_parameter_that_comes_twice_is_refused(partner: Ask, offers: list[Json]) -> None:
    at = moment(next_monday(), offers[0]["depart_from"])
    once = [*between(offers[0]).items(), ("departureDate", at)]
    assert partner("GET", "/driver_journeys", params=once).status_code == 200
    for name, value in [*once, ("timeDelta", 900)]:
        for path in ("/driver_journeys", "/passenger_journeys"):
            twice = [*dict([*once, (name, value)]).items(), (name, value)]
            assert partner("GET", path, params=twice).status_code == 400
    week = [*between(offers[0]).items(), ("departureTimeOfDay", "07:15:00")]
    days = [("departureWeekdays", "MON"), ("departureWeekdays", "TUE")]
    assert partner("GET", "/driver_regular_trips", params=week + days).status_code == 400
    assert partner("GET", "/driver_regular_trips", params=week + days[:1]).status_code == 200


REAL_VALUES = """
departureLat = {departureLat}
departureLng = {departureLng}
arrivalLat = {arrivalLat}
arrivalLng = {arrivalLng}
departureDate = {departureDate}
departureTimeOfDay = "07:15:00"
departureWeekdays = "MON,TUE"
bookingId = "{booking}"
"""


@pytest.mark.parametrize("kind", ["real", "invented"])
@pytest.mark.parametrize("count", [15, pytest.param(1000, marks=pytest.mark.slow)])
def test_no_answer_breaks_the_document(
    demo_server: RunningServer, partner: Ask, somebody: Callable[..., Somebody],
    offers: list[Json], tmp_path: Path, kind: str, count: int,
) -> None:  # fmt: skip
    key, event = somebody(Scope.APP).secret, told_booking()
    assert partner("POST", "/booking_events", json=event, key=key).status_code == 200
    config, values = tmp_path / "schemathesis.toml", ""
    if kind == "real":
        at = moment(next_monday(), offers[0]["depart_from"])
        known = {**between(offers[0]), "departureDate": at, "booking": event["data"]["id"]}
        values = f"[parameters]\n{REAL_VALUES.format(**known)}"
    config.write_text(f'hooks = "{HOOKS}"\n{values}')
    command = [
        str(Path(sys.executable).parent / "schemathesis"), "--config-file", str(config), "run",
        str(document_file()), "--url", f"{demo_server.base_url}{BASE}", "--no-color",
        "--phases", "examples,coverage,fuzzing", "--max-examples", str(count), "--seed", "1",
        "--checks", ",".join(CHECKS), "--workers", "1", "--request-timeout", "30",
        "--continue-on-failure", "--header", f"X-API-Key: {key}",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    print("\n".join(done.stdout.splitlines()[-8:]))
    assert done.returncode == 0, done.stdout[-5000:]
    assert "10 selected / 10 total" in done.stdout
