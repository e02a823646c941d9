"""
Round-based search over timetable patterns and flexible trips.

One kernel answers both directions. Searching backward (arrive-by) it reads a mirrored network:
times negated, patterns reversed, walks turned round; `forward` only says on which side of a walk
the time for changing is taken and how a flexible trip's window binds.

Rows of labels are folded: row ``k`` holds the best time with at most ``k`` vehicles, also over
the later departures of a range, so that a departure only spreads where it improves something.

References
----------
Round-Based Public Transit Routing (ALENEX 2012), sections 3.1 (RAPTOR) and 4 (rRAPTOR).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.jit import kernel
from gtfs_data.patterns import CAN_ALIGHT, CAN_BOARD
from gtfs_data.rolling import DayTimetable
from routing.raptor.flexible import FlexibleBodies, Rides, RideScratch, scan_ride
from routing.raptor.labels import (
    FAR,
    MAX_VEHICLES,
    NOWHERE,
    Labels,
    get_ready,
    reach,
    reset_labels,
)
from routing.street.kernels import Walks

LEGS_PER_JOURNEY = 2 * MAX_VEHICLES + 2
JOURNEY_LIMIT = 1024
"""Journeys recorded by one range search; a city hour has a few dozen."""
LEG_COLUMNS = 8
# Columns of a recorded leg: what it is, its ends, its times, and what carries it:
# pattern, trip (counted in the pattern), position of boarding, position of alighting;
# or ride, candidate of pickup, candidate of dropoff.
KIND, FROM, TO, START_S, END_S, CARRIER, FIRST, SECOND = range(LEG_COLUMNS)
WALK, VEHICLE, RIDE = 0, 1, 2

START_STEP_S = 60
"""A rider leaves by the minute."""
RIDE_STEP_S = 300
"""Over a range, rides are looked for at the earliest departure of every five minutes: drivers wait
within their windows, so that every minute would find the same rides again."""
POSITION_BITS = 12
"""Board and alight positions share a column: patterns have fewer than 4,096 stops."""

Int32 = npt.NDArray[np.int32]


class Costs(NamedTuple):
    """What a search takes from the territory besides networks: whole seconds."""

    change_s: Int32
    """Shape (node_count,): from getting out at a node to boarding there; cars need more."""
    stop_s: int
    """A driver's stop to let a rider in."""


@kernel
def _queue_patterns(day: DayTimetable, labels: Labels, marked_count: int, stop_count: int) -> int:
    """Queue every pattern that calls at a marked stop, from its first such position on."""
    count = 0
    for i in range(marked_count):
        node = labels.marked[i]
        if node >= stop_count:
            continue
        for k in range(day.at_stop_first[node], day.at_stop_first[node + 1]):
            pattern, position = day.at_stop_pattern[k], day.at_stop_position[k]
            if labels.queued_from[pattern] < 0:
                labels.queue[count] = pattern
                count += 1
                labels.queued_from[pattern] = position
            elif position < labels.queued_from[pattern]:
                labels.queued_from[pattern] = position
    return count


@kernel
def _scan_pattern(
    day: DayTimetable, labels: Labels, pattern: int, row: int, rows: int, touched_count: int
) -> int:
    """Ride along a pattern: get out where that is sooner, change to an earlier trip if ready."""
    first_stop = day.first_stop[pattern]
    length = day.first_stop[pattern + 1] - first_stop
    trips = day.first_trip[pattern + 1] - day.first_trip[pattern]
    trip, board = trips, -1
    for position in range(labels.queued_from[pattern], length):
        node = day.stop[first_stop + position]
        flag = day.flag[first_stop + position]
        column = day.first_event[pattern] + position * trips
        if trip < trips and flag & CAN_ALIGHT:
            at_s = day.arrival_s[column + trip]
            if at_s < labels.alight[row, node] and at_s < labels.goal[row, 0]:
                touched_count = reach(
                    labels, row, rows, node, at_s, pattern, trip,
                    (board << POSITION_BITS) | position, touched_count,
                )  # fmt: skip
        ready_s = labels.ready[row - 1, node]
        if ready_s < FAR and flag & CAN_BOARD and position < length - 1:
            if trip < trips and ready_s > day.departure_s[column + trip]:
                continue
            low, high = 0, trip
            while low < high:
                middle = (low + high) >> 1
                if day.departure_s[column + middle] >= ready_s:
                    high = middle
                else:
                    low = middle + 1
            if low < trip:
                trip, board = low, position
    return touched_count


