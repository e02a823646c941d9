"""
What a drive costs its driver: energy and toll, and each one's share of it.

Energy is by the French tax office's scale of fuel costs for 2023 (published in March 2024), per
kilometre by fuel and fiscal power; it counts a hybrid as what it burns, taken for petrol here. It
says nothing of electricity: 18 kWh per 100 km at 22 cents are assumed. Toll is 11 cents per
kilometre of toll road, between the 9 and 12 that a car paid in France in 2025. A territory says
what it knows better (`driving_costs` in its file).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from carpool.compile import OfferUnusable, snap_to_street
from carpool.offers import Energy
from core.geo import Coordinate
from core.money import round_half_up
from routing.network import Network
from routing.raptor.flexible import LONGEST_DRIVE_S
from routing.street.graph import step_metres
from routing.street.kernels import NO_EDGE

POWER_CLASSES = (4, 7, 9, 11)
"""Highest fiscal power of each class but the last."""
USUAL_ENERGY, USUAL_POWER = Energy.PETROL, 5
"""Of a car of which nothing is said."""
MILLICENTS_PER_CENT_AND_KM = 1_000_000
_PETROL = (12_300, 15_200, 18_100, 20_300, 22_600)
ENERGY_MILLICENTS_PER_KM: Mapping[Energy, tuple[int, ...]] = {
    Energy.PETROL: _PETROL,
    Energy.HYBRID: _PETROL,
    Energy.DIESEL: (9_900, 12_200, 14_500, 16_400, 18_200),
    Energy.GAS: (7_300, 9_000, 10_700, 12_100, 13_500),
    Energy.ELECTRIC: (4_000,) * 5,
}


@dataclass(frozen=True, slots=True)
class DrivingCosts:
    """What a kilometre costs."""

    currency: str = "EUR"
    toll_millicents_per_km: int = 11_000
    energy_millicents_per_km: Mapping[Energy, tuple[int, ...]] = field(
        default_factory=lambda: ENERGY_MILLICENTS_PER_KM
    )
    """By class of fiscal power."""


@dataclass(frozen=True, slots=True)
class DrivenWay:
    """A drive without any rider."""

    drive_s: int
    metres: int
    toll_metres: int


@dataclass(frozen=True, slots=True)
class DriveCost:
    """What a drive costs in all."""

    energy_cents: int
    toll_cents: int

    def share_cents(self, rider_count: int) -> int:
        """What each pays when the driver and his riders share alike."""
        return round_half_up(self.energy_cents + self.toll_cents, rider_count + 1)


def driven_way(network: Network, places: Sequence[Coordinate]) -> DrivenWay:
    """
    The fastest drive through places in order.

    Raises
    ------
    OfferUnusable
        One of them is far from any street open to cars, or no road joins two.
    """
    streets, snapped = network.streets, [snap_to_street(network, place) for place in places]
    seconds, metres, toll_m = 0, 0.0, 0.0
    for start, end in pairwise(snapped):
        route = network.find_route("car", start, end, LONGEST_DRIVE_S)
        if route is None:
            raise OfferUnusable("no road joins these places, or it takes too long to drive there")
        seconds += route.seconds
        metres += route.metres
        by = route.edge[1:]
        pays = (by != NO_EDGE) & (streets.edge_toll[by] == 1)
        toll_m += float(np.sum(step_metres(route.lat, route.lon)[pays]))
    return DrivenWay(seconds, round(metres), round(toll_m))


def cost_of_drive(
    costs: DrivingCosts, way: DrivenWay, energy: Energy | None, fiscal_power: int | None
) -> DriveCost:
    """Cost of a drive in a car of some energy and fiscal power, or in a usual one."""
    power = USUAL_POWER if fiscal_power is None else fiscal_power
    row = sum(power > limit for limit in POWER_CLASSES)
    per_km = costs.energy_millicents_per_km[energy or USUAL_ENERGY][row]
    return DriveCost(
        energy_cents=round_half_up(per_km * way.metres, MILLICENTS_PER_CENT_AND_KM),
        toll_cents=round_half_up(
            costs.toll_millicents_per_km * way.toll_metres, MILLICENTS_PER_CENT_AND_KM
        ),
    )
