"""Riders pay by transfer or at a counter: their months are settled, the oldest first."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.errors import InvalidInput
from mobility.actions.close_month import close_month, correct_months
from mobility.actions.receive_payment import Received, StatementUnknown, receive_payment
from mobility.db.engine import Engine
from mobility.db.ledger import GroupChanged, read_balances, recount
from mobility.db.schema import audit
from mobility.db.statements import list_statements
from mobility.db.usage import list_months
from payments.ledger import PostingInvalid
from payments.rights import ANOTHER_RIDER, PaidFor
from tests.features.test_close_month import APRIL, ISSUED, MARCH, TARIFF, bus
from tests.features.test_payers import grant
from tests.support.books import empty_books, new_accounts, new_person, ride

MAY = dt.datetime(2027, 5, 3, 8, tzinfo=dt.UTC)


@pytest.fixture
def books(home: Path) -> Iterator[Engine]:
    with empty_books(home) as engine:
        yield engine


def used(books: Engine, account: uuid.UUID, march: int, april: int) -> None:
    """Close two months with so many single rides each."""
    legs = [bus(day, 6) for day in range(1, 1 + march)]
    legs += [replace(bus(day, 6, APRIL), id=f"{account}{day}") for day in range(1, 1 + april)]
    ride(books, TARIFF, [(account, leg) for leg in legs], ISSUED)
    close_month(books, TARIFF, MARCH, now=ISSUED)
    close_month(books, TARIFF, APRIL, now=MAY)


def number_of(books: Engine, account: uuid.UUID, month: dt.date) -> str:
    with books.connect() as connection:
        own = list_statements(connection, account, month)[0]
    return f"{own.year}-{own.number:06d}"


def states(books: Engine, account: uuid.UUID) -> dict[str, str]:
    with books.connect() as connection:
        return {f"{m.month:%m}": str(m.state) for m in list_months(connection, account)}


def pay(books: Engine, number: str, cents: int, reference: str) -> Received:
    return receive_payment(books, number, cents, rail="transfer", reference=reference, now=MAY)


def test_march_is_paid_before_april_whichever_statement_was_named(books: Engine) -> None:
    (account,) = new_accounts(books, 1, ISSUED)
    used(books, account, march=2, april=1)
    april = number_of(books, account, APRIL)
    assert states(books, account) == {"03": "issued", "04": "issued"}
    assert pay(books, april, 399, "a") == Received(True, 201, "EUR", ())
    assert pay(books, april, 1, "b") == Received(True, 200, "EUR", (MARCH,))
    assert states(books, account) == {"03": "settled", "04": "issued"}
    # What the bank tells twice is there once; something else by the same name is refused.
    assert pay(books, april, 1, "b") == Received(False, 200, "EUR", (MARCH,))
    with pytest.raises(GroupChanged):
        pay(books, april, 2, "b")
    assert pay(books, april, 250, "c") == Received(True, -50, "EUR", (MARCH, APRIL))
    with books.connect() as connection:
        assert recount(connection) == {}
        net = {account: of.net_cents for (account, _), of in read_balances(connection).items()}
        acts = connection.execute(sa.select(audit.c.subject, audit.c.detail)).all()
    assert (net["bank"], net["transit:transfer"], net[f"rider:{account}"]) == (650, 0, -50)
    assert [(subject, detail["amount_cents"]) for subject, detail in acts] == [
        (april, 399), (april, 1), (april, 250)
    ]  # fmt: skip


def test_supplement_of_a_month_that_was_paid_is_to_be_paid_too(books: Engine) -> None:
    (account,) = new_accounts(books, 1, ISSUED)
    used(books, account, march=1, april=0)
    pay(books, number_of(books, account, MARCH), 200, "a")
    assert states(books, account) == {"03": "settled"}
    ride(books, TARIFF, [(account, replace(bus(7, 6, APRIL), id="not issued"))], ISSUED)
    assert pay(books, number_of(books, account, MARCH), 200, "a").settled == (MARCH,)
    with books.begin() as connection:
        connection.execute(sa.text("delete from fare_leg where id = 'not issued'"))
        connection.execute(sa.text("delete from rider_month where month = '2027-04-01'"))
    ride(books, TARIFF, [(account, replace(bus(20, 6), id="late"))], ISSUED)
    correct_months(books, TARIFF, now=ISSUED)
    assert states(books, account) == {"03": "issued"}
    assert pay(books, number_of(books, account, MARCH), 200, "b").settled == (MARCH,)
    # A ride that never was: what is given back is there for the next month.
    with books.begin() as connection:
        connection.execute(sa.text("delete from fare_leg where id = 'late'"))
    ride(books, TARIFF, [(account, replace(bus(2, 6, APRIL), id="april"))], ISSUED)
    with books.begin() as connection:
        connection.execute(sa.text("update rider_month set is_stale = true, amount_cents = 200"))
    correct_months(books, TARIFF, now=ISSUED)
    close_month(books, TARIFF, APRIL, now=MAY)
    assert states(books, account) == {"03": "settled", "04": "settled"}


def test_who_pays_for_another_owes_his_months_too(books: Engine) -> None:
    person_id, account = new_person(books, ISSUED)
    _, payer = new_person(books, ISSUED)
    far = dt.date(2027, 1, 1), dt.date(2027, 12, 31)
    grant(books, person_id, account, PaidFor(ANOTHER_RIDER, str(payer), *far))
    ride(books, TARIFF, [(payer, replace(bus(2, 6), id="own"))], ISSUED)
    used(books, account, march=2, april=1)
    assert states(books, account) == {"03": "settled", "04": "settled"}  # nothing is left to him
    assert states(books, payer) == {"03": "issued"}
    march = number_of(books, payer, MARCH)
    assert pay(books, march, 200, "a") == Received(True, 600, "EUR", ())
    assert pay(books, march, 400, "b") == Received(True, 200, "EUR", (MARCH,))
    assert states(books, payer) == {"03": "settled"}


def test_of_one_transfer_told_by_many_at_once_one_is_posted(books: Engine) -> None:
    (account,) = new_accounts(books, 1, ISSUED)
    used(books, account, march=1, april=0)
    once = partial(pay, books, number_of(books, account, MARCH), 200)
    with ThreadPoolExecutor(4) as threads:
        done = list(threads.map(once, ["a"] * 8))
    assert sorted(own.is_new for own in done) == [False] * 7 + [True]
    assert {own.owed_cents for own in done} == {0}


def test_payments_of_nobody_or_of_nothing_are_refused(books: Engine) -> None:
    (account,) = new_accounts(books, 1, ISSUED)
    used(books, account, march=1, april=0)
    with pytest.raises(InvalidInput, match="2027-000012"):
        pay(books, "12", 200, "a")
    with pytest.raises(StatementUnknown):
        pay(books, "2027-000099", 200, "a")
    with pytest.raises(PostingInvalid):
        pay(books, number_of(books, account, MARCH), 0, "a")
    with books.connect() as connection:
        assert "bank" not in {name for name, _ in read_balances(connection)}
