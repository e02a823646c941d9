"""
A rider's months: what each adds to the months before, and what one journey more would add.

A week may cover days of two months, so a month by itself has no least price. It is billed what it
adds: the least price of its legs and those of the month before, less that of the month before. No
month is then dearer than its legs alone, and two months are never dearer than what both cost
together.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from payments.bill import Bill, Charge, Proof
from payments.rating import rate
from payments.tariff import FareLeg, Period, Tariff

PLANNED = "planned:"
"""Ids of legs that are only thought of."""


@dataclass(frozen=True, slots=True)
class MonthBill:
    """What a rider owes for a calendar month of fare days."""

    month: dt.date
    """Its first day."""
    bill: Bill
    """Of the month, and of the one before where products reach over its end."""
    first_row: int
    """First leg of the bill that is of the month."""
    amount_cents: int
    charges: tuple[Charge, ...]
    """Those for legs of the month."""

    @property
    def billed_before_cents(self) -> int:
        """Part of the charges that the month before has paid for already."""
        return sum(charge.amount_cents for charge in self.charges) - self.amount_cents

    @property
    def legs(self) -> tuple[FareLeg, ...]:
        """Legs of the month."""
        return self.bill.legs[self.first_row :]


@dataclass(frozen=True, slots=True)
class Addition:
    """What a journey would add to the bill of a rider."""

    amount_cents: int | None
    """None: some leg has no price."""
    month: dt.date
    so_far_cents: int
    """What its month costs without it."""
    charges: tuple[Charge, ...]
    """Those that would then be for its legs, whose rows they name, at their whole amounts."""
    reached: frozenset[str]
    """Products that the bill has without it."""


def month_of(tariff: Tariff, leg: FareLeg) -> dt.date:
    """First day of the calendar month in which a leg's fare day is."""
    return tariff.clock(leg)[1].replace(day=1)


def month_before(month: dt.date) -> dt.date:
    """First day of the month before."""
    return (month - dt.timedelta(days=1)).replace(day=1)


def rate_month(
    tariffs: Sequence[Tariff],
    legs: Sequence[FareLeg],
    month: dt.date,
    proofs: Sequence[Proof] = (),
) -> MonthBill:
    """
    Rate one month of a rider.

    Parameters
    ----------
    legs
        At least those of the month and of the one before; of others it takes no notice.
    month
        Its first day.
    """
    by_month = [(month_of(tariffs[0], leg), leg) for leg in legs]
    own = [leg for of, leg in by_month if of == month]
    before = [leg for of, leg in by_month if of == month_before(month)]
    if not any(p.period is Period.ROLLING_7D for tariff in tariffs for p in tariff.products):
        before = []
    bill = rate(tariffs, [*before, *own], proofs)
    amount_cents = bill.amount_cents
    if before:
        amount_cents -= rate(tariffs, before, proofs).amount_cents
    first = len(before)
    charges = tuple(c for c in bill.charges if any(row >= first for row in c.legs))
    return MonthBill(month, bill, first, amount_cents, charges)


def price_addition(
    tariffs: Sequence[Tariff],
    legs: Sequence[FareLeg],
    planned: Sequence[FareLeg],
    proofs: Sequence[Proof] = (),
) -> Addition:
    """
    Find what a journey would add to what a rider owes for `legs`, those of its months among them.

    Parameters
    ----------
    planned
        Legs of the journey, in order of boarding; not none.
    """
    rows = {f"{PLANNED}{row}": row for row in range(len(planned))}
    new = [replace(leg, id=id_) for leg, id_ in zip(planned, rows, strict=True)]
    months = sorted({month_of(tariffs[0], leg) for leg in new})
    before = [rate_month(tariffs, legs, month, proofs) for month in months]
    after = [rate_month(tariffs, [*legs, *new], month, proofs) for month in months]
    charges: list[Charge] = []
    for month in after:
        names = [rows.get(leg.id) for leg in month.bill.legs]
        for charge in month.charges:
            own = tuple(row for leg in charge.legs if (row := names[leg]) is not None)
            if own:
                charges.append(replace(charge, legs=own))
    unpriced = any(
        month.bill.legs[row].id in rows for month in after for row, _ in month.bill.unpriced
    )
    amount_cents = sum(m.amount_cents for m in after) - sum(m.amount_cents for m in before)
    return Addition(
        None if unpriced else amount_cents,
        months[0],
        before[0].amount_cents,
        tuple(charges),
        frozenset(c.rule for month in before for c in month.bill.charges if c.kind == "product"),
    )
