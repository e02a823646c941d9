"""Offers of other operators are fetched, and searched beside those of the running demo."""

from __future__ import annotations

import datetime as dt
import json
import logging
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from carpool.offers import OfferState
from carpool.quotes import Quote, sign_quote
from core.ids import OfferId
from mobility.actions import fetch_outside
from mobility.actions.fetch_outside import (
    EVERY,
    FIRST_RETRY,
    KEPT_ENDED,
    KEPT_UNSEEN,
    LAST_RETRY,
    LEASE,
    Fetched,
    fetch_due,
    main_places,
)
from mobility.actions.manage_operators import enter_operator, remove_operator
from mobility.actions.publish_offer import change_and_announce
from mobility.actions.run_demo import RunningServer
from mobility.db.changes import latest_revision
from mobility.db.engine import Engine
from mobility.db.operators import Operator, claim_due, get_operator, make_due
from mobility.db.outside_offers import list_known
from mobility.db.schema import outside_offer
from mobility.jobs.fetch_outside import OutsideWatch
from mobility.jobs.separate_run import SeparateRun
from mobility.partner_client import PartnerAway, PartnerClient, PartnerRefuses
from routing.street.straight import great_circle_m
from tests.support.answering import answering
from tests.support.booked import wait_until
from tests.support.bookings import Booth
from tests.support.other_operator import OtherOperator
from tests.support.standard_covoiturage import ZONE, Ask, Json, between, moment

NOW = dt.datetime.now(dt.UTC)
TOMORROW = (NOW.astimezone(ZONE) + dt.timedelta(days=1)).date()
WEEKDAY = TOMORROW.strftime("%a").upper()


@pytest.fixture(scope="module", autouse=True)
def _few_places() -> Iterator[None]:
    """Two main places are enough to ask between."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fetch_outside, "PLACES_LIMIT", 2)
        yield


class Fetching:
    """One operator, fetched into the demo at times of one's own."""

    def __init__(self, booth: Booth, other: OtherOperator) -> None:
        self.desk, self.other, self.engine = booth.desk, other, booth.desk.engine
        told = Operator(other.operator, other.url, None, None)
        enter_operator(self.engine, told, other.key, now=NOW)

    def __call__(self, now: dt.datetime = NOW) -> Fetched:
        with self.engine.begin() as connection:
            make_due(connection, now)
        done = fetch_due(
            self.engine, self.desk.wakeups, self.desk.snapshot,
            lambda operator: self.other.client(operator.key), now=now,
        )  # fmt: skip
        return done[self.other.operator]

    def known(self) -> dict[str, Any]:
        with self.engine.connect() as connection:
            return {str(of.offer_id): of for of in self._list(connection).values()}

    def _list(self, connection: Any) -> dict[str, Any]:
        return list_known(connection, self.other.operator)

    def revision(self) -> int:
        with self.engine.connect() as connection:
            return latest_revision(connection)

    def stored(self) -> Any:
        with self.engine.connect() as connection:
            return get_operator(connection, self.other.operator)


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


def legs_of(api: httpx.Client, ends: tuple[Json, Json], clock: str, operator: str) -> list[Json]:
    """Legs with an operator's drivers in the hour behind a time of tomorrow."""
    until_s = moment(TOMORROW, clock) + 3_600
    params: dict[str, Any] = {
        "fromPlace": "{lat},{lon}".format(**ends[0]), "toPlace": "{lat},{lon}".format(**ends[1]),
        "time": f"{TOMORROW}T{clock}", "searchWindow": 1800,
    }  # fmt: skip
    answer = api.get("/api/v6/plan", params=params)
    assert answer.status_code == 200, answer.text
    return [
        {**leg, "price": it["mobility"]["price"]}
        for it in answer.json()["itineraries"]
        for leg in it["legs"]
        if leg.get("agencyName") == operator
        and dt.datetime.fromisoformat(leg["startTime"]).timestamp() < until_s
    ]


