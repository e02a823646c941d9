"""Offers frozen to stops and times: whatever part of a trip somebody rides can be booked."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from carpool.fixed_trips import LEAST_HOP_S, STOP_LIMIT, fixed_trip
from carpool.ride_plans import NEVER_S, RideWay, Visit
from tests.carpool.test_ride_plans import EARLIEST_S, drive_of, random_way

pytestmark = pytest.mark.unit


@settings(derandomize=True, deadline=None, database=None, max_examples=60)
@given(st.integers(0, 2**31))
def test_driver_comes_by_every_stop_at_its_time_within_his_budget(seed: int) -> None:
    _, way = random_way(random.Random(seed))
    calls = fixed_trip(way.body, way.drive_s)
    event(f"{len(calls)} stops")
    assert len(calls) != 1
    assert len(calls) <= STOP_LIMIT
    assert all(b - a >= LEAST_HOP_S for (_, a), (_, b) in itertools.pairwise(calls))
    if not calls:
        return
    last = len(way.body.via_nodes)
    assert any(
        passes(way, calls, segments)
        for segments in itertools.combinations_with_replacement(range(last + 1), len(calls))
    )


def passes(way: RideWay, calls: list[tuple[int, int]], segments: tuple[int, ...]) -> bool:
    """Whether the driver is at these points at these times, visiting them in these segments."""
    visits = [
        Visit(str(i), point, segment, 0, -NEVER_S, NEVER_S)
        for i, ((point, _), segment) in enumerate(zip(calls, segments, strict=True))
    ]
    hops_s = drive_of(way, visits)
    if hops_s is None or sum(hops_s) > way.limit_s:
        return False
    return list(itertools.accumulate(hops_s[:-1])) == [seconds for _, seconds in calls]


@settings(derandomize=True, deadline=None, database=None, max_examples=40)
@given(st.integers(0, 2**31))
def test_any_part_of_a_trip_can_be_booked(seed: int) -> None:
    _, way = random_way(random.Random(seed))
    for (into, get_in_s), (out, get_out_s) in itertools.combinations(
        fixed_trip(way.body, way.drive_s), 2
    ):
        at_s, by_s = EARLIEST_S + get_in_s, EARLIEST_S + get_out_s
        pickup = Visit("rider", into, 0, 1, EARLIEST_S, at_s)
        dropoff = Visit("rider", out, 0, -1, -NEVER_S, by_s)
        assert into == out or way.insert((), pickup, dropoff) is not None
