"""Devices whose clocks are wrong: what they tell is put right, or waits until somebody decides."""

from __future__ import annotations

import datetime as dt
import json
import secrets
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from joserfc import jws
from joserfc.jwk import OKPKey
from joserfc.registry import HeaderParameter

from mobility.actions.note_numbers import devices_that_owe
from mobility.db.engine import Engine, read_quote_key
from mobility.db.held_usage import forget_held
from mobility.db.usage import list_taps
from mobility.mapping.cloud_events import medium_digest
from tests.features.test_close_month import TARIFF
from tests.features.test_devices import event
from tests.support.booked import Ask
from tests.support.users import code_of

UTC = dt.UTC
SECOND, MINUTE = dt.timedelta(seconds=1), dt.timedelta(minutes=1)
LONG_AGO = dt.date(2020, 1, 1)
Send = Callable[..., httpx.Response]


@contextmanager
def device(ask: Ask) -> Iterator[tuple[str, Send]]:
    """A registered one: its source, and what sends its batches."""
    key, source = OKPKey.generate_key("Ed25519"), f"/readers/{uuid.uuid4()}"
    public = {name: str(key.as_dict(private=False)[name]) for name in ("kty", "crv", "x")}

    def send(*events: dict[str, Any], ahead: dt.timedelta) -> httpx.Response:
        text = json.dumps(events)
        headers = {"alg": "Ed25519", "iat": int((dt.datetime.now(UTC) + ahead).timestamp())}
        registry = jws.JWSRegistry({"iat": HeaderParameter("", "int")}, ["Ed25519"])
        made = jws.serialize_compact(headers, text, key, registry=registry)
        return ask(
            "operator", "POST", "/usage", content=text,
            headers={
                "content-type": "application/json",
                "mobility-signature": str(jws.detach_content(made)),
            },
        )  # fmt: skip

    given = {"source": source, "public_key": public}
    assert ask("operator", "PUT", "/devices", json=given).status_code == 204
    yield source, send
    assert ask("operator", "DELETE", f"/devices?source={source}").status_code == 204


def told_at(ahead: dt.timedelta, minutes_ago: int) -> dict[str, Any]:
    """Time of an event as a clock reads that goes wrong."""
    return {"time": (dt.datetime.now(UTC) + ahead - minutes_ago * MINUTE).isoformat()}


@pytest.mark.parametrize("ahead_s", [-240, -90, 100, 299])
def test_times_of_a_clock_that_is_minutes_wrong_are_put_right(
    ask: Ask, engine: Engine, ahead_s: int
) -> None:
    ahead = dt.timedelta(seconds=ahead_s)
    with device(ask) as (source, send):
        number = secrets.token_hex(8)
        data = {"medium": number, "stop": "nowhere", "mode": "bus"}
        event_at = dt.datetime.now(UTC) - 10 * MINUTE
        tap = event(source, 1, type="mobility.tap.board", data=data, **told_at(ahead, 10))
        assert send(tap, ahead=ahead).json() == {"new": 1, "known": 0, "refused": [], "held": 0}
        with engine.connect() as connection:
            key = read_quote_key(connection)
            taps = list_taps(
                connection, [medium_digest(key, number)], event_at - MINUTE, event_at + MINUTE
            )
        ((found,),) = taps.values()
        assert abs(found.at - event_at) < 5 * SECOND
        assert abs(found.told_ahead_s - ahead_s) <= 2
        (shown,) = (d for d in ask("operator", "GET", "/devices").json() if d["source"] == source)
        assert abs(shown["clock_ahead_s"] - ahead_s) <= 2


def test_what_is_under_way_for_a_moment_is_not_a_wrong_clock(ask: Ask) -> None:
    with device(ask) as (source, send):
        assert send(event(source, 1), ahead=-20 * SECOND).json()["new"] == 1
        (shown,) = (d for d in ask("operator", "GET", "/devices").json() if d["source"] == source)
        assert shown["clock_ahead_s"] == 0


@pytest.mark.parametrize("ahead", [dt.timedelta(hours=1), -dt.timedelta(days=20_000)])
def test_what_a_clock_tells_that_is_far_off_waits_for_a_decision(
    ask: Ask, ahead: dt.timedelta
) -> None:
    with device(ask) as (source, send):
        told = [event(source, n, **told_at(ahead, 10)) for n in (1, 2)]
        for _ in range(2):  # once, however often it comes
            answer = send(*told, ahead=ahead).json()
            assert answer == {"new": 0, "known": 0, "refused": [], "held": 2}
        (batch,) = (
            b for b in ask("authority", "GET", "/usage/held").json() if b["source"] == source
        )
        assert batch["events"] == 2
        assert abs(batch["clock_ahead_s"] - ahead.total_seconds()) < 5
        assert "card" not in json.dumps(batch)
        taken = ask("operator", "POST", f"/usage/held/{batch['id']}", json={})
        assert taken.json() == {"new": 2, "known": 0, "refused": [], "held": 0}
        assert code_of(ask("operator", "POST", f"/usage/held/{batch['id']}", json={})) == (
            "batch_unknown"
        )
        # It comes again: what is in it is known.
        assert send(*told, ahead=ahead).json()["held"] == 2
        again = ask(
            "authority", "POST", f"/usage/held/{batch['id']}", json={"clock_ahead_s": 7_200}
        )
        future = again.json()["refused"] if ahead < dt.timedelta() else []
        assert again.json()["known"] == 2 - len(future)
        waiting = [b["id"] for b in ask("operator", "GET", "/usage/held").json()]
        assert (batch["id"] in waiting) == bool(future)
        if future:  # what is refused is not lost
            last = ask("operator", "POST", f"/usage/held/{batch['id']}", json={}).json()
            assert (last["known"], last["refused"]) == (2, [])
        wrong = {"clock_ahead_s": 10**12}
        assert ask("operator", "POST", "/usage/held/x", json=wrong).status_code == 422
        assert code_of(ask("operator", "DELETE", "/usage/held/x")) == "batch_unknown"


def test_a_heartbeat_by_a_wrong_clock_leaves_nothing_to_decide_on(ask: Ask) -> None:
    with device(ask) as (source, send):
        beat = event(source, 1, type="mobility.device.heartbeat", **told_at(60 * MINUTE, 0))
        assert send(beat, ahead=60 * MINUTE).json()["held"] == 0
        assert source not in {b["source"] for b in ask("operator", "GET", "/usage/held").json()}
        (shown,) = (d for d in ask("operator", "GET", "/devices").json() if d["source"] == source)
        assert shown["next_number"] == 2
        assert abs(shown["clock_ahead_s"] - 3_600) < 5


def test_a_month_waits_for_decisions_and_what_nobody_decides_on_is_dropped(
    ask: Ask, engine: Engine
) -> None:
    now, hour = dt.datetime.now(UTC), 60 * MINUTE
    with device(ask) as (source, send):
        assert send(event(source, 1, **told_at(hour, 1)), ahead=hour).json()["held"] == 1

        def owing() -> list[str]:
            with engine.connect() as connection:
                return [own.source for own in devices_that_owe(connection, TARIFF, LONG_AGO)]

        def forget(at: dt.datetime) -> None:
            with engine.begin() as connection:
                forget_held(connection, at)

        assert source in owing()
        forget(now - MINUTE)
        assert source in owing()
        forget(now + MINUTE)
        assert source not in owing()
