"""Elevators of the street map, from the rider's side: ridden, out of service, led around, named."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.itinerary import PlanAnswer
from tests.support.stations import answers, ask, lift_id, station_world
from tests.support.tiny import World

pytestmark = pytest.mark.unit

TOWN = """
    stop  Mairie  0     yes
    stop  Gare    6000  yes
    lift  6060    yes round
    trip  T1      Mairie 07:00 Gare 07:10 yes
"""
LIFT = lift_id(6060)
STRICT = {"wheelchair": True, "max_egress_s": 1800}
GOAL_M = 6180.0


def elevators_of(answer: PlanAnswer) -> list[list[str]]:
    return [
        [name for leg in it.legs if leg.access is not None for name in leg.access.elevators]
        for it in answer.itineraries
    ]


def test_rider_takes_the_elevator_of_the_street_on_foot_and_by_wheelchair() -> None:
    world = station_world(TOWN)
    # 180 m and 90 s; by wheelchair 180 / 0.8 = 225 s and 90 s.
    assert answers(world, 0.0, GOAL_M, depart="07:00") == [
        "L1 Mairie 07:00 > Gare 07:10 | walk 4min30s  [07:00 > 07:14:30, 0 transfers]"
    ]
    assert answers(world, 0.0, GOAL_M, depart="07:00", **STRICT) == [
        "L1 Mairie 07:00 > Gare 07:10 | walk 5min15s  [07:00 > 07:15:15, 0 transfers]"
    ]
    found = ask(world, 0.0, GOAL_M, depart="07:00", **STRICT)
    assert elevators_of(found) == [[LIFT]]
    assert found.explanations == ()


def test_elevators_of_the_map_are_listed_with_the_nearest_stop() -> None:
    world = station_world(TOWN + "\n    lift 120")
    assert {e.id: e.station for e in world.network.elevators.values()} == {
        LIFT: "Gare", lift_id(120): "Mairie",
    }  # fmt: skip


def test_other_way_is_taken_while_the_elevator_is_out_of_service() -> None:
    world = station_world(TOWN)
    # 20 m, the path of 300 + 80 + 300 m, 80 m: 780 m.
    assert answers(world, 0.0, GOAL_M, depart="07:00", out={LIFT}) == [
        "L1 Mairie 07:00 > Gare 07:10 | walk 13min  [07:00 > 07:23, 0 transfers]"
    ]
    found = ask(world, 0.0, GOAL_M, depart="07:00", out={LIFT}, **STRICT)
    assert elevators_of(found) == [[]]
    last = found.itineraries[0].legs[-1]
    assert (last.end_at - last.start_at).seconds == 780 / 0.8
    assert found.explanations[0].code == "elevator_out_of_service"
    assert found.explanations[0].values == {"elevator": LIFT, "station": "Gare"}


def test_answer_names_the_elevator_of_the_street_without_which_there_is_no_way() -> None:
    world = station_world(TOWN.replace("round", ""))
    assert answers(world, 0.0, GOAL_M, depart="07:00", **STRICT)
    found = ask(world, 0.0, GOAL_M, depart="07:00", out={LIFT}, **STRICT)
    assert found.itineraries == ()
    assert found.explanations[0].code == "elevator_out_of_service"
    assert not ask(world, 0.0, GOAL_M, depart="07:00", out={LIFT}).itineraries


def test_elevator_of_the_street_that_is_back_is_taken_again() -> None:
    world = station_world(TOWN)
    usual = answers(world, 0.0, GOAL_M, depart="07:00", **STRICT)
    assert answers(world, 0.0, GOAL_M, depart="07:00", out={LIFT}, **STRICT) != usual
    assert answers(world, 0.0, GOAL_M, depart="07:00", **STRICT) == usual


def test_elevator_that_is_not_for_wheelchairs_is_gone_round_and_not_named() -> None:
    world = station_world(TOWN.replace("yes round", "no round"))
    found = ask(world, 0.0, GOAL_M, depart="07:00", out={LIFT}, **STRICT)
    assert elevators_of(found) == [[]]
    assert found.explanations == ()


def test_nobody_starts_inside_of_an_elevator() -> None:
    """The nearest street of a place at the elevator is the footway before it."""
    world = station_world(TOWN)
    usable = world.network.usable["foot"]
    assert not usable[world.network.streets.edge_elevator >= 0].any()
    found = ask(world, 0.0, 6060.0, depart="07:00", out={LIFT}, **STRICT)
    assert found.itineraries


LIFTS_M = (6120, 6360, 6600)
STOPS_M = (6000, 6240, 6480, 6720)


@settings(max_examples=25)
@given(
    st.lists(
        st.sampled_from(["", "yes", "round", "no round", "yes round"]), min_size=3, max_size=3
    ),
    st.sets(st.sampled_from(LIFTS_M)),
)
def test_walks_between_stops_are_the_shortest_around_what_is_out(
    facts: list[str], out: set[int]
) -> None:
    """Four stops, an elevator between each two; the slow twin is a graph of a dozen nodes."""
    lines = [f"stop S{m} {m} yes" for m in STOPS_M]
    lines += [f"lift {m} {said}" for m, said in zip(LIFTS_M, facts, strict=True)]
    lines += ["trip T1 " + " ".join(f"S{m} 07:0{i}" for i, m in enumerate(STOPS_M)) + " yes"]
    world = station_world("\n".join(lines))
    for profile, mps in (("foot", 1.0), ("wheelchair", 0.8)):
        for shut in (set(), out):
            graph = nx.Graph()
            at = 6000
            for metre, said in zip(LIFTS_M, facts, strict=True):
                before, behind = (metre, "before"), (metre, "behind")
                nx.add_path(graph, [at, metre - 40], s=(metre - 40 - at) / mps)
                nx.add_path(graph, [metre - 40, before], s=40 / mps)
                nx.add_path(graph, [behind, metre + 40], s=40 / mps)
                nx.add_path(graph, [metre + 40, metre + 120], s=80 / mps)
                at = metre + 120
                if metre not in shut and not (mps < 1 and "no" in said.split()):
                    graph.add_edge(before, behind, s=90)
                if "round" in said:
                    graph.add_edge(metre - 40, metre + 40, s=680 / mps)
            ids = frozenset(lift_id(m) for m in shut)
            assert stop_walks(world, profile, ids) == {
                (a, b): round(seconds)
                for a, found in nx.all_pairs_dijkstra_path_length(graph, weight="s")
                for b, seconds in found.items()
                if a != b and a in STOPS_M and b in STOPS_M and seconds <= 900
            }


def stop_walks(world: World, profile: str, shut: frozenset[str]) -> dict[tuple[int, int], int]:
    walks = world.network.walking(profile, shut).walks
    start = np.repeat(np.arange(len(walks.first) - 1), np.diff(walks.first)).tolist()
    metre = {world.row(f"S{m}"): m for m in STOPS_M}
    rows = zip(start, walks.to.tolist(), walks.seconds.tolist(), strict=True)
    return {(metre[a], metre[b]): seconds for a, b, seconds in rows}