def test_a_journey_is_searched_and_leads_to_its_operator(
    api: httpx.Client, partner: Ask, other: OtherOperator, fetch: Fetching,
    ends: tuple[Json, Json], booth: Booth,
) -> None:  # fmt: skip
    row = other.journey(*ends, moment(TOMORROW, "03:20"))
    other.journeys = [row]
    fetched = fetch()
    assert (fetched.complete, fetched.cars, fetched.added) == (True, 1, 1)
    (offer_id,) = fetch.known()
    wait_until(lambda: bool(legs_of(api, ends, "03:05", other.operator)))
    leg = legs_of(api, ends, "03:05", other.operator)[0]
    assert leg["ticketUrls"]["web"] == leg["routeUrl"] == row["webUrl"]
    own = leg["mobility"]
    assert own["operator"] == other.operator
    assert own["operator_price"] == {"amount_cents": 180, "currency": "EUR"}
    assert (own["offer_id"], own["seats_left"]) == (offer_id, 2)
    assert "quote" not in own
    assert leg["price"]["amount_cents"] is None
    assert leg["price"]["unknown_reason"] == "other_operator"
    # The car is there when it is told to leave, or as long after as it drives.
    begins = dt.datetime.fromisoformat(leg["startTime"]).timestamp()
    assert 0 <= begins - row["passengerPickupDate"] <= 1_800
    # Nobody else is told of it by us, nor books it here.
    asked = {
        **between({"start": ends[0], "end": ends[1]}),
        "departureDate": moment(TOMORROW, "03:20"),
    }
    for path in ("driver_journeys", "driver_regular_trips"):
        params = {**asked, "departureTimeOfDay": "03:20:00"}
        found = partner("GET", f"/{path}", params=params).json()
        assert not [r for r in found if r["driver"]["alias"].startswith("Nils")]
    feed = api.get("/open-data/carpool.zip")
    assert feed.status_code != 200 or offer_id.encode() not in feed.content
    seat = Quote(
        OfferId(offer_id), TOMORROW, own["pickup_point_id"], own["dropoff_point_id"],
        int(begins), int(begins) + 600, int(begins) + 900, 1, 0, "EUR",
    )  # fmt: skip
    answer = api.post(
        "/mobility/v1/bookings", json={"quotes": [sign_quote(seat, booth.key)]},
        headers={"authorization": f"Bearer {_rider(booth)}"},
    )  # fmt: skip
    assert (answer.status_code, answer.json()["code"]) == (409, "ride_not_free")


def _rider(booth: Booth) -> str:
    from tests.support.users import make_somebody

    return make_somebody(booth.desk.engine)().secret


def test_what_is_regular_is_searched_on_its_days(
    api: httpx.Client, other: OtherOperator, fetch: Fetching, ends: tuple[Json, Json]
) -> None:
    other.trips = [other.trip(*ends, "03:40:00", [WEEKDAY])]
    fetched = fetch()
    assert (fetched.cars, fetched.added) == (1, 1)
    wait_until(lambda: bool(legs_of(api, ends, "03:25", other.operator)))
    other.trips = [other.trip(*ends, "03:40:00", ["MON"] if WEEKDAY != "MON" else ["TUE"])]
    fetch()
    wait_until(lambda: not legs_of(api, ends, "03:25", other.operator))


