"""
Kernels of the rounds that fill the bags of `routing.raptor.bags`, from every departure.

An entry whose journey cannot be within the slack of the best times (`Aim.limit_s`), or whose
value is above what is worth finding (`Measure.most`), is dropped: this is what keeps bags small.

References
----------
Round-Based Public Transit Routing (ALENEX 2012), section 4 (McRAPTOR); Fast and Exact Public
Transit Routing with Restricted Pareto Sets (ALENEX 2019).
"""

from __future__ import annotations

import numpy as np

from core.jit import kernel, kernel_part
from gtfs_data.enums import CAN_ALIGHT, CAN_BOARD
from gtfs_data.rolling import DayTimetable
from routing.bounds import MOST_ONWARD, VEHICLE_BITS
from routing.raptor.bags import (
    ABOARD_COLUMNS,
    ALIVE,
    BOARD,
    CHANGE_COST_S,
    DEPARTURE,
    LEAVE,
    MOST,
    NOBODY,
    NODE,
    PAID,
    PARENT,
    PATTERN,
    TIME,
    TRIP,
    VALUE,
    VEHICLES,
    WALKED,
    Aim,
    Bags,
    Int32,
    add_entry,
    hopeless,
    still_to_pay,
)
from routing.raptor.value_bounds import GRAMS_STEP, Measure, walk_steps
from routing.street.kernels import Walks


@kernel
def spread_anchors(
    day: DayTimetable,
    measure: Measure,
    aim: Aim,
    walks: Walks,
    access: Walks,
    change_s: Int32,
    bags: Bags,
    starts_s: Int32,
    rows: int,
    forward: bool,
) -> None:
    """
    Spread the departures, the latest first, each through the rounds; `Bags.goal` is what is found.

    Walking to the goal is not an entry: it is the caller's to compare with.
    """
    bags.counts[:MOST] = 0
    bags.counts[MOST] = measure.most
    bags.alight_size[:] = 0
    bags.ready_size[:] = 0
    bags.goal_size[:] = 0
    for number in range(len(starts_s)):
        limit_s, bound_s = aim.limit_s[number], aim.bound_s[number]
        marked = _start(
            bags, aim, measure, access, bound_s, int(np.int64(starts_s[number])), number
        )
        for row in range(1, rows):
            if marked == 0:
                break
            queued = _queue(day, bags, marked)
            fresh = _ride(
                day, measure, aim, bags, queued, row, number, limit_s, bound_s, starts_s[number]
            )  # fmt: skip
            marked = int(np.int64(0))
            if row + 1 < rows:
                for i in range(fresh):
                    marked = _walk_on(
                        bags, aim, measure, walks, change_s, int(np.int64(bags.fresh[i])),
                        bound_s, marked, forward,
                    )  # fmt: skip
        for i in range(marked):
            bags.marks[bags.marked[i]] = 0


@kernel
def _queue(day: DayTimetable, bags: Bags, marked: int) -> int:
    """Queue the patterns that call at marked stops, and unmark these."""
    queue, queued_from, nodes, marks = bags.queue, bags.queued_from, bags.marked, bags.marks
    first, patterns, positions = day.at_stop_first, day.at_stop_pattern, day.at_stop_position
    count = 0
    for i in range(marked):
        node = nodes[i]
        marks[node] = 0
        for k in range(first[node], first[node + 1]):
            pattern, position = patterns[k], positions[k]
            if queued_from[pattern] < 0:
                queue[count] = pattern
                count += 1
                queued_from[pattern] = position
            elif position < queued_from[pattern]:
                queued_from[pattern] = position
    return count


@kernel_part
def _be_ready(
    bags: Bags,
    measure: Measure,
    marked: int,
    node: int,
    at_s: int,
    walk_s: int,
    value: int,
    paid: int,
    vehicles: int,
    number: int,
    parent: int,
) -> int:
    """Add an entry of being ready to board; returns how many stops are marked."""
    entries = bags.entries
    row = add_entry(
        entries, bags.counts, bags.ready, bags.ready_size, node, at_s, value, paid, vehicles,
        number, measure.product_cents,
    )  # fmt: skip
    if row != NOBODY:
        entries[row, NODE], entries[row, PARENT] = node, parent
        entries[row, WALKED] = walk_s + (0 if parent == NOBODY else entries[parent, WALKED])
        if bags.marks[node] == 0:
            bags.marks[node] = 1
            bags.marked[marked] = node
            marked += 1
    return marked


