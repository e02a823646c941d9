"""The demo's people, its roads, and drives that tests publish there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.browsing import Publish, Users, day_ahead


@pytest.fixture(scope="module")
def as_driver(api: httpx.Client, users: Users) -> Callable[..., httpx.Response]:
    """Requests of the demo's driver."""
    headers = {"authorization": f"Bearer {users['driver']['token']}"}

    def ask(method: str, path: str, **more: Any) -> httpx.Response:
        return api.request(method, f"/mobility/v1{path}", headers=headers, **more)

    return ask


@pytest.fixture(scope="module")
def ends(demo_home: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two public places with a road between them."""
    first = json.loads((demo_home / "demo" / "offers.json").read_text(encoding="utf-8"))[0]
    start, end = ({"lat": first[n]["lat"], "lon": first[n]["lon"]} for n in ("start", "end"))
    return {**start, "public": True}, {**end, "public": True}


@pytest.fixture
def drive(
    as_driver: Callable[..., httpx.Response], ends: tuple[dict[str, Any], dict[str, Any]]
) -> Iterator[Publish]:
    """Publishes a drive at five in the morning of a day ahead, with what is said beside."""

    def publish(days: int, **changes: Any) -> dict[str, Any]:
        date = day_ahead(days)
        content = {
            "start": ends[0], "end": ends[1], "depart_from": "05:00", "depart_to": "05:10",
            "valid_from": date, "valid_to": date, "seats": 2, "detour_budget_s": 600, **changes,
        }  # fmt: skip
        answer = as_driver("POST", "/offers", json=content)
        assert answer.status_code == 201, answer.text
        return {**answer.json(), "date": date}

    yield publish
    for ride in as_driver("GET", "/rides").json():
        if ride["state"] in ("scheduled", "en_route"):
            as_driver("POST", f"/rides/{ride['id']}/cancel")
    for offer in as_driver("GET", "/offers").json()["offers"]:
        if offer["state"] != "ended":
            as_driver("DELETE", f"/offers/{offer['id']}")
