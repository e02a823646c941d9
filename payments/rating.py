"""
Prices: the cheapest lawful grouping of legs, each charge naming its rule.

Pure functions in whole cents; one rounding per priced leg. Legs joined into a fare journey cost
as much as the dearest of them; a day cap covers any legs of its modes boarded on one fare day for
its amount. Of all ways to cover and to join, the cheapest is taken: a minimum over lawful
groupings, so that one leg more never lowers the price.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from core.money import round_half_up
from payments.tariff import LegPrice, Tariff

MILLICENTS_PER_CENT_AND_KM = 1_000_000
"""Millicents per kilometre times metres, to cents."""
CAP_CHOICE_LIMIT = 8
"""Caps that can bind on one itinerary: 256 choices; tariffs have one or two."""


@dataclass(frozen=True, slots=True)
class FareLeg:
    """What a price depends on: no place, no person."""

    mode: str
    board_at: dt.datetime
    metres: int


@dataclass(frozen=True, slots=True)
class Charge:
    """One line: what is owed, and by which rule."""

    rule: str
    kind: str
    """leg, fare_journey or cap."""
    legs: tuple[int, ...]
    """Rows of the legs that it is for."""
    amount_cents: int


@dataclass(frozen=True, slots=True)
class Price:
    """Price of an itinerary for a group, or why it is not known."""

    amount_cents: int | None
    currency: str
    charges: tuple[Charge, ...]
    tariff_hash: str
    unknown_reason: str | None = None


def price_leg(rule: LegPrice, leg: FareLeg) -> int:
    """Price of one leg by one rule: base plus distance, within the rule's bounds."""
    distance = rule.per_km_millicents * leg.metres
    cents = max(
        rule.base_cents + round_half_up(distance, MILLICENTS_PER_CENT_AND_KM), rule.min_cents
    )
    return cents if rule.max_cents is None else min(cents, rule.max_cents)


def price_itinerary(tariff: Tariff, legs: Sequence[FareLeg], *, rider_count: int = 1) -> Price:
    """
    Price the legs of one itinerary, in order of boarding, for a group.

    A leg that no rule matches makes the whole price unknown: it is never taken as free.
    """
    rules = [next((r for r in tariff.leg_prices if leg.mode in r.modes), None) for leg in legs]
    singles: list[tuple[LegPrice, int]] = []
    for leg, rule in zip(legs, rules, strict=True):
        if rule is None:
            reason = f"no_fare_for_{leg.mode}"
            return Price(None, tariff.currency, (), tariff.content_hash, reason)
        singles.append((rule, price_leg(rule, leg)))
    whole = tuple(
        Charge(c.rule, c.kind, c.legs, c.amount_cents * rider_count)
        for c in sorted(_cheapest(tariff, legs, singles), key=lambda c: c.legs)
    )
    total = sum(charge.amount_cents for charge in whole)
    return Price(total, tariff.currency, whole, tariff.content_hash)


def _cheapest(
    tariff: Tariff, legs: Sequence[FareLeg], singles: Sequence[tuple[LegPrice, int]]
) -> list[Charge]:
    """Least charges over all choices of caps: legs under a chosen cap, the others joined."""
    zone = ZoneInfo(tariff.timezone)
    cutover = dt.timedelta(seconds=tariff.cutover_s)
    days = [(leg.board_at.astimezone(zone) - cutover).date() for leg in legs]
    useful = [
        (cap, day)
        for cap in tariff.caps
        for day in sorted(set(days))
        if sum(
            single[1]
            for leg, own, single in zip(legs, days, singles, strict=True)
            if own == day and leg.mode in cap.modes
        )
        > cap.max_cents
    ][:CAP_CHOICE_LIMIT]
    best: tuple[int, list[Charge]] | None = None
    for choice in itertools.product((False, True), repeat=len(useful)):
        charges: list[Charge] = []
        left = list(range(len(legs)))
        for (cap, day), chosen in zip(useful, choice, strict=True):
            if chosen:
                under = [i for i in left if days[i] == day and legs[i].mode in cap.modes]
                left = [i for i in left if i not in under]
                if under:
                    charges.append(Charge(cap.id, "cap", tuple(under), cap.max_cents))
        charges += _joined(tariff, legs, singles, left)
        total = sum(charge.amount_cents for charge in charges)
        if best is None or total < best[0]:
            best = total, charges
    assert best is not None
    return best[1]


def _joined(
    tariff: Tariff,
    legs: Sequence[FareLeg],
    singles: Sequence[tuple[LegPrice, int]],
    left: Sequence[int],
) -> list[Charge]:
    """Cheapest partition of the legs left that may be joined; one charge a leg for the others."""
    joining = tariff.fare_journeys
    modes = frozenset() if joining is None else joining.modes
    apart = [i for i in left if legs[i].mode not in modes]
    charges = [Charge(singles[i][0].id, "leg", (i,), singles[i][1]) for i in apart]
    rows = [i for i in left if legs[i].mode in modes]
    if joining is None or not rows:
        return charges
    # best[n]: least price of the first n joinable legs, and where its last journey begins.
    best: list[tuple[int, int]] = [(0, 0)]
    for end in range(1, len(rows) + 1):
        options = []
        for start in range(end - 1, -1, -1):
            span = legs[rows[end - 1]].board_at - legs[rows[start]].board_at
            if span.total_seconds() > joining.window_s:
                break
            dearest = max(singles[rows[n]][1] for n in range(start, end))
            options.append((best[start][0] + dearest, start))
        best.append(min(options))
    end = len(rows)
    while end > 0:
        start = best[end][1]
        members = tuple(rows[start:end])
        dearest = max(members, key=lambda i: singles[i][1])
        kind = "leg" if len(members) == 1 else "fare_journey"
        charges.append(Charge(singles[dearest][0].id, kind, members, singles[dearest][1]))
        end = start
    return charges
