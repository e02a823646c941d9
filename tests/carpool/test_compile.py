"""Compiled offers: against networkx on random streets, and as bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from carpool.compile import (
    VERSION,
    OfferUnusable,
    compile_offer,
    pack_body,
    unpack_body,
)
from carpool.offers import Offer
from carpool.running import RunningDates
from core.geo import METRES_PER_DEGREE, Coordinate
from core.time import day_start_epoch_s
from routing.itinerary import RideLeg
from routing.network import Network
from routing.raptor.body_table import Body
from tests.support.grids import (
    END,
    START,
    Grid,
    car_graph,
    car_graph_between,
    random_grid,
    random_offer,
)
from tests.support.tiny import ZONE, answer, instant, tiny_world

pytestmark = pytest.mark.unit

fixed_seed = settings(derandomize=True, deadline=None, database=None, max_examples=60)
GRID_COUNT = 12
PATH_LIMIT = 200
seeds = st.integers(0, 2**31)


@lru_cache(maxsize=GRID_COUNT)
def grid_of(number: int) -> Grid:
    return random_grid(number)


grids = st.integers(0, GRID_COUNT - 1).map(grid_of)


def compiled(grid: Grid, offer: Offer) -> Body:
    """Compile an offer; one whose ends lie on one street is another matter (see below)."""
    places = [offer.start, *offer.vias, offer.end]
    snapped = [grid.network.find_snapped("car", place, 500) for place in places]
    assume(None not in snapped)
    assume(all(a.edge != b.edge for a, b in pairwise(snapped)))
    try:
        return compile_offer(grid.network, offer)
    except OfferUnusable:
        assume(False)
        raise


def drives(network: Network, a: Coordinate, b: Coordinate) -> tuple[list[int], list[int], int]:
    """Seconds from `a` to every meeting point, from those to `b`, and from `a` to `b`."""
    graph = car_graph_between(network, a, b)
    from_a = nx.single_source_dijkstra_path_length(graph, START, weight="s")
    to_b = nx.single_source_dijkstra_path_length(graph.reverse(), END, weight="s")
    nodes = network.points.car_node.tolist()
    return [from_a[node] for node in nodes], [to_b[node] for node in nodes], from_a[END]


def points_on_fastest_paths(network: Network, a: Coordinate, b: Coordinate) -> Iterator[int]:
    graph = car_graph_between(network, a, b)
    paths = nx.all_shortest_paths(graph, START, END, weight="s")
    nodes = {node for _, path in zip(range(PATH_LIMIT), paths, strict=False) for node in path}
    return (i for i, node in enumerate(network.points.car_node.tolist()) if node in nodes)


@fixed_seed
@given(grids, seeds)
def test_every_point_on_any_fastest_path_costs_the_driver_nothing(grid: Grid, seed: int) -> None:
    offer = random_offer(grid, seed, budget_s=0)
    body = compiled(grid, offer)
    served = dict(zip(body.point.tolist(), body.from_start_s + body.to_end_s, strict=True))
    for point in points_on_fastest_paths(grid.network, offer.start, offer.end):
        assert served[point] == body.solo_s


@fixed_seed
@given(grids, seeds, st.integers(0, 2), st.sampled_from((0, 60, 300)))
def test_offer_serves_the_points_within_its_budget_segment_by_segment(
    grid: Grid, seed: int, via_count: int, budget_s: int
) -> None:
    offer = random_offer(grid, seed, via_count=via_count, budget_s=budget_s)
    body = compiled(grid, offer)
    places = [offer.start, *offer.vias, offer.end]
    parts = [drives(grid.network, a, b) for a, b in pairwise(places)]
    solo = [part[2] for part in parts]
    wanted = set()
    for segment, (from_a, to_b, _) in enumerate(parts):
        for point in range(len(from_a)):
            df = sum(solo[:segment]) + from_a[point]
            db = to_b[point] + sum(solo[segment + 1 :])
            if df + db <= sum(solo) + budget_s:
                wanted.add((segment, point, df, db))
    columns = (body.segment, body.point, body.from_start_s, body.to_end_s)
    assert body.solo_s == sum(solo)
    assert set(zip(*(column.tolist() for column in columns), strict=True)) == wanted


@fixed_seed
@given(grids, seeds)
def test_drive_across_the_drivers_stops_is_the_sum_of_its_parts(grid: Grid, seed: int) -> None:
    # What the search adds up (to_end + from_start - solo) is the way by each stop in between.
    offer = random_offer(grid, seed, via_count=2, budget_s=600)
    body = compiled(grid, offer)
    places = [offer.start, *offer.vias, offer.end]
    parts = [drives(grid.network, a, b) for a, b in pairwise(places)]
    rows = range(len(body.point))
    for i in rows:
        for j in rows:
            first, last = int(body.segment[i]), int(body.segment[j])
            if first < last:
                across_s = int(body.to_end_s[i]) + int(body.from_start_s[j]) - body.solo_s
                to_stop_s = parts[first][1][body.point[i]]
                from_stop_s = parts[last][0][body.point[j]]
                between_s = sum(part[2] for part in parts[first + 1 : last])
                assert across_s == to_stop_s + between_s + from_stop_s


@fixed_seed
@given(grids)
def test_drive_matrix_is_that_of_dijkstra(grid: Grid) -> None:
    network = grid.network
    graph = car_graph(network)
    nodes = network.points.car_node.tolist()
    for row, node in enumerate(nodes):
        from_s = nx.single_source_dijkstra_path_length(graph, node, weight="s")
        assert network.ground.drive_s[row].tolist() == [from_s[other] for other in nodes]
    assert (network.ground.drive_back_s == network.ground.drive_s.T).all()


def test_points_are_visited_in_the_order_of_the_drivers_stops() -> None:
    # By Gare to Ferme's other side and back: Mairie is passed on both ways, Gare once.
    world = tiny_world("""
        street  Ferme 100min Mairie 100min Gare
        offer Anna  Ferme > Gare > Ferme  07:00
    """)
    body = compile_offer(world.network, world.offers[0])
    passed = sorted(
        (segment, df, world.network.points.name[point])
        for segment, df, point in zip(
            body.segment.tolist(), body.from_start_s.tolist(), body.point.tolist(), strict=True
        )
    )
    assert passed == [
        (0, 0, "Ferme"),
        (0, 600, "Mairie"),
        (0, 1200, "Gare"),
        (1, 1200, "Gare"),
        (1, 1800, "Mairie"),
        (1, 2400, "Ferme"),
    ]
    assert body.solo_s == 2400


def test_drive_between_two_places_on_one_street() -> None:
    # A street of 6 km without junctions; from its first kilometre to its fifth are 400 s.
    world = tiny_world("""
        street  Ferme 100min Gare 100min Port
        offer Anna  Ferme > Gare  07:00
    """)
    start, end = (Coordinate(0.0, metres / METRES_PER_DEGREE) for metres in (1000, 5000))
    body = compile_offer(world.network, changed(world.offers[0], start=start, end=end))
    assert body.solo_s == 400
    assert body.point.tolist() == []


def changed(offer: Offer, **values: object) -> Offer:
    fields = {name: getattr(offer, name) for name in Offer.__slots__}
    return Offer(**{**fields, **values})


def test_offer_far_from_any_street_is_unusable() -> None:
    world = tiny_world("""
        street  Ferme 100min Gare
        offer Anna  Ferme > Gare  07:00
    """)
    afield = changed(world.offers[0], start=Coordinate(0.5, 0.0))
    with pytest.raises(OfferUnusable, match=r"no street open to cars within 500 m"):
        compile_offer(world.network, afield)


def test_offer_from_door_to_door_is_unusable() -> None:
    world = tiny_world("""
        street  Ferme 100min Gare
        offer Anna  Ferme > Gare  07:00
    """)
    with pytest.raises(OfferUnusable, match="next to each other"):
        compile_offer(world.network, changed(world.offers[0], end=world.offers[0].start))


def test_a_drive_of_a_day_is_unusable(monkeypatch: pytest.MonkeyPatch) -> None:
    world = tiny_world("""
        street  Ferme 100min Mairie 100min Gare
        offer Anna  Ferme > Gare  07:00
    """)
    there_and_back = changed(world.offers[0], vias=(world.offers[0].end, world.offers[0].start) * 2)
    assert compile_offer(world.network, there_and_back).solo_s == 5 * 1200
    monkeypatch.setattr("carpool.compile.LONGEST_DRIVE_S", 5000)
    with pytest.raises(OfferUnusable, match="more than 1 hours"):
        compile_offer(world.network, there_and_back)


int32s, uint16s = st.integers(0, 2**31 - 1), st.integers(0, 2**16 - 1)


@st.composite
def bodies(draw: st.DrawFn) -> Body:
    count = draw(st.integers(0, 5))
    columns = [
        np.array(draw(st.lists(uint16s, min_size=count, max_size=count)), np.uint16)
        for _ in range(4)
    ]
    numbers = draw(int32s), draw(int32s), draw(int32s)
    return Body(*columns, *numbers, tuple(draw(st.lists(int32s))), draw(st.integers(0, count)))


@settings(derandomize=True, deadline=None, database=None, max_examples=100)
@given(bodies())
def test_body_survives_its_bytes(body: Body) -> None:
    again = unpack_body(pack_body(body))
    assert again is not None
    for name in ("point", "from_start_s", "to_end_s", "segment"):
        assert getattr(again, name).tolist() == getattr(body, name).tolist()
    for name in ("solo_s", "budget_s", "seat_count", "via_nodes", "searched"):
        assert getattr(again, name) == getattr(body, name)


def test_a_body_of_an_older_version_is_compiled_anew() -> None:
    older = (VERSION - 1).to_bytes(4, "little") + bytes(60)
    assert unpack_body(older) is None


@pytest.mark.parametrize(
    "date", ["2026-03-10", "2026-03-29", "2026-03-30", "2026-10-25", "2026-10-26"]
)
def test_windows_keep_the_clock_across_midnight_and_the_change_of_the_clock(date: str) -> None:
    # 24:30 is 24.5 hours after noon minus twelve hours of the day on which the driver set out.
    world = tiny_world("""
        street  Ferme 100min Gare
        offer Anna  Ferme > Gare  24:30-24:45
        offer Bob   Ferme > Gare  07:05-07:15
    """)
    day = instant(f"{date} 12:00").date()
    base_s = day_start_epoch_s(day, ZONE)
    found = RunningDates(world.offers).windows(world.network, day)
    runs = list(zip(*(column.tolist() for column in found), strict=True))
    assert [run[:3] for run in runs] == [
        (row, row, offset) for offset in (-1, 0, 1) for row in (0, 1)
    ]
    for _, row, offset, earliest_s, latest_s in runs:
        noon = instant(f"{day.fromordinal(day.toordinal() + offset)} 12:00")
        start_s = int(noon.timestamp()) - 12 * 3600
        assert base_s + earliest_s == start_s + world.offers[row].depart_from_s
        assert base_s + latest_s == start_s + world.offers[row].depart_to_s


def test_windows_of_days_on_which_the_offer_does_not_run_are_left_out() -> None:
    world = tiny_world("""
        street  Ferme 100min Gare
        offer Anna  Ferme > Gare  07:05  on tue
    """)
    dates = RunningDates(world.offers)
    days = [
        dates.windows(world.network, instant(f"2026-03-{d} 12:00").date()).day.tolist()
        for d in ("09", "10", "11", "12")
    ]
    assert days == [[1], [0], [-1], []]


def test_ride_is_dated_by_the_day_on_which_its_driver_set_out() -> None:
    world = tiny_world("""
        street  Ferme 100min Gare
        offer Anna  Ferme > Gare  24:30  on tue
    """)
    leg = answer(world, "Ferme", "Gare", depart="2026-03-11 00:10").itineraries[0].legs[0]
    assert isinstance(leg, RideLeg)
    assert leg.date == instant("2026-03-10 12:00").date()


@fixed_seed
@given(grids, seeds, st.data())
def test_a_driver_never_stops_at_points_that_he_has_struck_out(
    grid: Grid, seed: int, data: st.DataObject
) -> None:
    offer = random_offer(grid, seed, budget_s=120)
    body = compiled(grid, offer)
    ids = grid.network.points.id
    served = sorted({ids[point] for point in body.point.tolist()})
    assume(served)
    struck = data.draw(st.sets(st.sampled_from(served), min_size=1))
    left = compiled(grid, replace(offer, struck_points=frozenset(struck | {"of another map"})))
    kept = np.array([ids[point] not in struck for point in body.point.tolist()], bool)
    for name in ("point", "from_start_s", "to_end_s", "segment"):
        # The rest is as it was; only which of it every search looks at may differ.
        assert sorted(getattr(left, name)) == sorted(getattr(body, name)[kept])
