"""Other operators are told what becomes of their bookings, on the running demo."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from mobility.actions.manage_operators import enter_operator
from mobility.actions.run_demo import RunningServer
from mobility.actions.tell_partners import FIRST_RETRY, LAST_RETRY, LEASE, TRIES, tell_partners
from mobility.db.engine import Engine
from mobility.db.operators import Operator, OwnerTaken, claim_event, stop_asking
from mobility.db.schema import partner_booking, partner_event
from mobility.jobs.tell_partners import PartnerCourier
from mobility.partner_client import PartnerClient
from mobility.users.scopes import Scope
from tests.support.booked import wait_until
from tests.support.standard_covoiturage import (
    BASE,
    THEIRS,
    Ask,
    Json,
    check_format,
    found,
    request_for,
    status_of,
)
from tests.support.users import Somebody


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@dataclass
class Listener:
    """An operator's server for events; answers with the statuses given, then with 200."""

    engine: Engine
    name: str
    key: str = field(default_factory=lambda: uuid.uuid4().hex)
    heard: list[Json] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"https://{self.name}/booking_events"

    def tell(self, at: dt.datetime | None = None) -> int:
        return tell_partners(self.engine, self._client, now=at or now())

    def _client(self, key: str | None) -> PartnerClient:
        return PartnerClient(key, httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        assert (request.method, str(request.url)) == ("POST", self.address)
        assert request.headers["x-api-key"] == self.key
        # Nothing is told within a transaction: whoever looks finds the row free.
        with self.engine.begin() as connection:
            rows = sa.select(partner_event.c.id).with_for_update(nowait=True)
            connection.execute(rows)
        self.heard.append(json.loads(request.content))
        return httpx.Response(self.answers.pop(0) if self.answers else 200)

    @property
    def statuses(self) -> list[str]:
        return [event["data"]["status"] for event in self.heard]


@pytest.fixture
def program(somebody: Callable[..., Somebody]) -> Somebody:
    return somebody(Scope.APP)


@pytest.fixture
def partner_of(api: httpx.Client, program: Somebody) -> Ask:
    """Requests of the program that is to be told."""

    def request(method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"X-API-Key": program.secret}
        answer = api.request(method, BASE + path, headers=headers, **more)
        check_format(answer)
        return answer

    return request


@pytest.fixture
def listener(engine: Engine, program: Somebody) -> Iterator[Listener]:
    """Told of the bookings of the program; of nobody else's meanwhile."""
    own = Listener(engine, f"listens-{uuid.uuid4().hex[:8]}.example.org")
    told = Operator(own.name, None, own.address, program.id)
    enter_operator(engine, told, own.key, now=now())
    yield own
    with engine.begin() as connection:
        stop_asking(connection, own.name)


def act(ask: Ask, name: str, booking: Json, partner_of: Ask) -> None:
    """Let the driver do something with the only passenger of a booking's ride."""
    for ride in ask("driver", "GET", "/rides").json():
        for passenger in ride["passengers"]:
            if passenger["rider"].startswith(booking["passenger"]["alias"]):
                path = f"/rides/{ride['id']}/passengers/{passenger['booking_id']}/{name}"
                answer = ask("driver", "POST", path)
                assert answer.status_code == 200, answer.text
                return
    raise AssertionError("there is no such passenger")


def booked(partner_of: Ask, asked: Json) -> Json:
    journey = found(partner_of, asked)
    rider = {"id": uuid.uuid4().hex, "operator": THEIRS, "alias": f"Zoé {uuid.uuid4().hex[:6]}"}
    booking = request_for(journey, passenger=rider)
    made = partner_of("POST", "/bookings", json=booking)
    assert made.status_code == 201, made.text
    return booking


def test_what_the_driver_answers_is_told_once_and_in_order(
    partner_of: Ask, partner: Ask, ask: Ask, drive: Callable[..., Json], listener: Listener
) -> None:
    booking = booked(partner_of, drive(81, acceptance="ask", seats=4))
    assert listener.tell() == 0, "that it waits was answered to the request"
    act(ask, "accept", booking, partner_of)
    act(ask, "cancel", booking, partner_of)
    assert listener.tell() == 2
    assert listener.statuses == ["CONFIRMED", "CANCELLED"]
    assert listener.tell(now() + dt.timedelta(days=3)) == 0
    event = listener.heard[0]
    assert event["data"]["id"] == booking["id"]
    assert event["data"]["driver"]["operator"] == booking["driver"]["operator"]
    assert "passenger" not in event["data"]
    assert len({e["id"] for e in listener.heard}) == 2
    # Any server of the standard takes it, this one too.
    answer = partner("POST", "/booking_events", json=event)
    assert answer.status_code == 200, answer.text
    assert partner("POST", "/booking_events", json=listener.heard[1]).status_code == 200
    assert status_of(partner, booking["id"]) == "CANCELLED"


def test_what_the_operator_has_done_itself_is_not_told_back(
    partner_of: Ask, drive: Callable[..., Json], listener: Listener
) -> None:
    booking = booked(partner_of, drive(82))
    path = f"/bookings/{booking['id']}"
    assert status_of(partner_of, booking["id"]) == "CONFIRMED"
    assert partner_of("PATCH", path, params={"status": "CANCELLED"}).status_code == 200
    assert listener.tell() == 0


def test_our_riders_answer_is_told_to_the_driver_s_operator(
    partner_of: Ask, ask: Ask, wish: Callable[..., Json], listener: Listener
) -> None:
    asked = wish(83)["asked"]
    (journey,) = partner_of("GET", "/passenger_journeys", params=asked).json()
    driver = {"id": "d1", "operator": THEIRS, "alias": "Dédé"}
    price = {"type": "PAYING", "amount": 1.5, "currency": "EUR"}
    booking = request_for(
        {**journey, "driver": driver, "price": price}, driver=driver, driverJourneyId=None,
        passenger=journey["passenger"], passengerJourneyId=journey["id"],
    )  # fmt: skip
    assert partner_of("POST", "/bookings", json=booking).status_code == 201
    own = next(b for b in ask("rider", "GET", "/partner-bookings").json())
    assert ask("rider", "POST", f"/partner-bookings/{own['id']}/confirm").status_code == 200
    assert ask("rider", "POST", f"/partner-bookings/{own['id']}/cancel").status_code == 200
    assert listener.tell() == 2
    assert listener.statuses == ["CONFIRMED", "CANCELLED"]
    data = listener.heard[0]["data"]
    assert data["passenger"] == journey["passenger"]
    assert "driver" not in data


def test_an_event_is_told_again_later_each_time_before_those_behind_it(
    partner_of: Ask, ask: Ask, drive: Callable[..., Json], listener: Listener
) -> None:
    booking = booked(partner_of, drive(84, acceptance="ask"))
    act(ask, "accept", booking, partner_of)
    act(ask, "cancel", booking, partner_of)
    listener.answers = [500, 503, 401]
    at = now()
    for wait in (FIRST_RETRY, 2 * FIRST_RETRY, 4 * FIRST_RETRY):
        assert listener.tell(at) == 1
        assert listener.tell(at + wait - dt.timedelta(seconds=1)) == 0
        at += wait
    assert listener.tell(at) == 2
    assert listener.statuses == ["CONFIRMED"] * 4 + ["CANCELLED"]
    assert len({event["id"] for event in listener.heard}) == 2, "by the same id"


def test_what_is_refused_is_not_told_again_and_nothing_for_ever(
    partner_of: Ask, ask: Ask, drive: Callable[..., Json], listener: Listener, engine: Engine
) -> None:
    booking = booked(partner_of, drive(85, acceptance="ask", seats=4))
    act(ask, "accept", booking, partner_of)
    listener.answers = [400]
    assert listener.tell() == 1
    assert listener.tell(now() + dt.timedelta(days=1)) == 0
    act(ask, "cancel", booking, partner_of)
    listener.answers, at = [500] * TRIES, now()
    for _ in range(TRIES):
        assert listener.tell(at) == 1
        at += LAST_RETRY
    assert listener.tell(at + dt.timedelta(days=9)) == 0
    with engine.connect() as connection:
        outcomes = connection.execute(
            sa.select(partner_event.c.status, partner_event.c.outcome)
            .join(partner_booking)
            .where(partner_booking.c.outside_id == booking["id"])
            .order_by(partner_event.c.at)
        )
        assert [tuple(row) for row in outcomes] == [
            ("CONFIRMED", "refused"), ("CANCELLED", "given_up"),
        ]  # fmt: skip


def test_of_several_workers_one_tells_an_event(
    partner_of: Ask, ask: Ask, drive: Callable[..., Json], listener: Listener, engine: Engine
) -> None:
    booking = booked(partner_of, drive(86, acceptance="ask"))
    act(ask, "accept", booking, partner_of)
    at = now()
    with engine.begin() as first:
        taken = claim_event(first, at, at + LEASE)
        assert taken is not None
        with engine.begin() as second:
            assert claim_event(second, at, at + LEASE) is None
    assert listener.tell(at + LEASE / 2) == 0, "the one who took it may still be telling"
    assert listener.tell(at + LEASE) == 1
    assert listener.statuses == ["CONFIRMED"]


def test_who_gave_no_address_is_not_told(
    partner: Ask, ask: Ask, drive: Callable[..., Json], engine: Engine, listener: Listener
) -> None:
    booking = booked(partner, drive(87, acceptance="ask"))
    act(ask, "accept", booking, partner)
    with engine.connect() as connection:
        left = connection.execute(
            sa.select(partner_event.c.id)
            .join(partner_booking)
            .where(partner_booking.c.outside_id == booking["id"])
        )
        assert left.all() == []


def test_a_worker_tells_a_second_instance(
    partner_of: Ask, ask: Ask, drive: Callable[..., Json], engine: Engine, program: Somebody,
    demo_server: RunningServer, somebody: Callable[..., Somebody], api: httpx.Client,
) -> None:  # fmt: skip
    second, name = somebody(Scope.APP), f"second-{uuid.uuid4().hex[:8]}.example.org"
    events = f"{demo_server.base_url}{BASE}/booking_events"
    enter_operator(engine, Operator(name, None, events, program.id), second.secret, now=now())
    with pytest.raises(OwnerTaken):
        enter_operator(engine, Operator("x.example", None, None, program.id), None, now=now())
    booking = booked(partner_of, drive(88, acceptance="ask"))
    act(ask, "accept", booking, partner_of)
    courier = PartnerCourier(engine)
    courier.start()
    path, headers = f"{BASE}/bookings/{booking['id']}", {"X-API-Key": second.secret}
    wait_until(lambda: api.get(path, headers=headers).status_code == 200)
    courier.stop()
    with engine.begin() as connection:
        stop_asking(connection, name)
    assert api.get(path, headers=headers).json()["status"] == "CONFIRMED"
