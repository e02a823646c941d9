"""Other operators are asked for their offers: where, how often, by whom, and not at any price."""

from __future__ import annotations

import datetime as dt
import json
import logging
import sys
import time
import uuid
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from mobility.actions import fetch_outside
from mobility.actions.fetch_outside import (
    EVERY,
    FIRST_RETRY,
    LAST_RETRY,
    LEASE,
    Fetched,
    fetch_due,
    main_places,
)
from mobility.actions.manage_operators import enter_operator, remove_operator
from mobility.actions.run_demo import RunningServer
from mobility.db.engine import Engine
from mobility.db.operators import Operator, claim_due, make_due
from mobility.db.outside_offers import list_known
from mobility.jobs.fetch_outside import OutsideWatch
from mobility.jobs.separate_run import SeparateRun
from mobility.partner_client import PartnerAway, PartnerClient, PartnerRefuses
from routing.street.straight import great_circle_m
from tests.support.answering import answering
from tests.support.bookings import Booth
from tests.support.other_operator import NOW, TOMORROW, Fetching, OtherOperator
from tests.support.standard_covoiturage import Json, moment

pytestmark = pytest.mark.usefixtures("few_places")


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500), httpx.Response(302, headers={"location": "https://x.example"}),
        httpx.Response(429), httpx.Response(200, content=b"<html>"), httpx.Response(200, json={}),
        httpx.Response(404), httpx.ReadTimeout("slow"), httpx.ConnectError("away"),
    ],
)  # fmt: skip
def test_an_operator_that_does_not_answer_is_left_alone_longer_each_time(
    other: OtherOperator, fetch: Fetching, ends: tuple[Json, Json], answer: Any
) -> None:
    other.journeys = [other.journey(*ends, moment(TOMORROW, "02:10"))]
    assert fetch().complete
    assert fetch.stored().due_at == NOW + EVERY

    def spoil(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    other.spoil, other.asked = spoil, []
    waits = []
    for _ in range(3):
        fetched = fetch()
        assert (fetched.complete, fetched.queries, fetched.ended) == (False, 3, 0)
        waits.append(fetch.stored().due_at - NOW)
    assert waits == [FIRST_RETRY, 2 * FIRST_RETRY, 4 * FIRST_RETRY]
    assert fetch.stored().failures == 3
    assert max(waits) < LAST_RETRY
    assert len(fetch.known()) == 1
    other.spoil = lambda _: None
    assert fetch().complete
    assert (fetch.stored().failures, fetch.stored().due_at) == (0, NOW + EVERY)


def test_a_slow_or_endless_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Drip(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            for _ in range(100):
                try:
                    self.wfile.write(b"[" * 100)
                    self.wfile.flush()
                except OSError:
                    return
                time.sleep(0.05)

        def log_message(self, *_: Any) -> None:
            pass

    monkeypatch.setattr("mobility.partner_client.WHOLE_S", 0.3)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Drip)
    with answering(server):
        client = PartnerClient(None)
        began = time.monotonic()
        with pytest.raises(PartnerAway):
            client.get_rows(f"http://127.0.0.1:{server.server_address[1]}/", {})
        assert time.monotonic() - began < 3
        monkeypatch.setattr("mobility.partner_client.BYTE_LIMIT", 150)
        with pytest.raises(PartnerAway, match="too long"):
            client.get_rows(f"http://127.0.0.1:{server.server_address[1]}/", {})
        client.close()


def test_an_answer_that_is_full_is_asked_for_in_halves(
    other: OtherOperator, fetch: Fetching, ends: tuple[Json, Json], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch_outside, "FULL", 3)
    monkeypatch.setattr(fetch_outside, "DAYS_AHEAD", 2)
    rows = [other.journey(*ends, moment(TOMORROW, f"{h:02}:30")) for h in range(12)]

    def answer(request: httpx.Request) -> httpx.Response | None:
        if not request.url.path.endswith("journeys"):
            return None
        params = request.url.params
        at, delta = int(params["departureDate"]), int(params["timeDelta"])
        near = [r for r in rows if abs(r["passengerPickupDate"] - at) <= delta]
        return httpx.Response(200, json=near[: int(params["count"])])

    other.spoil = answer
    fetched = fetch()
    assert (fetched.complete, fetched.cars) == (True, 12)
    monkeypatch.setattr(fetch_outside, "QUERIES_LIMIT", 10)
    fetched = fetch()
    assert (fetched.complete, fetched.queries, fetched.ended) == (False, 10, 0)
    assert fetched.reason == "too many queries"


def test_one_process_at_a_time_asks_an_operator(fetch: Fetching) -> None:
    with fetch.engine.begin() as connection:
        make_due(connection, NOW)
        taken = claim_due(connection, NOW, NOW + LEASE)
        assert taken is not None
        with fetch.engine.begin() as second:
            assert claim_due(second, NOW, NOW + LEASE) is None
    with fetch.engine.begin() as connection:
        assert claim_due(connection, NOW + LEASE / 2, NOW + LEASE) is None
        assert claim_due(connection, NOW + LEASE, NOW + 2 * LEASE) is not None


def test_a_key_is_sent_to_its_operator_and_written_nowhere_else(
    other: OtherOperator, fetch: Fetching, ends: tuple[Json, Json], engine: Engine,
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    other.journeys = [other.journey(*ends, moment(TOMORROW, "02:20"))]
    assert fetch().complete
    assert {r.headers["x-api-key"] for r in other.asked} == {other.key}
    assert all(other.key not in str(r.url) for r in other.asked)
    other.spoil = lambda _: httpx.Response(401, text=other.key)
    fetch()
    stored = fetch.stored()
    assert stored.key == other.key
    printed = "".join(capsys.readouterr())
    for text in (repr(stored), json.dumps(stored.last), caplog.text, printed):
        assert other.key not in text
    with engine.connect() as connection:
        written = connection.execute(sa.text("select detail::text from audit")).scalars().all()
    assert not [text for text in written if other.key in text]


def test_main_places_lie_around_all_meeting_points(
    booth: Booth, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch_outside, "PLACES_LIMIT", 8)
    network = booth.desk.snapshot.network
    places, radius_m = main_places(network)
    assert 1 <= len(places) <= 8
    lat, lon = network.points.lat, network.points.lon
    near = [great_circle_m(p.lat, p.lon, lat, lon) <= radius_m for p in places]
    assert sum(near).astype(bool).all()


def test_a_second_instance_of_this_server_is_fetched_whole(
    api: httpx.Client, demo_server: RunningServer, booth: Booth, offers: list[Json]
) -> None:
    operator = f"second-{uuid.uuid4().hex[:8]}.example.org"
    url = f"{demo_server.base_url}/standard-covoiturage"
    enter_operator(booth.desk.engine, Operator(operator, url, None, None), None, now=NOW)
    try:
        with booth.desk.engine.begin() as connection:
            make_due(connection, NOW)
        done = fetch_due(
            booth.desk.engine, booth.desk.wakeups, booth.desk.snapshot,
            lambda operator: PartnerClient(operator.key), now=NOW,
        )[operator]  # fmt: skip
        assert done.complete, done
        assert done.bad == 0
        assert done.added > 20
        again = _again(booth, operator)
        assert (again.unchanged, again.added, again.changed) == (done.added, 0, 0)
        with booth.desk.engine.connect() as connection:
            known = list_known(connection, operator).values()
        assert all(
            of.content["outside"]["url"].startswith(f"{demo_server.base_url}/?offer=")
            for of in known
        )
        regular = [of.content for of in known if of.content["valid_from"] != of.content["valid_to"]]
        assert len(regular) > 10
    finally:
        remove_operator(booth.desk.engine, booth.desk.wakeups, operator, now=NOW)


def _again(booth: Booth, operator: str) -> Fetched:
    with booth.desk.engine.begin() as connection:
        make_due(connection, NOW)
    return fetch_due(
        booth.desk.engine, booth.desk.wakeups, booth.desk.snapshot,
        lambda operator: PartnerClient(operator.key), now=NOW,
    )[operator]  # fmt: skip


def test_a_worker_starts_a_run_when_an_operator_is_due(fetch: Fetching) -> None:
    run = SeparateRun("asked", (sys.executable, "-c", ""))
    watch = OutsideWatch(run)
    begun = []
    with fetch.engine.begin() as connection:
        make_due(connection, NOW)
    for after_s in (-10, 0, 5, 61):
        watch.look(fetch.engine, NOW + dt.timedelta(seconds=after_s))
        begun.append(run._process is not None)
        if run._process is not None:
            run._process.wait()
            run.is_running()
    assert begun == [False, True, False, True]
    watch.stop()


def test_a_client_refuses_what_no_later_try_would_change() -> None:
    other = OtherOperator(spoil=lambda _: httpx.Response(404))
    with pytest.raises(PartnerRefuses):
        other.client().post(other.url, {})


@pytest.mark.parametrize(
    ("operator", "url", "key"),
    [
        ("Autre.example", None, None), ("a b", None, None), ("", None, None),
        ("a.example", "ftp://a.example", None), ("a.example", "https://u:p@a.example", None),
        ("a.example", "a.example/x", None), ("a.example", "https://a.example?k=1", None),
        ("a.example", None, "two\nlines"), ("a.example", None, ""), ("a.example", None, "é"),
    ],
)  # fmt: skip
def test_an_operator_that_cannot_be_is_not_entered(
    engine: Engine, operator: str, url: str | None, key: str | None
) -> None:
    from core.errors import InvalidInput

    with pytest.raises(InvalidInput):
        enter_operator(engine, Operator(operator, url, None, None), key, now=NOW)
