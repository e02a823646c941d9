"""Operators have earned in the ledger what bills say they have, whenever rides become known."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from mobility.actions import close_month as closing
from mobility.actions.close_month import (
    CHARGED_FOR,
    close_month,
    correct_months,
)
from mobility.db.engine import Engine
from payments.tariff import FareLeg
from tests.features.test_close_month import (
    ISSUED,
    MARCH,
    SHARED,
    bus,
    earned_by,
    revenue_of,
    state,
    used,
)
from tests.support.books import empty_books, new_accounts, ride


@pytest.fixture
def books(home: Path) -> Iterator[Engine]:
    with empty_books(home) as engine:
        yield engine


def test_two_operators_have_earned_their_parts_of_a_day_also_once_a_tap_comes_late(
    books: Engine,
) -> None:
    (account,) = new_accounts(books, 1, ISSUED)
    tcl, stcp = (
        [replace(bus(2, hour), operator=name, metres=metres) for hour in (6, 12)]
        for name, metres in (("AM_TCL", 2_000), ("porto:STCP", 1_000))
    )
    ride(books, SHARED, [(account, leg) for leg in (tcl[0], stcp[0])], ISSUED)
    close_month(books, SHARED, MARCH, now=ISSUED)
    # Two buses, each at 201: what its operator has earned.
    own = {f"rider:{account}": 402, "revenue:AM_TCL": -201, "revenue:porto_3aSTCP": -201}
    assert state(books)["net"] == {**own, "revenue:network": 0}
    # Four are a day at 501, by kilometres: 2 of 3 are TCL's. So STCP has to give back something.
    ride(books, SHARED, [(account, leg) for leg in (tcl[1], stcp[1])], ISSUED)
    assert correct_months(books, SHARED, now=ISSUED) == 1
    own = {f"rider:{account}": 501, "revenue:AM_TCL": -334, "revenue:porto_3aSTCP": -167}
    assert state(books)["net"] == {**own, "revenue:network": 0}
    with books.connect() as connection:
        found = connection.execute(sa.text(
            "select kind, amount_cents, period from posting where kind like 'revenue%' order by seq"
        )).all()  # fmt: skip
    assert found == [
        ("revenue_shared", 201, "2027-03"), ("revenue_shared", 201, "2027-03"),
        ("revenue_shared", 133, "2027-03"), ("revenue_unshared", 34, "2027-03"),
    ]  # fmt: skip
    # The same price by another operator: the rider gets no statement, but it is another's revenue.
    with books.begin() as connection:
        connection.execute(sa.text("update fare_leg set operator = 'porto:STCP'"))
    ride(books, SHARED, [(account, tcl[1])], ISSUED)
    assert correct_months(books, SHARED, now=ISSUED) == 1
    after = state(books)
    assert (len(after["issued"]), revenue_of(after)) == (2, {"revenue:porto_3aSTCP": -501})


@pytest.mark.parametrize("seed", range(4))
def test_the_ledger_says_of_each_operator_what_bills_do_whenever_rides_become_known(
    books: Engine, seed: int
) -> None:
    drawn = random.Random(seed)
    legs: dict[uuid.UUID, list[FareLeg]] = {}
    for account in new_accounts(books, 7, ISSUED):
        legs[account] = used(drawn, days=20, more=drawn.randrange(14))
        ride(books, SHARED, [(account, leg) for leg in legs[account]], ISSUED)
    close_month(books, SHARED, MARCH, now=ISSUED, is_final=False)
    assert revenue_of(state(books)) == earned_by(legs)

    def more(now: dt.datetime) -> None:
        for account in drawn.sample(sorted(legs), 4):
            new = used(drawn, days=20, more=drawn.randrange(1, 9))
            ride(books, SHARED, [(account, leg) for leg in new], now)
            legs[account] += new

    more(ISSUED)
    close_month(books, SHARED, MARCH, now=ISSUED)
    assert revenue_of(state(books)) == earned_by(legs)
    late = ISSUED + 2 * CHARGED_FOR
    for now in (ISSUED, late):
        more(now)
        correct_months(books, SHARED, now=now)
        assert revenue_of(state(books)) == earned_by(legs)
        before = state(books)
        assert correct_months(books, SHARED, now=now) == 0
        assert close_month(books, SHARED, MARCH, now=now).months == 0
        assert state(books) == before
    # What came too late to be charged is the authority's loss, and the operators' revenue.
    assert before["net"]["loss:late_usage"] > 0
    # Rides that never were: what was shared is taken back, to the cent.
    with books.begin() as connection:
        gone = sa.text("delete from fare_leg where id = any(:ids)")
        for account, own in legs.items():
            cut = len(own) // 2
            connection.execute(gone, {"ids": [leg.id for leg in own[:cut]]})
            legs[account] = own[cut:]
    for account, own in legs.items():
        ride(books, SHARED, [(account, leg) for leg in own[:1]], late)
    correct_months(books, SHARED, now=late)
    assert revenue_of(state(books)) == earned_by(legs)


def test_of_what_cannot_be_rated_again_operators_keep_their_proportions(books: Engine) -> None:
    (account,) = new_accounts(books, 1, ISSUED)
    legs = [replace(bus(2, 6), operator="AM_TCL"), replace(bus(3, 6), mode="rail")]
    ride(books, SHARED, [(account, leg) for leg in legs], ISSUED)
    close_month(books, SHARED, MARCH, now=ISSUED)
    assert revenue_of(state(books)) == {"revenue:AM_TCL": -201, "revenue:network": -333}
    for cents, tcl in ((534, 201), (267, 101), (267, 101), (300, 101), (0, 0)):
        with books.begin() as connection:
            changed = "update rider_month set amount_cents = :cents, is_stale = true"
            connection.execute(sa.text(changed), {"cents": cents})
        # 267 of 534: half of 201, and the half cent by the larger remainder, in order of names.
        assert correct_months(books, None, now=ISSUED) == 1
        wanted = {"revenue:AM_TCL": -tcl, "revenue:network": tcl - cents}
        assert revenue_of(state(books)) == {a: own for a, own in wanted.items() if own}


def test_what_riders_pay_and_operators_earn_is_posted_together_or_not_at_all(
    books: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closing, "AT_ONCE", 3)
    accounts = new_accounts(books, 8, ISSUED)
    legs = {account: [replace(bus(2, 8), operator="AM_TCL")] for account in accounts}
    ride(books, SHARED, [(account, own[0]) for account, own in legs.items()], ISSUED)
    seen: list[int] = []

    def stop(count: int) -> None:
        seen.append(count)
        assert revenue_of(state(books)) == {"revenue:AM_TCL": -201 * count}
        if len(seen) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        close_month(books, SHARED, MARCH, now=ISSUED, on_progress=stop)
    close_month(books, SHARED, MARCH, now=ISSUED)
    assert revenue_of(state(books)) == earned_by(legs)
    with books.connect() as connection:
        (count,) = connection.execute(
            sa.text("select count(*) from posting where kind = 'revenue_shared'")
        ).one()
    assert count == 3  # one for each batch, not for each rider