@kernel
def _scan_rides(
    bodies: FlexibleBodies,
    rides: Rides,
    matrix: npt.NDArray[np.uint16],
    costs: Costs,
    labels: Labels,
    scratch: RideScratch,
    row: int,
    rows: int,
    stop_count: int,
    seats: int,
    forward: bool,
    touched_count: int,
) -> int:
    """Take every ride that can be boarded at a marked meeting point."""
    for body in range(len(bodies.solo_s)):
        if bodies.seat_count[body] < seats:
            continue
        for ride in range(rides.first_ride[body], rides.first_ride[body + 1]):
            boarding = _boardings(
                bodies, rides, costs.stop_s, labels, scratch, body, ride, row, stop_count, forward
            )
            if boarding == 0:
                continue
            others = _worth_reaching(
                bodies, rides, costs, labels, scratch, body, ride, row, stop_count, forward
            )
            scan_ride(bodies, matrix, body, scratch, boarding, others, costs.stop_s, forward)
            for j in range(others):
                if scratch.other_from[j] >= 0:
                    touched_count = reach(
                        labels, row, rows, stop_count + scratch.other_point[j],
                        scratch.other_best_s[j], -1 - ride, scratch.other_from[j],
                        scratch.other[j], touched_count,
                    )  # fmt: skip
    return touched_count


@kernel
def _boardings(
    bodies: FlexibleBodies,
    rides: Rides,
    stop_s: int,
    labels: Labels,
    scratch: RideScratch,
    body: int,
    ride: int,
    row: int,
    stop_count: int,
    forward: bool,
) -> int:
    """Candidates of a ride at which the rider newly is in time; returns how many."""
    earliest_s, latest_s = rides.earliest_s[ride], rides.latest_s[ride]
    bound_s = labels.goal[row, 0]
    first_s = earliest_s if forward else -latest_s - bodies.solo_s[body] - bodies.budget_s[body]
    if first_s >= bound_s:
        return 0
    count = 0
    for candidate in range(bodies.first_candidate[body], bodies.first_candidate[body + 1]):
        node = stop_count + bodies.point[candidate]
        if labels.marks[node] == 0:
            continue
        at_s = labels.ready[row - 1, node]
        if forward:
            passes_s = earliest_s + bodies.from_start_s[candidate]
            if labels.scanned[row, node] <= passes_s:
                continue  # boards at the same moment as when last scanned
            if at_s > latest_s + bodies.from_start_s[candidate]:
                continue
            at_s = max(at_s, passes_s)
        else:
            longest_s = bodies.solo_s[body] + bodies.budget_s[body] + stop_s
            longest_s -= bodies.to_end_s[candidate]
            if labels.scanned[row, node] + longest_s <= -latest_s:
                continue  # could be late enough for the latest departure when last scanned
            if at_s > -earliest_s - bodies.from_start_s[candidate] - stop_s:
                continue  # must be let out before the driver gets here
        if at_s < bound_s:
            scratch.boarding[count], scratch.boarding_s[count] = candidate, at_s
            count += 1
    return count


@kernel
def _worth_reaching(
    bodies: FlexibleBodies,
    rides: Rides,
    costs: Costs,
    labels: Labels,
    scratch: RideScratch,
    body: int,
    ride: int,
    row: int,
    stop_count: int,
    forward: bool,
) -> int:
    """
    Candidates of a ride that it could bring a rider to sooner than known; returns how many.

    From a point one either walks to the goal, or changes, which takes `Costs.change_s` at least.
    Drives keep the triangle inequality, as fastest ones do: nobody gets to a point before the
    driver alone would.
    """
    earliest_s, latest_s = rides.earliest_s[ride], rides.latest_s[ride]
    count = 0
    for candidate in range(bodies.first_candidate[body], bodies.first_candidate[body + 1]):
        node = stop_count + bodies.point[candidate]
        onward_s = costs.change_s[node] if forward else 0
        best_s = min(
            labels.alight[row, node], labels.goal[row, 0] - min(onward_s, labels.egress[node])
        )
        low_s, high_s = -FAR, FAR
        soonest_s = earliest_s + bodies.from_start_s[candidate] + costs.stop_s
        cost_s = bodies.to_end_s[candidate]
        if not forward:
            low_s = -latest_s - bodies.from_start_s[candidate]
            high_s = -earliest_s - bodies.from_start_s[candidate]
            soonest_s, cost_s = low_s, bodies.from_start_s[candidate]
        if soonest_s < best_s:
            scratch.other[count] = candidate
            scratch.other_point[count] = bodies.point[candidate]
            scratch.other_cost_s[count] = cost_s
            scratch.other_low_s[count], scratch.other_high_s[count] = low_s, high_s
            scratch.other_best_s[count], scratch.other_from[count] = best_s, -1
            count += 1
    return count


