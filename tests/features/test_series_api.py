"""A rider books a weekly series over the API, its drivers answer, and the way back is offered."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.support.booked import Ask, book, found, told

DAYS = 14
EVERY_DAY = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


@pytest.fixture
def weekly(drive: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Publishes a drive for two weeks from a day ahead on."""

    def publish(days: int, **changes: Any) -> dict[str, Any]:
        first = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=days)
        last = (first + dt.timedelta(days=DAYS)).isoformat()
        return drive(days, **{"valid_to": last, **changes})

    return publish


def asked(leg: dict[str, Any], offer: dict[str, Any], days: int = 6, **more: Any) -> dict[str, Any]:
    first = dt.date.fromisoformat(offer["date"])
    return {
        "out": [leg["mobility"]["quote"]], "weekdays": EVERY_DAY,
        "until": (first + dt.timedelta(days=days)).isoformat(), **more,
    }  # fmt: skip


def test_a_week_is_booked_in_one_request_and_given_back_in_one(
    api: httpx.Client, ask: Ask, weekly: Callable[..., dict[str, Any]]
) -> None:
    offer = weekly(60)
    want = asked(found(api, offer), offer)
    key = {"Idempotency-Key": offer["id"]}
    made = ask("rider", "POST", "/series", json=want, headers=key)
    assert made.status_code == 201, made.text
    facts = made.json()
    assert [d["answer"] for d in facts["dates"]] == ["booked"] * 7
    assert ask("rider", "POST", "/series", json=want, headers=key).json() == facts
    own = ask("rider", "GET", "/bookings", params={"count": 7}).json()["bookings"]
    assert {booking["series_id"] for booking in own} == {facts["id"]}
    assert {len(booking["code"]) for booking in own} == {4}
    assert facts["offers"] == [{"offer_id": offer["id"], "state": "published", "changed": False}]
    assert ask("rider", "GET", f"/series/{facts['id']}").json() == facts
    assert ask("rider", "GET", "/series").json()[0] == facts
    assert ask("authority", "GET", f"/series/{facts['id']}").json()["code"] == "series_not_found"

    (passenger,) = ask("driver", "GET", "/passenger-series").json()
    assert (passenger["id"], passenger["rider"]) == (facts["id"], "demo:Rosa")
    assert len(passenger["dates"]) == 7
    assert told(ask, "driver", "series_booked", series_id=facts["id"]) is not None

    changed = {**{k: offer[k] for k in (
        "start", "end", "depart_from", "depart_to", "valid_from", "valid_to", "seats",
        "version",
    )}, "detour_budget_s": 900}  # fmt: skip
    assert ask("driver", "PUT", f"/offers/{offer['id']}", json=changed).status_code == 200
    ask("driver", "POST", f"/offers/{offer['id']}/pause")
    by_now = ask("rider", "GET", f"/series/{facts['id']}").json()
    assert by_now["offers"] == [{"offer_id": offer["id"], "state": "paused", "changed": True}]
    assert by_now["dates"] == facts["dates"]

    ended = ask("rider", "DELETE", f"/series/{facts['id']}").json()
    assert [d["answer"] for d in ended["dates"]] == ["over"] * 7
    assert ended["ended_at"] is not None
    assert ask("driver", "GET", "/passenger-series").json() == []


def test_a_driver_accepts_or_declines_a_series_over_the_api(
    api: httpx.Client, ask: Ask, weekly: Callable[..., dict[str, Any]]
) -> None:
    offer = weekly(80, acceptance="ask")
    facts = ask("rider", "POST", "/series", json=asked(found(api, offer), offer, 2)).json()
    assert [d["answer"] for d in facts["dates"]] == ["asked"] * 3
    path = f"/passenger-series/{facts['id']}"
    assert ask("driver", "POST", f"{path}/accept").json() == {"done": 3, "left": 0}
    assert ask("driver", "POST", f"{path}/decline").json() == {"done": 0, "left": 0}
    assert told(ask, "rider", "series_accept", series_id=facts["id"]) is not None
    assert ask("driver", "POST", f"{path}/cancel").json() == {"done": 3, "left": 0}
    after = ask("rider", "GET", f"/series/{facts['id']}").json()
    assert {b["state"] for d in after["dates"] for b in d["bookings"]} == {"cancelled_driver"}


def test_bad_series_are_refused_and_leave_nothing(
    api: httpx.Client, ask: Ask, weekly: Callable[..., dict[str, Any]]
) -> None:
    offer = weekly(85)
    leg = found(api, offer)
    before = ask("rider", "GET", "/series").json()
    for more, code in (
        ({"weekdays": []}, "invalid_input"),
        ({"weekdays": ["monday"]}, "invalid_input"),
        ({"until": "2020-01-01"}, "invalid_series"),
        ({"until": "9999-12-31"}, "invalid_series"),
        ({"back": [leg["mobility"]["quote"]]}, "invalid_series"),
        ({"both_or_none": True}, "invalid_series"),
        ({"out": [leg["mobility"]["quote"][:-2] + "xx"]}, "quote_invalid"),
        ({"out": []}, "invalid_input"),
        ({"out": [leg["mobility"]["quote"]] * 2}, "invalid_input"),
        ({"seats": 3}, "invalid_input"),
    ):
        refused = ask("rider", "POST", "/series", json=asked(leg, offer, **more))
        assert (refused.status_code, refused.json()["code"]) == (422, code), more
    assert ask("rider", "GET", "/series").json() == before


def test_who_has_booked_is_shown_how_to_look_for_the_way_back_on_that_day(
    api: httpx.Client, ask: Ask, drive: Callable[..., dict[str, Any]]
) -> None:
    offer = drive(57)
    start, end = {"lat": 46.5, "lon": 1.1}, {"lat": 46.6, "lon": 1.2}
    journey = {"start": start, "end": end}
    leg = found(api, offer)
    (booked,) = book(ask, leg, confirm=True, journey=journey).json()
    back = booked["return_search"]
    assert (back["fromPlace"], back["toPlace"]) == ("46.600000,1.200000", "46.500000,1.100000")
    assert back["time"].startswith(f"{offer['date']}T17:00:00")
    assert back["passengers"] == 1
    assert api.get("/api/v6/plan", params=back).status_code == 200

    home = {name: offer[other] for name, other in (("start", "end"), ("end", "start"))}
    evening = drive(57, **home, depart_from="17:30", depart_to="17:40")
    late = {"time": f"{offer['date']}T17:20:00"}
    (way_home,) = book(ask, found(api, evening, **late), confirm=True).json()
    assert way_home["return_search"]["time"] > way_home["dropoff_by"]
    # The way back is there: nothing is offered to whoever books the way out now.
    ask("rider", "POST", f"/bookings/{booked['id']}/cancel")
    (again,) = book(ask, found(api, offer), confirm=True).json()
    assert again["return_search"] is None
