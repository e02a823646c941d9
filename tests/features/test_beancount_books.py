"""What beancount adds up from the exported ledger is what is kept, after closes and corrections."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from beancount import loader
from beancount.core import realization

from mobility.actions.close_month import CHARGED_FOR, close_month, correct_months
from mobility.actions.receive_payment import receive_payment
from mobility.db.engine import Engine
from mobility.db.ledger import close_period, list_postings, read_balances
from mobility.db.statements import list_statements
from payments.ledger import SIDE_OF, Dated
from payments.ledger_export import write_beancount
from payments.legal_entities import parse_entities
from payments.rights import ANOTHER_RIDER, PaidFor
from payments.tariff import FareLeg
from tests.features.test_books_machine import TARIFFS
from tests.features.test_close_month import MARCH, bus, state
from tests.features.test_payers import grant
from tests.payments.test_ledger import bean_check
from tests.support.books import empty_books, new_person, ride

ISSUED = dt.datetime(2027, 4, 3, 8, tzinfo=dt.UTC)
YEAR = dt.date(2027, 1, 1), dt.date(2027, 12, 31)
ENTITIES = parse_entities(
    {
        "porto": {"name": "STCP", "operators": ["porto:STCP"]},
        "region": {"name": "Region", "accounts": ["*"]},
    }
)
Cents = dict[tuple[str, str], int]
"""By account and currency; without those of which nothing is left."""


@pytest.fixture
def books(home: Path) -> Iterator[Engine]:
    with empty_books(home) as engine:
        yield engine


def kept(books: Engine) -> Cents:
    with books.connect() as connection:
        found = read_balances(connection)
    return {key: own.net_cents for key, own in found.items() if own.net_cents}


def added_up(postings: Iterable[Dated], folder: Path) -> Cents:
    """What beancount makes of them, by accounts as the ledger calls them."""
    text = "".join(write_beancount(postings))
    checked = bean_check(text, folder)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
    entries, errors, _ = loader.load_string(text)
    assert errors == []
    found: Cents = {}
    for own in realization.iter_children(realization.realize(entries), leaf_only=True):
        side, head, *names = own.account.split(":")
        assert side == ("Assets" if head == "Entity" else SIDE_OF[head.lower()])
        name = "".join(names).removeprefix("N").replace("-dot-", ".").replace("-us-", "_")
        account = f"{head.lower()}:{name}" if name else head.lower()
        for currency in own.balance.currencies():
            cents = own.balance.get_currency_units(currency).number * 100
            assert cents == int(cents)
            if cents:
                found[account, currency] = int(cents)
    return found


def exported(books: Engine, folder: Path) -> Cents:
    with books.connect() as connection:
        return added_up(list_postings(connection), folder)


def of_entities(books: Engine, folder: Path) -> Cents:
    """Books of all entities side by side: each account stands in those of its owner."""
    found: Cents = {}
    between = []
    for entity_id in ENTITIES.by_id:
        with books.connect() as connection:
            every = list_postings(connection)
            own = added_up(ENTITIES.seen_from(entity_id, every), folder)
        between.append(sum(c for (account, _), c in own.items() if account.startswith("entity:")))
        assert all(a.startswith("entity:") or ENTITIES.owner(a) == entity_id for a, _ in own)
        found |= own
    assert between[0] == -between[1] != 0
    return {key: cents for key, cents in found.items() if not key[0].startswith("entity:")}


def leg(mode: str, day: int, hour: int, operator: str = "") -> FareLeg:
    return replace(bus(day, hour), mode=mode, operator=operator)


def test_beancount_has_the_balances_that_are_kept_after_a_close_and_after_corrections(
    books: Engine, tmp_path: Path
) -> None:
    person_id, account = new_person(books, ISSUED)
    other_id, other = new_person(books, ISSUED)
    grant(books, person_id, account, PaidFor("employer", "acme.eu_1-b", *YEAR))
    grant(books, other_id, other, PaidFor(ANOTHER_RIDER, str(account), *YEAR))
    weeks = [leg("bus", day, hour, "porto:STCP") for day in (2, 3, 4) for hour in (7, 12)]
    early = [*weeks, leg("carpool", 5, 8), leg("rail", 20, 9, "AM_TCL")]
    ride(books, TARIFFS, [(account, own) for own in early], ISSUED)
    ride(books, TARIFFS, [(other, leg("bike", 9, 8)), (other, leg("carpool", 9, 9))], ISSUED)
    close_month(books, TARIFFS, MARCH, now=ISSUED)
    first = exported(books, tmp_path)
    assert first == kept(books)
    # Of a week of 9.01 the employer pays half, rounded up, and a third is STCP's revenue.
    assert first["payer:employer.acme.eu_1-b", "EUR"] == 451
    assert first["revenue:porto_3aSTCP", "EUR"] == -300

    # More that is charged, less that is given back in another month of the books, a payment, and
    # what comes too late.
    ride(books, TARIFFS, [(account, leg("rail", 21, 9, "AM_TCL"))], ISSUED)
    assert correct_months(books, TARIFFS, now=ISSUED) == 1
    assert exported(books, tmp_path) == kept(books) != first
    with books.begin() as connection:
        close_period(connection, "2027-03", ISSUED)
    grant(books, other_id, other, PaidFor("bikes", "acme", *YEAR))
    correct_months(books, TARIFFS, now=ISSUED)
    with books.connect() as connection:
        number = list_statements(connection, account, MARCH)[0].number
    receive_payment(books, f"2027-{number:06d}", 333, rail="transfer", reference="a", now=ISSUED)
    late = ISSUED + CHARGED_FOR + dt.timedelta(days=1)
    ride(books, TARIFFS, [(account, leg("bike", 25, 9))], late)
    correct_months(books, TARIFFS, now=late)
    found = exported(books, tmp_path)
    assert found == kept(books)
    assert found["loss:late_usage", "EUR"] == 149
    assert found["bank", "EUR"] == 333
    assert of_entities(books, tmp_path) == found
    assert {kind["kind"] for kind in state(books)["issued"]} == {
        "statement", "supplement", "credit_note"
    }  # fmt: skip