@kernel
def _walk_on(
    walks: Walks,
    costs: Costs,
    labels: Labels,
    row: int,
    rows: int,
    touched_count: int,
    stop_count: int,
    forward: bool,
) -> int:
    """
    Change at, or walk on from, every node that a vehicle just reached sooner.

    From a ride one walks to a stop: nobody is sent from one driver to the next.
    """
    marked_count = int(np.int64(0))
    for i in range(touched_count):
        node = labels.touched[i]
        labels.touches[node] = 0
        at_s = labels.alight[row, node]
        change_s = costs.change_s[node]
        if node < stop_count:
            marked_count = get_ready(labels, row, rows, node, at_s + change_s, node, marked_count)
        for k in range(walks.first[node], walks.first[node + 1]):
            if at_s + walks.seconds[k] >= labels.goal[row, 0]:
                break  # walks are sorted by duration
            other = walks.to[k]
            then_s = at_s + walks.seconds[k] + (change_s if forward else costs.change_s[other])
            if then_s < labels.ready[row, other]:
                marked_count = get_ready(labels, row, rows, other, then_s, node, marked_count)
    return marked_count


@kernel
def run_rounds(
    day: DayTimetable,
    walks: Walks,
    bodies: FlexibleBodies,
    rides: Rides,
    matrix: npt.NDArray[np.uint16],
    costs: Costs,
    labels: Labels,
    scratch: RideScratch,
    access_node: Int32,
    access_s: Int32,
    start_s: int,
    rows: int,
    stop_count: int,
    seats: int,
    forward: bool,
) -> None:
    """
    Spread one departure through the rounds, keeping the labels of later departures.

    Parameters
    ----------
    access_node, access_s
        Nodes that one can walk to from the start, and how long that takes.
    rows
        One more than the most vehicles allowed.
    seats
        Size of the group; 0 leaves flexible trips out.
    """
    # Typed zeros: a literal would compile every callee once more.
    count, on_foot, nowhere = int(np.int64(0)), int(np.int64(0)), int(np.int32(NOWHERE))
    for i in range(len(access_node)):
        at_s = start_s + access_s[i]
        count = get_ready(labels, on_foot, rows, access_node[i], at_s, nowhere, count)
    for row in range(1, rows):
        if count == 0:
            break
        queued = _queue_patterns(day, labels, count, stop_count)
        touched = int(np.int64(0))
        for i in range(queued):
            touched = _scan_pattern(day, labels, labels.queue[i], row, rows, touched)
            labels.queued_from[labels.queue[i]] = -1
        if seats > 0:
            touched = _scan_rides(
                bodies, rides, matrix, costs, labels, scratch, row, rows, stop_count, seats,
                forward, touched,
            )  # fmt: skip
        for i in range(count):
            node = labels.marked[i]
            labels.marks[node] = 0
            labels.scanned[row, node] = labels.ready[row - 1, node]
        count = _walk_on(walks, costs, labels, row, rows, touched, stop_count, forward)
    for i in range(count):
        labels.marks[labels.marked[i]] = 0


