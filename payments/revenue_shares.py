"""
Whose revenue a bill is: each charge is shared among the operators of its legs, to the cent.

By kilometres, by rides, or as was agreed (`revenue_shares` of the tariff). Discounts follow the
legs that they touch, as what is shared is what was charged for these.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from payments.bill import Charge
from payments.month import MonthBill
from payments.payers import net_cents
from payments.tariff import FareLeg, ShareKey, Tariff
from payments.versions import Tariffs

NETWORK = "network"
"""Who earns what is used of nobody in particular."""
OWN_NAMES = frozenset({"carpool", "bike"})
"""Modes that earn for themselves where no operator is told."""


def apportion(cents: int, weights: Mapping[str, int]) -> dict[str, int]:
    """
    Split an amount by weights: exactly, the largest remainders first, then by name.

    Without any weight each gets as much as the others.
    """
    whole = sum(weights.values())
    if not whole:
        weights, whole = dict.fromkeys(weights, 1), len(weights)
    shares = {name: cents * weight // whole for name, weight in weights.items()}
    left = cents - sum(shares.values())
    by_remainder = sorted(weights, key=lambda name: (-(cents * weights[name] % whole), name))
    for name in by_remainder[:left]:
        shares[name] += 1
    return shares


def share_revenue(tariffs: Tariffs, month: MonthBill) -> dict[str, int]:
    """What each operator has earned by a rider's month; all together its amount."""
    version_of = {own.content_hash: own for own in tariffs.versions}
    found: dict[str, int] = defaultdict(int)
    for charge, cents in zip(month.charges, net_cents(month), strict=True):
        legs = [month.bill.legs[row] for row in charge.legs if row >= month.first_row]
        for name, share in apportion(cents, _weights(version_of, charge, legs)).items():
            found[name] += share
    return dict(found)


def earner(leg: FareLeg) -> str:
    """Who earns a leg."""
    return leg.operator or (leg.mode if leg.mode in OWN_NAMES else NETWORK)


def _weights(
    version_of: Mapping[str, Tariff], charge: Charge, legs: Sequence[FareLeg]
) -> Mapping[str, int]:
    shares = version_of[charge.tariff_hash].revenue_shares
    key = shares.of_products.get(charge.rule) if charge.kind == "product" else None
    key = key or shares.otherwise
    if isinstance(key, Mapping):
        return key
    weights: dict[str, int] = defaultdict(int)
    for leg in legs:
        weights[earner(leg)] += leg.metres if key is ShareKey.KM else 1
    return weights
