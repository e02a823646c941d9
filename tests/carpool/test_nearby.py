"""Rides of an offer between two areas: every pick-up and every drop-off, one by one."""

from __future__ import annotations

import random
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carpool.compile import OfferUnusable, compile_offer
from carpool.nearby import NOT_HERE, Area, Pair, area_around, best_pair, bodies_between
from carpool.offers import Offer
from core.geo import METRES_PER_DEGREE, Coordinate, distance_m
from routing.network import Network
from routing.raptor.body_table import Body, flexible_trips
from routing.street.drive import UNREACHABLE_S
from tests.support.grids import Grid, random_grid, random_offer

pytestmark = pytest.mark.unit

fixed_seed = settings(derandomize=True, deadline=None, database=None, max_examples=80)
seeds = st.integers(0, 2**31)


@lru_cache(maxsize=8)
def grid_of(number: int) -> Grid:
    return random_grid(number)


def somewhere(grid: Grid, dice: random.Random) -> Coordinate:
    return Coordinate(
        dice.uniform(0, grid.north_m) / METRES_PER_DEGREE,
        dice.uniform(0, grid.east_m) / METRES_PER_DEGREE,
    )


def offer_of(grid: Grid, dice: random.Random) -> Offer:
    return random_offer(grid, dice.randrange(10**6), via_count=dice.randrange(2), budget_s=300)


def one_by_one(
    network: Network,
    body: Body,
    areas: tuple[Area, Area],
    leaves_s: tuple[int, int],
    wanted_s: int,
    delta_s: int,
) -> dict[tuple[int, int], tuple[int, int, int]]:
    """All pairs that an offer can do: pick-up, ride and both walks."""
    found = {}
    for a, p in enumerate(body.point.tolist()):
        df_s = int(body.from_start_s[a])
        pickup_s = sorted((leaves_s[0] + df_s, wanted_s, leaves_s[1] + df_s))[1]
        if areas[0].walk_s[p] == NOT_HERE or abs(pickup_s - wanted_s) > delta_s:
            continue
        for b, q in enumerate(body.point.tolist()):
            if areas[1].walk_s[q] == NOT_HERE or p == q or body.segment[a] > body.segment[b]:
                continue
            ride_s = int(network.ground.drive_s[p, q])
            if body.segment[a] != body.segment[b]:
                ride_s = int(body.to_end_s[a]) + int(body.from_start_s[b]) - body.solo_s
            elif ride_s == UNREACHABLE_S:
                continue
            whole_s = df_s + ride_s + int(body.to_end_s[b])
            if ride_s > 0 and whole_s <= body.solo_s + body.budget_s:
                walk_s = int(areas[0].walk_s[p]) + int(areas[1].walk_s[q])
                found[a, b] = pickup_s, ride_s, walk_s
    return found


@fixed_seed
@given(seed=seeds)
def test_the_pair_is_the_shortest_of_all_that_fit(seed: int) -> None:
    dice = random.Random(seed)
    grid = grid_of(seed % 8)
    offer = offer_of(grid, dice)
    try:
        body = compile_offer(grid.network, offer)
    except OfferUnusable:
        return
    radius_m = dice.choice((200, 500, 2_000))
    areas = (
        area_around(grid.network, somewhere(grid, dice), radius_m, towards=False),
        area_around(grid.network, somewhere(grid, dice), radius_m, towards=True),
    )
    leaves_s = offer.depart_from_s, offer.depart_to_s
    wanted_s = offer.depart_from_s + dice.randrange(-900, 1_800)
    delta_s = dice.choice((0, 300, 1_800))
    pair = best_pair(
        body, grid.network.ground.drive_s, areas, leaves_s=leaves_s, wanted_s=wanted_s,
        delta_s=delta_s,
    )  # fmt: skip
    all_of_them = one_by_one(grid.network, body, areas, leaves_s, wanted_s, delta_s)
    if pair is None:
        assert all_of_them == {}
        return
    assert all_of_them[pair.pickup, pair.dropoff] == (pair.pickup_s, pair.ride_s, pair.walk_s)
    least_s = min(ride_s + walk_s for _, ride_s, walk_s in all_of_them.values())
    assert pair.ride_s + pair.walk_s == least_s
    bodies = flexible_trips([body], grid.network.coarse.point_cell).bodies
    assert bodies_between(bodies, *areas).tolist() == [True]


def test_among_random_worlds_some_offers_do_and_some_do_not() -> None:
    counts = {True: 0, False: 0}
    for seed in range(40):
        dice = random.Random(seed)
        grid = grid_of(seed % 8)
        try:
            body = compile_offer(grid.network, offer_of(grid, dice))
        except OfferUnusable:
            continue
        ends = ((somewhere(grid, dice), towards) for towards in (False, True))
        areas = [area_around(grid.network, end, 500, towards=towards) for end, towards in ends]
        pair: Pair | None = best_pair(
            body, grid.network.ground.drive_s, (areas[0], areas[1]), leaves_s=(0, 86_400),
            wanted_s=43_200, delta_s=0,
        )  # fmt: skip
        counts[pair is not None] += 1
    assert min(counts.values()) >= 5


def test_an_area_holds_the_points_within_its_radius_and_no_others() -> None:
    grid = grid_of(3)
    place = somewhere(grid, random.Random(3))
    points = grid.network.points
    area = area_around(grid.network, place, 600, towards=False)
    inside = [
        distance_m(place, Coordinate(float(lat), float(lon))) <= 600
        for lat, lon in zip(points.lat, points.lon, strict=True)
    ]
    assert 0 < sum(inside) < len(inside)
    assert (area.walk_s != NOT_HERE).tolist() == inside
    assert np.all(area.on_foot <= (area.walk_s != NOT_HERE))
    assert area.on_foot.any()
