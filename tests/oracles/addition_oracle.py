"""What a journey adds to a bill, the plain way: the bill with it less the bill without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from payments.bill import Proof
from payments.month import month_of, rate_month
from payments.tariff import FareLeg, Tariff


def added_cents(
    tariff: Tariff, legs: Sequence[FareLeg], planned: Sequence[FareLeg], proofs: Sequence[Proof]
) -> int:
    """Cents that the months of a journey cost more with it."""
    new = [replace(leg, id=f"planned:{row}") for row, leg in enumerate(planned)]
    months = {month_of(tariff, leg) for leg in planned}
    return sum(
        rate_month([tariff], [*legs, *new], month, proofs).amount_cents
        - rate_month([tariff], legs, month, proofs).amount_cents
        for month in months
    )
