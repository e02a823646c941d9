"""What readers tell becomes what riders used: whatever its order, its sender, and how old it is."""

from __future__ import annotations

import datetime as dt
import random
import secrets
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from mobility.actions.forget_rides import forget_rides
from mobility.actions.forget_usage import PLACES_KEPT, RIDERS_KEPT, forget_usage
from mobility.actions.take_usage import take_usage
from mobility.db.engine import Engine, read_quote_key
from mobility.db.fare_schema import medium as medium_table
from mobility.db.held_usage import HeldBatch, hold_batch, list_held
from mobility.db.media import link_medium
from mobility.db.usage import find_account
from mobility.mapping.cloud_events import medium_digest
from mobility.users.scopes import Scope
from mobility.world import World
from payments.taps import Tap, TapKind, Used
from payments.tariff import ONE_DAY, FareLeg
from tests.support.booked import Ask
from tests.support.bookings import Booth, Driven
from tests.support.past_rides import all_rows, bill, make_old, ride_along, wait_for_turn
from tests.support.past_rides import naming as naming_rows
from tests.support.usage import (
    Event,
    amount,
    bills_of,
    buses,
    card,
    event,
    link,
    linked_card,
    midnight,
    months_of,
    send,
)
from tests.support.users import Somebody, code_of

UTC = dt.UTC


def test_taps_are_billed_as_the_cheapest_way_to_pay_for_all_of_them(
    ask: Ask, somebody: Callable[..., Somebody], bus: tuple[str, list[str]]
) -> None:
    rider, number = somebody(), card()
    events = buses(number, bus, range(4, 8), (6, 9, 12))
    random.Random(4).shuffle(events)
    assert send(ask, events[:7]) == {"new": 7, "known": 0, "refused": [], "held": 0}
    # A card that nobody has linked has an account of its own; what it has is taken over.
    assert months_of(ask, rider) == []
    assert link(ask, rider, number).status_code == 201
    assert send(ask, [*events[5:], *events[:2]]) == {"new": 5, "known": 4, "refused": [], "held": 0}
    assert amount(ask, rider) == 1_500
    bills = bills_of(ask, rider)
    last = bills[max(bills)]
    assert {line["rule"] for line in last["lines"]} == {"week"}
    assert last["lines"][0]["label_fr"] == "Forfait « week »"
    assert all(leg["unpriced"] is None and "stop" not in leg for leg in last["legs"])
    if len(bills) == 1:
        # Twelve buses at 1.50 are four days at 4.20, and these a week at 15.
        assert last["lines"][0]["arithmetic"] == "1500 < 1800"
        others = {a["product"]: a["amount_cents"] for a in last["alternatives"]}
        assert others == {"day": 1_680, "week": 1_680, "month": 4_200}


def test_a_card_is_one_persons_and_may_be_given_up(
    ask: Ask, somebody: Callable[..., Somebody], bus: tuple[str, list[str]]
) -> None:
    rider, other, number = somebody(), somebody(), card()
    assert link(ask, rider, number).status_code == 201
    assert link(ask, rider, number).status_code == 201  # again changes nothing
    assert code_of(link(ask, other, number)) == "medium_taken"
    (shown,) = ask(rider.secret, "GET", "/media").json()
    assert number not in str(shown)
    send(ask, buses(number, bus, range(2, 3), (8,)))
    assert ask(other.secret, "DELETE", f"/media/{shown['id']}").status_code == 404
    assert ask(rider.secret, "DELETE", "/media/none").status_code == 404
    assert ask(rider.secret, "DELETE", f"/media/{shown['id']}").status_code == 204
    assert ask(rider.secret, "GET", "/media").json() == []
    send(ask, buses(number, bus, range(2, 3), (14,)))
    assert link(ask, other, number).status_code == 201
    assert (amount(ask, rider), amount(ask, other)) == (150, 150)


def test_a_train_costs_its_whole_line_until_the_tap_out_is_known(
    ask: Ask,
    engine: Engine,
    somebody: Callable[..., Somebody],
    train: tuple[str, list[str]],
    booth: Booth,
) -> None:
    rider, number, (route, stops) = somebody(), card(), train
    linked_card(engine, rider, number)
    start = midnight(1) + dt.timedelta(hours=9)
    tap_in = event(number, "in", start, stops[0], route=route)
    tap_out = event(number, "out", start + dt.timedelta(minutes=20), stops[1], mode="rail")
    send(ask, [tap_in])
    (whole,) = (leg for bill in bills_of(ask, rider).values() for leg in bill["legs"])
    assert send(ask, [tap_out])["new"] == 1
    (leg,) = (leg for bill in bills_of(ask, rider).values() for leg in bill["legs"])
    assert whole["metres"] > leg["metres"] > 0
    assert (whole["seconds"], leg["seconds"]) == (0, 1_200)
    network = booth.desk.snapshot.network
    t = network.timetable
    near = []
    for row in np.flatnonzero(t.pattern_stop == network.stop_row[stops[0]])[:50].tolist():
        if row + 1 < len(t.pattern_stop) and t.pattern_stop[row + 1] == network.stop_row[stops[1]]:
            near.append(int(network.pattern_metres[row + 1] - network.pattern_metres[row]))
    assert leg["metres"] == min(m for m in near if m > 0)
    assert amount(ask, rider) == 180 + round(leg["metres"] * 9 / 1000)


