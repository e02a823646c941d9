"""All months of a rider by the explaining rater, each after the one before."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from payments.bill import Proof
from payments.carried_weeks import Choices
from payments.month import MonthBill, month_after, month_of, rate_month
from payments.own_price import OwnPrices
from payments.rights import NO_RIGHTS, Rights
from payments.tariff import FareLeg, Tariff
from payments.versions import Tariffs

NONE: Choices = ()


def rated_months(
    tariffs: Sequence[Tariff],
    legs: Sequence[FareLeg],
    proofs: Sequence[Proof] = (),
    also: Iterable[dt.date] = (),
) -> dict[dt.date, MonthBill]:
    """From the month of the first leg to that of the last, others of `also` included."""
    months = {month_of(tariffs[0], leg) for leg in legs} | set(also)
    found: dict[dt.date, MonthBill] = {}
    month, choices = min(months, default=dt.date.max), NONE
    while months and month <= max(months):
        found[month] = rate_month(tariffs, legs, month, proofs, choices)
        month, choices = month_after(month), found[month].choices
    return found


def prices_of(tariff: Tariff, used: Sequence[FareLeg], rights: Rights = NO_RIGHTS) -> OwnPrices:
    """Prices for who has used some legs, after what his months have left."""
    months = rated_months([tariff], used, rights.proofs)
    left = {month: bill.choices for month, bill in months.items()}
    return OwnPrices(Tariffs((tariff,)), used, rights, choices=left)
