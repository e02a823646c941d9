"""Months are closed: once, without gaps, and with the same total whenever a ride became known."""

from __future__ import annotations

import ctypes
import datetime as dt
import multiprocessing
import random
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from mobility.actions import close_month as closing
from mobility.actions.close_month import (
    CHARGED_FOR,
    MonthForgotten,
    MonthNotOver,
    OtherTariff,
    close_month,
    correct_months,
)
from mobility.actions.rate_riders import renew_months
from mobility.db.engine import Engine, open_engine
from mobility.db.ledger import (
    Closed,
    add_postings,
    close_period,
    list_postings,
    read_balances,
    recount,
)
from mobility.db.statements import list_statements
from payments.ledger import Entry, account_name, balances, post
from payments.month import rate_month
from payments.rating import rate
from payments.revenue_shares import share_revenue
from payments.rights import ANOTHER_RIDER
from payments.tariff import FareLeg, Payer
from payments.tariff_file import parse_tariff
from payments.versions import Tariffs
from tests.support.books import empty_books, new_accounts, ride

MARCH, APRIL = dt.date(2027, 3, 1), dt.date(2027, 4, 1)
ISSUED = dt.datetime(2027, 4, 3, 8, tzinfo=dt.UTC)
ONE = parse_tariff(
    {
        "tariff": "close", "currency": "EUR", "timezone": "Europe/Paris",
        "leg_prices": [{"id": "bus", "when": {"mode": "bus"}, "base_cents": 200}],
        "products": [
            {"id": "day", "period": "fare_day", "modes": ["bus"], "price_cents": 500},
            {"id": "week", "period": "rolling_7d", "modes": ["bus"], "price_cents": 1_500},
        ],
    }
)  # fmt: skip
TARIFF = Tariffs((ONE,))


SHARED = Tariffs((parse_tariff(
    {
        "tariff": "shared", "currency": "EUR", "timezone": "Europe/Paris",
        "leg_prices": [
            {"id": "bus", "when": {"mode": "bus"}, "base_cents": 201},
            {"id": "rail", "when": {"mode": "rail"}, "base_cents": 333},
            {"id": "bike", "when": {"mode": "bike"}, "base_cents": 150},
        ],
        "products": [
            {"id": "day", "period": "fare_day", "modes": ["bus", "rail"], "price_cents": 501},
            {"id": "week", "period": "rolling_7d", "modes": ["bus", "rail"], "price_cents": 1_501},
        ],
        "revenue_shares": {"products": {"week": {"AM_TCL": 2, "porto:STCP": 1}}},
    }
),))  # fmt: skip


@pytest.fixture
def books(home: Path) -> Iterator[Engine]:
    with empty_books(home) as engine:
        yield engine


def bus(day: int, hour: int, month: dt.date = MARCH) -> FareLeg:
    at = dt.datetime(month.year, month.month, day, hour, tzinfo=dt.UTC)
    return FareLeg("bus", at, 0, id=str(uuid.uuid4()))


def state(books: Engine) -> dict[str, Any]:
    """All months, statements and balances; what holds of any ledger is checked here."""
    with books.connect() as connection:
        assert recount(connection) == {}
        net = {a: own.net_cents for (a, _), own in read_balances(connection).items()}
        months = connection.execute(
            sa.text("select * from rider_month order by account_id, month")
        ).mappings().all()  # fmt: skip
        issued = connection.execute(
            sa.text("select * from statement order by year, number")
        ).mappings().all()  # fmt: skip
        postings = [posting for posting, _ in list_postings(connection)]
    assert [own["number"] for own in issued] == list(range(1, len(issued) + 1))
    told: dict[Any, int] = defaultdict(int)
    for own in issued:
        told[own["account_id"], own["month"]] += own["amount_cents"]
    wanted: dict[str, int] = defaultdict(int)
    for month in months:
        wanted[f"rider:{month['account_id']}"] += month["posted_cents"]
        wanted["loss:late_usage"] += month["lost_cents"]
        wanted["revenue:network"] -= month["posted_cents"] + month["lost_cents"]
        for name, cents in month["shares"].items():
            assert cents > 0
            wanted[f"revenue:{account_name(name)}"] -= cents
            wanted["revenue:network"] += cents
        for part in month["parts"]:
            assert part["amount_cents"] > 0
            wanted[f"rider:{month['account_id']}"] -= part["amount_cents"]
            wanted[account_of(part)] += part["amount_cents"]
        if month["state"] == "issued":
            assert told[month["account_id"], month["month"]] == month["posted_cents"]
    assert max((c for a, c in wanted.items() if a.startswith("revenue:")), default=0) <= 0
    # What else is posted, such as payments, is beside the months.
    beside = balances(p for p in postings if p.group.partition(":")[0] not in ("month", "shares"))
    for (account, _), of in beside.items():
        wanted[account] += of.net_cents
    assert {a: cents for a, cents in net.items() if cents} == {
        a: cents for a, cents in wanted.items() if cents
    }
    return {"months": months, "issued": issued, "net": net, "postings": postings}


