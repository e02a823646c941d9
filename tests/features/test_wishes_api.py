"""Riders save wishes, drivers publish offers, both are told, on the running demo."""

from __future__ import annotations

import datetime as dt
import json
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from tests.support.booked import told

TOLD_S = 60.0
"""Both are told within a minute; it takes a second or two."""
ZONE = ZoneInfo("Europe/Paris")
Ask = Callable[..., httpx.Response]


@pytest.fixture(scope="module")
def ends(demo_home: Path) -> dict[str, dict[str, float]]:
    """Of a drive of the demo: from a village to the station of a town."""
    offers = json.loads((demo_home / "demo" / "offers.json").read_text(encoding="utf-8"))
    names = "start", "end"
    return {n: {"lat": offers[0][n]["lat"], "lon": offers[0][n]["lon"]} for n in names}


@pytest.fixture
def date() -> str:
    return (dt.datetime.now(ZONE).date() + dt.timedelta(days=200)).isoformat()


@pytest.fixture
def publish(ask: Ask, ends: dict[str, Any], date: str) -> Iterator[Callable[..., str]]:
    own: list[str] = []

    def offer(**changes: Any) -> str:
        content = {
            "start": {**ends["start"], "public": True}, "end": {**ends["end"], "public": True},
            "depart_from": "04:00", "depart_to": "04:10", "valid_from": date, "valid_to": date,
            "seats": 2, "detour_budget_s": 600, **changes,
        }  # fmt: skip
        answer = ask("driver", "POST", "/offers", json=content)
        assert answer.status_code == 201, answer.text
        own.append(answer.json()["id"])
        return own[-1]

    yield offer
    for offer_id in own:
        ask("driver", "DELETE", f"/offers/{offer_id}")


def wish(ask: Ask, ends: dict[str, Any], date: str, *, who: str = "rider", **changes: Any) -> str:
    content = {
        **ends, "out": {"leave_from": "03:50", "arrive_by": "05:30"}, "valid_from": date,
        "valid_to": date, **changes,
    }  # fmt: skip
    answer = ask(who, "POST", "/wishes", json=content)
    assert answer.status_code == 201, answer.text
    assert answer.json()["open"]
    found: str = answer.json()["id"]
    return found


def wait_for(holds: Callable[[], Any]) -> Any:
    until = time.monotonic() + TOLD_S
    while not (found := holds()):
        assert time.monotonic() < until, "nobody was told in time"
        time.sleep(0.2)
    return found


def test_a_new_offer_is_told_to_whoever_wished_for_it_and_its_driver_of_him(
    ask: Ask, ends: dict[str, Any], date: str, publish: Callable[..., str]
) -> None:
    wish_id = wish(ask, ends, date)
    other = wish(ask, {"start": ends["end"], "end": ends["start"]}, date)  # the other way round
    offer_id = publish()
    content = wait_for(lambda: told(ask, "rider", "wish_matched", wish_id=wish_id))
    (found,) = content["offers"]
    assert (found["offer_id"], found["date"], found["direction"]) == (offer_id, date, "out")
    assert "04:00" <= found["pickup_at"] < found["dropoff_at"] <= found["arrival_at"] <= "05:30"
    wanted = wait_for(lambda: told(ask, "driver", "offer_wanted"))
    assert list(wanted) == ["offer_id"], "neither how many nor who"
    (match,) = ask("rider", "GET", f"/wishes/{wish_id}/matches").json()
    assert match["offer_id"] == offer_id
    assert ask("rider", "GET", f"/wishes/{other}/matches").json() == []
    assert ask("driver", "GET", f"/wishes/{wish_id}/matches").status_code in (403, 404)


def test_a_new_wish_finds_the_offers_that_are_there_also_for_the_way_back(
    ask: Ask, ends: dict[str, Any], date: str, publish: Callable[..., str]
) -> None:
    publish()
    back_id = publish(
        start={**ends["end"], "public": True}, end={**ends["start"], "public": True},
        depart_from="19:00", depart_to="19:10",
    )  # fmt: skip
    back = {"leave_from": "18:30", "arrive_by": "20:30"}

    def both_are_there() -> bool:
        found = ask("rider", "GET", f"/wishes/{first}/matches").json()
        return {match["direction"] for match in found} == {"out", "back"}

    # By another wish: the server reads new offers a moment after they were published.
    first = wish(ask, ends, date, back=back)
    wait_for(both_are_there)
    ask("rider", "DELETE", f"/wishes/{first}")
    wish_id = wish(ask, ends, date, back=back)
    content = wait_for(lambda: told(ask, "rider", "wish_matched", wish_id=wish_id))
    assert {found["direction"] for found in content["offers"]} == {"out", "back"}
    assert back_id in {found["offer_id"] for found in content["offers"]}
    ended = ask("rider", "DELETE", f"/wishes/{wish_id}").json()
    assert not ended["open"]
    publish(depart_from="04:05", depart_to="04:10")
    watcher = wish(ask, ends, date)  # told of it, while the ended one is not
    wait_for(lambda: told(ask, "rider", "wish_matched", wish_id=watcher))
    assert len(ask("rider", "GET", f"/wishes/{wish_id}/matches").json()) == content["count"]


def test_a_driver_is_told_how_many_want_a_stop_once_three_do(
    api: httpx.Client, ask: Ask, ends: dict[str, Any], date: str, publish: Callable[..., str]
) -> None:
    offer_id = publish(detour_budget_s=900)
    wish(ask, ends, date)
    wish(ask, ends, date, who="authority")
    wait_for(lambda: told(ask, "authority", "wish_matched"))
    assert ask("driver", "GET", f"/offers/{offer_id}/wanted").json() == []
    email = f"{uuid.uuid4().hex}@example.org"
    password = "quatre mots au hasard"
    account = {"email": email, "password": password, "alias": f"W{uuid.uuid4().hex[:8]}"}
    assert api.post("/mobility/v1/users", json=account).status_code == 201
    signed = {"email": email, "password": password, "label": "test"}
    secret = api.post("/mobility/v1/sessions", json=signed).json()["secret"]
    wish(ask, ends, date, who=secret)
    points = wait_for(lambda: ask("driver", "GET", f"/offers/{offer_id}/wanted").json())
    assert {found["riders"] for found in points} == {3}
    assert ask("rider", "GET", f"/offers/{offer_id}/wanted").status_code == 403