def test_a_train_nobody_tapped_out_of_ends_where_its_rider_usually_leaves_it(
    ask: Ask, engine: Engine, somebody: Callable[..., Somebody], train: tuple[str, list[str]]
) -> None:
    route, stops = train

    def ride(number: str, days_ago: int, *, is_ended: bool = True) -> list[Event]:
        start = midnight(days_ago) + dt.timedelta(hours=9)
        tapped = [event(number, "in", start, stops[0], route=route)]
        end = start + dt.timedelta(minutes=20)
        return tapped + [event(number, "out", end, stops[1], mode="rail")] * is_ended

    def months(*batches: list[Event], number: str) -> list[list[tuple[int, list[str]]]]:
        rider = somebody()
        linked_card(engine, rider, number)
        found = []
        for batch in batches:
            send(ask, batch)
            legs = [leg for bill in bills_of(ask, rider).values() for leg in bill["legs"]]
            legs.sort(key=lambda leg: leg["board_at"])
            found.append([(leg["metres"], leg["zones"]) for leg in legs])
        return found

    number = card()
    before = [ride(number, days_ago) for days_ago in (22, 15, 8)]
    open_ = ride(number, 1, is_ended=False)
    *_, two, three = months(before[0], before[1] + open_, before[2], number=number)
    assert two[-1][0] > two[0][0]  # as long as the line
    assert three == [two[0]] * 4
    number = card()
    late = [ride(number, 1, is_ended=False), *(ride(number, days) for days in (8, 22, 15))]
    assert months(*late, number=number)[-1] == three
    # The tap out is what counts, once it comes.
    number = card()
    usual = [event_ for days in (8, 15, 22) for event_ in ride(number, days)]
    (in_,) = ride(number, 1, is_ended=False)
    end = midnight(1) + dt.timedelta(hours=9, minutes=40)
    out = event(number, "out", end, stops[2], mode="rail")
    guessed, known = months([*usual, in_], [out], number=number)
    assert guessed == three
    assert known[-1][0] > three[-1][0]


def test_one_wrong_event_keeps_none_of_the_others(
    ask: Ask, engine: Engine, somebody: Callable[..., Somebody], bus: tuple[str, list[str]]
) -> None:
    rider, number = somebody(), card()
    linked_card(engine, rider, number)
    (good,) = buses(number, bus, range(1, 2), (8,))
    now = dt.datetime.now(UTC)
    ride = {**good, "type": "mobility.ride"}
    wrong: list[tuple[Any, str]] = [
        ({**good, "id": "a", "time": (now + dt.timedelta(hours=1)).isoformat()}, "clock_ahead"),
        ({**good, "id": "b", "time": (now - dt.timedelta(days=46)).isoformat()}, "event_too_old"),
        ({**good, "id": "c", "time": "2027-03-24T08:00:00"}, "event_invalid"),
        ({**good, "id": "d", "type": "mobility.tap.sideways"}, "event_invalid"),
        ({**good, "id": "e", "data": {**good["data"], "route": "none:none"}}, "event_invalid"),
        ({**good, "id": "f", "data": {**good["data"], "mode": "rocket"}}, "event_invalid"),
        ({**good, "id": "g", "data": {"stop": "x", "mode": "bus"}}, "event_invalid"),
        ({**good, "id": 7}, "event_invalid"),
        ({**good, "id": "h", "source": "a\u0000"}, "event_invalid"),
        ({**good, "id": "\ud800"}, "event_invalid"),
        (ride | {"data": {"medium": number, "mode": "bus", "zones": ["a\u0000"]}}, "event_invalid"),
        (ride | {"data": {"medium": number, "mode": "bus", "zones": ["a"] * 101}}, "event_invalid"),
        ({}, "event_invalid"),
    ]
    taken = send(ask, [*(each for each, _ in wrong), good])
    assert (taken["new"], taken["known"]) == (1, 0)
    assert [(r["index"], r["code"]) for r in taken["refused"]] == [
        (index, code) for index, (_, code) in enumerate(wrong)
    ]
    assert amount(ask, rider) == 150
    assert ask("operator", "POST", "/usage", json=[good] * 1_001).status_code == 422
    assert send(ask, []) == {"new": 0, "known": 0, "refused": [], "held": 0}


