"""A program of another operator, and what it finds, on the running demo."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from mobility.actions import fetch_outside
from mobility.actions.manage_operators import remove_operator
from mobility.users.scopes import Scope
from tests.support.bookings import Booth
from tests.support.other_operator import NOW, Fetching, OtherOperator
from tests.support.standard_covoiturage import (
    BASE,
    ZONE,
    Ask,
    Json,
    between,
    check_format,
    moment,
)
from tests.support.users import Somebody


@pytest.fixture(scope="module")
def offers(demo_home: Path) -> list[Json]:
    """Drives of the demo on all working days."""
    found = json.loads((demo_home / "demo" / "offers.json").read_text(encoding="utf-8"))
    return [offer for offer in found if {"mon", "tue"} <= set(offer["weekdays"])]


@pytest.fixture
def partner(api: httpx.Client, somebody: Callable[..., Somebody]) -> Ask:
    """Requests of another operator's program, each answer checked by the document."""
    own = somebody(Scope.APP)

    def request(method: str, path: str, *, key: str = own.secret, **more: Any) -> httpx.Response:
        answer = api.request(method, BASE + path, headers={"X-API-Key": key}, **more)
        check_format(answer)
        return answer

    return request


@pytest.fixture
def drive(ask: Ask, offers: list[Json]) -> Iterator[Callable[..., Json]]:
    """Publishes a drive at four in the morning of a day ahead; gives what finds it."""
    own: list[str] = []
    ends = {
        name: {"lat": offers[0][name]["lat"], "lon": offers[0][name]["lon"], "public": True}
        for name in ("start", "end")
    }

    def publish(days: int, **changes: Any) -> Json:
        date = dt.datetime.now(ZONE).date() + dt.timedelta(days=days)
        content = {
            **ends, "depart_from": "04:00", "depart_to": "04:10", "valid_from": date.isoformat(),
            "valid_to": date.isoformat(), "seats": 2, "detour_budget_s": 600, **changes,
        }  # fmt: skip
        answer = ask("driver", "POST", "/offers", json=content)
        assert answer.status_code == 201, answer.text
        own.append(answer.json()["id"])
        return {**between(ends), "departureDate": moment(date, "04:05")}

    yield publish
    for ride in ask("driver", "GET", "/rides").json():
        if ride["state"] in ("scheduled", "en_route"):
            ask("driver", "POST", f"/rides/{ride['id']}/cancel")
    for offer_id in own:
        ask("driver", "DELETE", f"/offers/{offer_id}")


@pytest.fixture
def wish(ask: Ask, offers: list[Json]) -> Iterator[Callable[..., Json]]:
    """Saves a wish of the demo's rider for a day ahead; gives its facts, and what finds it."""
    own: list[str] = []
    ends = {n: {k: offers[0][n][k] for k in ("lat", "lon")} for n in ("start", "end")}

    def save(days: int, *, to: int = 0, **changes: Any) -> Json:
        date = dt.datetime.now(ZONE).date() + dt.timedelta(days=days)
        content = {
            **ends, "out": {"leave_from": "03:00", "arrive_by": "04:30"},
            "valid_from": date.isoformat(), "shared": True,
            "valid_to": (date + dt.timedelta(days=to)).isoformat(), **changes,
        }  # fmt: skip
        answer = ask("rider", "POST", "/wishes", json=content)
        assert answer.status_code == 201, answer.text
        own.append(answer.json()["id"])
        around = {**between(ends), "departureRadius": 1.6, "arrivalRadius": 1.6}
        asked = {**around, "departureDate": moment(date, "03:10"), "timeDelta": 60}
        return {**answer.json(), "asked": asked, "around": around}

    yield save
    for wish_id in own:
        ask("rider", "DELETE", f"/wishes/{wish_id}")


@pytest.fixture(scope="module")
def few_places() -> Iterator[None]:
    """Two main places are enough to ask between."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fetch_outside, "PLACES_LIMIT", 2)
        yield


@pytest.fixture
def other() -> OtherOperator:
    return OtherOperator()


@pytest.fixture
def fetch(booth: Booth, other: OtherOperator) -> Iterator[Fetching]:
    """Asks the operator; what it told is gone at the end."""
    fetching = Fetching(booth, other)
    yield fetching
    remove_operator(fetching.engine, booth.desk.wakeups, other.operator, now=NOW)
    assert not fetching.known()


@pytest.fixture(scope="module")
def ends(offers: list[Json]) -> tuple[Json, Json]:
    """A drive that is not one minute long."""
    return offers[0]["start"], offers[0]["end"]
