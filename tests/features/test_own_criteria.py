"""A rider whose buses are paid already: what is cheaper for him is found, and not what is not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from mobility.mapping.criteria import criteria_table, with_prices
from payments.own_price import OwnPrices
from payments.rights import HeldPass, Rights
from payments.tariff import FareLeg
from payments.tariff_file import parse_tariff
from payments.versions import Tariffs
from tests.support.tiny import answer, instant, tiny_world, told

pytestmark = pytest.mark.unit

TARIFF = parse_tariff({
    "tariff": "tiny", "currency": "EUR", "timezone": "Europe/Paris",
    "leg_prices": [
        {"id": "bus", "when": {"mode": "bus"}, "base_cents": 200},
        {"id": "rail", "when": {"mode": "rail"}, "base_cents": 200},
    ],
    "products": [
        {"id": "day", "period": "fare_day", "modes": ["bus"], "price_cents": 300},
        {"id": "rail_month", "period": "calendar_month", "modes": ["rail"], "price_cents": 5_000},
    ],
})  # fmt: skip
WORLD = tiny_world("""
    street  Mairie 100min Gare 100min Lycée
    L1   Mairie  Lycée
         07:00   07:20
    L2   Mairie  Lycée
         07:00   07:30
""")
"""L1 is a train, L2 a bus."""


def found(
    used: Sequence[FareLeg], rights: Rights, *, depart: str = "", arrive: str = ""
) -> list[tuple[str, tuple[str, ...]]]:
    """Itineraries, each with what it is the best for."""
    t = replace(WORLD.network.timetable, route_type=np.array([2, 3], np.int32))
    table = criteria_table(t, TARIFF)
    own = OwnPrices(Tariffs((TARIFF,)), used, rights)
    itineraries = answer(
        WORLD, "Mairie", "Lycée", depart=depart, arrive=arrive,
        criteria=lambda since: with_prices(table, own.least_additions(since)),
    ).itineraries  # fmt: skip
    date = instant("07:00").date()
    return [(told(WORLD, own, date).partition(" ")[0], own.best_for) for own in itineraries]


@pytest.mark.parametrize("asked", [{"depart": "06:55"}, {"arrive": "07:35"}])
def test_rider_whose_day_of_buses_is_paid_is_shown_the_slower_bus_beside_the_train(
    asked: dict[str, str],
) -> None:
    bus = [FareLeg("bus", instant("05:00") + dt.timedelta(hours=h), 0, id=str(h)) for h in (0, 1)]
    assert found([], Rights(), **asked) == [("L1", ())]
    assert found(bus, Rights(), **asked) == [("L1", ()), ("L2", ("price",))]


def test_rider_who_has_a_pass_for_trains_is_shown_no_bus_for_its_price() -> None:
    day = instant("07:00").date()
    rights = Rights(passes=(HeldPass("rail_month", day.replace(day=1), day),))
    bus = [FareLeg("bus", instant("05:00") + dt.timedelta(hours=h), 0, id=str(h)) for h in (0, 1)]
    assert found(bus, rights, depart="06:55") == [("L1", ())]