def account_of(part: Mapping[str, Any]) -> str:
    """Account of whoever pays a part of a month."""
    if part["payer"] == ANOTHER_RIDER:
        return f"rider:{part['party']}"
    return f"payer:{part['payer']}.{part['party']}" if part["party"] else f"subsidy:{part['payer']}"


def test_a_month_is_closed_once_and_only_when_it_is_over(books: Engine) -> None:
    accounts = new_accounts(books, 5, ISSUED)
    for nth, account in enumerate(accounts):
        ride(books, TARIFF, [(account, bus(2 + n, 8)) for n in range(nth)], ISSUED)
    with pytest.raises(MonthNotOver):
        close_month(books, TARIFF, MARCH, now=dt.datetime(2027, 4, 1, 1, tzinfo=dt.UTC))
    done = close_month(books, TARIFF, MARCH, now=ISSUED, is_final=False)
    assert (done.months, done.amount_cents) == (4, 200 + 400 + 600 + 800)
    assert state(books)["issued"] == []
    assert close_month(books, TARIFF, MARCH, now=ISSUED, is_final=False).months == 0
    ride(books, TARIFF, [(accounts[1], bus(20, 8))], ISSUED)
    assert close_month(books, TARIFF, MARCH, now=ISSUED).months == 4
    assert close_month(books, TARIFF, MARCH, now=ISSUED).months == 0
    assert correct_months(books, TARIFF, now=ISSUED) == 0
    after = state(books)
    assert sorted(own["amount_cents"] for own in after["issued"]) == [400, 400, 600, 800]
    with books.connect() as connection:
        (own,) = list_statements(connection, accounts[2], MARCH)
    assert [(line["rule"], line["amount_cents"]) for line in own.lines] == [("bus", 200)] * 2
    assert "2027-03-02T" not in str(own.lines)  # no time of day


def test_what_becomes_known_later_is_charged_for_ten_days_and_lost_after(books: Engine) -> None:
    (account,) = new_accounts(books, 1, ISSUED)
    early = [(account, bus(2, hour)) for hour in (6, 8)]
    ride(books, TARIFF, early, ISSUED)
    close_month(books, TARIFF, MARCH, now=ISSUED)
    ride(books, TARIFF, [(account, bus(2, 10))], ISSUED)
    soon = ISSUED + CHARGED_FOR
    assert correct_months(books, TARIFF, now=soon) == 1
    assert correct_months(books, TARIFF, now=soon) == 0
    late = soon + dt.timedelta(seconds=1)
    ride(books, TARIFF, [(account, bus(9, 10))], late)
    assert correct_months(books, TARIFF, now=late) == 1
    after = state(books)
    # Three buses reach the cap of the day: 100 more. The fourth is on another day.
    assert [(own["kind"], own["amount_cents"]) for own in after["issued"]] == [
        ("statement", 400), ("supplement", 100)
    ]  # fmt: skip
    assert after["net"] == {
        f"rider:{account}": 500, "revenue:network": -700, "loss:late_usage": 200
    }  # fmt: skip
    # Less is given back at once, from what was lost first.
    with books.begin() as connection:
        connection.execute(sa.text("delete from fare_leg"))
    ride(books, TARIFF, early[:1], late)
    assert correct_months(books, TARIFF, now=late) == 1
    after = state(books)
    assert (after["issued"][-1]["kind"], after["issued"][-1]["amount_cents"]) == (
        "credit_note", -300
    )  # fmt: skip
    assert after["net"][f"rider:{account}"] == 200
    assert after["net"]["loss:late_usage"] == 0


def test_what_nobody_knew_of_when_its_month_was_closed_is_charged_or_lost_likewise(
    books: Engine,
) -> None:
    soon, late = new_accounts(books, 2, ISSUED)
    close_month(books, TARIFF, MARCH, now=ISSUED)
    ride(books, TARIFF, [(soon, bus(2, 6))], ISSUED)
    assert correct_months(books, TARIFF, now=ISSUED + CHARGED_FOR) == 1
    ride(books, TARIFF, [(late, bus(2, 6))], ISSUED)
    over = ISSUED + CHARGED_FOR + dt.timedelta(seconds=1)
    assert correct_months(books, TARIFF, now=over) == 1
    assert correct_months(books, TARIFF, now=over) == 0
    after = state(books)
    assert [(own["kind"], own["amount_cents"]) for own in after["issued"]] == [("supplement", 200)]
    assert after["net"] == {f"rider:{soon}": 200, "revenue:network": -400, "loss:late_usage": 200}


