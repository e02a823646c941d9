"""A dated trip on its whole way, and stops by place and mode."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from core.geo import Coordinate
from core.modes import Mode
from routing.itinerary import TransitLeg
from routing.nearby import list_near_stops, list_near_streets
from routing.stops import grouped_stops, modes_of_stops, stops_in_box, stops_with_modes
from routing.trips import TripUnknown, find_trip
from tests.support.tiny import World, tiny_world, told

pytestmark = pytest.mark.unit

TOWN = """
    street   Mairie 4min Gare 10min Lycée
    service 2026-03-09..2026-03-13
    L1   Mairie  Gare         Lycée
         07:00   07:10/07:12  07:25
         23:50   24:05        24:20
    feed south
    zone Europe/London
    L2   Gare   Lycée
         08:00  08:09
"""


@pytest.fixture(scope="module")
def town() -> World:
    return tiny_world(TOWN)


def shown(world: World, trip_id: str, date: str) -> str:
    itinerary = find_trip(world.network, trip_id, dt.date.fromisoformat(date))
    (leg,) = itinerary.legs
    assert isinstance(leg, TransitLeg)
    calls = "".join(f" via {call.place.name}" for call in leg.calls)
    return told(world, itinerary, dt.date.fromisoformat(date)) + calls


def test_trip_runs_from_its_first_stop_to_its_last(town: World) -> None:
    assert shown(town, "tiny:trip1", "2026-03-10") == (
        "L1 Mairie 07:00 > Lycée 07:25  [07:00 > 07:25, 0 transfers] via Gare"
    )


def test_trip_past_midnight_belongs_to_its_service_day(town: World) -> None:
    assert shown(town, "tiny:trip2", "2026-03-13") == (
        "L1 Mairie 23:50 > Lycée 00:20+1  [23:50 > 00:20+1, 0 transfers] via Gare"
    )


def test_trip_of_another_zone_is_shown_at_its_own_hours(town: World) -> None:
    # London is an hour behind Paris.
    assert shown(town, "south:trip1", "2026-03-10") == (
        "L2 Gare 09:00 > Lycée 09:09  [09:00 > 09:09, 0 transfers]"
    )


@pytest.mark.parametrize(
    ("trip_id", "date", "word"),
    [
        ("tiny:trip", "2026-03-10", "no trip 'tiny:trip'"),
        ("tiny:trip11", "2026-03-10", "no trip"),
        ("trip1", "2026-03-10", "no trip"),
        ("tiny:trip1", "2026-03-14", "does not run on 2026-03-14"),
        ("tiny:trip1", "1970-01-01", "does not run"),
    ],
)
def test_trip_that_is_not_there_is_said_so(town: World, trip_id: str, date: str, word: str) -> None:
    with pytest.raises(TripUnknown, match=word):
        find_trip(town.network, trip_id, dt.date.fromisoformat(date))


def test_every_trip_is_found_by_its_id(town: World) -> None:
    t = town.network.timetable
    for trip, trip_id in enumerate(t.trip_id):
        (leg,) = find_trip(town.network, trip_id, dt.date(2026, 3, 10)).legs
        assert isinstance(leg, TransitLeg)
        assert leg.trip == trip


def test_stops_have_the_modes_that_call(town: World) -> None:
    t = town.network.timetable
    assert stops_with_modes(t, frozenset({Mode.BUS})).all()
    assert not stops_with_modes(t, frozenset({Mode.TRAM})).any()
    assert modes_of_stops(t, [0, 1]) == [[Mode.BUS], [Mode.BUS]]


def test_box_is_the_same_from_any_corner(town: World) -> None:
    # Mairie stands at 0 m, Gare at 240 m and Lycée at 840 m along the equator.
    t = town.network.timetable
    west, east = town.at("Mairie"), town.at("Gare")
    corners = [
        (Coordinate(-0.01, west.lon - 0.001), Coordinate(0.01, east.lon + 0.001)),
        (Coordinate(0.01, west.lon - 0.001), Coordinate(-0.01, east.lon + 0.001)),
    ]
    for one, other in [*corners, *(pair[::-1] for pair in corners)]:
        rows = np.flatnonzero(stops_in_box(t, one, other))
        assert {t.stop_name[row] for row in rows.tolist()} == {"Mairie", "Gare"}


def test_stops_of_one_name_beside_each_other_are_one(town: World) -> None:
    # Gare and Lycée have a stop of each feed at the same place.
    t = town.network.timetable
    assert t.stop_count == 5
    grouped = grouped_stops(t, list(range(5)))
    assert sorted(t.stop_name[row] for row in grouped) == ["Gare", "Lycée", "Mairie"]


def test_near_stops_come_in_order_of_distance(town: World) -> None:
    # From 100 m east of Mairie: Mairie 100 m, Gare 140 m, Lycée 740 m.
    place = Coordinate(0.0, town.at("Mairie").lon + 100 / 111_195)
    t = town.network.timetable
    near = list_near_stops(town.network, place, count=5, within_m=500)
    assert [t.stop_name[stop.stop] for stop in near] == ["Mairie", "Gare"]
    assert [stop.metres for stop in near] == pytest.approx([100, 140], abs=1)
    (first,) = list_near_stops(town.network, place, count=1, within_m=500)
    assert first == near[0]


def test_nearest_point_of_a_street_is_where_one_would_step_on_it(town: World) -> None:
    # The street follows the equator: its nearest point lies straight south.
    place = town.at("Gare", north_m=90)
    (street,) = list_near_streets(town.network, place, count=5, within_m=200)
    assert street.name == "Grande Rue"
    assert street.metres == pytest.approx(90, abs=0.5)
    assert (street.coordinate.lat, street.coordinate.lon) == pytest.approx((0, place.lon), abs=1e-6)
    assert list_near_streets(town.network, place, count=5, within_m=50) == []
    far_away = Coordinate(60.0, 60.0)
    assert list_near_streets(town.network, far_away, count=5, within_m=1000) == []
