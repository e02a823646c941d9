"""One round of public transport: queue patterns, ride along them, change and walk on."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.jit import kernel
from gtfs_data.enums import CAN_ALIGHT, CAN_BOARD
from gtfs_data.rolling import DayTimetable
from routing.bounds import MOST_ONWARD, VEHICLE_BITS
from routing.raptor.labels import (
    ALIGHT,
    MAX_VEHICLES,
    READY,
    Labels,
    fold,
    reach_goal,
)
from routing.street.kernels import Walks

Int32 = npt.NDArray[np.int32]


class Costs(NamedTuple):
    """What a search takes from the territory besides networks: whole seconds."""

    change_s: Int32
    """Shape (node_count,): from getting out at a node to boarding there; cars need more."""
    stop_s: int
    """A driver's stop to let a rider in."""
    onward_256: int
    """Share of the bounds' seconds that holds for this search, in 256ths."""


@kernel
def find_leading(day: DayTimetable, labels: Labels, egress_node: Int32, stop_count: int) -> int:
    """List the patterns that lead to the goal; returns how many."""
    labels.leads[:] = 0
    count = 0
    for i in range(len(egress_node)):
        node = egress_node[i]
        if node < stop_count:
            for k in range(day.at_stop_first[node], day.at_stop_first[node + 1]):
                pattern = day.at_stop_pattern[k]
                if labels.leads[pattern] == 0:
                    labels.leads[pattern] = 1
                    labels.leading[count] = pattern
                    count += 1
    return count


@kernel
def queue_leading(day: DayTimetable, labels: Labels, leading_count: int) -> int:
    """Queue every pattern that leads to the goal and calls at a marked stop."""
    first_stop, stop, marks = day.first_stop, day.stop, labels.marks
    count = 0
    for i in range(leading_count):
        pattern = np.uint32(labels.leading[i])
        first, end = np.uint32(first_stop[pattern]), np.uint32(first_stop[pattern + 1])
        for row_at in range(first, end):
            if marks[np.uint32(stop[row_at])] == 1:
                labels.queue[count] = pattern
                count += 1
                labels.queued_from[pattern] = row_at - first
                labels.queued_to[pattern] = end - first
                break
    return count


@kernel
def queue_patterns(
    day: DayTimetable, labels: Labels, marked_count: int, row: int, stop_count: int, others: bool
) -> int:
    """
    Queue every pattern that calls at a marked stop, from its first such position on.

    `others` leaves those out that lead to the goal: after one of them another vehicle follows.
    """
    marked, queue, queued_from, queued_to = (
        labels.marked, labels.queue, labels.queued_from, labels.queued_to,
    )  # fmt: skip
    leads, onward = labels.leads, labels.onward
    ready_s, goals_s = labels.time_s[READY + row - 1], labels.goal_s[row - 1 :]
    first, patterns, positions = day.at_stop_first, day.at_stop_pattern, day.at_stop_position
    least = 2 if others else 1
    count = 0
    for i in range(marked_count):
        node = np.uint32(marked[i])
        if node >= stop_count:
            continue
        left = onward[node]
        if ready_s[node] + (left >> VEHICLE_BITS) >= goals_s[max(left & MOST_ONWARD, least)]:
            continue
        for k in range(np.uint32(first[node]), np.uint32(first[node + 1])):
            pattern, position = np.uint32(patterns[k]), positions[k]
            if others and leads[pattern] == 1:
                continue
            if queued_from[pattern] < 0:
                queue[count] = pattern
                count += 1
                queued_from[pattern] = queued_to[pattern] = position
            elif position < queued_from[pattern]:
                queued_from[pattern] = position
            else:
                queued_to[pattern] = max(queued_to[pattern], position)
    return count


