"""
GBFS pricing plans → a starting tariff for bikes, and what of the plans it cannot say.

Source: GBFS 2.3 and 3.0, system_pricing_plans.json. A plan's price is paid once; each of its
segments adds a rate for every interval from its start on.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from core.errors import InvalidInput
from mobility.mapping.starting_tariff import StartingTariff, whole_cents

MILLICENTS = 100_000
"""Thousandths of a cent in a unit of money."""
LATER = "fare_capping", "surge_pricing", "reservation_price_per_min", "reservation_price_flat_rate"


def pricing_tariff(feed_id: str, content: Any, timezone: str) -> StartingTariff:  # noqa: ANN401
    """
    Build a tariff from the content of system_pricing_plans.json.

    Of several plans each is a rule; the first prices all bikes, the others wait for an operator or
    a line that tells them apart.

    Raises
    ------
    InvalidInput
        It is no such file.
    """
    try:
        plans = content["data"]["plans"]
        left_out: list[str] = []
        rules = [_rule(plan, left_out) for plan in plans]
        currency = str(plans[0]["currency"])
        others = [plan["plan_id"] for plan in plans if plan["currency"] != currency]
    except (KeyError, TypeError, IndexError, ValueError, ArithmeticError) as error:
        raise InvalidInput(f"not a system_pricing_plans.json: {error!r}") from error
    if others:
        raise InvalidInput(f"plan {others[0]} is in another currency than {currency}")
    for rule in rules[1:]:
        left_out.append(
            f"plan {rule['id']}: no bike is known to have it; it stands behind the first"
        )
    tariff = {
        "tariff": feed_id, "currency": currency, "timezone": timezone, "leg_prices": rules
    }  # fmt: skip
    return StartingTariff(tariff, tuple(left_out))


def _rule(plan: Mapping[str, Any], left_out: list[str]) -> dict[str, Any]:
    name = str(plan["plan_id"])
    rule: dict[str, Any] = {"id": name, "when": {"mode": "bike"}}
    cents = whole_cents(plan["price"])
    if cents is None or cents < 0:
        left_out.append(f"plan {name}: {plan['price']} is no whole number of cents from 0 on")
    else:
        rule["base_cents"] = cents
    minutes, kilometres = (
        _segments(name, kind, plan.get(f"{kind}_pricing") or (), left_out)
        for kind in ("per_min", "per_km")
    )
    if minutes:
        (start, _, rate), *more = minutes
        rule["per_min_millicents"] = rate
        if start:
            rule["free_min"] = start
        if more or minutes[0][1] is not None:
            left_out.append(f"plan {name}: only the first rate by the minute is kept")
    if kilometres:
        rule["tiers_km"] = _tiers(kilometres)
    left_out += [f"plan {name}: {key}" for key in LATER if plan.get(key)]
    return rule


def _segments(
    name: str, kind: str, given: Sequence[Mapping[str, Any]], left_out: list[str]
) -> list[tuple[int, int | None, int]]:
    """Start, end and thousandths of a cent for a unit, of each segment that can be said."""
    found = []
    for segment in given:
        start, end = int(segment["start"]), segment.get("end")
        rate, interval = Decimal(str(segment["rate"])) * MILLICENTS, int(segment["interval"])
        if interval > 1:
            said = f"{kind}: whole intervals of {interval} are here charged by the unit"
            left_out.append(f"plan {name}: {said}")
        if interval == 0:
            left_out.append(f"plan {name}: {kind}: an amount once at {start}")
        elif rate < 0:
            left_out.append(f"plan {name}: {kind}: a rate below 0")
        else:
            found.append((start, None if end is None else int(end), int(rate) // interval))
    return sorted(found, key=lambda segment: segment[0])


def _tiers(segments: Sequence[tuple[int, int | None, int]]) -> list[list[int | None]]:
    """Rates between all ends of segments, which add up where they overlap."""
    ends = {0, *(start for start, *_ in segments)}
    ends |= {end for _, end, _ in segments if end is not None}
    tiers: list[list[int | None]] = []
    for start, end in itertools.pairwise([*sorted(ends), None]):
        assert start is not None
        rate = sum(r for s, e, r in segments if s <= start and (e is None or e > start))
        tiers.append([start, end, rate])
    return tiers
