"""The recorded document of the Standard Covoiturage, and what its suite checks of each answer."""

from __future__ import annotations

import datetime as dt
import os
import re
import time
import uuid
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
import yaml
from jsonschema import Draft202012Validator

from core.geo import Coordinate, distance_m

BASE = "/standard-covoiturage"
HOST = re.compile(r"[a-z0-9.-]+")
TOLERANCE = 1.01
ZONE = ZoneInfo("Europe/Paris")
FRESH_S = 10.0
"""Changes are there within a second; the machine may be busy."""
THEIRS = "covoiturage.example.org"
"""Host name of the other operator."""
Ask = Callable[..., httpx.Response]
Json = dict[str, Any]


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


def between(ends: Json) -> Json:
    return {
        "departureLat": ends["start"]["lat"], "departureLng": ends["start"]["lon"],
        "arrivalLat": ends["end"]["lat"], "arrivalLng": ends["end"]["lon"],
    }  # fmt: skip


def moment(date: dt.date, clock: str) -> int:
    local = dt.datetime.combine(date, dt.time.fromisoformat(clock), ZONE)
    return int(local.timestamp())


def next_monday() -> dt.date:
    today = dt.datetime.now(ZONE).date()
    return today + dt.timedelta(days=7 - today.weekday())


def found(partner: Ask, asked: Json, driver: str = "demo:Denis") -> Json:
    """The journey of a driver, once the processes know of it."""
    until = time.monotonic() + FRESH_S
    while True:
        journeys = partner("GET", "/driver_journeys", params=asked).json()
        own = [journey for journey in journeys if journey["driver"]["id"] == driver]
        if own:
            assert len(own) == 1
            own_journey: Json = own[0]
            return own_journey
        assert time.monotonic() < until, "the drive is not there in time"
        time.sleep(0.05)


def request_for(journey: Json, **changes: Any) -> Json:
    """A booking as another operator asks for it."""
    places = [n for n in journey if n.startswith("passenger") and n != "passenger"]
    rider = {"id": uuid.uuid4().hex, "operator": THEIRS, "alias": "Zoé"}
    booking = {
        "id": str(uuid.uuid4()), "driver": journey["driver"], "passenger": rider,
        "status": "WAITING_CONFIRMATION", "price": journey["price"],
        "driverJourneyId": journey["id"], **{name: journey[name] for name in places}, **changes,
    }  # fmt: skip
    return {name: value for name, value in booking.items() if value is not None}


def told_booking(**changes: Any) -> Json:
    driver = {"id": "d1", "operator": THEIRS, "alias": "Dédé"}
    data = {
        "id": str(uuid.uuid4()), "passengerPickupDate": moment(next_monday(), "08:00"),
        "passengerPickupLat": 46.5, "passengerPickupLng": 1.1, "passengerDropLat": 46.6,
        "passengerDropLng": 1.2, "status": "WAITING_CONFIRMATION", "driver": driver,
        "price": {"type": "PAYING", "amount": 1.5, "currency": "EUR"},
        "webUrl": f"https://{THEIRS}/b/1",
    }  # fmt: skip
    return {"id": str(uuid.uuid4()), "idToken": "a.b.c", "data": {**data, **changes}}


def status_of(partner: Ask, booking_id: str) -> str:
    answer = partner("GET", f"/bookings/{booking_id}")
    assert answer.status_code == 200, answer.text
    status: str = answer.json()["status"]
    return status


def seconds_of(clock: str) -> int:
    hours, minutes, seconds = map(int, clock.split(":"))
    return hours * 3600 + minutes * 60 + seconds
