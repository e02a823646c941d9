"""Many departures at once against the oracle, which is asked for each departure and stop."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from routing.raptor.labels import FAR
from tests.oracles.raptor_oracle import earliest_arrivals
from tests.strategies import random_worlds
from tests.support.random_world import RandomWorld

pytestmark = pytest.mark.unit


@settings(
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(random_worlds(rides=False), st.integers(1, 8), st.integers(60, 5400))
def test_one_gets_out_as_soon_as_by_a_search_for_each_departure(
    world: RandomWorld, count: int, most_s: int
) -> None:
    starts_s = world.leave_s + 60 * np.arange(count, dtype=np.int32)
    found_s = replace(world.search(), seats=0).alight_times(starts_s.astype(np.int32), most_s)
    assert found_s.shape == (world.stop_count, count)
    for stop in range(world.stop_count):
        wanted = []
        for start_s in starts_s.tolist():
            arrivals = earliest_arrivals(
                world.plain(), world.access, {stop: 0}, start_s, most=world.most, seats=0
            )
            gap_s = arrivals[-1] - start_s
            wanted.append(gap_s if gap_s <= most_s else FAR)
        event("reached at some departures only" if len({w < FAR for w in wanted}) == 2 else "same")
        assert found_s[stop].tolist() == wanted
