"""Answers hold to the MOTIS API's own OpenAPI document."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from jsonschema import Draft202012Validator

from mobility.actions.run_demo import RunningServer

TIME = "2026-11-24T06:00:00Z"
ENDS = {"fromPlace": "46.460909,1.038042", "toPlace": "46.58883,1.177209", "time": TIME}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The recorded OpenAPI document of MOTIS, or skip."""
    data = Path(os.environ.get("MOBILITY_SHARED_DATA", "../shared/data"))
    path = data.parent / "specs" / "motis" / "openapi.yaml"
    if not path.is_file():
        pytest.skip(f"the MOTIS document is absent: {path} (set MOBILITY_SHARED_DATA)")
    read: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return read


def wrong(document: dict[str, Any], path: str, answer: Any) -> list[str]:
    responses = document["paths"][path]["get"]["responses"]
    content = responses.get("200", responses.get(200))["content"]
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
        ("/api/v1/health", {}),
    ],
)
def test_answer_holds_to_the_document(
    demo_server: RunningServer, document: dict[str, Any], path: str, params: dict[str, str]
) -> None:
    answer = httpx.get(demo_server.base_url + path, params=params, timeout=30)
    assert answer.status_code == 200, answer.text
    assert wrong(document, path, answer.json()) == []