@kernel
def scan_patterns(
    day: DayTimetable, labels: Labels, queued: int, row: int, rows: int, touched_count: int
) -> int:
    """
    Ride along the queued patterns: get out where that is sooner, change to earlier trips if ready.

    Returns how many nodes were reached sooner, `touched_count` before.
    """
    first_stop, stop, flag = day.first_stop, day.stop, day.flag
    first_trip, first_event = day.first_trip, day.first_event
    arrival_s, departure_s = day.arrival_s, day.departure_s
    queue, queued_from, queued_to = labels.queue, labels.queued_from, labels.queued_to
    alight_s, ready_s = labels.time_s[ALIGHT + row], labels.time_s[READY + row - 1]
    time_s, onward, egress = labels.time_s, labels.onward, labels.egress
    goal_s, goal_node, goal_row = labels.goal_s, labels.goal_node, labels.goal_row
    goals_s = goal_s[row:]
    touched, touches, marks = labels.touched, labels.touches, labels.marks
    for i in range(queued):
        pattern = np.uint32(queue[i])
        position = queued_from[pattern]
        queued_from[pattern] = -1
        last = first_stop[pattern] + queued_to[pattern]
        trips = int(np.int64(first_trip[pattern + 1] - first_trip[pattern]))
        trip = trips
        column = first_event[pattern] + position * trips
        for row_at in range(
            np.uint32(first_stop[pattern] + position), np.uint32(first_stop[pattern + 1])
        ):
            node = np.uint32(stop[row_at])
            if trip == trips:
                if row_at > last:
                    break
            else:
                at_s = arrival_s[np.uint64(column + trip)]
                left = onward[node]
                at_best_s = at_s + (left >> VEHICLE_BITS)
                if at_best_s >= goals_s[0]:
                    trip = trips  # staying aboard brings nobody to the goal in time
                elif (
                    at_s < alight_s[node]
                    and flag[row_at] & CAN_ALIGHT
                    and at_best_s < goals_s[left & MOST_ONWARD]
                ):
                    fold(time_s, node, ALIGHT + row, ALIGHT + rows, at_s)
                    if left & MOST_ONWARD == 0:
                        at_goal_s = at_s + egress[node]
                        reach_goal(goal_s, goal_node, goal_row, row, rows, node, at_goal_s)
                    if touches[node] == 0:
                        touches[node] = 1
                        touched[touched_count] = node
                        touched_count += 1
            if marks[node] == 1 and flag[row_at] & CAN_BOARD:
                here_s, low, high = ready_s[node], 0, trip
                if trip < trips:
                    if here_s > departure_s[np.uint64(column + trip)]:
                        low = trip  # not even this one
                    else:
                        step = 1  # an earlier one is seldom far
                        while (
                            step <= trip and departure_s[np.uint64(column + trip - step)] >= here_s
                        ):
                            high = trip - step
                            step <<= 1
                        low = max(trip - step + 1, 0)
                while low < high:
                    middle = (low + high) >> 1
                    if departure_s[np.uint64(column + middle)] >= here_s:
                        high = middle
                    else:
                        low = middle + 1
                trip = low
            column += trips
    return touched_count


@kernel
def walk_on(
    walks: Walks,
    change_s: Int32,
    labels: Labels,
    sources: int,
    start_s: int,
    row: int,
    rows: int,
    stop_count: int,
    forward: bool,
) -> int:
    """
    Get ready to board after `row` vehicles; returns how many nodes are marked.

    After none one walks from the start, at `start_s`, by the only row of `walks`. After some one
    changes at, or walks on from, every node just reached sooner. From a ride one walks to a stop:
    nobody is sent from one driver to the next.
    """
    first, to, seconds = walks.first, walks.to, walks.seconds
    time_s, onward, goals_s = labels.time_s, labels.onward, labels.goal_s[row:]
    # After the most vehicles nothing is written: no walk is sooner than `goals_s[1]`.
    alight_s, ready_s = time_s[ALIGHT + row], time_s[READY + min(row, MAX_VEHICLES - 1)]
    touched, touches, marked, marks = labels.touched, labels.touches, labels.marked, labels.marks
    count = 0
    for i in range(sources):
        node, source, at_s, before_s = np.uint32(0), np.uint32(0), start_s, 0
        if row > 0:
            node = source = np.uint32(touched[i])
            touches[node] = 0
            at_s = alight_s[node]
            before_s = change_s[node] if forward else 0
        begin, end = first[source], first[source + 1]
        walk = begin
        if row > 0 and node < stop_count:
            walk -= 1  # changing here is a walk of no seconds
        while walk < end:
            other, then_s = node, at_s
            if walk >= begin:
                other, then_s = np.uint32(to[np.uint32(walk)]), at_s + seconds[np.uint32(walk)]
            walk += 1
            if then_s >= goals_s[1] and row > 0:
                break  # walks are sorted by duration
            then_s += before_s
            if row > 0 and not forward:
                then_s += change_s[other]
            if then_s >= ready_s[other]:
                continue
            left = onward[other]
            if then_s + (left >> VEHICLE_BITS) >= goals_s[max(left & MOST_ONWARD, 1)]:
                continue
            fold(time_s, other, READY + row, READY + rows - 1, then_s)
            if marks[other] == 0:
                marks[other] = 1
                marked[count] = other
                count += 1
    return count
