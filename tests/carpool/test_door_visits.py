"""Riders fetched at their doors: exact drives on random streets, and what others learn of them."""

from __future__ import annotations

import datetime as dt
import itertools
import random
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, cast

import networkx as nx
import numpy as np
import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from carpool.booked_rides import (
    BookedPart,
    parts_of_booked_ride,
    planned_parts,
    ride_way,
    searched_parts,
)
from carpool.bookings import Booking, BookingState, RideState
from carpool.compile import OfferUnusable, compile_offer, pack_body, unpack_body
from carpool.door_visits import spots_of, with_doors
from carpool.offers import Offer, OfferState
from carpool.ports import PlannedVisit, StoredRide
from carpool.ride_plans import NEVER_S, RideWay, Visit
from carpool.tracking import track_ride
from core.geo import METRES_PER_DEGREE, Coordinate
from core.time import to_instant
from routing.doors import Door, between_s, detours, draw_drive, least_ways_s, veiled
from routing.network import Network
from routing.raptor.body_table import Body
from tests.support.grids import END, START, Grid, car_graph_between, random_grid, random_offer

pytestmark = pytest.mark.unit

fixed_seed = settings(derandomize=True, deadline=None, database=None, max_examples=60)
seeds = st.integers(0, 2**31)
WINDOW_S = 40
EARLIEST_S = 1_000_000
DAY = dt.date(2026, 3, 10)
Visits = Sequence[Visit]


@lru_cache(maxsize=8)
def grid_of(number: int) -> Grid:
    return random_grid(number)


def random_door(dice: random.Random, grid: Grid) -> tuple[Coordinate, Door]:
    while True:
        place = Coordinate(
            dice.random() * grid.north_m / METRES_PER_DEGREE,
            dice.random() * grid.east_m / METRES_PER_DEGREE,
        )
        door = grid.network.find_door(place)
        if door is not None:
            return door.at.coordinate, door


def random_way(dice: random.Random) -> tuple[Grid, RideWay]:
    """A ride whose driver comes to doors."""
    grid = grid_of(dice.randrange(8))
    while True:
        offer = random_offer(grid, dice.randrange(10**6), via_count=dice.randrange(3), budget_s=240)
        with suppress(OfferUnusable):
            body = compile_offer(grid.network, replace(offer, door=True))
            break
    latest_s = EARLIEST_S + dice.choice((0, WINDOW_S))
    return grid, RideWay(body, grid.network.ground.drive_s, EARLIEST_S, latest_s, 3)


def doors_of(*spots: Coordinate) -> tuple[Coordinate, ...]:
    booked = [SimpleNamespace(pickup_door=spot, dropoff_door=None) for spot in spots]
    return spots_of(cast("list[Booking]", booked))


def stretches_of(way: RideWay) -> np.ndarray[Any, Any]:
    return np.array([stretch.row(0) for stretch in way.body.stretches], np.int32)


@fixed_seed
@given(seeds)
def test_drives_from_and_to_a_door_are_those_of_dijkstra(seed: int) -> None:
    dice = random.Random(seed)
    grid = grid_of(dice.randrange(8))
    network = grid.network
    (a, start), (b, end) = random_door(dice, grid), random_door(dice, grid)
    graph = car_graph_between(network, a, b)
    from_s = nx.single_source_dijkstra_path_length(graph, START, weight="s")
    to_s = nx.single_source_dijkstra_path_length(graph.reverse(), END, weight="s")
    for point, node in enumerate(network.points.car_node.tolist()):
        assert start.from_s[point] == from_s[node]
        assert end.to_s[point] == to_s[node]
    between = between_s(network.streets, network.drive, start, end)
    assert between <= from_s[END]
    assert between == from_s[END] or start.at.edge == end.at.edge
    route = draw_drive(network.streets, network.arcs["car"], network.drive, start, end)
    assert route is not None
    assert route.seconds == between


@fixed_seed
@given(seeds)
def test_a_visit_to_a_door_costs_the_drive_there_and_on(seed: int) -> None:
    dice = random.Random(seed)
    grid, way = random_way(dice)
    _, door = random_door(dice, grid)
    body = unpack_body(pack_body(way.body))
    assert body is not None
    rows = [stretch.row(0) for stretch in way.body.stretches]
    assert [stretch.row(0) for stretch in body.stretches] == rows
    from_s, to_s = detours(grid.network.drive, stretches_of(way), door)
    assert (least_ways_s(stretches_of(way), door) <= from_s + to_s).all()
    # By no meeting point it is shorter.
    for stretch, df, db in zip(body.stretches, from_s.tolist(), to_s.tolist(), strict=True):
        own = way.body.segment == stretch.segment
        points = way.body.point[own]
        assert (df <= way.body.from_start_s[own] + door.to_s[points]).all()
        assert (db <= door.from_s[points] + way.body.to_end_s[own]).all()


