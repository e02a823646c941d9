"""Tariff and CO2 factors → what the search reads of them: safe lower bounds and grams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from core.modes import Mode, mode_of_route_type
from gtfs_data.store import frozen
from gtfs_data.timetable import Timetable
from mobility.mapping.co2 import GRAMS_PER_PASSENGER_KM
from mobility.mapping.fare_legs import FARE_MODE
from payments.least_prices import LeastPrice, least_prices
from payments.tariff import MODES, Tariff
from routing.raptor.criteria import FREE, CriteriaTable


def criteria_table(t: Timetable, tariff: Tariff | None) -> CriteriaTable:
    """
    Least prices by line for who has used nothing yet, and its grams a kilometre.

    A line without a price counts nothing, one without a factor no grams.
    """
    modes = [mode_of_route_type(kind) or Mode.OTHER for kind in t.route_type.tolist()]
    kinds = [MODES.index(FARE_MODE.get(mode, "other")) for mode in modes]
    return CriteriaTable(
        route_kind=frozen(np.array(kinds, np.int32)),
        **_prices([] if tariff is None else least_prices(tariff)),
        route_g_per_km=frozen(np.array([GRAMS_PER_PASSENGER_KM.get(m, 0.0) for m in modes])),
    )


def with_prices(table: CriteriaTable, least: Sequence[LeastPrice]) -> CriteriaTable:
    """The same lines, paid by other prices."""
    return replace(table, **_prices(least))


def _prices(least: Sequence[LeastPrice]) -> dict[str, Any]:
    product_of = {mode: nth for nth, own in enumerate(least) for mode in own.modes}
    return {
        "kind_product": frozen(np.array([product_of.get(m, FREE) for m in MODES], np.int32)),
        "product_cents": frozen(np.array([own.cents for own in least], np.int32)),
        "product_once": frozen(np.array([own.is_once for own in least], np.uint8)),
    }
