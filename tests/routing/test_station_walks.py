"""Walks through stations against the slow twin: random pathways, elevators shut at random."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.street.kernels import Walks
from tests.oracles.station_oracle import Way, station_walks
from tests.support.stations import station_world
from tests.support.tiny import World

pytestmark = pytest.mark.unit
DOORS_M = {"Nord": 6000.0, "Sud": 6240.0, "Est": 6480.0}
PLATFORMS = ("Quai1", "Quai2")
NODES = ("Hall", "Salle")
MODES = ("walkway", "stairs", "escalator", "elevator", "fare_gate", "exit_gate")
PLACES = (*DOORS_M, *PLATFORMS, *NODES)
WAYS = st.lists(
    st.tuples(
        st.sampled_from(PLACES), st.sampled_from(PLACES), st.sampled_from(MODES),
        st.integers(1, 100).map(lambda n: 4 * n), st.booleans(),
    ),
    max_size=12,
)  # fmt: skip
# Every platform can be reached and left, by stairs: without that it would stand on the street.
STAIRS = [
    Way(f"S{i}{door}", door, platform, "stairs", 300 + 40 * i, both=True)
    for i, platform in enumerate(PLATFORMS)
    for door in ("Nord", "Est")[i : i + 1]
]


def text_of(ways: list[Way]) -> str:
    lines = ["stop Mairie 0", "stop Gare 6000 station yes"]
    lines += [f"stop {name} {metre:.0f} entrance in Gare" for name, metre in DOORS_M.items()]
    lines += [f"stop {name} 6000 in Gare" for name in PLATFORMS]
    lines += [f"stop {name} 6000 node in Gare" for name in NODES]
    for way in ways:
        arrow = "<>" if way.both else ">"
        lines.append(f"way {way.id} {way.start} {arrow} {way.end} {way.mode} {way.seconds}")
    lines += [f"trip T{i} Mairie 07:00 {name} 07:10" for i, name in enumerate(PLATFORMS)]
    return "\n".join(lines)


def platform_walks(
    world: World, walks: Walks, *, turned: bool = False
) -> dict[tuple[str, str], int]:
    start = np.repeat(np.arange(len(walks.first) - 1), np.diff(walks.first))
    name = {world.row(platform): platform for platform in PLATFORMS}
    ends = [start.tolist(), walks.to.tolist()]
    return {
        (name[a], name[b]): s
        for a, b, s in zip(*(ends[::-1] if turned else ends), walks.seconds.tolist(), strict=True)
        if a in name and b in name
    }


@settings(max_examples=40, deadline=None)
@given(WAYS, st.sets(st.integers(0, 11)), st.booleans())
def test_walks_through_stations_are_the_shortest_that_are_open(
    drawn: list[tuple[str, str, str, int, bool]], shut_rows: set[int], streets: bool
) -> None:
    ways = [Way(f"W{i}", *row[:4], both=row[4]) for i, row in enumerate(drawn) if row[0] != row[1]]
    ways += STAIRS
    shut = {w.id for w in ways if w.mode == "elevator" and int(w.id[1:2] or 0) in shut_rows}
    world = station_world(text_of(ways), streets=streets)
    assert world.network.stations.indoors.sum() == len(PLATFORMS)
    out = frozenset(f"tiny:{name}" for name in shut)
    seconds = {}
    for profile, wheels in (("foot", False), ("wheelchair", True)):
        for shut_now, ids in ((frozenset(), set()), (out, shut)):
            walking = world.network.walking(profile, shut_now)
            expected = station_walks(DOORS_M, PLATFORMS, ways, ids, wheels=wheels, streets=streets)
            assert platform_walks(world, walking.walks) == expected
            assert platform_walks(world, walking.walks_back, turned=True) == expected
            assert platform_walks(world, walking.point_walks) == expected
            seconds[profile, shut_now] = expected
    # The search's bounds are made of walks on foot with everything in service.
    foot = seconds["foot", frozenset()]
    for found in seconds.values():
        assert all(foot[pair] <= s for pair, s in found.items())
