"""What journeys cost at least: bounds that no lawful bill undercuts, for a search by price."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from core.money import round_half_up
from payments.tariff import LIST_PRICE, Tariff


@dataclass(frozen=True, slots=True)
class LeastPrice:
    """What boarding vehicles of some modes costs at least; no two are for one mode."""

    modes: frozenset[str]
    cents: int
    is_once: bool
    """Paid once a journey, whatever of them is boarded; else at every boarding."""


def least_prices(tariff: Tariff, categories: Collection[str] = ()) -> list[LeastPrice]:
    """
    Least prices for a rider who has used nothing yet.

    Modes that the tariff joins into fare journeys, or covers by one product, are paid once, at the
    least price of any of them. Any other mode is paid for at every boarding. A mode without a
    price counts nothing.
    """
    alone, groups = least_alone(tariff, categories), paid_together(tariff)
    found = []
    for group in groups:
        cents = [alone[mode] for mode in group if mode in alone]
        if cents:
            cents += _paid_whole(tariff, group, categories)
        found.append(LeastPrice(group, min(cents, default=0), is_once=True))
    shared = frozenset().union(*groups)
    found += [
        LeastPrice(frozenset({mode}), cents, is_once=False)
        for mode, cents in alone.items()
        if mode not in shared
    ]
    return found


def least_alone(tariff: Tariff, categories: Collection[str] = ()) -> dict[str, int]:
    """Cents that a leg of each mode costs at least by itself."""
    least: dict[str, int] = {}
    for permille, slot in _slots(tariff, categories):
        for rule in tariff.leg_prices:
            if rule.when.categories is None or slot in rule.when.categories:
                cents = rule.least_cents(permille)
                for mode in rule.when.modes:
                    least[mode] = min(least.get(mode, cents), cents)
    return least


def paid_together(tariff: Tariff) -> list[frozenset[str]]:
    """Modes that share a fare journey or a product, in groups that share nothing."""
    groups: list[frozenset[str]] = []
    for modes in (
        *(journey.modes for journey in tariff.fare_journeys),
        *(product.modes for product in tariff.products),
    ):
        touching = [group for group in groups if group & modes]
        groups = [group for group in groups if not group & modes]
        groups.append(frozenset(modes).union(*touching))
    return groups


def may_fall(tariff: Tariff, modes: frozenset[str]) -> bool:
    """Whether one leg more may make a bill of some modes that share prices lower."""
    falling = [own.modes for own in tariff.fare_journeys if own.pattern is not None]
    falling += [own.modes for own in tariff.products if own.most_legs is not None]
    return any(own & modes for own in falling)


def _paid_whole(tariff: Tariff, modes: frozenset[str], categories: Collection[str]) -> list[int]:
    """Prices of fare journeys and of products of some modes that share them."""
    slots = _slots(tariff, categories)
    cents = [
        round_half_up(own.price_cents * permille, LIST_PRICE)
        for own in tariff.fare_journeys
        if own.price_cents is not None and own.modes & modes
        for permille, _ in slots
    ]
    cents += [
        product.price_for(slot, permille)
        for product in tariff.products
        if product.modes & modes
        for permille, slot in slots
    ]
    return cents


def _slots(tariff: Tariff, categories: Collection[str]) -> list[tuple[int, str | None]]:
    """Permille of prices and category: without one, and of those that the tariff knows."""
    own = [(c.permille, c.id) for c in tariff.categories if c.id in categories]
    return [(LIST_PRICE, None), *own]