def test_an_event_is_its_senders_whoever_else_uses_its_name(
    ask: Ask, engine: Engine, somebody: Callable[..., Somebody], bus: tuple[str, list[str]]
) -> None:
    rider, number, other = somebody(), card(), somebody(Scope.OPERATOR)
    linked_card(engine, rider, number)
    first, second, third = buses(number, bus, range(1, 2), (6, 9, 12))
    second |= {"source": first["source"], "id": first["id"]}
    third |= {"source": f"{first['source']}/{first['id']}", "id": "x"}
    fourth = third | {"source": first["source"], "id": f"{first['id']}/x"}
    send(ask, [first])
    assert ask(other.secret, "POST", "/usage", json=[second]).json()["new"] == 1
    assert send(ask, [first, third, fourth])["new"] == 2
    assert sum(len(bill["legs"]) for bill in bills_of(ask, rider).values()) == 3


def test_a_tap_far_from_others_leaves_what_was_made_of_them(
    ask: Ask,
    somebody: Callable[..., Somebody],
    train: tuple[str, list[str]],
    engine: Engine,
) -> None:
    rider, number, (route, stops) = somebody(), card(), train
    linked_card(engine, rider, number)
    start = midnight(2) + dt.timedelta(hours=9)
    ride = [
        event(number, "in", start, stops[0], route=route),
        event(number, "out", start + dt.timedelta(minutes=20), stops[1], mode="rail"),
    ]
    send(ask, ride)
    before = bills_of(ask, rider)
    with engine.begin() as connection:  # as it is once the place of the tap out is forgotten
        key = medium_digest(read_quote_key(connection), number)
        connection.execute(
            sa.text("update tap set medium = null, stop = null where medium = :m and kind = 'out'"),
            {"m": key},
        )
    far = start + dt.timedelta(hours=8)
    send(ask, [event(number, "in", far, stops[0], route=route)])
    after = bills_of(ask, rider)
    legs = [leg for bill in after.values() for leg in bill["legs"]]
    assert legs[0] == next(leg for bill in before.values() for leg in bill["legs"])
    assert len(legs) == 2


def test_rides_told_as_a_whole_and_unknown_modes_are_said(
    ask: Ask, engine: Engine, somebody: Callable[..., Somebody]
) -> None:
    rider, number = somebody(), card()
    linked_card(engine, rider, number)
    at = midnight(1) + dt.timedelta(hours=10)
    ride = {
        **event(number, "board", at, ""), "type": "mobility.ride",
        "data": {"medium": number, "mode": "ferry", "metres": 3_000, "seconds": 1_500},
    }  # fmt: skip
    assert send(ask, [ride])["new"] == 1
    (bill,) = bills_of(ask, rider).values()
    assert (bill["amount_cents"], bill["lines"]) == (0, [])
    assert bill["legs"][0]["unpriced"] == "no_fare_for_ferry"
    assert months_of(ask, rider)[0]["unpriced_count"] == 1


def test_eight_readers_at_once_bill_what_one_would(
    ask: Ask, engine: Engine, somebody: Callable[..., Somebody], bus: tuple[str, list[str]]
) -> None:
    rider, numbers = somebody(), [card(), card()]
    for number in numbers:
        linked_card(engine, rider, number)
    events = [each for n in numbers for each in buses(n, bus, range(3, 9), (6, 9, 12, 15))]
    drawn = random.Random(6)
    batches = [drawn.sample(events, 20) for _ in range(14)] + [events[:24], events[24:]]
    drawn.shuffle(batches)
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda batch: send(ask, batch), batches))
    assert sum(each["new"] for each in taken) == len(events)
    # Two cards of one account: a week for all of it; two accounts would pay two.
    assert amount(ask, rider) == 1_500


def test_a_batch_nobody_decided_on_is_dropped_and_said_to_be(engine: Engine) -> None:
    now, source = dt.datetime.now(UTC), f"/readers/{secrets.token_hex(8)}"
    with engine.begin() as connection:
        owner = connection.execute(sa.text('select id from "user" limit 1')).scalar_one()
        received = now - PLACES_KEPT - dt.timedelta(minutes=1)
        hold_batch(connection, HeldBatch(source, owner, source, received, 3_600, [{}, {}]))
    forget_usage(engine, now)
    with engine.connect() as connection:
        assert source not in {batch.source for batch in list_held(connection)}
        told = sa.text("select act, detail from audit where subject = :source")
        (act,) = connection.execute(told, {"source": source})
    assert tuple(act) == ("usage_undecided", {"events": 2, "ahead_s": 3_600})


