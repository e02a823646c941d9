"""
A rider's months: what each adds to the months before.

A week may cover days of two months, so a month by itself has no least price. It is billed what it
adds: the least price of its legs and those of the month before, less that of the month before. No
month is then dearer than its legs alone, and two months are never dearer than what both cost
together.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from payments.bill import Bill, Charge, Proof
from payments.rating import rate
from payments.tariff import FareLeg, Period, Tariff


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
    def total(self) -> MonthTotal:
        """The same without its lines."""
        unpriced = sum(row >= self.first_row for row, _ in self.bill.unpriced)
        return MonthTotal(self.month, self.amount_cents, len(self.legs), unpriced)

    @property
    def legs(self) -> tuple[FareLeg, ...]:
        """Legs of the month."""
        return self.bill.legs[self.first_row :]


@dataclass(frozen=True, slots=True)
class MonthTotal:
    """What a month costs, without its lines."""

    month: dt.date
    amount_cents: int
    leg_count: int
    unpriced_count: int
    """Legs that no rule prices."""


def month_of(tariff: Tariff, leg: FareLeg) -> dt.date:
    """First day of the calendar month in which a leg's fare day is."""
    return tariff.clock(leg)[1].replace(day=1)


def month_after(month: dt.date) -> dt.date:
    """First day of the next month."""
    return (month + dt.timedelta(days=32)).replace(day=1)


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
    before_cents = rate(tariffs, before, proofs).amount_cents if before else 0
    return month_bill(month, rate(tariffs, [*before, *own], proofs), len(before), before_cents)


def month_bill(month: dt.date, bill: Bill, first_row: int, before_cents: int) -> MonthBill:
    """The month of a bill over it and the one before, which by itself costs `before_cents`."""
    charges = tuple(charge for charge in bill.charges if charge.legs[-1] >= first_row)
    return MonthBill(month, bill, first_row, bill.amount_cents - before_cents, charges)