@kernel
def _start(
    bags: Bags, aim: Aim, measure: Measure, access: Walks, bound_s: Int32, start_s: int, number: int
) -> int:
    """Walk to the first vehicles; returns how many stops are marked."""
    least, most, marked = aim.least_ready[aim.reach], bags.counts[MOST], int(np.int64(0))
    none, nobody = int(np.int64(0)), int(np.int64(NOBODY))
    for i in range(len(access.to)):
        node, walk_s = int(np.int64(access.to[i])), int(np.int64(access.seconds[i]))
        value, left = measure.per_walk_step * walk_steps(walk_s), aim.onward[node]
        if (
            value + max(measure.least_first, least[node]) <= most
            and start_s + walk_s + (left >> VEHICLE_BITS) <= bound_s[max(left & MOST_ONWARD, 1)]
        ):
            marked = _be_ready(
                bags, measure, marked, node, start_s + walk_s, walk_s, value, none, none, number,
                nobody,
            )  # fmt: skip
    return marked


@kernel
def _ride(
    day: DayTimetable,
    measure: Measure,
    aim: Aim,
    bags: Bags,
    queued: int,
    row: int,
    number: int,
    limit_s: Int32,
    bound_s: Int32,
    start_s: int,
) -> int:
    """Ride along the queued patterns with all who board; returns how many entries are fresh."""
    stop, flag, arrival_s, departure_s = day.stop, day.flag, day.arrival_s, day.departure_s
    entries, aboard, ready, ready_size = bags.entries, bags.aboard, bags.ready, bags.ready_size
    row_grams, onward, stay = measure.row_grams, aim.onward, aim.least_aboard
    goal, goal_size = bags.goal, bags.goal_size
    least, counts = aim.least_alight[aim.reach - row], bags.counts
    last_s, fresh = bound_s[row], int(np.int64(0))
    for i in range(queued):
        pattern = bags.queue[i]
        position = bags.queued_from[pattern]
        bags.queued_from[pattern] = -1
        first_stop = day.first_stop[pattern]
        trips = day.first_trip[pattern + 1] - day.first_trip[pattern]
        column = day.first_event[pattern] + position * trips
        riding, most_grams = int(np.int64(0)), np.int64(counts[MOST]) * GRAMS_STEP
        for row_at in range(first_stop + position, day.first_stop[pattern + 1]):
            node = int(np.int64(stop[row_at]))
            if riding > 0:
                left, on = onward[node], 0
                left_s, left_vehicles = left >> VEHICLE_BITS, left & MOST_ONWARD
                within_s, out = bound_s[row + left_vehicles], flag[row_at] & CAN_ALIGHT
                for k in range(riding):
                    at_s = int(np.int64(arrival_s[column + aboard[k, 0]]))
                    if at_s + left_s > last_s:
                        continue  # staying aboard brings nobody to the goal in time
                    if out and at_s + left_s <= within_s:
                        value = (aboard[k, 1] + row_grams[row_at] + GRAMS_STEP - 1) // GRAMS_STEP
                        best = value + least[node]
                        if best <= counts[MOST] and not hopeless(
                            entries, goal, goal_size, at_s + left_s, best, row + left_vehicles
                        ):
                            fresh = _get_out(
                                bags, measure, aim, k, pattern, row_at - first_stop, node, at_s,
                                value, row, number, limit_s[row], start_s, fresh,
                            )  # fmt: skip
                    if aboard[k, 1] + stay[row_at] <= most_grams:
                        if on < k:
                            for c in range(ABOARD_COLUMNS):
                                aboard[on, c] = aboard[k, c]
                        on += 1
                riding = on
            if ready_size[node] > 0 and flag[row_at] & CAN_BOARD:
                for k in range(ready_size[node]):
                    known = ready[node, k]
                    if entries[known, VEHICLES] != row - 1 or entries[known, DEPARTURE] != number:
                        continue
                    ready_s = entries[known, TIME]
                    low = _first_trip(departure_s, column, column + trips, ready_s)
                    if low < column + trips:
                        riding = _board(
                            aboard, riding, measure, pattern, low - column, entries, known,
                            row_grams[row_at], row_at - first_stop, most_grams - stay[row_at],
                        )  # fmt: skip
            column += trips
    return fresh


@kernel_part
def _first_trip(departure_s: Int32, low: int, high: int, ready_s: int) -> int:
    """First of some ascending events that one can still board; `high` once the last has left."""
    while low < high:
        middle = (low + high) >> 1
        if departure_s[middle] >= ready_s:
            high = middle
        else:
            low = middle + 1
    return low


