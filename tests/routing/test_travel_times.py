"""Travel times over a window: tiny worlds by hand, and random ones against the planner."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InvalidInput
from core.ids import StopId
from routing.goals import goals_around
from routing.matrix import matrix_rows, prepare_destinations
from routing.query import Endpoint, Limits
from routing.raptor.labels import FAR
from routing.street.access import ties
from routing.travel_times import NoServiceOnDate, TravelQuery, depart, percentiles_s
from tests.oracles.travel_oracle import NEVER_S, planned_minutes_s
from tests.support.grids import random_grid
from tests.support.tiny import World, endpoint, instant, tiny_world

pytestmark = pytest.mark.unit

TOWN = """
    street   Ferme 100min Mairie 100min Gare 4min Halle
    L1   Mairie  Gare         Lycée
         07:00   07:10        07:25
         07:30   07:40        07:55
    L2   Halle   Hôpital
         07:20   07:40
"""


def times_s(world: World, query: TravelQuery, origin: Endpoint, ends: list[Endpoint]) -> Any:
    """Shape (ends, departures), `NEVER_S` where out of reach."""
    prepared = prepare_destinations(world.network, ends, query)
    found = depart(world.network, origin, query, Limits()).times_to(*prepared.parts[0])
    return np.where(found < FAR, found, NEVER_S)


def minutes(
    world: World, origin: str, destination: str, *, at: str, window: int = 0, **options: Any
) -> list[float | None]:
    """Minutes of travel at each departure; None where the destination is out of reach."""
    query = TravelQuery(instant(at), window * 60, **options)
    ends = [endpoint(world, destination)]
    found = times_s(world, query, endpoint(world, origin), ends)[0]
    return [None if s == NEVER_S else s / 60 for s in found.tolist()]


def test_who_leaves_a_minute_too_late_waits_for_the_next_bus() -> None:
    # Five minutes to Mairie: until 6:55 one catches the bus at 7:00, which is at Lycée at 7:25,
    # two minutes from the goal; after that the bus at 7:30.
    found = minutes(
        tiny_world(TOWN), "walk 5min > Mairie", "Lycée > walk 2min", at="06:53", window=5
    )
    assert found == [34, 33, 32, 61, 60]


def test_what_takes_longer_than_asked_for_is_out_of_reach() -> None:
    found = minutes(
        tiny_world(TOWN), "walk 5min > Mairie", "Lycée > walk 2min", at="06:53", window=5,
        most_s=33 * 60,
    )  # fmt: skip
    assert found == [None, 33, 32, None, None]


def test_near_goals_are_reached_on_foot_up_to_the_limit_of_a_walk_all_the_way() -> None:
    world = tiny_world(TOWN)
    ends = "walk 1min > Gare", "Halle > walk 1min"
    assert minutes(world, *ends, at="10:00", window=2) == [6, 6]
    assert minutes(world, *ends, at="10:00", max_direct_s=300) == [None]


def test_nobody_walks_on_from_a_walk_between_stops() -> None:
    # One gets out at Gare at 7:10; from there the goal is 4 + 11 minutes, or 4 + 12: too far,
    # though from Halle, to which one may walk for a change, it is not.
    world = tiny_world(TOWN)
    assert minutes(world, "Mairie", "Halle > walk 11min", at="07:00") == [25]
    assert minutes(world, "Mairie", "Halle > walk 12min", at="07:00") == [None]


def test_a_stop_is_reached_when_the_bus_is_there() -> None:
    world = tiny_world(TOWN)
    stop = Endpoint(world.at("Lycée"), StopId("tiny:Lycée"))
    found = times_s(world, TravelQuery(instant("07:00")), endpoint(world, "Mairie"), [stop])
    assert found.tolist() == [[25 * 60]]


def test_percentiles_count_departures_at_which_the_goal_is_out_of_reach() -> None:
    # Reached at three of five departures: in 32, 33 and 34 minutes. The third best of five is the
    # median; nothing is reached at 95 % of the departures.
    world = tiny_world(TOWN)
    query = TravelQuery(instant("06:53"), 5 * 60, most_s=45 * 60)
    ends = [endpoint(world, "Lycée > walk 2min")]
    rows = matrix_rows(
        world.network, [endpoint(world, "walk 5min > Mairie")],
        prepare_destinations(world.network, ends, query), query, percentiles=(20, 50, 60, 95),
        limits=Limits(),
    )  # fmt: skip
    assert rows.seconds.ravel().tolist() == [32 * 60, 34 * 60, 34 * 60, FAR]
    assert rows.reached_share.tolist() == [[0.6]]


@pytest.mark.parametrize("percentile", [0, -5, 101])
def test_percentiles_outside_one_to_hundred_are_refused(percentile: int) -> None:
    with pytest.raises(InvalidInput, match="percentiles"):
        percentiles_s(np.zeros((1, 1), np.int32), [percentile])


@pytest.mark.parametrize("wrong", [{"window_s": -60}, {"window_s": 90_000}, {"most_s": 0}])
def test_windows_and_times_out_of_bounds_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(InvalidInput, match="is expected"):
        TravelQuery(instant("07:00"), **wrong)


def test_dates_of_which_no_feed_speaks_are_refused() -> None:
    with pytest.raises(NoServiceOnDate, match=r"no timetable for 2027-03-10: .* to 2026-12-31"):
        minutes(tiny_world(TOWN), "Mairie", "Lycée", at="2027-03-10 07:00")


def random_town(seed: int) -> World:
    """A street of five places, some within a walk of each other, and up to three lines."""
    dice = random.Random(seed)
    places = ["Ada", "Bea", "Cyd", "Dea", "Eva"]
    gaps = [dice.choice((2, 6, 13, 18, 100)) for _ in places[1:]]
    street = places[0] + "".join(
        f" {gap}min {place}" for gap, place in zip(gaps, places[1:], strict=True)
    )
    rows = [f"street {street}"]
    for line in range(dice.randint(1, 3)):
        called = dice.sample(places, dice.randint(2, 4))
        rows.append(f"L{line} {' '.join(called)}")
        for _ in range(dice.randint(1, 3)):
            at = 8 * 60 + dice.randint(0, 40)
            cells = []
            for _ in called:
                cells.append(f"{at // 60:02d}:{at % 60:02d}")
                at += dice.randint(1, 9)
            rows.append(f"  {' '.join(cells)}")
    head, *rest = rows
    return tiny_world("\n".join([head, *rest]))


@settings(max_examples=25)
@given(st.integers(0, 10**6))
def test_times_are_those_of_the_best_arrival_that_the_planner_finds(seed: int) -> None:
    world, dice = random_town(seed), random.Random(seed + 1)
    query = TravelQuery(
        instant("08:00"), window_s=60 * dice.choice((0, 4, 10)), most_s=60 * dice.choice((25, 90)),
        max_vehicles=dice.choice((0, 1, 8)), max_egress_s=60 * dice.choice((5, 15)),
    )  # fmt: skip
    places = list(world.place_m)
    ends = [endpoint(world, f"{p} > walk {dice.randint(0, 6)}min") for p in places]
    stop = StopId(world.network.timetable.stop_id[0])
    ends.append(Endpoint(world.at(stop.removeprefix("tiny:")), stop))
    for origin in (endpoint(world, f"walk {dice.randint(0, 6)}min > {places[0]}"), ends[-1]):
        found = times_s(world, query, origin, ends)
        for row, end in enumerate(ends):
            wanted = planned_minutes_s(world.network, origin, end, query, Limits())
            assert found[row].tolist() == wanted


@pytest.mark.parametrize("seed", range(4))
def test_many_places_hang_on_the_streets_as_each_on_its_own(seed: int) -> None:
    grid, dice = random_grid(seed), np.random.default_rng(seed)
    network = grid.network
    lat = dice.uniform(network.streets.node_lat.min() - 0.001, network.streets.node_lat.max(), 200)
    lon = dice.uniform(network.streets.node_lon.min() - 0.001, network.streets.node_lon.max(), 200)
    goals = goals_around(network, lat, lon, 120)
    tied = 0
    for row in range(200):
        place = goals.place(row)
        snapped = network.find_snapped("foot", place.coordinate, 120)
        pairs = zip(goals.end_node[row].tolist(), goals.end_s[row].tolist(), strict=True)
        found = sorted((node, s) for node, s in pairs if node >= 0)
        if snapped is None:
            assert found == []
            continue
        tied += 1
        assert place == snapped
        alone = ties(
            network.streets, "foot", snapped, leaving=False,
            off_street_mps=network.speeds.foot_mps,
        )  # fmt: skip
        assert found == sorted(alone.pairs())
    assert 50 < tied < 200
