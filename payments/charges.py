"""Bills of many riders by kernels: those of `payments.rating`, to the line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from payments.alone import terms_of
from payments.alone_kernels import SLOTS
from payments.bill import Bill, Charge
from payments.day_kernels import ALONE, DAY, PRICE, RULE
from payments.grouping import Grouping
from payments.leg_columns import Proofs
from payments.tariff import FareLeg, Period
from payments.ways import EPOCH_DAY, Begun, Ways

Int64 = npt.NDArray[np.int64]
NEEDED = [PRICE, DAY, RULE]


def bills_of(
    ways: Ways,
    spans: Int64,
    priced: Int64,
    riders: Sequence[tuple[Sequence[FareLeg], Proofs]],
    begun: Begun | None = None,
) -> list[Bill]:
    """
    Find the cheapest bill of each span of priced legs.

    Parameters
    ----------
    spans
        Shape (n, 2): first of a rider's priced legs, and the end of them.
    riders
        The legs of each span in order, and what its rider has proved.
    begun
        Weeks of each that began before.
    """
    if not ways.may_list_charges:
        choices = [()] * len(riders) if begun is None else begun.choices
        return [
            Grouping([ways.tariff], legs, proofs, own).bill()
            for (legs, proofs), own in zip(riders, choices, strict=True)
        ]
    owner, charges = ways.charge(spans, priced, begun)
    prices, days, rules = priced[NEEDED].tolist()
    owners, (by, cents, since) = owner.tolist(), charges.T.tolist()
    tariff, passes = ways.tariff, ways.passes
    rule_ids, content_hash = [rule.id for rule in tariff.leg_prices], tariff.content_hash
    bills = []
    for (first, end), (legs, proofs) in zip(spans.tolist(), riders, strict=True):
        rows_of: dict[int, list[int]] = {}
        unpriced = []
        for row, own in enumerate(owners[first:end]):
            if own >= 0:
                rows_of.setdefault(own, []).append(row)
            elif tariff.is_valid_on(_date(days[first + row])):
                unpriced.append((row, f"no_fare_for_{legs[row].mode}"))
            else:
                unpriced.append((row, "no_tariff_on_day"))
        made = []
        for own, rows in rows_of.items():
            kind, rule, category, day = "leg", "", None, None
            if 0 <= by[own] < len(passes):
                product, category = passes[by[own]]
                kind, rule, day = "product", product.id, _date(since[own])
                if product.period is Period.CALENDAR_MONTH:
                    day = day.replace(day=1)
            else:
                dearest = own
                if by[own] != ALONE:
                    kind = "fare_journey"
                    journey = tariff.fare_journeys[by[own] - len(passes)]
                    dearest = max((first + row for row in rows), key=prices.__getitem__)
                if kind == "leg" or journey.price_cents is None:
                    nth, slot = divmod(rules[dearest], SLOTS)
                    rule, category = rule_ids[nth], ways.slots[slot]
                else:
                    rule, category = journey.id, _cheapest(ways, proofs, _date(days[own]))
            made.append(Charge(rule, kind, tuple(rows), cents[own], content_hash, day, category))
        bills.append(Bill(tuple(legs), tuple(made), tuple(unpriced)))
    return bills


def _cheapest(ways: Ways, proofs: Proofs, day: dt.date) -> str | None:
    """The category by which a rider pays least for a fare journey of its own price."""
    shares = terms_of(ways.tariff, proofs, day).shares
    return min(shares, key=lambda category: shares[category])


def _date(day: int) -> dt.date:
    return dt.date.fromordinal(day + EPOCH_DAY)