def booked_at_doors(
    dice: random.Random, grid: Grid, way: RideWay
) -> tuple[tuple[Coordinate, ...], Visits, RideWay]:
    """A plan in which somebody is fetched at his door, or let out there, and perhaps others."""
    (a, _), (b, _) = random_door(dice, grid), random_door(dice, grid)
    spots = doors_of(a, b)
    true = with_doors(grid.network, way, spots)
    assert true is not None
    visits: Visits = ()
    places = [*range(len(way.drive_s), len(way.drive_s) + len(spots))]
    places += dice.sample(sorted(set(way.body.point.tolist())), min(3, len(set(way.body.point))))
    for name in range(4):
        pickup, dropoff = dice.sample(places, 2)
        at_s = EARLIEST_S + dice.randint(0, way.body.solo_s + WINDOW_S)
        into = Visit(str(name), pickup, 0, 1, at_s, at_s + dice.choice((60, 300)))
        out = Visit(str(name), dropoff, 0, -1, -NEVER_S, at_s + dice.choice((300, 900)))
        found = true.insert(visits, into, out)
        if found is not None:
            visits = found[0]
    return spots, visits, true


def seen_parts(
    grid: Grid, way: RideWay, spots: tuple[Coordinate, ...], visits: Visits
) -> list[BookedPart]:
    """What is searched of a ride."""
    seen = with_doors(grid.network, way, spots, veil=True)
    assert seen is not None
    schedule = seen.schedule(visits)
    if schedule is None:
        return []
    return parts_of_booked_ride(seen, visits, schedule, grid.network.points.car_node)


@fixed_seed
@given(seeds)
def test_whatever_is_found_beside_a_rider_fetched_at_his_door_can_be_booked(seed: int) -> None:
    dice = random.Random(seed)
    grid, way = random_way(dice)
    spots, visits, true = booked_at_doors(dice, grid, way)
    assume(any(visit.point >= len(way.drive_s) for visit in visits))
    parts = seen_parts(grid, way, spots, visits)
    event(f"{len(parts)} parts")
    for part in parts:
        assert (part.body.point < len(way.drive_s)).all()
        for (p, q), ride_s in pairs_of(way, part):
            at_s = part.leaves_s + int(part.body.from_start_s[p])
            into = Visit("new", int(part.body.point[p]), 0, 1, at_s, at_s)
            out = Visit("new", int(part.body.point[q]), 0, -1, -NEVER_S, at_s + ride_s)
            assert true.insert(visits, into, out) is not None


@fixed_seed
@given(seeds)
def test_a_door_that_is_found_on_a_booked_ride_can_be_booked(seed: int) -> None:
    dice = random.Random(seed)
    grid, way = random_way(dice)
    spots, visits, _ = booked_at_doors(dice, grid, way)
    assume(visits)
    parts = seen_parts(grid, way, spots, visits)
    spot, door = random_door(dice, grid)
    more = doors_of(*spots, spot)
    true = with_doors(grid.network, way, more)
    assert true is not None
    # Doors are numbered anew where there is one more.
    known = len(way.drive_s)
    moved = [
        replace(v, point=v.point if v.point < known else known + more.index(spots[v.point - known]))
        for v in visits
    ]
    found = 0
    for part in parts:
        rows = np.array([stretch.row(0) for stretch in part.body.stretches], np.int32)
        limit_s = part.body.solo_s + part.body.budget_s
        from_s, to_s = detours(grid.network.drive, rows, door)
        assert (least_ways_s(rows, door) <= from_s + to_s).all()
        for stretch, df, db in zip(
            part.body.stretches, from_s.tolist(), to_s.tolist(), strict=True
        ):
            for q in np.flatnonzero(part.body.segment >= stretch.segment).tolist():
                ride_s = int(door.from_s[part.body.point[q]])
                if part.body.segment[q] != stretch.segment:
                    ride_s = db + int(part.body.from_start_s[q]) - part.body.solo_s
                if df + ride_s + int(part.body.to_end_s[q]) > limit_s:
                    continue
                found += 1
                at_s = part.leaves_s + df
                into = Visit("new", known + more.index(spot), 0, 1, at_s, at_s)
                out = Visit("new", int(part.body.point[q]), 0, -1, -NEVER_S, at_s + ride_s)
                assert true.insert(moved, into, out) is not None
    event(f"{min(found, 1)} found")


