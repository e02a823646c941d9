"""
Ceilings that nothing reaches: decided from the tariff, not searched.

Where nothing says what a leg or a month may cost at most, nothing is said of its ceiling.
"""

from __future__ import annotations

from collections.abc import Iterator

from payments.tariff import LIST_PRICE, LegPrice, Payer, Period, Tariff

MONTHS = 12


def idle_ceilings(tariff: Tariff) -> Iterator[tuple[str, str]]:
    """Rules and payers with a ceiling that nothing reaches, and why."""
    for rule in tariff.leg_prices:
        most = dearest_leg_cents(rule)
        if rule.max_cents is not None and most is not None and most <= rule.max_cents:
            yield (
                rule.id,
                f"max_cents of {rule.id} is {rule.max_cents}, and no leg costs more than {most}",
            )
    for payer in tariff.payers:
        for name, why in _idle_of_payer(tariff, payer):
            yield payer.id, f"{name} of {payer.id} is {getattr(payer, name)}, and {why}"


def dearest_leg_cents(rule: LegPrice) -> int | None:
    """What a leg costs at most by a rule without its ceiling; None: it grows with the leg."""
    last = rule.tiers[-1] if rule.tiers else None
    if rule.per_min_millicents or (last is not None and last.per_km_millicents):
        return None
    bases: list[int] = [rule.base_cents]
    if rule.by_zones is not None:
        starts, ends = rule.when.from_zones, rule.when.to_zones
        bases = [
            cents
            for (start, end), cents in rule.by_zones.items()
            if (starts is None or start in starts) and (ends is None or end in ends)
        ]
    elif rule.by_zone_count is not None:
        bases = list(rule.by_zone_count)
    # Whole kilometres bound all tiers but the last one, which costs nothing.
    millicents = sum(
        tier.per_km_millicents * (tier.to_m - tier.from_m) // 1_000
        for tier in rule.tiers
        if tier.to_m is not None
    )
    return max(max(bases, default=0) + -(-millicents // 1_000), rule.min_cents)


def _idle_of_payer(tariff: Tariff, payer: Payer) -> Iterator[tuple[str, str]]:
    leg, leg_cents = payer.max_leg_cents, _most_of_leg(tariff, payer)
    month, month_cents = payer.max_month_cents, _most_of_month(tariff, payer)
    year, budget = payer.max_year_cents, payer.budget_cents
    if leg is not None and leg_cents is not None and leg_cents <= leg:
        yield "max_leg_cents", f"its part of a leg is never more than {leg_cents}"
    if month is not None:
        if year is not None and year <= month:
            yield "max_month_cents", f"its year ends at {year}"
        elif budget is not None and budget <= month:
            yield "max_month_cents", f"all riders together have {budget} in a year"
        elif month_cents is not None and month_cents <= month:
            yield "max_month_cents", f"no month costs more than {month_cents}"
    if year is not None:
        of_months = [MONTHS * cents for cents in (month, month_cents) if cents is not None]
        if of_months and min(of_months) <= year:
            yield "max_year_cents", f"twelve of its months are never more than {min(of_months)}"
        elif budget is not None and budget <= year:
            yield "max_year_cents", f"all riders together have {budget} in a year"


def _most_of_leg(tariff: Tariff, payer: Payer) -> int | None:
    """
    What a payer pays for a leg at most.

    Legs of a charge cost no more together than each by itself. But a week that began in the month
    before may have more left to pay than its legs of this one, and a product may be worth its price
    by legs that do not part others any more.
    """
    if _may_reach_over_months(tariff, payer) or (tariff.products and tariff.may_part):
        return None
    found = [0]
    for rule in tariff.leg_prices:
        if payer.modes & rule.when.modes:
            most = dearest_leg_cents(rule)
            if rule.max_cents is not None:
                most = rule.max_cents if most is None else min(most, rule.max_cents)
            if most is None:
                return None
            found.append(most)
    share = LIST_PRICE if payer.per_km_millicents is not None else payer.share_permille
    return -(-max(found) * share // LIST_PRICE)


def _most_of_month(tariff: Tariff, payer: Payer) -> int | None:
    """What a month costs at most of what a payer has to do with: its cheapest product for all."""
    modes = payer.modes & tariff.rules_of_mode.keys()
    if _may_reach_over_months(tariff, payer) or (tariff.valid_from and tariff.valid_from.day > 1):
        return None
    whole = [
        product.price_cents
        for product in tariff.products
        if product.period is Period.CALENDAR_MONTH
        and product.modes >= modes
        and product.zones is None
        and product.operators is None
        and product.most_legs is None
    ]
    return min(whole, default=None)


def _may_reach_over_months(tariff: Tariff, payer: Payer) -> bool:
    """Whether it may pay for a product that begins in the month before."""
    return any(
        product.period is Period.ROLLING_7D and product.modes & payer.modes
        for product in tariff.products
    )
