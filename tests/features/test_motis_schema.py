"""Answers hold to the MOTIS API's own OpenAPI document."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from mobility.actions.run_demo import RunningServer
from tests.support.motis import motis_document

TIME = "2026-11-24T06:00:00Z"
ENDS = {"fromPlace": "46.460909,1.038042", "toPlace": "46.58883,1.177209", "time": TIME}


STATION = "urbain:S002"
TRIP = "20261124_urbain:T-1-LV-010"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The recorded OpenAPI document of MOTIS, or skip."""
    return motis_document()


def wrong(document: dict[str, Any], path: str, answer: Any, status: str = "200") -> list[str]:
    responses = document["paths"][path]["get"]["responses"]
    content = responses[status]["content"]
    schema = {**content["application/json"]["schema"], "components": document["components"]}
    return [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"
        for error in Draft202012Validator(schema).iter_errors(answer)
    ]


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/api/v6/plan", {**ENDS, "withFares": "true"}),
        ("/api/v6/plan", {**ENDS, "directModes": "WALK,BIKE,CAR", "maxDirectTime": "20000"}),
        ("/api/v6/plan", {**ENDS, "transitModes": ""}),
        ("/api/v1/geocode", {"text": "gare"}),
        ("/api/v1/geocode", {"text": "rue de la"}),
        ("/api/v6/stoptimes", {"stopId": "urbain:S001-1", "n": "20", "time": TIME}),
        ("/api/v6/stoptimes", {"stopId": STATION, "fetchStops": "true", "time": TIME}),
        ("/api/v6/stoptimes", {"center": "46.58883,1.177209", "radius": "500", "time": TIME}),
        ("/api/v6/trip", {"tripId": TRIP}),
        ("/api/v1/reverse-geocode", {"place": "46.58883,1.177209", "numResults": "20"}),
        ("/api/v1/map/initial", {}),
        ("/api/v6/map/stops", {"min": "46.4,1.4", "max": "46.8,1.0"}),
        ("/api/v6/map/stops", {"min": "46.4,1.4", "max": "46.8,1.0", "grouped": "true"}),
        ("/api/v6/one-to-all", {"one": STATION, "time": TIME, "maxTravelTime": "60"}),
        ("/api/v1/health", {}),
    ],
)
def test_answer_holds_to_the_document(
    demo_server: RunningServer, document: dict[str, Any], path: str, params: dict[str, str]
) -> None:
    answer = httpx.get(demo_server.base_url + path, params=params, timeout=30)
    assert answer.status_code == 200, answer.text
    assert wrong(document, path, answer.json()) == []


def test_trip_of_a_ride_holds_to_the_document(
    demo_server: RunningServer, document: dict[str, Any]
) -> None:
    plan = httpx.get(f"{demo_server.base_url}/api/v6/plan", params=ENDS, timeout=30).json()
    ride = next(
        leg for it in plan["itineraries"] for leg in it["legs"] if leg["mode"] == "RIDE_SHARING"
    )
    answer = httpx.get(
        f"{demo_server.base_url}/api/v6/trip", params={"tripId": ride["tripId"]}, timeout=30
    )
    assert answer.status_code == 200, answer.text
    assert wrong(document, "/api/v6/trip", answer.json()) == []


@pytest.mark.parametrize(
    ("path", "params", "status"),
    [
        ("/api/v6/plan", {**ENDS, "radius": "500"}, "400"),
        ("/api/v6/plan", {**ENDS, "time": "noon"}, "422"),
        ("/api/v6/trip", {"tripId": "nothing"}, "404"),
        ("/api/v6/trip", {}, "422"),
        ("/api/v6/stoptimes", {"stopId": "nowhere"}, "422"),
        ("/api/v6/map/stops", {}, "422"),
        ("/api/v6/one-to-all", {}, "422"),
        ("/api/v1/geocode", {}, "400"),
        ("/api/v1/reverse-geocode", {}, "400"),
    ],
)
def test_error_holds_to_the_document(
    demo_server: RunningServer,
    document: dict[str, Any],
    path: str,
    params: dict[str, str],
    status: str,
) -> None:
    answer = httpx.get(demo_server.base_url + path, params=params, timeout=30)
    assert str(answer.status_code) == status
    assert wrong(document, path, answer.json(), status=status) == []
