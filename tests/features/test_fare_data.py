"""What is kept of a rider is handed over to him, and erased; the books stay as they are."""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from mobility.actions.close_month import close_month, correct_months
from mobility.actions.erase_fares import ask_for_erasure, erase_fares
from mobility.actions.forget_usage import RIDERS_KEPT
from mobility.db.chosen_itineraries import add_chosen
from mobility.db.engine import Engine
from mobility.db.fare_data import read_fare_data
from mobility.db.ledger import read_balances, recount
from mobility.db.media import list_media
from mobility.db.rights import put_right
from mobility.db.schema import metadata
from mobility.db.usage import find_account
from payments.bill import Proof
from payments.chosen import ChosenLeg
from tests.features.test_close_month import ISSUED, MARCH, TARIFF, bus
from tests.support.booked import Ask
from tests.support.books import empty_books, new_person, ride
from tests.support.users import Somebody

UTC = dt.UTC


@pytest.fixture
def books(home: Path) -> Iterator[Engine]:
    with empty_books(home) as engine:
        yield engine


def rider_with_card(books: Engine) -> tuple[uuid.UUID, uuid.UUID]:
    person_id, account = new_person(books, ISSUED)
    with books.begin() as connection:
        connection.execute(
            sa.text("insert into medium values (:digest, :account, 'carte', :now)"),
            {"digest": secrets.token_bytes(32), "account": account, "now": ISSUED},
        )
        youth = Proof("youth", MARCH, MARCH)
        put_right(connection, person_id, youth, "mairie", ISSUED)
        add_chosen(connection, account, (ChosenLeg("a", "b", "1", "bus", ISSUED),), ISSUED)
    ride(books, TARIFF, [(account, bus(day, 8)) for day in (2, 3)], ISSUED)
    return person_id, account


def where(books: Engine, *ids: uuid.UUID) -> dict[str, int]:
    """Tables that name one of some ids anywhere, and in how many rows."""
    found: dict[str, int] = {}
    with books.connect() as connection:
        for table in metadata.tables.values():
            rows = connection.execute(
                sa.select(sa.cast(sa.literal_column(f'"{table.name}"'), sa.Text)).select_from(table)
            )
            count = sum(any(str(own) in text for own in ids) for text in rows.scalars())
            if count:
                found[table.name] = count
    return found


def test_an_erased_rider_leaves_the_totals_of_the_books(books: Engine) -> None:
    person_id, account = rider_with_card(books)
    with books.begin() as connection:
        assert ask_for_erasure(connection, person_id, ISSUED) == [MARCH]
        assert list_media(connection, person_id) == []
    assert erase_fares(books, ISSUED) == 0  # the month is not issued yet
    close_month(books, TARIFF, MARCH, now=ISSUED)
    with books.connect() as connection:
        before = read_balances(connection)
        data = read_fare_data(connection, person_id)
    assert {name: len(rows) for name, rows in data.items()} == {
        "accounts": 1, "cards": 0, "proofs": 1, "paid_for": 0, "taps": 0, "ride_halves": 0,
        "chosen_itineraries": 0, "legs": 2, "months": 1, "statements": 1,
    }  # fmt: skip
    assert erase_fares(books, ISSUED) == 1
    assert erase_fares(books, ISSUED) == 0
    assert correct_months(books, TARIFF, now=ISSUED) == 0
    with books.connect() as connection:
        assert read_balances(connection) == before
        assert recount(connection) == {}
        assert not any(read_fare_data(connection, person_id).values())
        assert find_account(connection, person_id) is None
    assert where(books, person_id) == {"person": 1}
    # Amounts of an account that is nobody's.
    assert where(books, account) == {
        "fare_account": 1, "rider_month": 1, "statement": 1, "posting": 1, "ledger_balance": 1
    }  # fmt: skip


def test_months_that_nobody_can_close_any_more_do_not_hold_an_erasure_up(books: Engine) -> None:
    person_id, _ = rider_with_card(books)
    late = dt.datetime(2027, 4, 1, tzinfo=UTC) + RIDERS_KEPT + dt.timedelta(days=31)
    with books.begin() as connection:
        assert ask_for_erasure(connection, person_id, late) == []
    assert where(books, person_id) == {"person": 1}


def test_a_rider_takes_away_his_data_and_has_them_erased(
    ask: Ask, somebody: Callable[..., Somebody]
) -> None:
    rider = somebody()
    number = f"card {uuid.uuid4()}"
    assert ask(rider.secret, "DELETE", "/fare-data").json() == {"is_done": True, "waits_for": []}
    linked = ask(rider.secret, "POST", "/media", json={"number": number, "label": "carte"})
    assert linked.status_code == 201
    answer = ask(rider.secret, "GET", "/fare-data")
    assert answer.status_code == 200, answer.text
    assert "attachment" in answer.headers["content-disposition"]
    data = answer.json()
    assert [card["label"] for card in data["cards"]] == ["carte"]
    assert number not in answer.text
    assert ask(rider.secret, "DELETE", "/fare-data").json()["is_done"]
    assert not any(ask(rider.secret, "GET", "/fare-data").json().values())
