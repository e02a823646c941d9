"""What a journey adds to a bill, the plain way: the bill with it less the bill without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from payments.bill import Proof
from payments.month import month_of
from payments.tariff import FareLeg, Tariff
from tests.support.rated_months import rated_months


def added_cents(
    tariff: Tariff, legs: Sequence[FareLeg], planned: Sequence[FareLeg], proofs: Sequence[Proof]
) -> int:
    """Cents that the months of a journey cost more with it."""
    new = [replace(leg, id=f"planned:{row}") for row, leg in enumerate(planned)]
    months = {month_of(tariff, leg) for leg in planned}
    before, after = (rated_months([tariff], own, proofs, months) for own in (legs, [*legs, *new]))
    return sum(after[month].amount_cents - before[month].amount_cents for month in months)
