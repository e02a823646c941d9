"""
Kernels of the search by more criteria: price, CO2 and walking beside time and vehicles.

Each stop has two bags of entries that do not dominate each other: of getting out there, and of
being ready to board. Bags are kept from later to earlier departures, so that an entry is only
dropped for one that leaves no earlier. An entry whose journey cannot be within the slack of the
best times (`limit_s`) is dropped: this is what keeps bags small.

References
----------
Round-Based Public Transit Routing (ALENEX 2012), section 4 (McRAPTOR); Fast and Exact Public
Transit Routing with Restricted Pareto Sets (ALENEX 2019).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.jit import kernel
from gtfs_data.patterns import CAN_ALIGHT, CAN_BOARD
from gtfs_data.rolling import DayTimetable
from routing.bounds import MOST_ONWARD, VEHICLE_BITS
from routing.street.kernels import Walks

ENTRY_COLUMNS = 14
(TIME, CENTS, GRAMS, WALK, PAID, VEHICLES, NODE, PARENT, DEPARTURE, ALIVE, PATTERN, TRIP, BOARD,
 LEAVE) = range(ENTRY_COLUMNS)  # fmt: skip
"""
Columns of an entry: its criteria (CO2 and walking in whole steps a leg), products paid for (bits),
where it is, the entry before it (-1 at the start), number of the departure that it belongs to,
whether nothing dominates it yet, and the trip that it got out of, in rows of the day.
"""
ENTRY_LIMIT = 400_000
BAG = 24
"""Entries of one place; when more are wanted the latest gives way (and is counted)."""
ABOARD = 24
ABOARD_COLUMNS = 7
GOAL_LIMIT = 256
NOBODY = -1
WALK_STEP_S = 120
GRAMS_STEP = 100

Int32 = npt.NDArray[np.int32]


class Bags(NamedTuple):
    """Scratch of one thread."""

    entries: Int32
    """Shape (ENTRY_LIMIT, ENTRY_COLUMNS)."""
    counts: Int32
    """Shape (3,): entries used, entries at the goal, entries that found no room."""
    alight: Int32
    """Shape (stop_count, BAG): rows of `entries`, -1 behind the last."""
    ready: Int32
    goal: Int32
    """Shape (GOAL_LIMIT,)."""
    aboard: Int32
    """Shape (ABOARD, ABOARD_COLUMNS): trip, cents, grams less those along the pattern up to where
    one boarded, walk, paid, entry, position."""
    marked: Int32
    marks: npt.NDArray[np.uint8]
    queue: Int32
    queued_from: Int32
    fresh: Int32
    """Shape (ENTRY_LIMIT,): entries made in the round."""


class Measures(NamedTuple):
    """What is measured beside time."""

    row_grams: Int32
    """Shape (row_count,): CO2 along each pattern of the day, growing from its first call on."""
    product: Int32
    """Shape (pattern_count,): what is paid for when boarding, or -1 for nothing."""
    product_cents: Int32
    product_once: npt.NDArray[np.uint8]
    """1: paid once a journey."""


class Aim(NamedTuple):
    """Where the search goes."""

    egress_s: Int32
    """Shape (stop_count,): walk to the goal."""
    onward: Int32
    """See `Labels.onward`."""
    limit_s: Int32
    """Shape (departures, LIMITS): latest arrival within the slack, by number of vehicles."""
    bound_s: Int32
    """The same with so many vehicles or more."""


def new_bags(stop_count: int, pattern_count: int) -> Bags:
    """Scratch for a network of this size."""
    return Bags(
        entries=np.zeros((ENTRY_LIMIT, ENTRY_COLUMNS), np.int32),
        counts=np.zeros(3, np.int32),
        alight=np.full((stop_count, BAG), NOBODY, np.int32),
        ready=np.full((stop_count, BAG), NOBODY, np.int32),
        goal=np.full(GOAL_LIMIT, NOBODY, np.int32),
        aboard=np.zeros((ABOARD, ABOARD_COLUMNS), np.int32),
        marked=np.zeros(stop_count, np.int32),
        marks=np.zeros(stop_count, np.uint8),
        queue=np.zeros(pattern_count, np.int32),
        queued_from=np.full(pattern_count, -1, np.int32),
        fresh=np.zeros(ENTRY_LIMIT, np.int32),
    )


@kernel
def walk_steps(seconds: int) -> int:
    """Whole steps of a walk, a begun one counted: finer ones would fill the bags."""
    return (seconds + WALK_STEP_S - 1) // WALK_STEP_S


@kernel
def still_to_pay(cents: Int32, paid: int, other_paid: int) -> int:
    """What somebody who paid for `paid` would pay to have paid for all of `other_paid`."""
    total, missing, product = int(np.int64(0)), other_paid & ~paid, 0
    while missing > 0:
        if missing & 1:
            total += cents[product]
        missing >>= 1
        product += 1
    return total


@kernel
def add_entry(entries: Int32, counts: Int32, bag: Int32, entry: Int32, cents: Int32) -> int:
    """
    Add an entry to a bag unless one there dominates it; drop those that it dominates.

    Returns its row, or -1. `cents` is empty where it does not matter what is paid for.
    """
    size = 0
    for i in range(len(bag)):
        if bag[i] == NOBODY:
            break
        size += 1
        other = entries[bag[i]]
        if (
            other[TIME] <= entry[TIME]
            and other[VEHICLES] <= entry[VEHICLES]
            and other[GRAMS] <= entry[GRAMS]
            and other[WALK] <= entry[WALK]
        ):
            more = int(np.int64(0))
            if len(cents) > 0:
                more = still_to_pay(cents, other[PAID], entry[PAID])
            if other[CENTS] + more <= entry[CENTS]:
                return NOBODY
    kept = 0
    for i in range(size):
        other = entries[bag[i]]
        beaten = (
            entry[TIME] <= other[TIME]
            and entry[VEHICLES] <= other[VEHICLES]
            and entry[GRAMS] <= other[GRAMS]
            and entry[WALK] <= other[WALK]
        )
        if beaten:
            more = int(np.int64(0))
            if len(cents) > 0:
                more = still_to_pay(cents, entry[PAID], other[PAID])
            beaten = entry[CENTS] + more <= other[CENTS]
            if len(cents) == 0 and other[DEPARTURE] != entry[DEPARTURE]:
                beaten = False  # at the goal, what leaves later stays
        if beaten:
            entries[bag[i], ALIVE] = 0
        else:
            bag[kept] = bag[i]
            kept += 1
    for i in range(kept, size):
        bag[i] = NOBODY
    if counts[0] >= len(entries):
        counts[2] += 1
        return NOBODY
    if kept == len(bag):
        counts[2] += 1
        latest = 0
        for i in range(1, kept):
            if entries[bag[i], TIME] > entries[bag[latest], TIME]:
                latest = i
        if entries[bag[latest], TIME] <= entry[TIME]:
            return NOBODY
        entries[bag[latest], ALIVE] = 0
        kept = latest
    row = int(counts[0])
    counts[0] += 1
    entries[row] = entry
    bag[kept] = row
    return row


@kernel
def hopeless(entries: Int32, goal: Int32, entry: Int32, left: int) -> bool:
    """Whether a journey known is as good as any that goes on from an entry."""
    at_s, vehicles = entry[TIME] + (left >> VEHICLE_BITS), entry[VEHICLES] + (left & MOST_ONWARD)
    for i in range(len(goal)):
        if goal[i] == NOBODY:
            return False
        known = entries[goal[i]]
        if (
            known[TIME] <= at_s
            and known[VEHICLES] <= vehicles
            and known[GRAMS] <= entry[GRAMS]
            and known[WALK] <= entry[WALK]
            and known[CENTS] <= entry[CENTS]
        ):
            return True
    return False


@kernel
def start_bags(bags: Bags) -> None:
    """Forget the last search."""
    bags.counts[:] = 0
    bags.alight[:] = NOBODY
    bags.ready[:] = NOBODY
    bags.goal[:] = NOBODY


@kernel
def spread_departure(
    day: DayTimetable,
    measures: Measures,
    aim: Aim,
    walks: Walks,
    access: Walks,
    change_s: Int32,
    bags: Bags,
    number: int,
    start_s: int,
    rows: int,
    forward: bool,
) -> None:
    """
    Spread one departure (the `number`-th, latest first) through the rounds.

    Walking to the goal is not an entry: it is the caller's to compare with.
    """
    entry = np.zeros(ENTRY_COLUMNS, np.int32)
    limit_s, bound_s = aim.limit_s[number], aim.bound_s[number]
    marked = 0
    for i in range(len(access.to)):
        entry[:] = 0
        entry[TIME], entry[NODE] = start_s + access.seconds[i], access.to[i]
        entry[WALK], entry[PARENT] = walk_steps(access.seconds[i]), NOBODY
        entry[DEPARTURE], entry[ALIVE] = number, 1
        marked = _be_ready(bags, aim, measures, entry, bound_s, marked)
    for row in range(1, rows):
        if marked == 0:
            break
        queued = _queue(day, bags, marked)
        fresh = 0
        for i in range(queued):
            pattern, position = bags.queue[i], bags.queued_from[bags.queue[i]]
            bags.queued_from[pattern] = -1
            fresh = _ride(
                day,
                measures,
                aim,
                bags,
                pattern,
                position,
                row,
                number,
                limit_s,
                bound_s,
                fresh,
                entry,
            )
        marked = 0
        for i in range(fresh):
            if bags.entries[bags.fresh[i], ALIVE] == 1:
                marked = _walk_on(
                    bags, aim, measures, walks, change_s, bags.fresh[i], bound_s, marked, entry,
                    forward,
                )  # fmt: skip
    for i in range(marked):
        bags.marks[bags.marked[i]] = 0


@kernel
def _queue(day: DayTimetable, bags: Bags, marked: int) -> int:
    """Queue the patterns that call at marked stops, and unmark these."""
    count = 0
    for i in range(marked):
        node = bags.marked[i]
        bags.marks[node] = 0
        for k in range(day.at_stop_first[node], day.at_stop_first[node + 1]):
            pattern, position = day.at_stop_pattern[k], day.at_stop_position[k]
            if bags.queued_from[pattern] < 0:
                bags.queue[count] = pattern
                count += 1
                bags.queued_from[pattern] = position
            elif position < bags.queued_from[pattern]:
                bags.queued_from[pattern] = position
    return count


@kernel
def _be_ready(
    bags: Bags, aim: Aim, measures: Measures, entry: Int32, bound_s: Int32, marked: int
) -> int:
    """Add an entry of being ready to board; returns how many stops are marked."""
    node = entry[NODE]
    left = aim.onward[node]
    vehicles = entry[VEHICLES] + max(left & MOST_ONWARD, 1)
    if entry[TIME] + (left >> VEHICLE_BITS) > bound_s[vehicles]:
        return marked
    if hopeless(bags.entries, bags.goal, entry, left):
        return marked
    row = add_entry(bags.entries, bags.counts, bags.ready[node], entry, measures.product_cents)
    if row != NOBODY and bags.marks[node] == 0:
        bags.marks[node] = 1
        bags.marked[marked] = node
        marked += 1
    return marked


@kernel
def _ride(
    day: DayTimetable,
    measures: Measures,
    aim: Aim,
    bags: Bags,
    pattern: int,
    position: int,
    row: int,
    number: int,
    limit_s: Int32,
    bound_s: Int32,
    fresh: int,
    entry: Int32,
) -> int:
    """Ride along one pattern with everybody who boards; returns how many entries are fresh."""
    stop, flag, arrival_s, departure_s = day.stop, day.flag, day.arrival_s, day.departure_s
    entries, aboard, counts = bags.entries, bags.aboard, bags.counts
    cents, row_grams = measures.product_cents, measures.row_grams
    onward, egress_s = aim.onward, aim.egress_s
    first_stop = day.first_stop[pattern]
    trips = day.first_trip[pattern + 1] - day.first_trip[pattern]
    column = day.first_event[pattern] + position * trips
    riding = 0
    for row_at in range(first_stop + position, day.first_stop[pattern + 1]):
        node = stop[row_at]
        left = onward[node]
        if riding > 0 and flag[row_at] & CAN_ALIGHT:
            for i in range(riding):
                at_s = arrival_s[column + aboard[i, 0]]
                if at_s + (left >> VEHICLE_BITS) > bound_s[row + (left & MOST_ONWARD)]:
                    continue
                entry[TIME], entry[CENTS] = at_s, aboard[i, 1]
                grams = aboard[i, 2] + row_grams[row_at] + GRAMS_STEP - 1
                entry[GRAMS], entry[WALK] = grams // GRAMS_STEP, aboard[i, 3]
                entry[PAID], entry[VEHICLES], entry[NODE] = aboard[i, 4], row, node
                entry[PARENT], entry[DEPARTURE], entry[ALIVE] = aboard[i, 5], number, 1
                entry[PATTERN], entry[TRIP] = pattern, aboard[i, 0]
                entry[BOARD], entry[LEAVE] = aboard[i, 6], row_at - first_stop
                if hopeless(entries, bags.goal, entry, left):
                    continue
                made = add_entry(entries, counts, bags.alight[node], entry, cents)
                if made == NOBODY:
                    continue
                bags.fresh[fresh] = made
                fresh += 1
                at_goal_s = at_s + np.int64(egress_s[node])
                if at_goal_s <= limit_s[row]:
                    entry[TIME], entry[PARENT] = at_goal_s, made
                    entry[WALK] += walk_steps(int(np.int64(egress_s[node])))
                    add_entry(entries, counts, bags.goal, entry, cents[:0])
        if flag[row_at] & CAN_BOARD:
            for i in range(BAG):
                known = bags.ready[node, i]
                if known == NOBODY:
                    break
                own = entries[known]
                if own[VEHICLES] != row - 1 or own[DEPARTURE] != number:
                    continue
                trip = np.searchsorted(departure_s[column : column + trips], own[TIME])
                if trip < trips:
                    riding = _board(
                        aboard, riding, measures, pattern, trip, own, known,
                        row_grams[row_at], row_at - first_stop,
                    )  # fmt: skip
        column += trips
    return fresh


@kernel
def _board(
    aboard: Int32,
    riding: int,
    measures: Measures,
    pattern: int,
    trip: int,
    own: Int32,
    entry: int,
    grams_here: int,
    position: int,
) -> int:
    """Board unless somebody aboard is as well off; returns how many ride."""
    product = measures.product[pattern]
    paid, cents = int(np.int64(own[PAID])), int(np.int64(own[CENTS]))
    if product >= 0:
        once = measures.product_once[product] == 1
        if not once or not (paid >> product) & 1:
            cents += measures.product_cents[product]
        if once:
            paid |= 1 << product
    grams, walk = np.int64(own[GRAMS]) * GRAMS_STEP - grams_here, np.int64(own[WALK])
    prices = measures.product_cents
    kept = 0
    for i in range(riding):
        other = aboard[i]
        if (
            other[0] <= trip
            and other[2] <= grams
            and other[3] <= walk
            and other[1] + still_to_pay(prices, other[4], paid) <= cents
        ):
            return riding
    for i in range(riding):
        other = aboard[i]
        beaten = (
            trip <= other[0]
            and grams <= other[2]
            and walk <= other[3]
            and cents + still_to_pay(prices, paid, other[4]) <= other[1]
        )
        if not beaten:
            aboard[kept] = aboard[i]
            kept += 1
    if kept == len(aboard):
        return kept
    new = aboard[kept]
    new[0], new[1], new[2], new[3], new[4] = trip, cents, grams, walk, paid
    new[5], new[6] = entry, position
    return kept + 1


@kernel
def _walk_on(
    bags: Bags,
    aim: Aim,
    measures: Measures,
    walks: Walks,
    change_s: Int32,
    from_entry: int,
    bound_s: Int32,
    marked: int,
    entry: Int32,
    forward: bool,
) -> int:
    """Change where one got out, or walk on; returns how many stops are marked."""
    entry[:] = bags.entries[from_entry]
    node, at_s, walked = entry[NODE], np.int64(entry[TIME]), np.int64(entry[WALK])
    entry[PARENT] = from_entry
    before_s = np.int64(change_s[node]) if forward else np.int64(0)
    for walk in range(walks.first[node] - 1, walks.first[node + 1]):
        other, walk_s = int(np.int64(node)), int(np.int64(0))
        if walk >= walks.first[node]:
            other, walk_s = int(np.int64(walks.to[walk])), int(np.int64(walks.seconds[walk]))
        if other >= len(aim.onward):
            continue
        then_s = at_s + before_s + walk_s
        if not forward:
            then_s += change_s[other]
        entry[TIME], entry[NODE] = then_s, other
        entry[WALK] = walked + walk_steps(walk_s)
        marked = _be_ready(bags, aim, measures, entry, bound_s, marked)
    return marked