@kernel_part
def _get_out(
    bags: Bags,
    measure: Measure,
    aim: Aim,
    who: int,
    pattern: int,
    position: int,
    node: int,
    at_s: int,
    value: int,
    row: int,
    number: int,
    limit_s: int,
    start_s: int,
    fresh: int,
) -> int:
    """Let one of those aboard get out, and walk to the goal; returns how many entries are fresh."""
    entries, counts, cents = bags.entries, bags.counts, measure.product_cents
    trip, parent = bags.aboard[who, 0], bags.aboard[who, 3]
    paid = int(np.int64(bags.aboard[who, 2]))
    place = int(np.int64(0))
    made = add_entry(
        entries, counts, bags.alight, bags.alight_size, node, at_s, value, paid, row, number, cents
    )
    if made == NOBODY:
        return fresh
    entries[made, NODE], entries[made, PARENT] = node, parent
    entries[made, PATTERN], entries[made, TRIP] = pattern, trip
    entries[made, BOARD], entries[made, LEAVE] = bags.aboard[who, 4], position
    bags.fresh[fresh] = made
    entries[made, WALKED] = entries[parent, WALKED]
    walk_s = int(np.int64(aim.egress_s[node]))
    if at_s + walk_s <= limit_s:
        value += measure.per_walk_step * walk_steps(walk_s)
        if value <= counts[MOST]:
            end = add_entry(
                entries, counts, bags.goal, bags.goal_size, place, at_s + walk_s, value, paid, row,
                number, cents[:0],
            )  # fmt: skip
            if end != NOBODY:
                entries[end, PARENT] = made
                cost_s = at_s + 2 * walk_s - start_s + entries[made, WALKED]
                if cost_s + CHANGE_COST_S * (row - 1) <= aim.ceiling_s:
                    counts[MOST] = value
    return fresh + 1


@kernel_part
def _board(
    aboard: Int32,
    riding: int,
    measure: Measure,
    pattern: int,
    trip: int,
    entries: Int32,
    entry: int,
    grams_here: int,
    position: int,
    most_grams: int,
) -> int:
    """Board unless that leads nowhere or one aboard is as well off; returns how many ride."""
    product, cents = measure.product[pattern], measure.product_cents
    paid, value = int(np.int64(entries[entry, PAID])), int(np.int64(entries[entry, VALUE]))
    if product >= 0:
        once = measure.product_once[product] == 1
        if not once or not (paid >> product) & 1:
            value += cents[product]
        if once:
            paid |= 1 << product
    value = value * GRAMS_STEP - grams_here
    if value > most_grams:
        return riding
    for i in range(riding):
        if aboard[i, 0] <= trip:
            more = still_to_pay(cents, aboard[i, 2], paid)
            if aboard[i, 1] + more * GRAMS_STEP <= value:
                return riding
    kept = 0
    for i in range(riding):
        more = still_to_pay(cents, paid, aboard[i, 2])
        if not (trip <= aboard[i, 0] and value + more * GRAMS_STEP <= aboard[i, 1]):
            if kept < i:
                for c in range(ABOARD_COLUMNS):
                    aboard[kept, c] = aboard[i, c]
            kept += 1
    if kept == len(aboard):
        return kept
    aboard[kept, 0], aboard[kept, 1], aboard[kept, 2] = trip, value, paid
    aboard[kept, 3], aboard[kept, 4] = entry, position
    return kept + 1


@kernel_part
def _walk_on(
    bags: Bags,
    aim: Aim,
    measure: Measure,
    walks: Walks,
    change_s: Int32,
    row: int,
    bound_s: Int32,
    marked: int,
    forward: bool,
) -> int:
    """Change where one got out, or walk on; returns how many stops are marked."""
    entries, onward, most = bags.entries, aim.onward, bags.counts[MOST]
    goal, goal_size = bags.goal, bags.goal_size
    first, to, seconds = walks.first, walks.to, walks.seconds
    if entries[row, ALIVE] == 0:
        return marked
    node, at_s = int(np.int64(entries[row, NODE])), int(np.int64(entries[row, TIME]))
    value, paid = int(np.int64(entries[row, VALUE])), int(np.int64(entries[row, PAID]))
    vehicles, number = int(np.int64(entries[row, VEHICLES])), int(np.int64(entries[row, DEPARTURE]))
    before_s = int(np.int64(change_s[node])) if forward else int(np.int64(0))
    least, last_s = aim.least_ready[aim.reach - vehicles], bound_s[vehicles + 1]
    for walk in range(first[node] - 1, first[node + 1]):
        other, walk_s = int(np.int64(node)), int(np.int64(0))
        if walk >= first[node]:
            other, walk_s = int(np.int64(to[walk])), int(np.int64(seconds[walk]))
        now = value + measure.per_walk_step * walk_steps(walk_s)
        then_s = at_s + before_s + walk_s
        if then_s > last_s or now > most:
            break  # walks are sorted by duration
        if other >= len(onward) or now + least[other] > most:
            continue
        if not forward:
            then_s += change_s[other]
        left = onward[other]
        best_s, then = then_s + (left >> VEHICLE_BITS), vehicles + max(left & MOST_ONWARD, 1)
        if best_s <= bound_s[then] and not hopeless(
            entries, goal, goal_size, best_s, now + least[other], then
        ):
            marked = _be_ready(
                bags, measure, marked, other, then_s, walk_s, now, paid, vehicles, number, row
            )
    return marked
