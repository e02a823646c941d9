"""What one journey more would add to the bill of a rider: many journeys of one rider, quickly."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from payments.alone import proved_on
from payments.bill import Charge, Proof, charges_at
from payments.carried_weeks import SIX_DAYS, Choices
from payments.least_prices import LeastPrice, least_alone, least_prices, may_fall
from payments.many import LegTable, rate_own_month, ways_of
from payments.month import MonthBill, month_after, month_before, month_of
from payments.payers import Spent, share_out
from payments.rating import price_itinerary
from payments.rights import ANOTHER_RIDER, NO_RIGHTS, HeldPass, Rights
from payments.tariff import MODES, ONE_DAY, FareLeg, Period
from payments.versions import Tariffs

PLANNED = "planned:"
"""Ids of legs that are only thought of."""
NO_CHOICES: Mapping[dt.date, Choices] = {}
LONGEST = dt.timedelta(days=2)
"""Legs of a journey are boarded within so much of the first departure that is looked at."""


@dataclass(frozen=True, slots=True)
class Addition:
    """What a journey would add to the bill of a rider."""

    amount_cents: int | None
    """What he pays himself, below 0 where others pay more by it; None: some leg has no price."""
    month: dt.date
    so_far_cents: int
    """What he pays himself of its month without it."""
    charges: tuple[Charge, ...]
    """Those that would then be for its legs, whose rows they name, at their whole amounts."""
    reached: frozenset[str]
    """Products that the bill has without it."""
    paid_cents: int = 0
    """What others pay of it."""


class OwnPrices:
    """
    Prices of journeys to a rider who has used something already.

    What is rated once for all journeys is kept; of each only the total is sought, by a kernel, and
    the charges are worked out where they are neither those of anybody nor products he has.

    Parameters
    ----------
    legs
        Used by the rider in the months of the journeys.
    spent
        Of a month: what limits the parts that others pay of it.
    choices
        What months have left, those before the months of the journeys included.
    """

    def __init__(
        self,
        tariffs: Tariffs,
        legs: Sequence[FareLeg],
        rights: Rights = NO_RIGHTS,
        spent: Callable[[dt.date], Spent] = lambda _: Spent(),
        choices: Mapping[dt.date, Choices] = NO_CHOICES,
    ) -> None:
        self._tariffs, self._legs, self._rights, self._spent = tariffs, legs, rights, spent
        self._choices = choices
        self._proofs, self._versions = rights.proofs, tariffs.versions
        self._products = {
            (own.content_hash, product.id): product
            for own in tariffs.versions
            for product in own.products
        }
        self._months: dict[dt.date, tuple[MonthBill, LegTable | None, int]] = {}
        own = {right.payer for right in rights.paid_for}
        every = (payer for version in tariffs.versions for payer in version.payers)
        payers = [payer for payer in every if payer.is_for_everybody or payer.id in own]
        self._paid_modes = frozenset().union(*(payer.modes for payer in payers))
        if ANOTHER_RIDER in own:
            self._paid_modes = frozenset(MODES)

    def price(self, planned: Sequence[FareLeg]) -> Addition:
        """What a journey adds; its legs in order of boarding, and not none."""
        named = [replace(leg, id=f"{PLANNED}{row}") for row, leg in enumerate(planned)]
        planned = self._rights.paid_legs(self._tariffs, named)
        months = sorted({month_of(self._versions[0], leg) for leg in planned})
        rated = [self._month(month) for month in months]
        before, table, paid_before = rated[0]
        reached = frozenset(
            c.rule for month, *_ in rated for c in month.bill.charges if c.kind == "product"
        )
        listed = price_itinerary(self._versions, planned)
        so_far_cents = before.amount_cents - paid_before
        if listed.amount_cents is None:
            return Addition(None, months[0], so_far_cents, listed.charges, reached)
        modes = {leg.mode for leg in (*before.legs, *planned)}
        if table is None or len(months) > 1 or not self._paid_modes.isdisjoint(modes):
            cents, charges, paid_cents = self._rate_months(months, planned)
            own_cents = cents - paid_cents
            return Addition(own_cents, months[0], so_far_cents, charges, reached, paid_cents)
        cents = table.total_with(planned) - table.total
        known = self._known_charges(before, planned, cents)
        if known is None:
            _, known = self._rate(before.month, planned, self._left_before(before.month))
        return Addition(cents, months[0], so_far_cents, known, reached)

    def least_additions(self, at: dt.datetime) -> list[LeastPrice]:
        """
        What journeys that leave at a time or later add at least, whoever pays it then.

        Journeys that leave before the last leg used are of the past, and not spoken of. What is
        not known to cost something counts nothing: modes in none of the prices, and rides that
        lower the bill, by a tariff that the linter refuses.
        """
        at = max((at, *(leg.board_at for leg in self._legs)))
        first, until = (self._tariffs.fare_day(time) for time in (at, at + LONGEST))
        months = sorted({first.replace(day=1), until.replace(day=1)})
        versions = {own for month in months for own in self._tariffs.of_month(month).versions}
        if len(versions) > 1:
            return []
        (tariff,) = versions

        def holds(own: Proof | HeldPass) -> bool:
            return own.valid_from <= until and first <= own.valid_to

        categories = {proof.category for proof in filter(holds, self._proofs)}
        held = {own.product for own in filter(holds, self._rights.passes)}
        paid = frozenset().union(*(p.modes for p in tariff.products if p.id in held))
        used = {leg.mode for leg in self._legs}
        alone, found = least_alone(tariff, categories), []
        for least in least_prices(tariff, categories):
            cents_of = dict.fromkeys(least.modes, least.cents)
            if least.is_once and not used.isdisjoint(least.modes):
                if may_fall(tariff, least.modes):
                    continue
                of_group = {mode: alone[mode] for mode in least.modes & alone.keys()}
                cents_of = self._added_at_least(months, at, of_group, categories)
            modes = frozenset(mode for mode, cents in cents_of.items() if cents > 0) - paid
            if modes:
                cents = min(cents_of[mode] for mode in modes)
                found.append(LeastPrice(modes, cents, least.is_once))
        return found

    def _added_at_least(
        self, months: Sequence[dt.date], at: dt.datetime, alone: Mapping[str, int],
        categories: Collection[str],
    ) -> dict[str, int]:  # fmt: skip
        """What one leg of a mode more adds at least, in whichever of some months it is boarded."""
        found: list[dict[str, int]] = []
        for month in months:
            _, table, _ = self._month(month)
            board_at = max(at, self._tariffs.month_start(month))
            added = None if table is None else table.least_additions(board_at, alone, categories)
            if added is None:
                return {}
            found.append(added)
        return {mode: min(added[mode] for added in found) for mode in alone}

    def _left_before(self, month: dt.date) -> Choices:
        return self._choices.get(month_before(month), ())

    def _month(self, month: dt.date) -> tuple[MonthBill, LegTable | None, int]:
        """A month without the journey, its legs for the kernel if it can, and what others pay."""
        if month not in self._months:
            versions = self._tariffs.of_month(month).versions
            choices = self._left_before(month)
            bill = rate_own_month(versions, self._legs, month, self._proofs, choices)
            table = None
            if len(versions) == 1:
                ways = ways_of(versions[0], self._proofs)
                table = LegTable(ways, bill.legs, self._proofs, month, choices)
            self._months[month] = bill, table, self._paid(bill)
        return self._months[month]

    def _paid(self, month: MonthBill) -> int:
        """What others pay of a month."""
        if not self._paid_modes:
            return 0
        paid_for = self._rights.paid_for
        parts = share_out(self._tariffs, month, paid_for, self._spent(month.month))
        return sum(part.amount_cents for part in parts)

    def _known_charges(
        self, before: MonthBill, planned: Sequence[FareLeg], cents: int
    ) -> tuple[Charge, ...] | None:
        """Products that he has, and list prices of the rest; None where that is not the price."""
        by: dict[Charge, list[int]] = {}
        rest = []
        for row, leg in enumerate(planned):
            own = next((c for c in before.bill.charges if self._covers(c, leg)), None)
            if own is None:
                rest.append(row)
            else:
                by.setdefault(own, []).append(row)
        others = price_itinerary(self._versions, [planned[row] for row in rest])
        if others.amount_cents != cents:
            return None
        covered = (replace(charge, legs=tuple(rows)) for charge, rows in by.items())
        return (*covered, *charges_at(others.charges, rest))

    def _covers(self, charge: Charge, leg: FareLeg) -> bool:
        """Whether a product that is on the bill makes a leg free."""
        if charge.kind != "product" or charge.since is None:
            return False
        product = self._products[charge.tariff_hash, charge.rule]
        _, day = self._tariffs.clock(leg)
        last = charge.since
        if product.period is Period.ROLLING_7D:
            last += SIX_DAYS
        elif product.period is Period.CALENDAR_MONTH:
            last = month_after(last) - ONE_DAY
        return (
            charge.since <= day <= last
            and product.covers(leg)
            and (charge.category is None or charge.category in proved_on(self._proofs, day))
        )

    def _rate(
        self, month: dt.date, planned: Sequence[FareLeg], choices: Choices
    ) -> tuple[MonthBill, tuple[Charge, ...]]:
        """A month with the journey, and those of its charges that are for the journey."""
        rows = {leg.id: row for row, leg in enumerate(planned)}
        versions = self._tariffs.of_month(month).versions
        after = rate_own_month(versions, [*self._legs, *planned], month, self._proofs, choices)
        names = [rows.get(leg.id) for leg in after.legs]
        found = []
        for charge in after.charges:
            own = tuple(row for leg in charge.legs if (row := names[leg]) is not None)
            if own:
                found.append(replace(charge, legs=own))
        return after, tuple(found)

    def _rate_months(
        self, months: Sequence[dt.date], planned: Sequence[FareLeg]
    ) -> tuple[int, tuple[Charge, ...], int]:
        """What a journey adds that goes on in the next month, or of which others pay a part."""
        cents = paid_cents = 0
        charges: list[Charge] = []
        choices = self._left_before(months[0])
        for month in months:
            after, own = self._rate(month, planned, choices)
            choices = after.choices
            before, _, paid_before = self._month(month)
            cents += after.amount_cents - before.amount_cents
            paid_cents += self._paid(after) - paid_before
            charges += own
        return cents, tuple(charges), paid_cents
