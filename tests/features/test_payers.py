"""Others who pay a part of what riders owe: posted with the month, corrected with it, limited."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from mobility.actions.close_month import CHARGED_FOR, MonthClosed, close_month, correct_months
from mobility.actions.erase_fares import ask_for_erasure
from mobility.db.engine import Engine
from mobility.db.ledger import read_balances, recount
from mobility.db.paying_riders import list_paid_riders
from mobility.db.rights import Right, list_rights, put_right
from mobility.db.statements import list_statements, mark_stale, read_budgets
from payments.rights import ANOTHER_RIDER, HeldPass, PaidFor
from payments.tariff import FareLeg
from payments.tariff_file import parse_tariff
from payments.versions import Tariffs
from tests.support.books import empty_books, new_accounts, new_person, ride

MARCH, APRIL = dt.date(2027, 3, 1), dt.date(2027, 4, 1)
ISSUED = dt.datetime(2027, 5, 3, 8, tzinfo=dt.UTC)
YEAR = dt.date(2027, 1, 1), dt.date(2027, 12, 31)
TARIFF = Tariffs((parse_tariff(
    {
        "tariff": "payers", "currency": "EUR", "timezone": "Europe/Paris",
        "leg_prices": [
            {"id": "bus", "when": {"mode": "bus"}, "base_cents": 200},
            {"id": "bike", "when": {"mode": "bike"}, "base_cents": 300},
            {"id": "pool", "when": {"mode": "carpool"}, "base_cents": 250},
        ],
        "products": [
            {"id": "week", "period": "rolling_7d", "modes": ["bus"], "price_cents": 900,
             "is_subscription": True},
        ],
        "payers": [
            {"id": "employer", "share_permille": 500, "only_subscriptions": True},
            {"id": "bikes", "share_permille": 1000, "modes": "bike", "max_year_cents": 700},
            {"id": "pool", "share_permille": 400, "modes": "carpool", "is_for_everybody": True,
             "budget_cents": 1_950},
        ],
    }
),))  # fmt: skip


@pytest.fixture
def books(home: Path) -> Iterator[Engine]:
    with empty_books(home) as engine:
        yield engine


def leg(mode: str, day: int, hour: int, month: dt.date = MARCH) -> FareLeg:
    at = dt.datetime(month.year, month.month, day, hour, tzinfo=dt.UTC)
    return FareLeg(mode, at, 0, id=str(uuid.uuid4()))


def grant(books: Engine, person_id: uuid.UUID, account_id: uuid.UUID, right: Right) -> None:
    with books.begin() as connection:
        put_right(connection, person_id, right, "test", ISSUED)
        mark_stale(connection, [account_id], right.valid_from.replace(day=1))


def net(books: Engine) -> dict[str, int]:
    with books.connect() as connection:
        assert recount(connection) == {}
        found = read_balances(connection)
    return {account: own.net_cents for (account, _), own in found.items() if own.net_cents}


def issued(books: Engine, account: uuid.UUID) -> list[tuple[str, int, dict[tuple[str, str], int]]]:
    with books.connect() as connection:
        found = list_statements(connection, account, MARCH)
    return [(str(own.kind), own.amount_cents, dict(own.parts)) for own in found]


def test_an_employer_pays_half_of_a_week_and_what_changes_later_changes_his_part(
    books: Engine,
) -> None:
    person_id, account = new_person(books, ISSUED)
    acme = PaidFor("employer", "acme", *YEAR)
    grant(books, person_id, account, acme)
    buses = [leg("bus", day, hour) for day in (2, 3, 4) for hour in (7, 12)]
    ride(books, TARIFF, [(account, each) for each in buses], ISSUED)
    close_month(books, TARIFF, MARCH, now=ISSUED)
    half = {("employer", "acme"): 450}
    assert net(books) == {
        f"rider:{account}": 450, "payer:employer.acme": 450, "revenue:network": -900
    }  # fmt: skip
    assert issued(books, account) == [("statement", 900, half)]
    # Two of the rides never were: without the week nothing is the employer's.
    with books.begin() as connection:
        gone = sa.text("delete from fare_leg where id = any(:ids)")
        connection.execute(gone, {"ids": [each.id for each in buses[:3]]})
    ride(books, TARIFF, [(account, buses[3])], ISSUED)
    assert correct_months(books, TARIFF, now=ISSUED) == 1
    assert net(books) == {f"rider:{account}": 600, "revenue:network": -600}
    # The rider himself pays more: it is a supplement, whatever the whole has become.
    assert issued(books, account)[1:] == [("supplement", -300, {("employer", "acme"): -450})]
    assert correct_months(books, TARIFF, now=ISSUED) == 0


def test_who_is_known_to_be_paid_for_after_the_statement_gets_money_back(books: Engine) -> None:
    person_id, account = new_person(books, ISSUED)
    buses = [(account, leg("bus", day, hour)) for day in (2, 3, 4) for hour in (7, 12)]
    ride(books, TARIFF, buses, ISSUED)
    close_month(books, TARIFF, MARCH, now=ISSUED)
    grant(books, person_id, account, PaidFor("employer", "acme", *YEAR))
    late = ISSUED + 2 * CHARGED_FOR
    assert correct_months(books, TARIFF, now=late) == 1
    assert net(books)[f"rider:{account}"] == 450
    assert issued(books, account)[1:] == [("credit_note", 0, {("employer", "acme"): 450})]
    assert correct_months(books, TARIFF, now=late) == 0
    # By another tariff, or without one, nobody's part changes.
    grant(books, person_id, account, PaidFor("employer", "acme", YEAR[0], YEAR[0]))
    assert correct_months(books, None, now=late) == 1
    assert net(books)[f"rider:{account}"] == 450


def test_of_usage_that_was_lost_nobody_pays_a_part_however_often_it_is_rated(
    books: Engine,
) -> None:
    (account,) = new_accounts(books, 1, ISSUED)
    ride(books, TARIFF, [(account, leg("carpool", 2, 7))], ISSUED)
    close_month(books, TARIFF, MARCH, now=ISSUED)
    late = ISSUED + 2 * CHARGED_FOR
    more = [(account, leg("carpool", day, 7)) for day in (3, 4, 5)]
    ride(books, TARIFF, more, late)
    for _ in range(3):
        assert correct_months(books, TARIFF, now=late) == 1
        assert net(books) == {
            f"rider:{account}": 150, "subsidy:pool": 100, "loss:late_usage": 750,
            "revenue:carpool": -1_000,
        }  # fmt: skip
        ride(books, TARIFF, more[:1], late)
    assert len(issued(books, account)) == 1


def test_a_right_that_becomes_known_with_lost_usage_counts(books: Engine) -> None:
    person_id, account = new_person(books, ISSUED)
    ride(books, TARIFF, [(account, leg("bike", 2, 7))], ISSUED)
    close_month(books, TARIFF, MARCH, now=ISSUED)
    late = ISSUED + 2 * CHARGED_FOR
    ride(books, TARIFF, [(account, leg("bus", 3, 7))], late)
    grant(books, person_id, account, PaidFor("bikes", "acme", *YEAR))
    correct_months(books, TARIFF, now=late)
    found = net(books)
    assert found["loss:late_usage"] == 200
    # Of 500, of which 300 are charged, the payer's 300 are cut alike.
    assert (found[f"rider:{account}"], found["payer:bikes.acme"]) == (120, 180)


def test_who_pays_does_not_change_by_what_is_erased(books: Engine) -> None:
    person_id, account = new_person(books, ISSUED)
    grant(books, person_id, account, PaidFor("employer", "acme", *YEAR))
    buses = [(account, leg("bus", day, hour)) for day in (2, 3, 4) for hour in (7, 12)]
    ride(books, TARIFF, buses, ISSUED)
    close_month(books, TARIFF, MARCH, now=ISSUED)
    before = net(books)
    with books.begin() as connection:
        assert ask_for_erasure(connection, person_id, ISSUED) == []
        mark_stale(connection, [account], MARCH)
    correct_months(books, TARIFF, now=ISSUED)
    assert net(books) == before


def test_a_closed_month_is_corrected_and_not_closed_again(books: Engine) -> None:
    (account,) = new_accounts(books, 1, ISSUED)
    close_month(books, TARIFF, MARCH, now=ISSUED)
    ride(books, TARIFF, [(account, leg("bus", 2, 7))], ISSUED)
    with pytest.raises(MonthClosed):
        close_month(books, TARIFF, MARCH, now=ISSUED, is_final=False)
    assert close_month(books, TARIFF, MARCH, now=ISSUED).months == 0
    assert correct_months(books, TARIFF, now=ISSUED) == 1
    assert issued(books, account) == [("supplement", 200, {})]


def test_a_pass_bought_elsewhere_is_not_paid_again(books: Engine) -> None:
    person_id, account = new_person(books, ISSUED)
    held = HeldPass("week", dt.date(2027, 3, 3), dt.date(2027, 3, 9))
    grant(books, person_id, account, held)
    buses = [(account, leg("bus", day, hour)) for day in (2, 3, 4) for hour in (7, 12)]
    ride(books, TARIFF, [*buses, (account, leg("bike", 3, 9))], ISSUED)
    close_month(books, TARIFF, MARCH, now=ISSUED)
    assert net(books) == {
        f"rider:{account}": 700, "revenue:network": -400, "revenue:bike": -300
    }  # fmt: skip


def test_a_ceiling_of_a_year_holds_over_its_months(books: Engine) -> None:
    person_id, account = new_person(books, ISSUED)
    grant(books, person_id, account, PaidFor("bikes", "acme", *YEAR))
    for month in (MARCH, APRIL):
        bikes = [(account, leg("bike", day, 7, month)) for day in (2, 3)]
        ride(books, TARIFF, bikes, ISSUED)
    # Also when both are closed at once.
    with ThreadPoolExecutor(2) as threads:
        list(
            threads.map(lambda month: close_month(books, TARIFF, month, now=ISSUED), (MARCH, APRIL))
        )
    assert net(books) == {
        f"rider:{account}": 500, "payer:bikes.acme": 700, "revenue:bike": -1_200
    }  # fmt: skip


def test_a_budget_is_not_overdrawn_however_many_months_are_closed_at_once(books: Engine) -> None:
    accounts = new_accounts(books, 40, ISSUED)
    for month in (MARCH, APRIL):
        pools = [(account, leg("carpool", 2, 7, month)) for account in accounts]
        ride(books, TARIFF, pools, ISSUED)

    def close(month: dt.date) -> None:
        close_month(books, TARIFF, month, now=ISSUED)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(close, (MARCH, APRIL, MARCH, APRIL)))
    found = net(books)
    assert found["subsidy:pool"] == 1_950
    assert found["revenue:carpool"] == -250 * 2 * len(accounts)
    assert sum(cents for account, cents in found.items() if account.startswith("rider:")) == (
        250 * 2 * len(accounts) - 1_950
    )
    with books.connect() as connection:
        assert read_budgets(connection, 2027) == {"pool": 1_950}
    # What is given back is there for somebody else.
    with books.begin() as connection:
        paid = sa.text("select account_id from rider_month where parts <> '[]' limit 1")
        lucky = connection.execute(paid).scalar_one()
        connection.execute(
            sa.text("delete from fare_leg where account_id = :lucky"), {"lucky": lucky}
        )
    ride(books, TARIFF, [(lucky, leg("bus", 9, 7)), (lucky, leg("bus", 9, 7, APRIL))], ISSUED)
    correct_months(books, TARIFF, now=ISSUED)
    with books.connect() as connection:
        left = read_budgets(connection, 2027)["pool"]
    assert left < 1_950
    assert net(books)["subsidy:pool"] == left


def test_another_rider_is_charged_and_given_back_what_a_month_costs(books: Engine) -> None:
    person_id, account = new_person(books, ISSUED)
    _, payer = new_person(books, ISSUED)
    grant(books, person_id, account, PaidFor("employer", "acme", *YEAR))
    grant(books, person_id, account, PaidFor(ANOTHER_RIDER, str(payer), *YEAR))
    buses = [leg("bus", day, hour) for day in (2, 3, 4) for hour in (7, 12)]
    ride(books, TARIFF, [(account, each) for each in buses], ISSUED)
    close_month(books, TARIFF, MARCH, now=ISSUED)
    owed = {f"rider:{payer}": 450, "payer:employer.acme": 450, "revenue:network": -900}
    assert net(books) == owed
    shared = {("employer", "acme"): 450, (ANOTHER_RIDER, str(payer)): 450}
    assert issued(books, account) == [("statement", 900, shared)]
    ride(books, TARIFF, [(account, leg("bike", 20, 8))], ISSUED)
    correct_months(books, TARIFF, now=ISSUED)
    assert net(books) == {**owed, f"rider:{payer}": 750, "revenue:bike": -300}
    with books.connect() as connection:
        (paid,) = list_paid_riders(connection, payer)
    assert (paid.person_id, dict(paid.months)) == (person_id, {MARCH: (750, "EUR")})


def test_who_is_erased_has_paid_and_pays_no_longer(books: Engine) -> None:
    person_id, account = new_person(books, ISSUED)
    payer_id, payer = new_person(books, ISSUED)
    far = ISSUED.date(), dt.date(2099, 1, 1)
    grant(books, person_id, account, PaidFor(ANOTHER_RIDER, str(payer), *YEAR))
    grant(books, person_id, account, PaidFor(ANOTHER_RIDER, str(payer), *far))
    ride(books, TARIFF, [(account, leg("bike", 20, 8))], ISSUED)
    close_month(books, TARIFF, MARCH, now=ISSUED)
    with books.begin() as connection:
        assert ask_for_erasure(connection, payer_id, ISSUED) == []
        (own,) = list_rights(connection, [account])[account].paid_for
        assert own.valid_to == ISSUED.date() - dt.timedelta(days=1)
    correct_months(books, TARIFF, now=ISSUED)
    assert net(books)[f"rider:{payer}"] == 300
