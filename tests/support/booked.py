"""Rides that tests find and book over the API."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import httpx

ZONE = ZoneInfo("Europe/Paris")
FRESH_S = 5.0
"""Changes are there within a second; the machine may be busy."""
Ask = Callable[..., httpx.Response]


def leg_of(api: httpx.Client, offer: dict[str, Any], **more: Any) -> dict[str, Any] | None:
    """The leg by which an offer takes somebody from its start to its end, if the search has it."""
    params = {
        "fromPlace": "{lat},{lon}".format(**offer["start"]),
        "toPlace": "{lat},{lon}".format(**offer["end"]),
        "time": f"{offer['date']}T04:50:00", "searchWindow": 1800, **more,
    }  # fmt: skip
    answer = api.get("/api/v6/plan", params=params)
    assert answer.status_code == 200, answer.text
    legs = (leg for it in answer.json()["itineraries"] for leg in it["legs"])
    own = (leg for leg in legs if leg.get("mobility", {}).get("offer_id") == offer["id"])
    return next(own, None)


def wait_until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + FRESH_S
    while not holds():
        assert time.monotonic() < until, "the change is not there in time"
        time.sleep(0.05)


def found(api: httpx.Client, offer: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The same leg, once the processes know of the offer."""
    wait_until(lambda: leg_of(api, offer, **more) is not None)
    leg = leg_of(api, offer, **more)
    assert leg is not None
    return leg


def book(ask: Ask, leg: dict[str, Any], *, who: str = "rider", **more: Any) -> httpx.Response:
    return ask(who, "POST", "/bookings", json={"quotes": [leg["mobility"]["quote"]], **more})


def told(ask: Ask, who: str, kind: str, **content: Any) -> dict[str, Any] | None:
    """The last notice of a kind with some content."""
    page, after = ask(who, "GET", "/notices").json(), 0
    found = None
    while page:
        for notice in page:
            own = {name: notice["content"].get(name) for name in content}
            if notice["kind"] == kind and own == content:
                found = notice["content"]
        after = page[-1]["id"]
        page = ask(who, "GET", "/notices", params={"after": after}).json()
    return found
