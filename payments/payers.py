"""
Who pays a month: payers of the tariff their parts, in its order, and the rider the rest.

What legs cost is not changed by who pays for them: the bill is the cheapest one first.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from core.money import round_half_up
from payments.bill import Charge
from payments.month import MonthBill
from payments.rights import ANOTHER_RIDER, PaidFor
from payments.tariff import LIST_PRICE, Payer
from payments.versions import Tariffs

MILLICENT_METRES = 1_000 * 1_000
"""A cent, where metres are multiplied by thousandths of a cent a kilometre."""
NOBODY = ""
"""Party of a payer who pays for everybody."""


@dataclass(frozen=True, slots=True)
class Part:
    """What a payer pays of a charge."""

    charge: int
    """Row of the charge in its month."""
    payer: str
    party: str
    amount_cents: int


PartKey = tuple[str, str]
"""Payer and party."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What ceilings and budgets have left."""

    in_year: dict[PartKey, int] = field(default_factory=dict)
    """Paid already for the rider in other months of the year."""
    from_budget: dict[str, int] = field(default_factory=dict)
    """Paid already for anybody else in the year, by payer."""


def share_out(
    tariffs: Tariffs, month: MonthBill, paid_for: Sequence[PaidFor] = (), spent: Spent | None = None
) -> tuple[Part, ...]:
    """
    Find the parts of a month's charges that others pay; all together never more than the month.

    Payers are those of the version that holds when the month begins, or of the first after it. A
    payer pays for charges that begin on a day on which it pays for the rider. Another rider, if one
    pays for him, pays whatever they leave.
    """
    spent = spent or Spent()
    payers = tariffs.of_payers(month.month).payers
    if not payers and not paid_for:
        return ()
    left = [charge.amount_cents for charge in month.charges]
    parts = []
    for payer in payers:
        rights = [right for right in paid_for if right.payer == payer.id]
        if payer.is_for_everybody:
            rights = [PaidFor(payer.id, NOBODY, dt.date.min, dt.date.max)]
        budget = _at_most(payer.budget_cents, spent.from_budget.get(payer.id, 0))
        for party in dict.fromkeys(right.party for right in rights):
            own = [right for right in rights if right.party == party]
            room = _at_most(payer.max_year_cents, spent.in_year.get((payer.id, party), 0))
            room = min(room, _at_most(payer.max_month_cents, 0), budget)
            for row, charge in _charges_for(tariffs, payer, month, own):
                cents = min(_part_cents(payer, month, charge), left[row], room)
                if cents > 0:
                    parts.append(Part(row, payer.id, party, cents))
                    left[row] -= cents
                    room -= cents
                    budget -= cents
    for right in paid_for:
        for row, charge in enumerate(month.charges if right.payer == ANOTHER_RIDER else ()):
            if left[row] and _holds(tariffs, month, charge, [right]):
                parts.append(Part(row, ANOTHER_RIDER, right.party, left[row]))
                left[row] = 0
    return tuple(parts)


def add_up(parts: Sequence[Part]) -> dict[PartKey, int]:
    """What each payer and party pays."""
    found: dict[PartKey, int] = defaultdict(int)
    for part in parts:
        found[part.payer, part.party] += part.amount_cents
    return dict(found)


def charged_parts(
    parts: Mapping[PartKey, int], amount_cents: int, charged_cents: int
) -> dict[PartKey, int]:
    """Parts of what is charged of an amount: of what is lost nobody pays anything."""
    if charged_cents == amount_cents:
        return dict(parts)
    whole = max(amount_cents, 1)
    cut = {key: cents * charged_cents // whole for key, cents in parts.items()}
    return {key: cents for key, cents in cut.items() if cents}


def _charges_for(
    tariffs: Tariffs, payer: Payer, month: MonthBill, rights: Sequence[PaidFor]
) -> Iterator[tuple[int, Charge]]:
    """Charges that a payer has to do with, after their rows."""
    subscriptions = {
        (own.content_hash, product.id)
        for own in tariffs.versions
        for product in own.products
        if product.is_subscription
    }
    for row, charge in enumerate(month.charges):
        is_subscription = (
            charge.kind == "product" and (charge.tariff_hash, charge.rule) in subscriptions
        )
        if payer.only_subscriptions and not is_subscription:
            continue
        if not all(month.legs[leg].mode in payer.modes for leg in charge.legs):
            continue
        if _holds(tariffs, month, charge, rights):
            yield row, charge


def _holds(tariffs: Tariffs, month: MonthBill, charge: Charge, rights: Sequence[PaidFor]) -> bool:
    """Whether one of some rights holds on the day on which a charge begins."""
    day = charge.since or tariffs.clock(month.legs[charge.legs[0]])[1]
    return any(right.valid_from <= day <= right.valid_to for right in rights)


def _part_cents(payer: Payer, month: MonthBill, charge: Charge) -> int:
    legs = [month.legs[row] for row in charge.legs]
    if payer.per_km_millicents is None:
        cents = round_half_up(charge.amount_cents * payer.share_permille, LIST_PRICE)
    else:
        metres = sum(leg.metres for leg in legs)
        cents = round_half_up(metres * payer.per_km_millicents, MILLICENT_METRES)
    return cents if payer.max_leg_cents is None else min(cents, payer.max_leg_cents * len(legs))


def _at_most(limit: int | None, spent: int) -> int:
    """What a limit leaves; without one as much as anybody could owe."""
    return 1 << 60 if limit is None else max(limit - spent, 0)
