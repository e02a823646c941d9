"""Legs by themselves: which rule prices a leg for a rider, and which legs may be joined."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from payments.bill import Proof
from payments.tariff import LIST_PRICE, FareJourney, FareLeg, Single, Tariff, When


class Terms(NamedTuple):
    """What holds for a rider on a fare day."""

    tariff: Tariff
    shares: Mapping[str | None, int]
    """Permille of prices that he pays: without a category, and by each that he has proved."""


NO_BANDS: frozenset[str] = frozenset()


def proved_on(proofs: Sequence[Proof], fare_day: dt.date) -> set[str]:
    """Categories that a rider has on a fare day."""
    return {proof.category for proof in proofs if proof.valid_from <= fare_day <= proof.valid_to}


def terms_of(tariff: Tariff, proofs: Sequence[Proof], fare_day: dt.date) -> Terms:
    """What a version of a tariff says to a rider on a fare day."""
    shares: dict[str | None, int] = {None: LIST_PRICE}
    if proofs:
        own = proved_on(proofs, fare_day)
        shares |= {c.id: c.permille for c in tariff.categories if c.id in own}
    return Terms(tariff, shares)


def price_alone(terms: Terms, leg: FareLeg, local: dt.datetime) -> Single | str:
    """Least price of a leg over the rider's categories, or why it has none."""
    if len(terms.shares) == 1 and leg.promised_cents is None:
        flat = terms.tariff.flat_of_mode.get(leg.mode)
        if flat is not None:
            return flat
    bands = _bands_at(terms.tariff, local) if terms.tariff.time_bands else NO_BANDS
    best: Single | None = None
    for category, permille in terms.shares.items():
        for rule in terms.tariff.rules_of_mode.get(leg.mode, ()):
            holds = rule.when.bands is None or rule.when.bands & bands
            if not holds or not is_for(rule.when, leg, category):
                continue
            base_cents = rule.base_of(leg)
            if base_cents is None:
                continue
            cents = rule.price(leg, base_cents, permille)
            if leg.promised_cents is not None:
                cents = min(cents, leg.promised_cents)
            if best is None or cents < best.cents:
                best = Single(cents, rule.id, category)
            break
    return best or f"no_fare_for_{leg.mode}"


def _bands_at(tariff: Tariff, local: dt.datetime) -> frozenset[str]:
    """Time bands that hold on the clock of the territory."""
    clock_s = local.hour * 3600 + local.minute * 60 + local.second
    date = local.date()
    today, before = tariff.day_kind(date), tariff.day_kind(date - dt.timedelta(days=1))
    return frozenset(band.id for band in tariff.time_bands if band.holds(today, before, clock_s))


def is_for(when: When, leg: FareLeg, category: str | None) -> bool:
    """Whether a price is for a leg of one of its modes, whenever it is boarded."""
    return (
        (when.operators is None or leg.operator in when.operators)
        and (when.routes is None or leg.route in when.routes)
        and (when.from_zones is None or (bool(leg.zones) and leg.zones[0] in when.from_zones))
        and (when.to_zones is None or (bool(leg.zones) and leg.zones[-1] in when.to_zones))
        and (when.categories is None or category in when.categories)
    )


def are_joined(journey: FareJourney, legs: Sequence[FareLeg]) -> bool:
    """Whether legs that lie in its window are one fare journey."""
    if journey.most_legs is not None and len(legs) > journey.most_legs:
        return False
    if journey.other_routes and len({leg.route for leg in legs}) < len(legs):
        return False
    if journey.pattern is not None:
        return len(legs) == len(journey.pattern) and all(
            leg.mode in modes for leg, modes in zip(legs, journey.pattern, strict=True)
        )
    return journey.modes.issuperset([leg.mode for leg in legs])
