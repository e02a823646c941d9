"""
A rider's months: what each adds to all months before.

A week may cover days of two months, so a month by itself has no least price. It is billed what it
adds: the least price of all legs so far, less that of all legs before it. What that depends on of
the months before are their choices (`payments.carried_weeks`). So no month is dearer than its legs
alone, and all months together are what the best plan for all of their legs costs.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from payments.bill import Bill, Charge, Proof
from payments.carried_weeks import Choices, with_weeks_of_before
from payments.grouping import Grouping
from payments.rating import check_versions, in_order
from payments.tariff import FareLeg, Tariff


@dataclass(frozen=True, slots=True)
class MonthBill:
    """What a rider owes for a calendar month of fare days."""

    month: dt.date
    """Its first day."""
    bill: Bill
    """Of its legs. A week that began before costs what it adds to the months before."""
    choices: Choices
    """What it leaves to the next month."""

    @property
    def amount_cents(self) -> int:
        """All charges together."""
        return self.bill.amount_cents

    @property
    def charges(self) -> tuple[Charge, ...]:
        """Those for its legs."""
        return self.bill.charges

    @property
    def legs(self) -> tuple[FareLeg, ...]:
        """In order of boarding."""
        return self.bill.legs

    @property
    def total(self) -> MonthTotal:
        """The same without its lines."""
        counts = len(self.legs), len(self.bill.unpriced)
        return MonthTotal(self.month, self.amount_cents, *counts, self.choices)


@dataclass(frozen=True, slots=True)
class MonthTotal:
    """What a month costs, without its lines."""

    month: dt.date
    amount_cents: int
    leg_count: int
    unpriced_count: int
    """Legs that no rule prices."""
    choices: Choices
    """What it leaves to the next month."""


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
    choices: Choices = (),
) -> MonthBill:
    """
    Rate one month of a rider.

    Parameters
    ----------
    tariffs
        Versions that hold in the month, and the one of the six days before it.
    legs
        At least those of the month; of others it takes no notice.
    month
        Its first day.
    choices
        What the month before has left.
    """
    check_versions(tariffs)
    own = sorted((leg for leg in legs if month_of(tariffs[0], leg) == month), key=in_order)
    categories = {proof.category for proof in proofs}
    known = with_weeks_of_before(tariffs, categories, month, choices)
    grouping = Grouping(tariffs, own, proofs, known)
    return MonthBill(month, grouping.bill(), grouping.choices_left(month_after(month)))