def test_what_has_not_changed_is_neither_compiled_nor_stored_again(
    other: OtherOperator, fetch: Fetching, ends: tuple[Json, Json], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [other.journey(*ends, moment(TOMORROW, f"02:{m}0")) for m in range(3)]
    other.journeys = rows
    assert fetch().added == 3
    known, revision = fetch.known(), fetch.revision()
    with monkeypatch.context() as patch:
        patch.setattr(fetch_outside, "compile_offer", lambda *_: pytest.fail("compiled again"))
        fetched = fetch(NOW + EVERY)
    assert (fetched.unchanged, fetched.added, fetched.changed, fetched.ended) == (3, 0, 0, 0)
    assert fetch.revision() == revision
    assert all(of.seen_at == NOW + EVERY for of in fetch.known().values())
    other.journeys = [rows[0], {**rows[1], "availableSeats": 1}, rows[2]]
    fetched = fetch()
    assert (fetched.unchanged, fetched.changed) == (2, 1)
    assert set(fetch.known()) == set(known), "the same offers"
    assert sorted(of.version for of in fetch.known().values()) == [1, 1, 2]


def test_what_vanishes_ends_once_all_was_answered(
    api: httpx.Client, other: OtherOperator, fetch: Fetching, ends: tuple[Json, Json]
) -> None:
    other.journeys = [other.journey(*ends, moment(TOMORROW, f"01:{m}0")) for m in (1, 3)]
    other.trips = [other.trip(*ends, "04:50:00", [WEEKDAY])]
    assert fetch().added == 3
    gone = other.journeys.pop()
    broken = {"driver_regular_trips"}
    other.spoil = lambda r: httpx.Response(500) if r.url.path.split("/")[-1] in broken else None
    fetched = fetch()
    # Each of those queries fails, never three in a row.
    assert (fetched.complete, fetched.ended, fetched.unchanged) == (False, 0, 1)
    assert len(fetch.known()) == 3
    broken.clear()
    fetched = fetch()
    assert (fetched.complete, fetched.ended) == (True, 1)
    assert len(fetch.known()) == 2
    wait_until(lambda: not legs_of(api, ends, "01:25", other.operator))
    other.journeys.append(gone)
    assert fetch().added == 1, "it is there again, as a new offer"
    # What an operator does not repeat for a day is not searched any more.
    broken.add("driver_regular_trips")
    assert fetch(NOW + KEPT_UNSEEN / 2).ended == 0
    assert len(fetch.known()) == 3
    assert fetch(NOW + KEPT_UNSEEN + EVERY).ended >= 1


def test_rows_that_make_no_sense_do_not_touch_the_others(
    other: OtherOperator, fetch: Fetching, ends: tuple[Json, Json]
) -> None:
    good = other.journey(*ends, moment(TOMORROW, "02:50"))
    far = other.journey(
        {"lat": 10.0, "lon": 10.0}, {"lat": 10.1, "lon": 10.0}, moment(TOMORROW, "02:50")
    )
    past = other.journey(*ends, moment(TOMORROW - dt.timedelta(days=9), "02:50"))
    beyond = other.journey(*ends, 10**11)
    strange = [None, 5, "x", [], {}, {**good, "driver": None}, {**good, "passengerPickupLat": "x"}]
    other.journeys = [*strange, far, past, beyond, good, {**good, "id": "\x00"}]
    fetched = fetch()
    assert fetched.complete
    assert (fetched.added, fetched.unusable) == (1, 1)
    queries = len([r for r in other.asked if r.url.path.endswith("journeys")])
    assert fetched.bad == len(strange) * queries
    assert sum(fetched.reasons.values()) == fetched.bad
    assert len(fetch.known()) == 1


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


def test_what_somebody_here_has_ended_does_not_come_back(
    other: OtherOperator, fetch: Fetching, ends: tuple[Json, Json], booth: Booth
) -> None:
    row = other.journey(*ends, moment(TOMORROW, "02:40"))
    other.journeys = [row]
    fetch()
    (offer_id,) = fetch.known()
    change_and_announce(fetch.engine, booth.desk.wakeups, OfferId(offer_id), OfferState.ENDED)
    for changes in ({}, {"availableSeats": 1}):
        other.journeys = [{**row, **changes}]
        fetched = fetch()
        assert (fetched.complete, fetched.added, fetched.changed) == (True, 0, 0)
    other.journeys = []
    assert fetch().ended == 1


def test_what_has_ended_is_forgotten_after_a_while(
    other: OtherOperator, fetch: Fetching, ends: tuple[Json, Json], engine: Engine
) -> None:
    other.journeys = [other.journey(*ends, moment(TOMORROW, "02:30"))]
    fetch()
    (offer_id,) = fetch.known()
    other.journeys = []
    assert fetch().ended == 1

    def rows() -> int:
        query = sa.select(outside_offer).where(outside_offer.c.offer_id == uuid.UUID(offer_id))
        with engine.connect() as connection:
            return len(connection.execute(query).all())

    fetch(NOW + KEPT_ENDED / 2)
    assert rows() == 1
    fetch(NOW + KEPT_ENDED + EVERY)
    assert rows() == 0


def test_a_drawn_way_is_followed_if_it_can_be(
    booth: Booth, other: OtherOperator, ends: tuple[Json, Json]
) -> None:
    from carpool.outside import offer_of, read_journey
    from core.geo import Coordinate

    network = booth.desk.snapshot.network
    drive = read_journey(other.journey(*ends, moment(TOMORROW, "03:00")), ZONE)
    start, end = drive.start, drive.end
    middle = Coordinate((start.lat + end.lat) / 2, (start.lon + end.lon) / 2)
    straight = offer_of(drive, other.operator, TOMORROW)
    offer, body = fetch_outside._compiled(network, straight)
    far = replace(straight, vias=(Coordinate(start.lat + 3, start.lon),))
    assert fetch_outside._compiled(network, far)[0].vias == ()
    back = replace(straight, vias=(end, start))
    assert fetch_outside._compiled(network, back)[0].vias == (), "three times the way"
    near = replace(straight, vias=(middle,))
    drawn, through = fetch_outside._compiled(network, near)
    assert drawn.vias in ((), (middle,))
    assert body.solo_s <= through.solo_s <= body.solo_s * fetch_outside.LONGER_BY
    assert offer.vias == ()


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
