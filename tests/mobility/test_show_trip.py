"""A driver's run as everybody may see it: between meeting points, within his budget."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any, cast

import pytest

from carpool.running import RunningDates
from mobility.actions.show_trip import show_trip
from routing.itinerary import Itinerary, RideLeg
from routing.query import Limits
from routing.raptor.search import rides_of
from routing.trips import TripUnknown
from tests.support.tiny import World, tiny_world, told

pytestmark = pytest.mark.unit

ROAD = """
    street   Ferme 20min Hameau 100min Mairie 100min Gare 30min Lac
    L1   Mairie  Gare
         06:00   06:10
"""


def shown(world: World, dated_id: str) -> Itinerary:
    limits = Limits()
    served = SimpleNamespace(
        network=world.network,
        offers=world.offers,
        flexible=world.flexible,
        snapshot=SimpleNamespace(limits=limits),
        rides_on=lambda date: rides_of(RunningDates(world.offers).windows(world.network, date)),
    )
    return show_trip(cast("Any", served), dated_id)


def line(world: World, dated_id: str) -> str:
    return told(world, shown(world, dated_id), dt.date(2026, 3, 10))


def test_run_is_shown_between_the_outermost_meeting_points() -> None:
    # Ferme and Lac are carpool places themselves: 250 minutes on foot are 25 by car, and one
    # for letting the rider in.
    world = tiny_world(ROAD + "    offer Anna Ferme > Lac 07:00-07:15 budget 5min\n")
    assert line(world, "20260310_carpool:Anna") == (
        "Anna Ferme 07:00 > Lac 07:26  [07:00 > 07:26, 0 transfers]"
    )


def test_run_passes_the_drivers_own_stops() -> None:
    # By way of Mairie back to Hameau: 12 minutes there, 10 back, one for letting the rider in.
    world = tiny_world(ROAD + "    offer Anna Ferme > Mairie > Hameau 07:00 budget 0min\n")
    itinerary = shown(world, "20260310_carpool:Anna")
    (leg,) = itinerary.legs
    assert isinstance(leg, RideLeg)
    assert leg.detour_s <= leg.budget_s == 0
    assert told(world, itinerary, dt.date(2026, 3, 10)) == (
        "Anna Ferme 07:00 > Hameau 07:23  [07:00 > 07:23, 0 transfers]"
    )


@pytest.mark.parametrize("dated_id", ["20260310_carpool:Bela", "20270310_carpool:Anna"])
def test_run_of_nobody_or_of_another_day_is_unknown(dated_id: str) -> None:
    world = tiny_world(ROAD + "    offer Anna Ferme > Gare 07:00 budget 5min\n")
    with pytest.raises(TripUnknown, match="no ride of offer"):
        shown(world, dated_id)


def test_second_of_two_offers_is_told_apart() -> None:
    world = tiny_world(
        ROAD
        + "    offer Anna Ferme > Gare 07:00 budget 5min\n"
        + "    offer Bela Gare > Ferme 08:00 budget 5min on tue\n"
    )
    assert line(world, "20260310_carpool:Bela").startswith("Bela Gare 08:00 > Ferme 08:23")
    with pytest.raises(TripUnknown):
        shown(world, "20260311_carpool:Bela")  # a Wednesday