@kernel
def unroll(
    day: DayTimetable,
    bodies: FlexibleBodies,
    matrix: npt.NDArray[np.uint16],
    labels: Labels,
    row: int,
    stop_count: int,
    stop_s: int,
    forward: bool,
    legs: Int32,
) -> int:
    """
    Write the vehicle legs of the best journey of a row, from the goal backwards.

    The last vehicle searched comes first; walks are left to the caller.

    Returns
    -------
    leg_count
        Legs written.
    """
    node, at_row, count = labels.goal[row, 1], labels.goal[row, 2], 0
    while at_row > 0:
        at_row = labels.alight_row[at_row, node]
        carrier = labels.parent[at_row, node, 0]
        first, second = labels.parent[at_row, node, 1], labels.parent[at_row, node, 2]
        leg = legs[count]
        leg[TO], leg[END_S] = node, labels.alight[at_row, node]
        leg[FIRST], leg[SECOND] = first, second
        if carrier >= 0:
            board = second >> POSITION_BITS
            trips = day.first_trip[carrier + 1] - day.first_trip[carrier]
            leg[KIND], leg[CARRIER] = VEHICLE, carrier
            leg[FROM] = day.stop[day.first_stop[carrier] + board]
            leg[START_S] = day.departure_s[day.first_event[carrier] + board * trips + first]
        else:
            leg[KIND], leg[CARRIER] = RIDE, -1 - carrier
            leg[FROM] = stop_count + bodies.point[first]
            drive_s = np.int64(matrix[bodies.point[first], bodies.point[second]])
            pickup, dropoff = (first, second) if forward else (second, first)
            if bodies.segment[pickup] != bodies.segment[dropoff]:
                solo_s = bodies.solo_s[bodies.body[pickup]]
                drive_s = bodies.to_end_s[pickup] + bodies.from_start_s[dropoff] - solo_s
            leg[START_S] = leg[END_S] - drive_s - stop_s
        count += 1
        node = leg[FROM]
        at_row = labels.ready_row[at_row - 1, node]
        came_from = labels.came_from[at_row, node]
        if came_from == NOWHERE:
            break
        node = came_from
    return count


@kernel
def _record(
    day: DayTimetable,
    bodies: FlexibleBodies,
    matrix: npt.NDArray[np.uint16],
    labels: Labels,
    before: Int32,
    start_s: int,
    rows: int,
    stop_count: int,
    stop_s: int,
    forward: bool,
    journeys: Int32,
    legs: Int32,
    count: int,
) -> int:
    """Write the journeys by which the last departure improved the goal; returns the new count."""
    for row in range(1, rows):
        better = labels.goal[row, 0] < before[row] and labels.goal[row, 2] == row
        if better and labels.goal[row, 1] != NOWHERE and count < JOURNEY_LIMIT:
            journeys[count, 0], journeys[count, 1] = start_s, labels.goal[row, 0]
            journeys[count, 2] = row
            journeys[count, 3] = unroll(
                day, bodies, matrix, labels, row, stop_count, stop_s, forward, legs[count]
            )
            count += 1
    return count


@kernel
def search_range(
    day: DayTimetable,
    walks: Walks,
    point_walks: Walks,
    bodies: FlexibleBodies,
    rides: Rides,
    matrix: npt.NDArray[np.uint16],
    costs: Costs,
    labels: Labels,
    ride_labels: Labels,
    scratch: RideScratch,
    access_node: Int32,
    access_s: Int32,
    egress_node: Int32,
    egress_s: Int32,
    starts_s: Int32,
    after_s: int,
    direct_s: int,
    rows: int,
    stop_count: int,
    seats: int,
    forward: bool,
    journeys: Int32,
    legs: Int32,
) -> int:
    """
    Journeys that are best in departure, arrival and number of vehicles, without and with rides.

    Each departure is spread twice: without rides, so that no ride hides a journey by public
    transport, and with them, where only what is sooner than without is worth finding.

    Parameters
    ----------
    starts_s
        Shape (n,), descending: times at which to leave the start.
    after_s
        End of the window, searched first without recording, so that journeys leaving later
        dominate those inside; `FAR` when there is no window.
    direct_s
        Walk from start to goal, or `FAR`: slower journeys are not worth it.
    seats
        Size of the group; 0 searches without rides only.
    journeys
        Shape (JOURNEY_LIMIT, 4), written: time of leaving, time at the goal, vehicles, legs.
    legs
        Shape (JOURNEY_LIMIT, LEGS_PER_JOURNEY, LEG_COLUMNS), written: see `unroll`.

    Returns
    -------
    journey_count
        Journeys written, latest departure first.
    """
    reset_labels(labels, rows, egress_node, egress_s)
    if seats > 0:
        reset_labels(ride_labels, rows, egress_node, egress_s)
    count, nobody = int(np.int64(0)), int(np.int64(0))
    before = np.empty(rows, np.int32)
    for i in range(-1, len(starts_s)):
        if i < 0 and after_s >= FAR:
            continue
        start_s = after_s if i < 0 else starts_s[i]
        _bound_goal(labels, rows, start_s + direct_s)
        before[:] = labels.goal[:rows, 0]
        run_rounds(
            day, walks, bodies, rides, matrix, costs, labels, scratch, access_node, access_s,
            start_s, rows, stop_count, nobody, forward,
        )  # fmt: skip
        if i >= 0:
            count = _record(
                day, bodies, matrix, labels, before, start_s, rows, stop_count, costs.stop_s,
                forward, journeys, legs, count,
            )  # fmt: skip
        last_of_step = (
            i < 0
            or i + 1 == len(starts_s)
            or starts_s[i + 1] // RIDE_STEP_S != start_s // RIDE_STEP_S
        )
        if seats == 0 or not last_of_step:
            continue
        for row in range(rows):
            if labels.goal[row, 0] < ride_labels.goal[row, 0]:
                ride_labels.goal[row, 0] = labels.goal[row, 0]
                ride_labels.goal[row, 1] = NOWHERE
            before[row] = ride_labels.goal[row, 0]
        run_rounds(
            day, point_walks, bodies, rides, matrix, costs, ride_labels, scratch, access_node,
            access_s, start_s, rows, stop_count, seats, forward,
        )  # fmt: skip
        if i >= 0:
            count = _record(
                day, bodies, matrix, ride_labels, before, start_s, rows, stop_count,
                costs.stop_s, forward, journeys, legs, count,
            )  # fmt: skip
    return count


