"""
Bags of the search by one more criterion (price, CO2 or walking) beside time and vehicles.

Each stop has two bags of entries that do not dominate each other: of getting out there, and of
being ready to board. Bags are kept from later to earlier departures, so that an entry is only
dropped for one that leaves no earlier. `routing.raptor.bag_rounds` fills them.

References
----------
Round-Based Public Transit Routing (ALENEX 2012), section 4 (McRAPTOR).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.jit import kernel_part

ENTRY_COLUMNS = 13
(TIME, VALUE, PAID, VEHICLES, NODE, PARENT, DEPARTURE, ALIVE, PATTERN, TRIP, BOARD,
 LEAVE, WALKED) = range(ENTRY_COLUMNS)  # fmt: skip
"""
Columns of an entry: time, value by the criterion (CO2 and walking in whole steps a leg), products
paid for (bits), where it is, the entry before it (-1 at the start), number of the departure that
it belongs to, whether nothing dominates it yet, the trip that it got out of, in rows of the
day, and seconds on foot.
"""
ENTRY_LIMIT = 200_000
BAG = 24
"""Entries of one place; when more are wanted the latest gives way (and is counted)."""
ABOARD = 24
ABOARD_COLUMNS = 5
GOAL_LIMIT = 256
USED, NO_ROOM, MOST = range(3)
NOBODY = -1
CHANGE_COST_S = 300
"""What a change counts beside the seconds that it takes; see `routing.ranking.cost_s`."""

Int32 = npt.NDArray[np.int32]


class Bags(NamedTuple):
    """Scratch of one thread."""

    entries: Int32
    """Shape (ENTRY_LIMIT, ENTRY_COLUMNS)."""
    counts: Int32
    """Shape (3,): entries used, entries that found no room, greatest value still worth finding."""
    alight: Int32
    """Shape (stop_count, BAG): rows of `entries`."""
    alight_size: Int32
    """Shape (stop_count,): how many rows count."""
    ready: Int32
    ready_size: Int32
    goal: Int32
    """Shape (1, GOAL_LIMIT)."""
    goal_size: Int32
    aboard: Int32
    """Shape (ABOARD, ABOARD_COLUMNS): trip, value less that along the pattern up to where one
    boarded (in grams for CO2), paid, entry, position."""
    marked: Int32
    marks: npt.NDArray[np.uint8]
    queue: Int32
    queued_from: Int32
    fresh: Int32
    """Shape (ENTRY_LIMIT,): entries made in the round."""


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
    least_alight: Int32
    least_ready: Int32
    least_aboard: Int32
    """See `Least`."""
    reach: int
    """Most vehicles of a journey within the slack."""
    ceiling_s: int
    """What a journey costs at most that makes greater values not worth finding; see `cost_s`."""


def new_bags(stop_count: int, pattern_count: int) -> Bags:
    """Scratch for a network of this size."""
    return Bags(
        entries=np.zeros((ENTRY_LIMIT, ENTRY_COLUMNS), np.int32),
        counts=np.zeros(3, np.int32),
        alight=np.zeros((stop_count, BAG), np.int32),
        alight_size=np.zeros(stop_count, np.int32),
        ready=np.zeros((stop_count, BAG), np.int32),
        ready_size=np.zeros(stop_count, np.int32),
        goal=np.zeros((1, GOAL_LIMIT), np.int32),
        goal_size=np.zeros(1, np.int32),
        aboard=np.zeros((ABOARD, ABOARD_COLUMNS), np.int32),
        marked=np.zeros(stop_count, np.int32),
        marks=np.zeros(stop_count, np.uint8),
        queue=np.zeros(pattern_count, np.int32),
        queued_from=np.full(pattern_count, -1, np.int32),
        fresh=np.zeros(ENTRY_LIMIT, np.int32),
    )


@kernel_part
def still_to_pay(cents: Int32, paid: int, other_paid: int) -> int:
    """What somebody who paid for `paid` would pay to have paid for all of `other_paid`."""
    total, missing, product = int(np.int64(0)), other_paid & ~paid, 0
    while missing > 0:
        if missing & 1:
            total += cents[product]
        missing >>= 1
        product += 1
    return total


@kernel_part
def add_entry(
    entries: Int32,
    counts: Int32,
    bag: Int32,
    sizes: Int32,
    place: int,
    at_s: int,
    value: int,
    paid: int,
    vehicles: int,
    departure: int,
    cents: Int32,
) -> int:
    """
    Add an entry to the bag of a place unless one there dominates it; drop those that it dominates.

    Returns its row, or -1. `cents` is empty at the goal, where it does not matter what is paid
    for, and what leaves later stays.
    """
    size, at_goal = sizes[place], len(cents) == 0
    for i in range(size):
        row = bag[place, i]
        if (
            entries[row, TIME] <= at_s
            and entries[row, VALUE] <= value
            and entries[row, VEHICLES] <= vehicles
            and (
                at_goal
                or entries[row, VALUE] + still_to_pay(cents, entries[row, PAID], paid) <= value
            )
        ):
            return NOBODY
    if counts[USED] >= len(entries):
        counts[NO_ROOM] += 1
        return NOBODY
    kept, latest = 0, 0
    for i in range(size):
        row = bag[place, i]
        beaten = (
            at_s <= entries[row, TIME]
            and value <= entries[row, VALUE]
            and vehicles <= entries[row, VEHICLES]
        )
        if beaten and at_goal:
            beaten = entries[row, DEPARTURE] == departure
        elif beaten:
            beaten = value + still_to_pay(cents, paid, entries[row, PAID]) <= entries[row, VALUE]
        if beaten:
            entries[row, ALIVE] = 0
            continue
        if entries[row, TIME] > entries[bag[place, latest], TIME]:
            latest = kept
        bag[place, kept] = row
        kept += 1
    sizes[place] = kept
    if kept == bag.shape[1]:
        counts[NO_ROOM] += 1
        if entries[bag[place, latest], TIME] <= at_s:
            return NOBODY
        entries[bag[place, latest], ALIVE] = 0
        kept = latest
    else:
        sizes[place] = kept + 1
    row = int(counts[USED])
    counts[USED] += 1
    bag[place, kept] = row
    entries[row, TIME], entries[row, VALUE], entries[row, PAID] = at_s, value, paid
    entries[row, VEHICLES], entries[row, DEPARTURE], entries[row, ALIVE] = vehicles, departure, 1
    return row


@kernel_part
def hopeless(
    entries: Int32, goal: Int32, goal_size: Int32, at_s: int, value: int, vehicles: int
) -> bool:
    """Whether a journey known is as good as any that goes on from an entry."""
    for i in range(goal_size[0]):
        known = goal[0, i]
        if (
            entries[known, TIME] <= at_s
            and entries[known, VALUE] <= value
            and entries[known, VEHICLES] <= vehicles
        ):
            return True
    return False
