"""What somebody made for a test offers, finds and books over the API."""

from __future__ import annotations

import datetime as dt
from typing import Any

import httpx

from tests.support.booked import ZONE, Ask, wait_until
from tests.support.users import Somebody


def offer_of(ask: Ask, who: Somebody, days: int, like: dict[str, Any], **changes: Any) -> Any:
    """Publish a drive at five in the morning of a day ahead."""
    date = (dt.datetime.now(ZONE).date() + dt.timedelta(days=days)).isoformat()
    content = {
        **like, "depart_from": "05:00", "depart_to": "05:10", "valid_from": date,
        "valid_to": date, "seats": 3, "detour_budget_s": 600, **changes,
    }  # fmt: skip
    return ask(who.secret, "POST", "/offers", json=content)


def leg(api: httpx.Client, offer: dict[str, Any], who: Somebody | None, **more: Any) -> Any:
    """Leg of an offer, if somebody's search has it."""
    params = {
        "fromPlace": "{lat},{lon}".format(**offer["start"]),
        "toPlace": "{lat},{lon}".format(**offer["end"]),
        "time": f"{offer['valid_from']}T04:50:00", "searchWindow": 1800, **more,
    }  # fmt: skip
    headers = {} if who is None else who.headers
    found = api.get("/api/v6/plan", params=params, headers=headers)
    assert found.status_code == 200, found.text
    legs = (leg for it in found.json()["itineraries"] for leg in it["legs"])
    own = (leg for leg in legs if leg.get("mobility", {}).get("offer_id") == offer["id"])
    return next(own, None)


def shown(api: httpx.Client, offer: dict[str, Any], who: Somebody | None, **more: Any) -> Any:
    wait_until(lambda: leg(api, offer, who, **more) is not None)
    return leg(api, offer, who, **more)


def book(ask: Ask, who: Somebody, leg: dict[str, Any], **more: Any) -> httpx.Response:
    body = {"quotes": [leg["mobility"]["quote"]], "confirm": True, **more}
    return ask(who.secret, "POST", "/bookings", json=body)


def say_woman(ask: Ask, who: Somebody, is_woman: bool = True) -> None:
    answer = ask(who.secret, "PUT", "/users/me/woman", json={"is_woman": is_woman})
    assert answer.json()["is_woman"] is is_woman, answer.text
