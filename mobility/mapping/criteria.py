"""Tariff and CO2 factors → what the search reads of them: safe lower bounds and grams."""

from __future__ import annotations

import numpy as np

from core.modes import Mode, mode_of_route_type
from gtfs_data.store import frozen
from gtfs_data.timetable import Timetable
from mobility.mapping.co2 import GRAMS_PER_PASSENGER_KM
from mobility.mapping.fare_legs import FARE_MODE
from payments.tariff import Tariff
from routing.raptor.criteria import CriteriaTable

FREE = -1


def criteria_table(t: Timetable, tariff: Tariff | None) -> CriteriaTable:
    """
    Least prices by line, and its grams a kilometre.

    Modes that the tariff joins into fare journeys, or covers by one product, are paid once, at the
    least price of any of them: no lawful bill is lower. Any other mode is paid for at every
    boarding. A line without a price counts nothing, one without a factor no grams.
    """
    modes = [mode_of_route_type(kind) or Mode.OTHER for kind in t.route_type.tolist()]
    fare_modes = [FARE_MODE.get(mode, "other") for mode in modes]
    prices = {} if tariff is None else _least_prices(tariff)
    together = [] if tariff is None else _paid_together(tariff)
    products: list[tuple[frozenset[str], int, bool]] = []
    for group in together:
        cents = min((prices[mode] for mode in group if mode in prices), default=0)
        products.append((group, cents, True))
    shared = frozenset().union(*together) if together else frozenset()
    products += [
        (frozenset({mode}), cents, False) for mode, cents in prices.items() if mode not in shared
    ]
    product_of = {mode: i for i, (group, _, _) in enumerate(products) for mode in group}
    return CriteriaTable(
        route_product=frozen(np.array([product_of.get(m, FREE) for m in fare_modes], np.int32)),
        product_cents=frozen(np.array([cents for _, cents, _ in products], np.int32)),
        product_once=frozen(np.array([once for _, _, once in products], np.uint8)),
        route_g_per_km=frozen(np.array([GRAMS_PER_PASSENGER_KM.get(m, 0.0) for m in modes])),
    )


def _least_prices(tariff: Tariff) -> dict[str, int]:
    """Cents that a boarding of each mode costs at least, for a rider without a category."""
    least: dict[str, int] = {}
    for rule in tariff.leg_prices:
        if rule.when.categories is None:
            for mode in rule.when.modes:
                least[mode] = min(least.get(mode, rule.least_cents()), rule.least_cents())
    paid_together = [(j.modes, j.price_cents) for j in tariff.fare_journeys]
    paid_together += [(product.modes, product.price_cents) for product in tariff.products]
    for modes, cents in paid_together:
        if cents is not None:
            for mode in modes & least.keys():
                least[mode] = min(least[mode], cents)
    return least


def _paid_together(tariff: Tariff) -> list[frozenset[str]]:
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
