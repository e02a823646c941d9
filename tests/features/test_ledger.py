"""The ledger in PostgreSQL: nothing is changed, doubled, half posted or taken from nowhere."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from prometheus_client import REGISTRY, generate_latest
from structlog.testing import capture_logs

from mobility.actions.keep_books import keep_books
from mobility.db.application_role import (
    INSERT_ONLY,
    advise,
    find_settled_role,
    list_changeable,
)
from mobility.db.engine import Engine, ordinary_engine, upgrade
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
from mobility.servers.cluster import OWNER
from payments.ledger import Balance, Entry, Posting, balances, post
from tests.support.books import empty_books, owned

TODAY = dt.date(2027, 4, 1)
NOW = dt.datetime(2027, 4, 1, 12, tzinfo=dt.UTC)
INSUFFICIENT_PRIVILEGE = "42501"
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


BY_TRIGGER = (
    "update posting set amount_cents = 1", "delete from posting", "truncate posting",
    "update ledger_day set posting_count = 0", "delete from ledger_day", "truncate ledger_period",
    "delete from statement", "truncate audit",
)  # fmt: skip
"""Refused to the owner, too."""
WAYS_ROUND = (
    "select from posting for update",
    "alter table posting disable trigger all", "alter table posting disable trigger user",
    "drop trigger posting_is_insert_only on posting", "drop table posting",
    "alter table posting owner to current_user", "set session_replication_role = replica",
    "create trigger mine before insert on posting execute function refuse_change()",
    "create or replace function refuse_change() returns trigger language sql as ''",
)  # fmt: skip


def refusal(engine: Engine, statement: str) -> tuple[str, str]:
    """Code and message with which a statement is refused."""
    with pytest.raises(sa.exc.DBAPIError) as refused, engine.begin() as connection:
        connection.execute(sa.text(statement))
    error = refused.value.orig
    assert isinstance(error, psycopg.Error)
    return str(error.sqlstate), str(error)


def test_nobody_changes_what_is_posted(books: Engine) -> None:
    put(books, used(1))
    for statement in (*BY_TRIGGER, *WAYS_ROUND):
        code, said = refusal(books, statement)
        assert code == INSUFFICIENT_PRIVILEGE, statement
        assert "insert-only" not in said, statement  # rights refuse it before any trigger
    for values in ("0, 'a', 'b'", "-1, 'a', 'b'", "1, 'a', 'a'"):
        with pytest.raises(sa.exc.IntegrityError), books.begin() as connection:
            connection.execute(sa.text(
                'insert into posting (id, "group", nth, kind, amount_cents, debit, credit,'
                " currency, period, ref, posted_on) values (gen_random_uuid(), 'x', 0, 'x', "
                f"{values}, 'EUR', '2027-03', '', '2027-04-01')"
            ))  # fmt: skip
    assert net(books) == {"rider:r1": 160, "revenue:bus": -160}


def test_not_even_the_owner_changes_what_is_posted(home: Path, books: Engine) -> None:
    put(books, used(1))
    with owned(home, books) as owner:
        for statement in BY_TRIGGER:
            code, said = refusal(owner, statement)
            assert (code, "insert-only" in said) == (INSUFFICIENT_PRIVILEGE, True), statement
        with owner.connect() as connection:
            guarded = connection.execute(sa.text(
                "select relname from pg_trigger join pg_class c on c.oid = tgrelid "
                "where tgfoid = 'refuse_change'::regproc and tgtype & 24 = 24 order by relname"
            ))  # fmt: skip
            assert tuple(guarded.scalars()) == INSERT_ONLY


def test_rights_are_repaired_wherever_the_schema_is_brought_up_to_date(
    home: Path, books: Engine
) -> None:
    for damage in (
        f"grant update (ref) on posting to {OWNER}_app",
        f"grant truncate on audit to {OWNER}_app",
        f"revoke insert on posting from {OWNER}_app",
        f"revoke update on ledger_balance from {OWNER}_app",
        "create table of_a_later_migration (id serial primary key)",
    ):
        with owned(home, books) as owner:
            with owner.begin() as connection:
                connection.execute(sa.text(damage))
                assert find_settled_role(connection) is None, damage
            assert ordinary_engine(owner) is owner
            upgrade(owner, "books")
            with owner.connect() as connection:
                assert find_settled_role(connection) == f"{OWNER}_app", damage
    put(books, used(1))
    with books.begin() as connection:
        connection.execute(sa.text("insert into of_a_later_migration default values"))
    assert refusal(books, "delete from posting")[0] == INSUFFICIENT_PRIVILEGE


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


def test_each_night_the_ledger_is_recounted_and_its_days_are_closed(
    home: Path, books: Engine
) -> None:
    def at(hour: int, day: int = 1) -> dt.datetime:
        return dt.datetime(2027, 4, day, hour, 30, tzinfo=dt.UTC)

    put(books, used(1), day=dt.date(2027, 3, 30))
    put(books, used(2), day=dt.date(2027, 3, 31))
    assert keep_books(books, at(0)) == 1  # the last day may still be posted on for an hour
    assert keep_books(books, at(1)) == 1
    assert keep_books(books, at(2)) == 0
    with books.connect() as connection:
        assert broken_days(connection) == []
    put(books, used(3))
    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(partial(keep_books, books), [at(3, 2)] * 4)) == 1
    # While a balance is wrong, no day is closed, and it is told each time.
    put(books, used(4), day=dt.date(2027, 4, 2))
    more_of = "update ledger_balance set debit_cents = debit_cents + :more where account = :account"
    for more, closed, wrong in ((7, 0, 1), (-7, 1, 0)):
        with owned(home, books) as owner, owner.begin() as connection:
            connection.execute(sa.text(more_of), {"more": more, "account": "rider:r1"})
        with capture_logs() as logged:
            assert keep_books(books, at(3, 3)) == closed
        assert [(e["log_level"], e["account"]) for e in logged] == [("error", "rider:r1")] * wrong
        assert f"mobility_ledger_wrong_accounts {wrong}.0" in generate_latest(REGISTRY).decode()


def test_work_goes_on_where_the_option_of_a_connection_is_refused(
    home: Path, books: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As a pooler between would refuse it: the server knows no such role.
    monkeypatch.setattr("mobility.db.engine.find_settled_role", lambda _: "absent_app")
    with owned(home, books) as owner:
        assert ordinary_engine(owner) is owner
        put(owner, used(1))
        with owner.connect() as connection:
            assert list_changeable(connection) == list(INSERT_ONLY)
            assert "go round it" in advise(connection)
    with books.connect() as connection:
        assert list_changeable(connection) == []


def test_postings_are_listed_by_month_or_by_year(books: Engine) -> None:
    months = ("2026-12", "2027-01", "2027-12", "2028-01")
    put(books, *(used(nth, period=month) for nth, month in enumerate(months)))
    with books.connect() as connection:
        found = {
            period: [own.period for own, _ in list_postings(connection, period)]
            for period in ("2027", "2027-01", "2027-02", None)
        }
    assert found == {"2027": ["2027-01", "2027-12"], "2027-01": ["2027-01"], "2027-02": [],
                     None: list(months)}  # fmt: skip


def test_whoever_gets_past_the_guards_is_found_out(home: Path, books: Engine) -> None:
    put(books, used(1), used(2), day=dt.date(2027, 3, 31))
    with books.begin() as connection:
        close_days(connection, TODAY)
    with owned(home, books) as owner:
        with owner.begin() as connection:
            assert broken_days(connection) == []
            connection.execute(sa.text("alter table posting disable trigger all"))
            connection.execute(sa.text("delete from posting where \"group\" = 'usage:2'"))
        with owner.connect() as connection:
            assert broken_days(connection) == [dt.date(2027, 3, 31)]
            wrong = recount(connection)
        with owner.begin() as connection:  # not even if the number of postings is kept
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
