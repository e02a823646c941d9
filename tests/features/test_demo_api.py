"""The HTTP API of the running demo, as apps meet it."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from mobility.actions.run_demo import RunningServer, example_journey

TUESDAY = "2026-11-24T07:00:00+01:00"


@pytest.fixture(scope="module")
def ends(demo_server: RunningServer, demo_home: Path) -> dict[str, str]:
    """The farm and the hospital of the first example."""
    example, _ = example_journey(demo_home / "demo" / "territory.yaml", demo_server.base_url)
    return {
        "fromPlace": f"{example['from']['lat']},{example['from']['lon']}",
        "toPlace": f"{example['to']['lat']},{example['to']['lon']}",
    }


def plan(api: httpx.Client, ends: dict[str, str], **more: Any) -> dict[str, Any]:
    answer = api.get("/api/v6/plan", params={**ends, "time": TUESDAY, **more})
    assert answer.status_code == 200, answer.text
    read: dict[str, Any] = answer.json()
    return read


@pytest.mark.parametrize("version", range(1, 7))
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_version_of_plan_answers(
    api: httpx.Client, ends: dict[str, str], version: int, method: str
) -> None:
    body = None if method == "GET" else {}
    answer = api.request(
        method, f"/api/v{version}/plan", params={**ends, "time": TUESDAY}, json=body
    )
    assert answer.status_code == 200, answer.text
    legs = answer.json()["itineraries"][0]["legs"]
    assert legs[0]["legGeometry"]["precision"] == (7 if version == 1 else 6)
    assert ("level" in legs[0]["from"]) == (version < 6)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pedestrianProfile", "STROLLER"),
        ("requireBikeTransport", "true"),
        ("elevationCosts", "HIGH"),
        ("directModes", "RENTAL"),
    ],
)
def test_value_that_is_not_honoured_yet_is_refused_by_name(
    api: httpx.Client, ends: dict[str, str], name: str, value: str
) -> None:
    answer = api.get("/api/v6/plan", params={**ends, name: value})
    assert answer.status_code == 400
    assert name in answer.json()["error"]


def test_defaults_sent_explicitly_and_empty_values_are_accepted(
    api: httpx.Client, ends: dict[str, str]
) -> None:
    sent = {
        "viaMinimumStay": "0,0",
        "pedestrianProfile": "FOOT",
        "elevationCosts": "NONE",
        "transferTimeFactor": "1.0",
        "transitModes": "TRANSIT",
        "fastestSlowDirectFactor": "3.0",
        "language": "",
        "tims": "a client's misspelling",
    }
    assert plan(api, ends, **sent)["itineraries"]
    assert plan(api, ends, transitModes="")["itineraries"] == []


def test_lists_come_as_commas_or_repeated_keys(api: httpx.Client, ends: dict[str, str]) -> None:
    commas = plan(api, ends, transitModes="BUS,COACH,RIDE_SHARING")
    repeated = plan(api, ends, transitModes=["BUS", "COACH", "RIDE_SHARING"])
    assert commas["itineraries"] == repeated["itineraries"]
    modes = {leg["mode"] for it in commas["itineraries"] for leg in it["legs"]}
    assert modes <= {"WALK", "BUS", "COACH", "RIDE_SHARING"}


def test_pages_go_later_and_earlier_without_repeating(
    api: httpx.Client, ends: dict[str, str]
) -> None:
    first = plan(api, ends)
    later = plan(api, ends, pageCursor=first["nextPageCursor"])
    earlier = plan(api, ends, pageCursor=first["previousPageCursor"])
    latest = max(it["startTime"] for it in first["itineraries"])
    assert later["itineraries"]
    assert min(it["startTime"] for it in later["itineraries"]) >= latest
    assert all(it["startTime"] < "2026-11-24T06:00:00Z" for it in earlier["itineraries"])


def test_arrive_by_is_never_late(api: httpx.Client, ends: dict[str, str]) -> None:
    answer = plan(api, ends, arriveBy="true", time="2026-11-24T09:00:00+01:00")
    assert answer["itineraries"]
    assert all(it["endTime"] <= "2026-11-24T08:00:00Z" for it in answer["itineraries"])


def test_group_larger_than_every_car_is_told_so(api: httpx.Client, ends: dict[str, str]) -> None:
    answer = plan(api, ends, passengers=7)
    assert "group_too_large" in {m["code"] for m in answer["mobility"]["messages"]}
    legs = [leg["mode"] for it in answer["itineraries"] for leg in it["legs"]]
    assert "RIDE_SHARING" not in legs


def test_date_outside_the_timetable_is_told_so(api: httpx.Client, ends: dict[str, str]) -> None:
    answer = plan(api, ends, time="2031-03-04T08:00:00+01:00")
    assert answer["itineraries"] == []
    messages = {m["code"]: m for m in answer["mobility"]["messages"]}
    assert "du 01/09/2026 au 31/08/2028" in messages["no_service_on_date"]["fr"]


@pytest.mark.parametrize(
    ("params", "status", "word"),
    [
        ({"fromPlace": "46.5,1.0"}, 422, "toPlace"),
        ({"fromPlace": "nowhere", "toPlace": "46.5,1.0"}, 422, "nowhere"),
        ({"fromPlace": "95,1", "toPlace": "46.5,1.0"}, 422, "latitude"),
        ({"fromPlace": "46.5,1", "toPlace": "46.5,1.1", "time": "soon"}, 422, "ISO"),
        ({"fromPlace": "46.5,1", "toPlace": "46.5,1.1", "numItineraries": "x"}, 422, "numI"),
        ({"fromPlace": "46.5,1", "toPlace": "46.5,1.1", "pageCursor": "x"}, 422, "pageCursor"),
    ],
)
def test_bad_request_says_what_is_wrong(
    api: httpx.Client, params: dict[str, str], status: int, word: str
) -> None:
    answer = api.get("/api/v6/plan", params=params)
    assert answer.status_code == status
    assert word in answer.json()["error"]


def test_unknown_path_is_a_problem_document(api: httpx.Client) -> None:
    answer = api.get("/mobility/v1/nothing")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_probes_answer(api: httpx.Client) -> None:
    assert api.get("/healthz").json()["status"] == "ok"
    ready = api.get("/readyz").json()
    assert ready["status"] == "ready"
    assert ready["offers"] >= 100


def test_offer_from_the_command_line_is_found_within_a_second(
    api: httpx.Client, demo_home: Path, ends: dict[str, str]
) -> None:
    before = api.get("/readyz").json()
    start, end = ends["fromPlace"], ends["toPlace"]
    added = subprocess.run(
        [
            *(sys.executable, "-m", "mobility.cli", "offers", "add", "--as", "demo:test"),
            *("--from", start, "--to", end, "--depart", "03:00-03:10", "--json"),
        ],
        env={"MOBILITY_HOME": str(demo_home), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    committed = time.monotonic()
    assert added.returncode == 0, added.stderr
    offer_id = json.loads(added.stdout)[0]["id"]
    while api.get("/readyz").json()["revision"] == before["revision"]:
        assert time.monotonic() - committed < 1, "not picked up within a second"
    today = dt.datetime.now(ZoneInfo("Europe/Paris")).date()
    tuesday = today + dt.timedelta(days=(1 - today.weekday()) % 7)  # valid from today on
    answer = plan(api, ends, time=f"{tuesday}T03:00:00", timetableView="false")
    found = {
        leg["mobility"]["offer_id"]
        for it in answer["itineraries"]
        for leg in it["legs"]
        if leg["mode"] == "RIDE_SHARING"
    }
    assert offer_id in found


def test_offer_that_cannot_be_driven_is_refused_and_nothing_is_stored(
    api: httpx.Client, demo_home: Path
) -> None:
    before = api.get("/readyz").json()
    refused = subprocess.run(
        [
            *(sys.executable, "-m", "mobility.cli", "offers", "add", "--as", "demo:test"),
            *("--from", "10.0,10.0", "--to", "46.58,1.2"),
        ],
        env={"MOBILITY_HOME": str(demo_home), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert refused.returncode == 1
    assert "offer_unusable" in refused.stderr
    assert api.get("/readyz").json()["revision"] == before["revision"]