@kernel
def _bound_goal(labels: Labels, rows: int, at_s: int) -> None:
    """Nothing later than a walk all the way is worth finding."""
    for row in range(rows):
        if at_s < labels.goal[row, 0]:
            labels.goal[row, 0], labels.goal[row, 1], labels.goal[row, 2] = at_s, NOWHERE, 0


@kernel
def departures_within(
    day: DayTimetable,
    bodies: FlexibleBodies,
    rides: Rides,
    access_node: Int32,
    access_s: Int32,
    from_s: int,
    until_s: int,
    stop_count: int,
    seats: int,
    stop_s: int,
    forward: bool,
    out: Int32,
) -> int:
    """
    Times in ``[from_s, until_s)`` at which leaving the start catches something.

    Times are taken down to whole steps (`START_STEP_S`): a rider leaves by the minute. Drivers
    wait within their windows: a rider may leave at both ends of what this allows.
    Returns how many were written to `out` (unsorted, repeated).
    """
    count = 0
    for i in range(len(access_node)):
        node, walk_s = access_node[i], access_s[i]
        if node < stop_count:
            for k in range(day.at_stop_first[node], day.at_stop_first[node + 1]):
                pattern, position = day.at_stop_pattern[k], day.at_stop_position[k]
                if not day.flag[day.first_stop[pattern] + position] & CAN_BOARD:
                    continue
                trips = day.first_trip[pattern + 1] - day.first_trip[pattern]
                column = day.first_event[pattern] + position * trips
                low = np.searchsorted(day.departure_s[column : column + trips], from_s + walk_s)
                for trip in range(low, trips):
                    at_s = day.departure_s[column + trip] - walk_s
                    if at_s >= until_s or count >= len(out):
                        break
                    out[count] = max(from_s, at_s // START_STEP_S * START_STEP_S)
                    count += 1
        elif seats > 0:
            point = node - stop_count
            for k in range(bodies.at_point_first[point], bodies.at_point_first[point + 1]):
                candidate = bodies.at_point_candidate[k]
                body = bodies.body[candidate]
                for ride in range(rides.first_ride[body], rides.first_ride[body + 1]):
                    if forward:
                        first_s = rides.earliest_s[ride] + bodies.from_start_s[candidate]
                        last_s = rides.latest_s[ride] + bodies.from_start_s[candidate]
                    else:
                        longest_s = bodies.solo_s[body] + bodies.budget_s[body]
                        longest_s -= bodies.to_end_s[candidate]
                        first_s = -rides.latest_s[ride] - longest_s - stop_s
                        last_s = -rides.earliest_s[ride] - stop_s
                        last_s -= bodies.from_start_s[candidate]
                    first_s, last_s = first_s - walk_s, last_s - walk_s
                    first_s = max(from_s, first_s // START_STEP_S * START_STEP_S)
                    if first_s < until_s and last_s >= from_s and count + 1 < len(out):
                        out[count] = first_s
                        count += 1
                        if last_s < until_s:
                            out[count] = last_s
                            count += 1
    return count
