"""Operators tell the start and the end of a ride apart: it is billed as if told as a whole."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from mobility.actions.forget_usage import PLACES_KEPT, forget_usage
from mobility.actions.join_rides import join_rides
from mobility.actions.take_usage import take_usage
from mobility.db.engine import Engine, read_quote_key
from mobility.db.media import hold_media
from mobility.db.usage import list_legs, list_months
from mobility.mapping.cloud_events import medium_digest, read_event
from mobility.users.scopes import Scope
from mobility.world import World
from payments.ride_halves import RideHalf
from payments.tariff import FareLeg
from tests.features.test_clocks import device
from tests.support.booked import Ask
from tests.support.bookings import Booth
from tests.support.usage import Event, amount, bills_of, buses, card, linked_card, midnight, send
from tests.support.users import Somebody

UTC, MINUTE = dt.UTC, dt.timedelta(minutes=1)
HOUR = 60 * MINUTE
SOURCE = "/bikes"


def told(kind: str, at: dt.datetime, number: str, **data: Any) -> Event:
    return {
        "specversion": "1.0", "id": f"{uuid.uuid4()}", "source": SOURCE,
        "type": f"mobility.ride{kind}", "time": at.isoformat(), "data": {"medium": number, **data},
    }  # fmt: skip


def halves(
    number: str, at: dt.datetime, minutes: float = 50, metres: int | None = 4_200
) -> tuple[Event, Event]:
    ride = {"ride": f"{uuid.uuid4()}"}
    length = {} if metres is None else {"metres": metres}
    return (
        told(".start", at, number, mode="bike", **ride),
        told(".end", at + minutes * MINUTE, number, **ride, **length),
    )


def legs_of(ask: Ask, who: Somebody) -> list[tuple[str, int, int]]:
    legs = [leg for bill in bills_of(ask, who).values() for leg in bill["legs"]]
    legs.sort(key=lambda leg: leg["board_at"])
    return [(leg["mode"], leg["metres"], leg["seconds"]) for leg in legs]


@pytest.mark.parametrize("is_late", [False, True])
def test_a_ride_is_billed_once_its_start_and_its_end_are_known(
    ask: Ask, engine: Engine, somebody: Callable[..., Somebody], *, is_late: bool
) -> None:
    rider, other, number, others = somebody(), somebody(), card(), card()
    at = midnight(1) + 10 * HOUR
    first, second = halves(number, at)[:: -1 if is_late else 1]
    for who, own in ((rider, number), (other, others)):
        linked_card(engine, who, own)
    assert send(ask, [first, first]) == {"new": 1, "known": 1, "refused": [], "held": 0}
    assert legs_of(ask, rider) == []
    (kept,) = ask(rider.secret, "GET", "/fare-data").json()["ride_halves"]
    assert kept["half"] == ("end" if is_late else "start")
    assert "medium" not in kept
    assert send(ask, [first, second])["new"] == 1
    assert legs_of(ask, rider) == [("bike", 4_200, 3_000)]
    assert send(ask, [second, first]) == {"new": 0, "known": 2, "refused": [], "held": 0}
    whole = told("", at, others, mode="bike", metres=4_200, seconds=3_000)
    assert send(ask, [whole])["new"] == 1
    assert legs_of(ask, other) == legs_of(ask, rider)
    # Twenty minutes after the half hour that is free.
    assert amount(ask, other) == amount(ask, rider) == 100


def test_a_ride_of_which_nobody_told_the_metres_has_none(
    ask: Ask, engine: Engine, somebody: Callable[..., Somebody]
) -> None:
    rider, number = somebody(), card()
    linked_card(engine, rider, number)
    assert send(ask, [*halves(number, midnight(1) + HOUR, metres=None)])["new"] == 2
    assert legs_of(ask, rider) == [("bike", 0, 3_000)]


def test_a_wrong_half_keeps_none_of_the_others_and_may_be_put_right(
    ask: Ask, engine: Engine, somebody: Callable[..., Somebody], bus: tuple[str, list[str]]
) -> None:
    rider, number, at = somebody(), card(), midnight(4) + 10 * HOUR
    linked_card(engine, rider, number)
    start, end = halves(number, at)
    ride, (good,) = start["data"]["ride"], buses(number, bus, range(1, 2), (8,))
    assert send(ask, [start])["new"] == 1
    wrong = [
        (told(".end", at - MINUTE, number, ride=ride), "ride_contradictory"),
        (told(".end", at + 49 * HOUR, number, ride=ride), "ride_contradictory"),
        (told(".end", at + MINUTE, card(), ride=ride), "ride_contradictory"),
        (told(".end", at + MINUTE, number, ride=ride, mode="other"), "ride_contradictory"),
        (told(".start", at + MINUTE, number, ride=ride, mode="bike"), "ride_contradictory"),
        (told(".end", at + MINUTE, number), "event_invalid"),
        (told(".end", at + MINUTE, number, ride=ride, metres=-1), "event_invalid"),
        (told(".start", at, number, ride="another"), "event_invalid"),  # no mode
        (told(".pause", at, number, ride=ride, mode="bike"), "event_invalid"),
    ]
    taken = send(ask, [*(each for each, _ in wrong), good, end])
    assert [(r["index"], r["code"]) for r in taken["refused"]] == [
        (index, code) for index, (_, code) in enumerate(wrong)
    ]
    assert (taken["new"], taken["known"]) == (2, 0)
    assert taken["refused"][0]["message"] == "the ride ends before it starts"
    assert number not in str(taken)
    assert legs_of(ask, rider)[0] == ("bike", 4_200, 3_000)
    assert len(legs_of(ask, rider)) == 2
    # What is over stays as it is, even if another end would fit, too.
    late = told(".end", at + 30 * MINUTE, number, ride=ride, metres=9_000)
    assert [r["code"] for r in send(ask, [late])["refused"]] == ["ride_contradictory"]
    assert legs_of(ask, rider)[0] == ("bike", 4_200, 3_000)


def test_halves_are_of_one_ride_only_if_one_source_of_one_sender_tells_them(
    ask: Ask, engine: Engine, somebody: Callable[..., Somebody]
) -> None:
    rider, number, other = somebody(), card(), somebody(Scope.OPERATOR)
    linked_card(engine, rider, number)
    start, end = halves(number, midnight(1) + HOUR)
    send(ask, [start, end | {"source": "/scooters"}])
    assert ask(other.secret, "POST", "/usage", json=[end]).json()["new"] == 1
    assert legs_of(ask, rider) == []
    send(ask, [end])
    assert len(legs_of(ask, rider)) == 1


def test_starts_and_ends_that_come_at_the_same_time_find_each_other(
    ask: Ask, engine: Engine, somebody: Callable[..., Somebody]
) -> None:
    rider, number = somebody(), card()
    linked_card(engine, rider, number)
    rides = [halves(number, midnight(day) + hour * HOUR) for day in (2, 3) for hour in range(8)]
    batches = [[half] for ride in rides for half in ride]
    batches += [[end for _, end in rides], [start for start, _ in rides[::-1]]]
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda batch: send(ask, batch), batches))
    assert sum(each["new"] for each in taken) == 2 * len(rides)
    assert not any(each["refused"] for each in taken)
    assert legs_of(ask, rider) == [("bike", 4_200, 3_000)] * len(rides)


def test_a_start_whose_end_never_comes_is_forgotten(
    ask: Ask, somebody: Callable[..., Somebody], engine: Engine
) -> None:
    rider, number, now = somebody(), card(), dt.datetime.now(UTC)
    linked_card(engine, rider, number)
    start, end = halves(number, now - HOUR)
    assert send(ask, [start])["new"] == 1

    def count_after(age: dt.timedelta) -> int:
        with engine.begin() as connection:
            digest = medium_digest(read_quote_key(connection), number)
            old = sa.text("update ride_half set received_at = :at where medium = :medium")
            connection.execute(old, {"at": now - age, "medium": digest})
        forget_usage(engine, now)
        return len(ask(rider.secret, "GET", "/fare-data").json()["ride_halves"])

    assert count_after(PLACES_KEPT - MINUTE) == 1
    assert count_after(PLACES_KEPT + MINUTE) == 0
    # An end by itself is of nothing; both sent again are a ride.
    assert send(ask, [end])["new"] == 1
    assert legs_of(ask, rider) == []
    assert send(ask, [end, start]) == {"new": 1, "known": 1, "refused": [], "held": 0}
    assert legs_of(ask, rider) == [("bike", 4_200, 3_000)]


def test_halves_that_are_sent_again_once_they_are_forgotten_change_nothing(
    ask: Ask, somebody: Callable[..., Somebody], engine: Engine
) -> None:
    rider, number = somebody(), card()
    linked_card(engine, rider, number)
    both = halves(number, midnight(1) + HOUR)
    send(ask, [*both])
    with engine.begin() as connection:
        digest = medium_digest(read_quote_key(connection), number)
        connection.execute(sa.text("delete from ride_half where medium = :m"), {"m": digest})
    before = bills_of(ask, rider)
    assert send(ask, [*both])["refused"] == []
    assert bills_of(ask, rider) == before


def test_halves_by_a_wrong_clock_are_joined_once_somebody_has_decided(
    ask: Ask, engine: Engine, somebody: Callable[..., Somebody]
) -> None:
    rider, number = somebody(), card()
    linked_card(engine, rider, number)
    # By that clock: two hours ahead.
    start, end = halves(number, dt.datetime.now(UTC) + HOUR)
    late = told(".end", dt.datetime.now(UTC), number, ride=start["data"]["ride"])
    with device(ask) as (source, signed):
        events = [
            {**each, "source": source, "sequence": f"{n}"}
            for n, each in enumerate((end, start, late), 1)
        ]
        assert signed(*events, ahead=2 * HOUR).json()["held"] == 3
        assert legs_of(ask, rider) == []
        (batch,) = (
            b for b in ask("operator", "GET", "/usage/held").json() if b["source"] == source
        )
        taken = ask("operator", "POST", f"/usage/held/{batch['id']}", json={}).json()
        assert (taken["new"], [r["index"] for r in taken["refused"]]) == (2, [2])
        assert taken["refused"][0]["code"] == "ride_contradictory"
        assert legs_of(ask, rider) == [("bike", 4_200, 3_000)]
        # What is refused stays held.
        assert ask("operator", "DELETE", f"/usage/held/{batch['id']}").status_code == 204


RIDES = st.lists(
    st.tuples(st.integers(0, 20 * 24 * 60), st.integers(0, 48 * 60), st.integers(0, 9_000)),
    min_size=1, max_size=5, unique_by=lambda ride: ride[0],
)  # fmt: skip


@given(rides=RIDES, seed=st.integers(0, 2**32))
@settings(max_examples=30)
def test_any_order_and_split_of_halves_gives_the_legs_and_bill_of_whole_rides(
    engine: Engine, booth: Booth, rides: list[tuple[int, int, int]], seed: int
) -> None:
    world, now, drawn = World(booth.desk.snapshot), dt.datetime.now(UTC), random.Random(seed)
    numbers = card(), card()
    whole: list[Event] = []
    apart: list[Event] = []
    for minutes_ago, minutes, metres in rides:
        at = now - minutes_ago * MINUTE - 48 * HOUR
        data = {"mode": "bike", "metres": metres, "seconds": 60 * minutes}
        whole.append(told("", at, numbers[0], **data))
        apart += halves(numbers[1], at, minutes, metres)
    apart += drawn.sample(apart, drawn.randint(0, len(apart)))
    drawn.shuffle(apart)
    with engine.connect() as connection:
        key = read_quote_key(connection)

    def read(event: Event) -> Any:
        return read_event(event, "test", key, world.network, now)

    assert len(take_usage(engine, world, [read(event) for event in whole], now)) == len(rides)
    new = 0
    while apart:
        size = drawn.randint(1, len(apart))
        batch: dict[int, RideHalf] = dict(enumerate(map(read, apart[:size])))
        joined = join_rides(engine, world, batch, now)
        assert not joined.refused
        assert joined.new + joined.known == size
        apart, new = apart[size:], new + joined.new
    assert new == 2 * len(rides)
    with engine.begin() as connection:
        accounts = hold_media(connection, [medium_digest(key, own) for own in numbers], now)
        found = list_legs(connection, accounts.values(), now - 60 * 24 * HOUR, now)
        one, other = (accounts[medium_digest(key, own)] for own in numbers)
        assert _legs(found[one]) == _legs(found[other])
        assert len(found[one]) == len(rides)
        months = [
            [(month.month, month.amount_cents) for month in list_months(connection, own)]
            for own in (one, other)
        ]
    assert months[0] == months[1] != []


def _legs(legs: list[FareLeg]) -> list[FareLeg]:
    return [replace(leg, id="") for leg in legs]
