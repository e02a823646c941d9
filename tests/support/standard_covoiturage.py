"""The recorded document of the Standard Covoiturage, and what its suite checks of each answer."""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from jsonschema import Draft202012Validator

from core.geo import Coordinate, distance_m

BASE = "/standard-covoiturage"
HOST = re.compile(r"[a-z0-9.-]+")
TOLERANCE = 1.01


def document_file() -> Path:
    """The recorded document, or skip the test with a message."""
    data = Path(os.environ.get("MOBILITY_SHARED_DATA", "../shared/data"))
    file = data.parent / "specs" / "standard-covoiturage" / "openapi.yaml"
    if not file.is_file():
        pytest.skip(f"the document is absent: {file} (set MOBILITY_SHARED_DATA)")
    return file.resolve()


@cache
def _document(file: Path) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return read


def check_format(answer: httpx.Response) -> None:
    """The answer has a documented status, and the content of it."""
    document = _document(document_file())
    path = answer.request.url.path.removeprefix(BASE)
    template = re.sub(r"^/bookings/.+", "/bookings/{bookingId}", path)
    responses = document["paths"][template][answer.request.method.lower()]["responses"]
    response = responses.get(answer.status_code, responses.get(str(answer.status_code)))
    assert response is not None, f"{answer.status_code} is not documented: {answer.text[:300]}"
    if "$ref" in response:
        response = document["components"]["responses"][response["$ref"].split("/")[-1]]
    content = response.get("content", {}).get("application/json")
    if content is None:
        return
    assert answer.headers["content-type"].startswith("application/json")
    schema = {**content["schema"], "components": document["components"]}
    found = [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"
        for error in Draft202012Validator(schema).iter_errors(answer.json())
    ]
    assert found == []


def check_around(results: list[dict[str, Any]], asked: dict[str, Any]) -> None:
    """Radii, count and operators of journeys or regular trips; there must be some."""
    assert results
    assert len(results) <= asked.get("count", len(results))
    for found in results:
        for end, name in (("departure", "Pickup"), ("arrival", "Drop")):
            there = Coordinate(found[f"passenger{name}Lat"], found[f"passenger{name}Lng"])
            wanted = Coordinate(asked[f"{end}Lat"], asked[f"{end}Lng"])
            radius_m = asked.get(f"{end}Radius", 1) * 1000 * TOLERANCE
            assert distance_m(there, wanted) <= radius_m
        somebody = found.get("driver") or found["passenger"]
        assert {found["operator"], somebody["operator"]} == {found["operator"]}
        assert HOST.fullmatch(found["operator"])


def check_journeys(results: list[dict[str, Any]], asked: dict[str, Any]) -> None:
    """All that the suite checks of journeys."""
    check_around(results, asked)
    ids = [found["id"] for found in results]
    assert len(set(ids)) == len(ids)
    assert all(1 <= len(own) <= 255 for own in ids)
    for found in results:
        apart_s = abs(found["passengerPickupDate"] - asked["departureDate"])
        assert apart_s <= asked.get("timeDelta", 900)
