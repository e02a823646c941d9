"""One place to all stops against the oracle, which is asked for each stop on its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from routing.raptor.body_table import no_flexible_trips
from routing.raptor.labels import FAR
from routing.raptor.search import Window, no_rides
from tests.oracles.raptor_oracle import NEVER, earliest_arrivals, latest_departures
from tests.strategies import random_worlds
from tests.support.random_world import OPENING_S, RandomWorld

pytestmark = pytest.mark.unit

LONG_S = 6 * 3600
fixed_seed = settings(
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
worlds = st.one_of(random_worlds(rides=False), random_worlds(rides=True))


def walks_to(world: RandomWorld, stop: int, *, seats: int) -> dict[int, int]:
    """Nodes from which one may walk to a stop, itself included."""
    walks = {**world.walks, **world.point_walks} if seats else world.walks
    return {stop: 0} | {a: walk_s for (a, b), walk_s in walks.items() if b == stop}


def walks_from(world: RandomWorld, stop: int, *, seats: int) -> dict[int, int]:
    """Nodes to which one may walk from a stop, itself included."""
    walks = {**world.walks, **world.point_walks} if seats else world.walks
    return {stop: 0} | {b: walk_s for (a, b), walk_s in walks.items() if a == stop}


def known(seconds: int) -> int:
    return seconds if seconds <= LONG_S else FAR


@fixed_seed
@given(worlds)
def test_every_stop_is_reached_as_soon_as_by_a_search_of_its_own(world: RandomWorld) -> None:
    reached = world.search().reach_stops(world.leave_s, LONG_S)
    assert reached.shape == (world.most + 1, world.stop_count)
    for stop in range(world.stop_count):
        on_foot_s = world.access.get(stop, NEVER)
        arrivals = earliest_arrivals(
            world.plain(), world.access, walks_to(world, stop, seats=world.seats), world.leave_s,
            most=world.most, seats=world.seats,
        )  # fmt: skip
        wanted = [known(min(at_s - world.leave_s, on_foot_s)) for at_s in arrivals]
        event("reached by vehicle" if wanted[-1] < wanted[0] else "not by vehicle")
        assert reached[:, stop].tolist() == wanted


@fixed_seed
@given(worlds)
def test_every_stop_is_left_as_late_as_by_a_search_of_its_own(world: RandomWorld) -> None:
    reached = world.search(arrive_by=True).reach_stops(world.arrive_s, LONG_S)
    for stop in range(world.stop_count):
        on_foot_s = world.egress.get(stop, NEVER)
        departures = latest_departures(
            world.plain(), walks_from(world, stop, seats=world.seats), world.egress,
            world.arrive_s, most=world.most, seats=world.seats, earliest_s=OPENING_S - 3600,
        )  # fmt: skip
        wanted = [known(min(world.arrive_s - at_s, on_foot_s)) for at_s in departures]
        assert reached[:, stop].tolist() == wanted


@fixed_seed
@given(worlds, st.integers(0, 3600))
def test_limit_of_time_only_leaves_out_what_takes_longer(world: RandomWorld, most_s: int) -> None:
    search = world.search()
    reached = search.reach_stops(world.leave_s, LONG_S)
    within = search.reach_stops(world.leave_s, most_s)
    assert within.tolist() == np.where(reached <= most_s, reached, FAR).tolist()


@fixed_seed
@given(random_worlds(rides=True))
def test_scratch_has_room_for_points_after_a_search_that_knew_of_no_offers(
    world: RandomWorld,
) -> None:
    # As with vias, then one place to all without any offer. Kernels do not check bounds.
    moment = Window(world.leave_s, world.leave_s)
    nobody = no_flexible_trips(), no_rides()
    replace(world.search(seats=0), flexible=nobody[0], rides=nobody[1]).run(moment)
    no_offers = no_flexible_trips()
    search = replace(world.search(), flexible=no_offers, rides=no_rides())
    search.run(moment)
    scratch = search._scratch(search.terrain.day).rides
    assert len(scratch.beat_s) == world.point_count