def used(drawn: random.Random, *, days: int, more: int, month: dt.date = MARCH) -> list[FareLeg]:
    """Legs with two operators, of nobody in particular, and by bike."""
    return [
        replace(
            bus(drawn.randrange(1, 1 + days), 5 + nth % 16, month),
            mode=drawn.choice(("bus", "bus", "rail", "bike")),
            operator=drawn.choice(("AM_TCL", "porto:STCP", "")),
            metres=drawn.randrange(1, 9_000),
        )
        for nth in range(more)
    ]


def earned_by(legs: dict[uuid.UUID, list[FareLeg]]) -> dict[str, int]:
    """What the ledger should say of operators: their shares of bills, rated by the reference."""
    found: dict[str, int] = defaultdict(int)
    for own in legs.values():
        rated = rate_month(SHARED.versions, own, MARCH)
        for name, cents in share_revenue(SHARED, rated).items():
            found[f"revenue:{account_name(name)}"] -= cents
    return {account: cents for account, cents in found.items() if cents}


def revenue_of(found: dict[str, Any]) -> dict[str, int]:
    return {a: cents for a, cents in found["net"].items() if a.startswith("revenue:") and cents}


def test_no_other_tariff_prices_what_was_posted(books: Engine) -> None:
    (account,) = new_accounts(books, 1, ISSUED)
    ride(books, TARIFF, [(account, bus(2, 6))], ISSUED)
    from_april = Tariffs((replace(ONE, valid_from=APRIL, content_hash="april"),))
    dearer = Tariffs((replace(ONE, products=(), content_hash="dearer"),))
    with pytest.raises(OtherTariff):
        close_month(books, from_april, MARCH, now=ISSUED)
    close_month(books, TARIFF, MARCH, now=ISSUED, is_final=False)
    with pytest.raises(OtherTariff):
        close_month(books, dearer, MARCH, now=ISSUED)
    close_month(books, TARIFF, MARCH, now=ISSUED)
    ride(books, from_april, [(account, bus(2, 7, APRIL))], ISSUED)
    ride(books, dearer, [(account, bus(3, 7))], ISSUED)
    with books.begin() as connection:
        renew_months(connection, dearer, [account], [MARCH])
    assert correct_months(books, TARIFF, now=ISSUED) == 0
    assert state(books)["net"][f"rider:{account}"] == 200


def test_a_month_is_not_closed_once_its_rides_are_forgotten(books: Engine) -> None:
    (account,) = new_accounts(books, 1, ISSUED)
    ride(books, TARIFF, [(account, bus(2, 6))], ISSUED)
    with pytest.raises(MonthForgotten):
        close_month(books, TARIFF, MARCH, now=ISSUED + dt.timedelta(days=60))
    assert state(books)["months"][0]["amount_cents"] == 200


def test_a_closed_period_takes_corrections_in_the_present_one(books: Engine) -> None:
    (account,) = new_accounts(books, 1, ISSUED)
    ride(books, TARIFF, [(account, bus(2, 6))], ISSUED)
    close_month(books, TARIFF, MARCH, now=ISSUED)
    with books.begin() as connection:
        close_period(connection, "2027-03", ISSUED)
    ride(books, TARIFF, [(account, bus(3, 6))], ISSUED)
    assert correct_months(books, TARIFF, now=ISSUED) == 1
    with books.connect() as connection:
        found = connection.execute(sa.text("select period, ref from posting order by seq")).all()
    assert found == [("2027-03", "2027-03"), ("2027-04", "2027-03")]
    entry = [Entry("usage_accrued", 1, {"rider": "r", "operator": "o"})]
    with pytest.raises(Closed), books.begin() as connection:
        add_postings(connection, [post("x", "2027-03", "EUR", entry)], ISSUED.date())