def pairs_of(way: RideWay, part: BookedPart) -> Iterator[tuple[tuple[int, int], int]]:
    """Lawful rides of a part alone, and how long they take."""
    body = part.body
    for p, q in itertools.product(range(len(body.point)), repeat=2):
        if body.point[p] == body.point[q] or body.segment[p] > body.segment[q]:
            continue
        if body.segment[p] == body.segment[q]:
            ride_s = int(way.drive_s[body.point[p], body.point[q]])
        else:
            ride_s = int(body.to_end_s[p]) + int(body.from_start_s[q]) - body.solo_s
        if (
            int(body.from_start_s[p]) + ride_s + int(body.to_end_s[q])
            <= body.solo_s + body.budget_s
        ):
            yield (p, q), ride_s


@fixed_seed
@given(seeds)
def test_others_learn_of_a_door_the_meeting_point_beside_it_and_how_far_that_is(seed: int) -> None:
    """Two doors with one stand-in and equal drives to it are the same to them."""
    dice = random.Random(seed)
    grid = grid_of(dice.randrange(8))
    network = grid.network
    _, door = random_door(dice, grid)
    seen = veiled(network.points, network.drive, door)
    drive_s, m = network.ground.drive_s.astype(int), door.stand_in
    assert m == int((door.from_s + door.to_s).argmin())
    assert (seen.from_s == door.from_s[m] + drive_s[m]).all()
    assert (seen.to_s == drive_s[:, m] + door.to_s[m]).all()
    assert (seen.from_s >= door.from_s).all()
    assert (seen.to_s >= door.to_s).all()
    assert seen.at.coordinate == Coordinate(network.points.lat[m], network.points.lon[m])


def test_what_is_searched_and_published_of_a_ride_goes_by_the_point_that_stands_for_a_door() -> (
    None
):
    dice, told = random.Random(20261129), 0
    for _ in range(40):
        grid = grid_of(dice.randrange(8))
        network = grid.network
        offer = random_offer(grid, dice.randrange(10**6), budget_s=900)
        try:
            body = compile_offer(network, replace(offer, door=True))
        except OfferUnusable:
            continue
        spot, door = random_door(dice, grid)
        ride = fetched(network, replace(offer, door=True), body, spot, dice)
        if ride is None:
            continue
        track = track_ride(network, ride, body)
        assert track is not None
        assert track.stops[0].place == spot  # to those in the car
        drive_s, m = network.ground.drive_s.astype(int), door.stand_in
        for parts in (planned_parts, searched_parts):
            for _, part in parts(network, ride, body):
                before, behind = (part.segment == segment for segment in (0, 1))
                to_s = part.to_end_s[before] - drive_s[part.point[before], m]
                from_s = part.from_start_s[behind] - drive_s[m, part.point[behind]]
                assert len(set(to_s.tolist())) <= 1
                assert len(set(from_s.tolist())) <= 1
                told += len(to_s) + len(from_s)
    assert told > 100


def fetched(
    network: Network, offer: Offer, body: Body, spot: Coordinate, dice: random.Random
) -> StoredRide | None:
    """A ride on which somebody is fetched at a door; None where that does not fit."""
    way = with_doors(network, ride_way(network, offer, body, DAY), (spot,))
    assert way is not None
    dropoff = dice.choice(sorted(set(body.point.tolist())) or [0])
    at_s, of = way.earliest_s + 120, uuid.UUID(int=5)
    into = Visit(str(of), len(way.drive_s), 0, 1, at_s, at_s + 600)
    out = Visit(str(of), dropoff, 0, -1, -NEVER_S, at_s + 3600)
    found = way.insert((), into, out)
    if found is None:
        return None
    points, door = network.points, network.door_at(spot)
    assert door is not None
    booking = Booking(
        id=of, ride_id=uuid.UUID(int=1), rider_id=uuid.UUID(int=2), together_id=uuid.UUID(int=3),
        state=BookingState.CONFIRMED, seats=1, pickup_point=points.id[door.stand_in],
        dropoff_point=points.id[dropoff], pickup_from=to_instant(into.earliest_s),
        pickup_to=to_instant(into.latest_s), dropoff_by=to_instant(out.latest_s),
        price_cents=None, currency="EUR", code="0000", until=None, created_at=to_instant(0),
        pickup_door=spot,
    )  # fmt: skip
    plan = [
        PlannedVisit(of, visit.seats > 0, visit.segment, to_instant(at_s))
        for visit, at_s in zip(found[0], found[1].at_s, strict=True)
    ]
    return StoredRide(
        id=uuid.UUID(int=1), offer=offer, offer_version=1, driver_id=uuid.UUID(int=4), date=DAY,
        version=1, state=RideState.SCHEDULED, late_s=0, plan=tuple(plan), bookings=(booking,),
        offer_state=OfferState.PUBLISHED, latest_version=1,
    )  # fmt: skip