def test_what_is_old_leads_to_nobody(engine: Engine, booth: Booth) -> None:
    world, number = World(booth.desk.snapshot), card()
    with engine.connect() as connection:
        medium = medium_digest(read_quote_key(connection), number)
    now = dt.datetime.now(UTC)
    names = {f"old/{uuid.uuid4()}": age for age in (121, 119)}
    for name, age in names.items():
        at = now - dt.timedelta(days=age)
        tap = Tap(name, at, TapKind.BOARD, "valmont:nowhere", "bus")
        ride = FareLeg("bike", at, 5_000, id=f"ride:{name}")
        assert len(take_usage(engine, world, [Used(medium, tap), Used(medium, ride)], at)) == 2

    def rows() -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {"tap": [], "fare_leg": []}
        with engine.connect() as connection:
            account = connection.execute(
                sa.text("select account_id from medium where digest = :medium"), {"medium": medium}
            ).scalar_one()
            for table, kept in found.items():
                for row in connection.execute(sa.text(f"select * from {table}")).mappings():
                    own = {account, medium} & set(map(_hashable, row.values()))
                    if own or any(name in str(row["id"]) for name in names):
                        kept.append(dict(row))
        return found

    assert {table: len(found) for table, found in rows().items()} == {"tap": 2, "fare_leg": 4}
    assert forget_usage(engine, now) >= 4
    left = rows()
    assert [(tap["medium"], tap["stop"]) for tap in left["tap"]] == [(None, None)] * 2
    young = now - RIDERS_KEPT
    assert len(left["fare_leg"]) == 2
    assert all(leg["board_at"] > young for leg in left["fare_leg"])
    assert dt.timedelta(hours=48) == PLACES_KEPT
    # What it was used for is still there, as anybody's.
    with engine.connect() as connection:
        count = sa.text("select count(*) from fare_leg where account_id is null and mode = 'bike'")
        assert connection.execute(count).scalar_one() >= 1


def test_nothing_that_is_forgotten_is_found_beside_who_it_was(
    engine: Engine,
    booth: Booth,
    driven: Callable[..., Driven],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every telling value of a forgotten row, looked for in all rows that name rider or account."""
    monkeypatch.setattr("mobility.actions.forget_rides.is_own_turn", wait_for_turn)
    rider, number = booth.person("rider"), card()
    world = World(booth.desk.snapshot)
    with engine.begin() as connection:
        medium = medium_digest(read_quote_key(connection), number)
        link_medium(
            connection, medium, rider.person_id, "", dt.datetime.now(UTC), starts_in_january
        )
        account = find_account(connection, rider.person_id)
    now = dt.datetime.now(UTC)
    names = [f"far/{uuid.uuid4()}" for _ in range(2)]
    for name, ago in zip(names, (dt.timedelta(days=125), dt.timedelta(days=123)), strict=True):
        at, received = now - ago, now - ago + dt.timedelta(seconds=3, microseconds=17)
        tap = Tap(name, at, TapKind.BOARD, "valmont:nowhere", "bus", route="line of old")
        ride = FareLeg("bike", at, 5_000, id=f"ride:{name}")
        take_usage(engine, world, [Used(medium, tap), Used(medium, ride)], received)
    stranger = medium_digest(b"key", card())  # of nobody: its account is opened by its first tap
    opened_at = now - dt.timedelta(days=124)
    tap = Tap(f"{names[0]}/stranger", opened_at - ONE_DAY, TapKind.BOARD, "valmont:nowhere", "bus")
    take_usage(engine, world, [Used(stranger, tap)], opened_at)
    ride = driven()
    booked = ride_along(booth, ride, rider)
    bill(booth, booked)
    make_old(booth, ride, booked, dt.timedelta(days=122))
    forget_rides(engine, now)
    forget_usage(engine, now)

    with engine.connect() as connection:
        own = sa.select(medium_table.c.account_id).where(medium_table.c.digest == stranger)
        told = [account, rider.person_id, connection.execute(own).scalar_one()]
    rows = all_rows(engine)
    naming = [own for _, own in naming_rows(rows, *told)]
    assert len(naming) > 3
    modes = {"bike", "bus", "carpool"}
    forgotten = [
        row
        for table, row in rows
        if (table == "tap" and any(name in row["id"] for name in names))
        or (table == "fare_leg" and "account_id" not in row and row["mode"] in modes)
    ]
    assert len(forgotten) >= 8
    assert {row.get("mode") for row in forgotten} >= modes
    for row in forgotten:
        telling = {value for value in row.values() if len(value) > 12} - {"valmont:nowhere"}
        assert telling
        found = [(value, other) for value in telling for other in naming if value in other.values()]
        assert found == []


def starts_in_january(month: dt.date) -> dt.datetime:
    return dt.datetime(month.year, 1, 1, tzinfo=UTC)


def _hashable(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value