@pytest.mark.parametrize("seed", range(6))
def test_late_then_close_is_on_time_then_close(books: Engine, seed: int) -> None:
    drawn = random.Random(seed)
    on_time, late = new_accounts(books, 2, ISSUED)
    every = [
        bus(day, hour, month)
        for month, days in ((MARCH, (27, 28, 29, 30, 31)), (APRIL, (1, 2, 3, 4)))
        for day in days
        for hour in (6, 9, 12)
        if drawn.random() < 0.6
    ]
    ride(books, TARIFF, [(on_time, leg) for leg in every], ISSUED)
    again = [FareLeg("bus", leg.board_at, 0, id=str(uuid.uuid4())) for leg in every]
    drawn.shuffle(again)
    cut = sorted(drawn.randrange(len(again) + 1) for _ in range(2))
    end = dt.datetime(2027, 5, 2, tzinfo=dt.UTC)
    for part, month in ((again[: cut[0]], MARCH), (again[cut[0] : cut[1]], APRIL)):
        if part:
            ride(books, TARIFF, [(late, leg) for leg in part], ISSUED)
        close_month(books, TARIFF, month, now=end)
        correct_months(books, TARIFF, now=end)
    if again[cut[1] :]:
        ride(books, TARIFF, [(late, leg) for leg in again[cut[1] :]], end)
    # A month of which nothing was known when it was closed is closed once something is.
    for month in (MARCH, APRIL):
        close_month(books, TARIFF, month, now=end)
    correct_months(books, TARIFF, now=end)
    assert correct_months(books, TARIFF, now=end) == 0
    net = state(books)["net"]
    assert net.get(f"rider:{late}", 0) == net.get(f"rider:{on_time}", 0)
    assert net.get(f"rider:{on_time}", 0) == rate([ONE], every).amount_cents


def test_workers_close_each_month_once(books: Engine) -> None:
    accounts = new_accounts(books, 450, ISSUED)
    ride(books, TARIFF, [(own, bus(2 + n % 20, 8)) for n, own in enumerate(accounts)], ISSUED)
    seen: list[int] = []
    done = close_month(books, TARIFF, MARCH, now=ISSUED, workers=2, on_progress=seen.append)
    assert (done.months, done.amount_cents) == (450, 450 * 200)
    assert sorted(seen) == seen
    assert seen[-1] == 450
    after = state(books)
    assert {own["account_id"] for own in after["issued"]} == set(accounts)
    assert close_month(books, TARIFF, MARCH, now=ISSUED, workers=2).months == 0


PAID_FOR = Tariffs((replace(
    SHARED.versions[0],
    payers=(
        Payer("region", frozenset({"bike"}), share_permille=400, budget_cents=9_000,
              is_for_everybody=True),
        Payer("city", frozenset({"bus", "rail"}), share_permille=500, max_month_cents=700,
              is_for_everybody=True),
    ),
    content_hash="paid_for",
),))  # fmt: skip


def close_until_killed(url: str, done: ctypes.c_int) -> None:
    def tell(count: int) -> None:
        done.value = count

    engine = open_engine(url)
    close_month(engine, PAID_FOR, MARCH, now=ISSUED, on_progress=tell)
    engine.dispose()


def test_a_close_that_is_killed_fifty_times_posts_and_issues_what_an_undisturbed_one_does(
    home: Path, books: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closing, "AT_ONCE", 3)
    kills, riders = 50, 400
    drawn = random.Random(kills)
    accounts = new_accounts(books, riders, ISSUED)
    legs = {own: used(drawn, days=20, more=drawn.randrange(1, 6)) for own in accounts}
    every = [(account, leg) for account, own in legs.items() for leg in own]
    ride(books, PAID_FOR, every, ISSUED)
    url = books.url.render_as_string(hide_password=False)
    fork = multiprocessing.get_context("fork")
    counts = set()
    for _ in range(kills):
        done, wanted = fork.Value(ctypes.c_int, 0, lock=False), 3 * drawn.randrange(4)
        child = fork.Process(target=close_until_killed, args=(url, done))
        child.start()
        while done.value < wanted and child.is_alive():
            time.sleep(0.001)
        time.sleep(drawn.uniform(0, 0.06))
        child.kill()
        child.join()
        found = state(books)
        counts.add(len(found["issued"]))
        assert {own["account_id"] for own in found["issued"]} <= set(accounts)
    assert len(counts) > 5  # it was killed at work
    close_month(books, PAID_FOR, MARCH, now=ISSUED)
    found = state(books)
    assert sorted(own["account_id"] for own in found["issued"]) == sorted(accounts)
    assert revenue_of(found) == earned_by(legs)
    assert found["net"]["subsidy:region"] == 9_000  # all of the budget, and no cent more
    with empty_books(home) as twin:
        new_accounts(twin, riders, ISSUED, accounts)
        ride(twin, PAID_FOR, every, ISSUED)
        close_month(twin, PAID_FOR, MARCH, now=ISSUED)
        undisturbed = state(twin)
    # Who is closed with whom, and in which order, is the same: so is all that is posted, to the
    # ids of postings, and all that is issued, to the numbers of statements.
    assert found == undisturbed
