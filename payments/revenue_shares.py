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
from payments.tariff import FareLeg, RevenueShares, Share, ShareKey
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
    if len(weights) == 1:
        return dict.fromkeys(weights, cents)
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
    legs, by_hash = month.legs, tariffs.by_hash
    found: dict[str, int] = defaultdict(int)
    for charge in month.charges:
        key = _key(by_hash[charge.tariff_hash].revenue_shares, charge)
        if not isinstance(key, ShareKey):
            weights = key
        elif len(charge.legs) == 1:  # as most: it is all its operator's
            found[earner(legs[charge.legs[0]])] += charge.amount_cents
            continue
        else:
            weights = _weights(key, [legs[row] for row in charge.legs])
        for name, share in apportion(charge.amount_cents, weights).items():
            found[name] += share
    return dict(found)


def shares_of_operators(shares: Mapping[str, int]) -> dict[str, int]:
    """Shares without that of nobody in particular, and without those that are nothing."""
    return {name: cents for name, cents in shares.items() if cents and name != NETWORK}


def cut_shares(shares: Mapping[str, int], before_cents: int, after_cents: int) -> dict[str, int]:
    """Operators' shares once an amount has changed, of which it is not known any more for what."""
    if after_cents >= before_cents:
        return dict(shares)
    of_nobody = before_cents - sum(shares.values())
    assert of_nobody >= 0, "no more is shared than there was"
    return shares_of_operators(apportion(after_cents, {**shares, NETWORK: of_nobody}))


def earner(leg: FareLeg) -> str:
    """Who earns a leg."""
    return leg.operator or (leg.mode if leg.mode in OWN_NAMES else NETWORK)


def _key(shares: RevenueShares, charge: Charge) -> Share:
    if charge.kind == "product":
        return shares.of_products.get(charge.rule) or shares.otherwise
    return shares.otherwise


def _weights(key: ShareKey, legs: Sequence[FareLeg]) -> Mapping[str, int]:
    weights: dict[str, int] = defaultdict(int)
    for leg in legs:
        weights[earner(leg)] += leg.metres if key is ShareKey.KM else 1
    return weights
