"""What readers tell of cards, and the bills that are made of it."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from typing import Any

import httpx

from core.modes import Mode, mode_of_route_type
from mobility.db.engine import Engine, read_quote_key
from mobility.db.media import link_medium
from mobility.mapping.cloud_events import medium_digest
from mobility.world import World
from tests.support.booked import ZONE, Ask
from tests.support.users import Somebody

Event = dict[str, Any]
CUTOVER = dt.timedelta(hours=4)
"""When fare days of the demo begin."""


def midnight(days_ago: int) -> dt.datetime:
    day = dt.datetime.now(ZONE).date() - dt.timedelta(days=days_ago)
    return dt.datetime.combine(day, dt.time(), ZONE)


def card() -> str:
    return f"card {uuid.uuid4()}"


def line_of(world: World, mode: Mode) -> tuple[str, list[str]]:
    """A line of a mode, and the stops of one of its ways."""
    t = world.network.timetable
    modes = [mode_of_route_type(int(kind)) for kind in t.route_type[t.pattern_route]]
    pattern = max(
        (p for p, of in enumerate(modes) if of is mode),
        key=lambda p: t.pattern_first_stop[p + 1] - t.pattern_first_stop[p],
    )
    calls = t.pattern_stop[t.pattern_first_stop[pattern] : t.pattern_first_stop[pattern + 1]]
    return t.route_id[t.pattern_route[pattern]], [t.stop_id[stop] for stop in calls.tolist()]


def event(number: str, kind: str, at: dt.datetime, stop: str, **data: Any) -> Event:
    return {
        "specversion": "1.0", "id": f"{uuid.uuid4()}", "source": "/readers/12",
        "type": f"mobility.tap.{kind}", "time": at.isoformat(),
        "data": {"medium": number, "stop": stop, **data},
    }  # fmt: skip


def buses(
    number: str, bus: tuple[str, list[str]], days: range, hours: tuple[int, ...]
) -> list[Event]:
    return [
        event(number, "board", midnight(day) + dt.timedelta(hours=h), bus[1][0], route=bus[0])
        for day in days
        for h in hours
    ]


def send(ask: Ask, events: list[Event]) -> dict[str, Any]:
    written = json.dumps(events)  # also what is no text, such as half a character
    of = {"content-type": "application/json"}
    answer = ask("operator", "POST", "/usage", content=written, headers=of)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def link(ask: Ask, who: Somebody, number: str) -> httpx.Response:
    return ask(who.secret, "POST", "/media", json={"number": number, "label": "carte"})


def linked_card(engine: Engine, who: Somebody, number: str = "") -> str:
    """A card of somebody, linked without the limits of the API."""
    number, now = number or card(), dt.datetime.now(dt.UTC)
    with engine.begin() as connection:
        digest = medium_digest(read_quote_key(connection), number)
        link_medium(connection, digest, who.person_id, "", now, lambda _: now)
    return number


def months_of(ask: Ask, who: Somebody) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask(who.secret, "GET", "/bills").json()
    return found


def bills_of(ask: Ask, who: Somebody) -> dict[str, dict[str, Any]]:
    """All bills of somebody; what was kept when they were rated is what they say."""
    found = {}
    for month in months_of(ask, who):
        bill = ask(who.secret, "GET", f"/bills/{month['month']}").json()
        assert bill["amount_cents"] == month["amount_cents"]
        assert len(bill["legs"]) == month["leg_count"]
        assert bill["amount_cents"] == sum(line["amount_cents"] for line in bill["lines"])
        found[month["month"]] = bill
    return found


def amount(ask: Ask, who: Somebody) -> int:
    return sum(bill["amount_cents"] for bill in bills_of(ask, who).values())
