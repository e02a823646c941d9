"""What the demo's rider has used shows what a bill can do, on whatever day somebody looks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from mobility.actions import seed_demo_usage as seeding
from mobility.actions.rate_riders import read_fares
from mobility.db.engine import Engine
from mobility.db.usage import find_account
from mobility.snapshots import current_snapshot
from mobility.world import World, open_snapshot
from payments.many import rate_own_month
from payments.month import MonthBill, month_before
from payments.payers import share_out
from tests.support.books import empty_books, new_person

ZONE = ZoneInfo("Europe/Paris")
DAYS = [dt.date(2027, 3, 1), dt.date(2027, 3, 2), dt.date(2027, 3, 4), dt.date(2026, 12, 31),
        dt.date(2027, 1, 1), dt.date(2026, 11, 15)]  # fmt: skip


@pytest.fixture
def books(home: Path) -> Iterator[Engine]:
    with empty_books(home) as engine:
        yield engine


@pytest.mark.parametrize("day", DAYS)
def test_last_month_shows_four_modes_a_day_a_week_an_employer_and_a_late_tap(
    books: Engine, demo_home: Path, monkeypatch: pytest.MonkeyPatch, day: dt.date
) -> None:
    world = World(open_snapshot(current_snapshot(demo_home / "snapshots")))
    now = dt.datetime.combine(day, dt.time(9), ZONE)
    person_id, _ = new_person(books, now)
    tariffs, month = world.tariffs, month_before(day.replace(day=1))
    assert tariffs is not None

    def rated() -> MonthBill:
        with books.connect() as connection:
            account = find_account(connection, person_id)
            assert account is not None
            fares = read_fares(connection, tariffs, [account], month, month)[account]
        left = fares.left_before(month)
        bill = rate_own_month(tariffs.versions, fares.legs, month, fares.rights.proofs, left)
        parts = share_out(tariffs, bill, fares.rights.paid_for, fares.spent(month))
        assert sum(part.amount_cents for part in parts if part.payer == "employer") > 0
        return bill

    before: list[int] = []
    taken = seeding.take_usage

    def take_usage(*given: object) -> object:
        done = taken(*given)  # type: ignore[arg-type]
        before.append(rated().amount_cents)
        return done

    monkeypatch.setattr(seeding, "take_usage", take_usage)
    seeding.seed_usage(books, world, person_id, now)
    bill = rated()
    assert {leg.mode for leg in bill.legs} == {"bus", "rail", "carpool", "bike"}
    rules = [charge.rule for charge in bill.charges]
    assert "week" in rules
    assert "day" in rules
    # The tap out came late: until then the whole line was billed.
    assert before[1] == bill.amount_cents < before[0]
