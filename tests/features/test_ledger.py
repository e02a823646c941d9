"""The ledger in PostgreSQL: nothing is changed, doubled, half posted or taken from nowhere."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from mobility.db.engine import Engine
from mobility.db.ledger import (
    Closed,
    GroupChanged,
    Overdrawn,
    add_postings,
    broken_days,
    close_days,
    close_period,
    list_postings,
    read_balances,
    recount,
)
from payments.ledger import Balance, Entry, Posting, balances, post
from tests.support.books import empty_books

TODAY = dt.date(2027, 4, 1)
NOW = dt.datetime(2027, 4, 1, 12, tzinfo=dt.UTC)
Group = tuple[Posting, ...]


@pytest.fixture
def books(home: Path) -> Iterator[Engine]:
    """An empty ledger in a database of its own."""
    with empty_books(home) as engine:
        yield engine


def used(nth: int, amount_cents: int = 160, period: str = "2027-03", rider: str = "r1") -> Group:
    names = {"rider": rider, "operator": "bus"}
    return post(f"usage:{nth}", period, "EUR", [Entry("usage_accrued", amount_cents, names)])


def put(books: Engine, *groups: Group, day: dt.date = TODAY) -> int:
    with books.begin() as connection:
        return add_postings(connection, groups, day)


def net(books: Engine) -> dict[str, int]:
    with books.connect() as connection:
        assert recount(connection) == {}
        return {account: own.net_cents for (account, _), own in read_balances(connection).items()}


def test_a_group_is_posted_once_and_as_a_whole(books: Engine) -> None:
    assert put(books, used(1), used(2, 200)) == 2
    assert put(books, used(2, 200), used(3)) == 1
    assert net(books) == {"rider:r1": 520, "revenue:bus": -520}
    with pytest.raises(GroupChanged, match="usage:2"):
        put(books, used(4), used(2, 201))
    longer = post("usage:3", "2027-03", "EUR", [
        Entry("usage_accrued", cents, {"rider": "r1", "operator": "bus"}) for cents in (160, 10)
    ])  # fmt: skip
    with pytest.raises(GroupChanged):
        put(books, longer)
    both = post("both", "2027-03", "EUR", [
        Entry("usage_accrued", cents, {"rider": "r2", "operator": "bus"}) for cents in (160, 10)
    ])  # fmt: skip
    put(books, both)
    with pytest.raises(GroupChanged):
        put(books, both[:1])
    assert put(books) == 0
    assert net(books) == {"rider:r1": 520, "rider:r2": 170, "revenue:bus": -690}
    with books.connect() as connection:
        found = [posting for posting, _ in list_postings(connection)]
    assert found == [*used(1), *used(2, 200), *used(3), *both]


def test_nobody_changes_what_is_posted(books: Engine) -> None:
    put(books, used(1))
    for statement in (
        "update posting set amount_cents = 1", "delete from posting", "truncate posting",
        "delete from ledger_day", "truncate ledger_period",
    ):  # fmt: skip
        with pytest.raises(sa.exc.DBAPIError), books.begin() as connection:
            connection.execute(sa.text(statement))
    for values in ("0, 'a', 'b'", "-1, 'a', 'b'", "1, 'a', 'a'"):
        with pytest.raises(sa.exc.IntegrityError), books.begin() as connection:
            connection.execute(sa.text(
                'insert into posting (id, "group", nth, kind, amount_cents, debit, credit,'
                " currency, period, ref, posted_on) values (gen_random_uuid(), 'x', 0, 'x', "
                f"{values}, 'EUR', '2027-03', '', '2027-04-01')"
            ))  # fmt: skip
    assert net(books) == {"rider:r1": 160, "revenue:bus": -160}


def test_no_more_is_paid_out_than_was_earned_however_many_try(books: Engine) -> None:
    earned = [Entry("driver_earned", 1_000, {"operator": "pool", "driver": "d"})]
    put(books, post("earned", "2027-03", "EUR", earned))

    def pay(nth: int) -> bool:
        sent = [Entry("payout_sent", 150, {"driver": "d", "rail": "sepa"})]
        try:
            return put(books, post(f"payout:{nth}", "2027-04", "EUR", sent)) == 1
        except Overdrawn:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(pay, range(16))) == 6
    assert net(books) == {"revenue:pool": 1_000, "driver:d": -100, "payout:sepa": -900}


def test_many_writers_in_any_order_leave_what_one_would(books: Engine) -> None:
    drawn = random.Random(3)
    every = [
        used(nth, drawn.randrange(1, 500), rider=f"r{drawn.randrange(5)}") for nth in range(120)
    ]
    batches = [drawn.sample(every, 30) for _ in range(24)] + [every[:60], every[60:]]
    drawn.shuffle(batches)
    with ThreadPoolExecutor(8) as pool:
        new = list(pool.map(lambda batch: put(books, *batch), batches))
    assert sum(new) == len(every)
    with books.connect() as connection:
        assert recount(connection) == {}
        assert read_balances(connection) == balances(p for group in every for p in group)


def test_closed_months_and_days_take_nothing_more(books: Engine) -> None:
    put(books, used(1), day=dt.date(2027, 3, 30))
    put(books, used(2), used(3), day=dt.date(2027, 3, 31))
    with books.begin() as connection:
        first = close_days(connection, dt.date(2027, 3, 31))
    with books.begin() as connection:
        later = close_days(connection, TODAY)
        assert close_days(connection, TODAY) == []
    assert [(own.day.day, own.posting_count) for own in (*first, *later)] == [(30, 1), (31, 2)]
    with pytest.raises(Closed):
        put(books, used(4), day=dt.date(2027, 3, 31))
    assert put(books, used(4)) == 1
    with books.begin() as connection:
        close_period(connection, "2027-03", NOW)
        close_period(connection, "2027-03", NOW)
    with pytest.raises(Closed):
        put(books, used(5), used(6, period="2027-04"))
    assert put(books, used(4), used(6, period="2027-04")) == 1  # what is there is no posting
    assert net(books)["rider:r1"] == 5 * 160


def test_whoever_gets_past_the_guards_is_found_out(books: Engine) -> None:
    put(books, used(1), used(2), day=dt.date(2027, 3, 31))
    with books.begin() as connection:
        close_days(connection, TODAY)
    with books.begin() as connection:
        assert broken_days(connection) == []
        connection.execute(sa.text("alter table posting disable trigger all"))
        connection.execute(sa.text("delete from posting where \"group\" = 'usage:2'"))
    with books.connect() as connection:
        assert broken_days(connection) == [dt.date(2027, 3, 31)]
        wrong = recount(connection)
    with books.begin() as connection:  # not even if the number of postings is kept
        connection.execute(sa.text("update posting set \"group\" = 'usage:2' where nth = 0"))
        assert broken_days(connection) == [dt.date(2027, 3, 31)]
        connection.rollback()
    assert wrong == {
        ("rider:r1", "EUR"): (Balance(320, 0), Balance(160, 0)),
        ("revenue:bus", "EUR"): (Balance(0, 320), Balance(0, 160)),
    }


def test_currencies_do_not_mix(books: Engine) -> None:
    other = tuple(replace(p, id=uuid.uuid4(), currency="BRL", group="brl") for p in used(9, 70))
    put(books, used(1), other)
    with books.connect() as connection:
        found = read_balances(connection)
    assert found["rider:r1", "EUR"].net_cents == 160
    assert found["rider:r1", "BRL"].net_cents == 70
