"""
Journeys that cost less, emit less or walk less than the fastest, within a slack of their times.

The search by time gives the anchors: best departures, arrivals and numbers of vehicles. Around
them, `routing.raptor.bag_rounds` looks for what is better by one other criterion at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.remember import Remembered
from gtfs_data.rolling import DayTimetable
from gtfs_data.store import frozen
from gtfs_data.throughs import parts_of_ride
from gtfs_data.timetable import Timetable
from routing.bounds import MOST_ONWARD, VEHICLE_BITS
from routing.network import Network
from routing.raptor.bag_rounds import spread_anchors
from routing.raptor.bags import MOST, VALUE, Aim, Bags, new_bags
from routing.raptor.criteria_legs import ends_of, legs_of
from routing.raptor.labels import (
    FAR,
    LIMITS,
    MAX_VEHICLES,
    Labels,
    aim,
    new_labels,
)
from routing.raptor.search import Search, Window
from routing.raptor.unroll import RawJourney, RawVehicle, Reach, Surroundings, unrolled
from routing.raptor.value_bounds import (
    GRAMS_STEP,
    Least,
    Measure,
    find_least,
    new_least,
    walk_steps,
)

DEPARTURE_LIMIT = 8
"""Anchors around which other criteria are searched, the soonest."""
SLACK_S, SLACK_SHARE = 900, 0.25
"""Later than an anchor by so much, or by this share of its duration if that is more."""
MORE_VEHICLES = 1
MEASURED_KEPT = 4
"""Days of which CO2 and kinds by pattern are kept: two dates in both directions."""
FREE = -1
"""Stands for the product of what counts nothing."""

Int32 = npt.NDArray[np.int32]
_thread = threading.local()


@dataclass(frozen=True, slots=True, eq=False)
class CriteriaTable:
    """Prices and emissions as the search reads them: data that tariff and factors were put in."""

    route_kind: Int32
    """Shape (route_count,): number of what is paid alike, or -1."""
    kind_product: Int32
    """Shape (kinds,): what boarding it is paid by, or -1."""
    product_cents: Int32
    """Least price of a product: no journey that uses it costs less."""
    product_once: npt.NDArray[np.uint8]
    """1: paid once a journey, whatever is boarded by it."""
    route_g_per_km: npt.NDArray[np.float64]


class Values(NamedTuple):
    """Criteria of one journey beside its times."""

    cents: int
    """A lower bound of its price."""
    hectograms: int
    """Of CO2, begun ones of each leg."""
    walk_steps: int
    """Of two minutes, begun ones of each walk."""


EVERY = Values(FAR, FAR, FAR)
"""Bounds that leave out nothing."""
NEVER = -FAR
"""A ceiling below which no journey lies: whatever is worth finding is found."""


def search_criteria(
    search: Search,
    table: CriteriaTable,
    anchors: Sequence[RawJourney],
    window: Window,
    most: Values,
    ceiling_s: float,
) -> list[RawJourney]:
    """
    Journeys of public transport around the anchors that are best by one criterion and time.

    By each criterion, of the journeys within the slack whose value is at most that of `most`,
    those are found that no other one is as good as in departure, arrival, vehicles and this
    value; only those with the least value, once one is found that costs no more than `ceiling_s`
    (`routing.ranking.cost_s`, waiting since the departure searched included). A journey is
    within the slack if it arrives so of an anchor that leaves no earlier and takes no more
    vehicles, with one vehicle more than the anchors at most. Arrive-by: turned round.
    """
    if not anchors:
        return []
    forward, terrain = not search.arrive_by, search.terrain
    day, walks = (terrain.day, terrain.walks) if forward else (terrain.day_back, terrain.walks_back)
    start, goal = (search.access, search.egress) if forward else (search.egress, search.access)
    start, goal = (_on_stops(reach, terrain.stop_count) for reach in (start, goal))
    if len(start.node) == 0 or len(goal.node) == 0:
        return []
    starts_s, limit_s = _departures(anchors, window, search.max_vehicles, forward=forward)
    scratch = _scratch(terrain.stop_count, day)
    where, near = _aim(search, scratch, (start, goal), limit_s, starts_s, int(ceiling_s))
    access, bags = start.walks, scratch.bags
    around = Surroundings(
        search.flexible.bodies, search.rides, search.carpool_change_s, search.doors
    )
    rows = min(search.max_vehicles, MAX_VEHICLES) + 1
    found = []
    walks_back = terrain.walks_back if forward else terrain.walks
    own = _measured(_Asked(search.network, table, day, forward))
    ends = ends_of(start, goal, terrain.stop_count, own.row_grams)
    for measure in _measures(own, table, most):
        if measure.least_first > measure.most:
            continue
        find_least(day, measure, walks_back, where.egress_s, near, scratch.least, where.reach)
        spread_anchors(
            day, measure, where, walks, access, terrain.change_s, bags, starts_s, rows, forward
        )
        goals = bags.goal[0, : bags.goal_size[0]]
        found += [
            unrolled(
                around,
                *legs_of(day, bags.entries, row, terrain.change_s, ends, forward=forward),
                forward=forward,
            )
            for row in goals.tolist()
            if bags.entries[row, VALUE] <= bags.counts[MOST]
        ]
    return found


def slack_s(start_s: int, end_s: int) -> int:
    """How much later than an anchor others may arrive, or leave sooner."""
    return max(SLACK_S, round(SLACK_SHARE * (end_s - start_s)))


def values_of(network: Network, table: CriteriaTable, journey: RawJourney) -> Values | None:
    """Criteria of a journey of public transport; None with rides, whose price is their own."""
    t = network.timetable
    metres = network.pattern_metres
    cents, hectograms, paid = 0, 0, set()
    for leg in journey.legs:
        if not isinstance(leg, RawVehicle):
            return None
        parts = parts_of_ride(t, leg.trip, leg.board_position, leg.alight_position)
        kind = int(table.route_kind[_route_of(t, parts[0].trip)])
        product = FREE if kind < 0 else int(table.kind_product[kind])
        if product >= 0 and product not in paid:
            cents += int(table.product_cents[product])
            if table.product_once[product]:
                paid.add(product)
        grams = 0
        for part in parts:
            first = int(t.pattern_first_stop[t.trip_pattern[part.trip]])
            ends = metres[first + np.array([part.board, part.leave])]
            along = _grams(ends, table.route_g_per_km[_route_of(t, part.trip)])
            grams += int(along[1] - along[0])
        hectograms += -(-grams // GRAMS_STEP)
    walks_s = (journey.access_s, *journey.walk_s, journey.egress_s)
    return Values(cents, hectograms, sum(int(walk_steps(walk_s)) for walk_s in walks_s))


def _route_of(t: Timetable, trip: int) -> int:
    return int(t.pattern_route[t.trip_pattern[trip]])


def _grams(metres: Int32, g_per_km: npt.NDArray[np.float64] | float) -> Int32:
    grams: Int32 = np.rint(metres * g_per_km / 1000).astype(np.int32)
    return grams


class _Measured(NamedTuple):
    """Of the patterns of one day: CO2 along their rows, and kinds of what they are paid by."""

    row_grams: Int32
    kind: Int32
    kinds: Int32
    """Each once."""
    no_grams: Int32
    no_product: Int32


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """
    Key of `_Measured`: a day (its trips tell it, whatever is closed on it) and a table.

    Tables of riders differ by what they pay alone.
    """

    network: Network
    table: CriteriaTable
    day: DayTimetable
    forward: bool

    def __eq__(self, other: object) -> bool:
        """Whether both are of the same trips and the same lines."""
        return (
            isinstance(other, _Asked)
            and self.day.trip is other.day.trip
            and self.table.route_kind is other.table.route_kind
            and self.table.route_g_per_km is other.table.route_g_per_km
        )

    def __hash__(self) -> int:
        """Hash by identity: the key holds on to what it names."""
        return hash((id(self.day.trip), id(self.table.route_kind)))


def _measure_day(asked: _Asked) -> _Measured:
    t, table, day, forward = asked.network.timetable, asked.table, asked.day, asked.forward
    lengths = np.diff(day.first_stop)
    routes = np.repeat(t.pattern_route, np.diff(t.pattern_first_stop))
    row_grams = _grams(asked.network.pattern_metres, table.route_g_per_km[routes])
    through_grams, through_route = _of_throughs(t, row_grams)
    trip = np.zeros(len(lengths), np.int32)  # any of each pattern; of some none may be left
    trip[np.repeat(np.arange(len(lengths)), np.diff(day.first_trip))] = day.trip
    # Patterns of through trips stand behind the feeds' own.
    source = np.r_[t.trip_pattern, len(t.pattern_route) + t.through_pattern][trip]
    firsts = np.r_[t.pattern_first_stop[:-1], len(row_grams) + t.through_first_row[:-1]]
    route = np.r_[t.pattern_route, through_route][source]
    position = np.arange(len(day.stop)) - np.repeat(day.first_stop[:-1], lengths)
    last = np.repeat(lengths - 1, lengths)
    row = np.repeat(firsts[source], lengths) + (position if forward else last - position)
    grams = np.r_[row_grams, through_grams][row]
    kind = table.route_kind[route]
    return _Measured(
        row_grams=frozen(grams if forward else -grams),
        kind=frozen(kind),
        kinds=frozen(np.unique(kind)),
        no_grams=frozen(np.zeros(len(day.stop), np.int32)),
        no_product=frozen(np.full(len(lengths), -1, np.int32)),
    )


_measured = Remembered(_measure_day, MEASURED_KEPT)


def _measures(own: _Measured, table: CriteriaTable, most: Values) -> Iterator[Measure]:
    """Price, CO2 and walking."""
    paid = table.product_cents, table.product_once
    of_kind = np.append(table.kind_product, np.int32(FREE))  # the last is that of no kind
    prices = np.append(table.product_cents, 0)[of_kind[own.kinds]]
    least_cents = int(prices.min(initial=FAR))
    product = frozen(of_kind[own.kind])
    yield Measure(0, own.no_grams, product, *paid, least_cents, most.cents)
    yield Measure(0, own.row_grams, own.no_product, *paid, 0, most.hectograms)
    yield Measure(1, own.no_grams, own.no_product, *paid, 0, most.walk_steps)


def _aim(
    search: Search,
    scratch: _Scratch,
    ends: tuple[Reach, Reach],
    limit_s: Int32,
    starts_s: Int32,
    ceiling_s: int,
) -> tuple[Aim, npt.NDArray[np.uint8]]:
    """Where the search goes, and at which stops a journey within the slack may get in or out."""
    bounds, terrain, (start, goal) = search.network.bounds, search.terrain, ends
    to, away = (bounds.to_s, bounds.to_vehicles), (bounds.from_s, bounds.from_vehicles)
    if search.arrive_by:
        to, away = away, to
    cell_s = np.empty((2, len(to[0])), np.int32)
    aim(scratch.back, terrain.cell, *away, terrain.onward_256, cell_s, start.node, start.seconds)
    labels, least = scratch.labels, scratch.least
    labels.egress[:] = FAR
    np.minimum.at(labels.egress, goal.node, goal.seconds)
    aim(labels, terrain.cell, *to, terrain.onward_256, cell_s, goal.node, goal.seconds)
    bound_s = np.maximum.accumulate(limit_s[:, ::-1], axis=1)[:, ::-1].copy()
    reach = int(np.flatnonzero((limit_s > -FAR).any(axis=0))[-1])
    there, onward = scratch.back.onward, labels.onward
    seconds = (there >> VEHICLE_BITS) + (onward >> VEHICLE_BITS)
    vehicles = (there & MOST_ONWARD) + (onward & MOST_ONWARD)
    near = (seconds <= int((bound_s[:, 0] - starts_s).max())) & (vehicles <= reach)
    arrays = labels.egress, onward, limit_s, bound_s, least.alight, least.ready, least.aboard
    return Aim(*arrays, reach, ceiling_s), near.view(np.uint8)


def _of_throughs(t: Timetable, row_grams: Int32) -> tuple[Int32, Int32]:
    """Grams up to each call of the through patterns, and the routes that they are boarded as."""
    counts = np.diff(t.through_first_row)
    some = np.zeros(len(counts), np.int64)  # any through trip of each pattern
    some[t.through_pattern] = np.arange(len(t.through_pattern))
    pattern = t.trip_pattern[t.through_trip]
    whole = row_grams[t.pattern_first_stop[1:][pattern] - 1]
    before = np.cumsum(whole) - whole
    first = np.repeat(t.through_first_trip[some], counts)
    part = first + t.through_row_part
    own = row_grams[t.pattern_first_stop[pattern[part]] + t.through_row_position]
    grams: Int32 = (own + before[part] - before[first]).astype(np.int32)
    return grams, t.pattern_route[pattern[t.through_first_trip[some]]]


def _departures(
    anchors: Sequence[RawJourney], window: Window, most: int, *, forward: bool
) -> tuple[Int32, Int32]:
    """
    Departures to spread, the latest first, and the latest arrivals that are within the slack.

    Those of the anchors, and the first at all: what is cheaper may have to leave sooner.
    """
    spans, first_s = [(a.start_s, a.end_s, a.vehicle_count) for a in anchors], window.from_s
    if not forward:
        spans, first_s = [(-end_s, -start_s, k) for start_s, end_s, k in spans], -window.until_s
    starts_s = {first_s}
    if window.from_s < window.until_s:
        starts_s |= {start_s for start_s, _, _ in spans}
    ordered = sorted(starts_s)[:DEPARTURE_LIMIT][::-1]
    limit_s = np.full((len(ordered), LIMITS), -FAR, np.int32)
    for number, start_s in enumerate(ordered):
        later = [span for span in spans if span[0] >= start_s]
        reach = min(max(k for _, _, k in later) + MORE_VEHICLES, most)
        for vehicles in range(reach + 1):
            ends_s = [
                end_s + slack_s(begin_s, end_s) for begin_s, end_s, k in later if k <= vehicles
            ]
            limit_s[number, vehicles] = min(ends_s, default=-FAR)
    return frozen(np.array(ordered, np.int32)), frozen(limit_s)


def _on_stops(reach: Reach, stop_count: int) -> Reach:
    stops = reach.node < stop_count
    return Reach(reach.node[stops], reach.seconds[stops])


class _Scratch(NamedTuple):
    """What one thread searches with."""

    size: tuple[int, int, int]
    labels: Labels
    back: Labels
    """Of these, only what is left of the way back to the start."""
    bags: Bags
    least: Least


def _scratch(stop_count: int, day: DayTimetable) -> _Scratch:
    """Scratch of the calling thread, kept between searches of one size."""
    size = stop_count, len(day.first_stop) - 1, len(day.stop)
    kept: _Scratch | None = getattr(_thread, "scratch", None)
    if kept is None or kept.size != size:
        labels, back = new_labels(stop_count, 0, 1), new_labels(stop_count, 0, 1)
        kept = _thread.scratch = _Scratch(size, labels, back, new_bags(*size[:2]), new_least(*size))
    return kept
