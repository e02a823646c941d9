"""Porto: travel times of matrices and isochrones against the planner, pair by pair."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from core.geo import Coordinate
from routing.isochrones import search_isochrone
from routing.matrix import prepare_destinations
from routing.query import Endpoint
from routing.raptor.labels import FAR
from routing.travel_times import TravelQuery, depart
from tests.oracles.travel_oracle import NEVER_S, planned_minutes_s, planned_s
from tests.support.territories import TestedTerritory, random_places

pytestmark = pytest.mark.slow


def places(porto: TestedTerritory) -> list[Endpoint]:
    """Places near stops, and stops themselves."""
    t = porto.network.timetable
    rows = np.random.default_rng(1).choice(np.unique(t.pattern_stop), 4).tolist()
    stops = [
        Endpoint(Coordinate(float(t.stop_lat[r]), float(t.stop_lon[r])), t.stop_id[r]) for r in rows
    ]
    return [Endpoint(place) for place in random_places(porto.network, 12, seed=3)] + stops


def at_eight(porto: TestedTerritory) -> dt.datetime:
    return dt.datetime.combine(porto.date, dt.time(8), tzinfo=porto.zone)


def test_a_matrix_holds_the_best_arrivals_of_the_planner(porto: TestedTerritory) -> None:
    network, limits, ends = porto.network, porto.world.snapshot.limits, places(porto)
    query = TravelQuery(at_eight(porto), window_s=600, most_s=5400)
    (part,) = prepare_destinations(network, ends, query).parts
    reached = 0
    for origin in ends[::3]:
        found = depart(network, origin, query, limits).times_to(*part)
        for row, end in enumerate(ends):
            wanted = planned_minutes_s(network, origin, end, query, limits)
            assert [s if s < FAR else NEVER_S for s in found[row].tolist()] == wanted
            reached += min(wanted) < NEVER_S
    assert reached > 60


def test_points_of_an_isochrone_have_the_best_arrivals_of_the_planner(
    porto: TestedTerritory,
) -> None:
    network, limits, origin = porto.network, porto.world.snapshot.limits, places(porto)[0]
    query = TravelQuery(at_eight(porto), most_s=3600)
    surface = search_isochrone(network, origin, query, [3600], limits=limits).surface
    dice = np.random.default_rng(2)
    reached = dice.permutation(np.argwhere(surface.seconds < FAR))[:250]
    beyond = dice.permutation(np.argwhere(surface.seconds == FAR))[:50]
    for row, column in [*reached, *beyond]:
        place = Endpoint(Coordinate(float(surface.lat[row]), float(surface.lon[column])))
        found = int(surface.seconds[row, column])
        wanted = planned_s(network, origin, place, query.depart_at, query, limits)
        assert (found if found < FAR else NEVER_S) == wanted
