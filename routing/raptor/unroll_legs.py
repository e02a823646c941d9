"""
Legs of a journey, found again from its labels: no search keeps track of where labels came from.

A label that the last departure improved was reached by some trip and some change of the same run;
whatever fits its time exactly is such a one.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.jit import kernel
from gtfs_data.enums import CAN_ALIGHT, CAN_BOARD
from gtfs_data.rolling import DayTimetable
from routing.raptor.door_scan import drive_between_s, listed_place, visit_place
from routing.raptor.flexible import (
    CANDIDATE,
    FOUND_BOARD,
    FOUND_END_S,
    FOUND_RIDE,
    FOUND_VISIT,
    FROM_START_S,
    IN_SEGMENT,
    MEETING_POINT,
    TO_END_S,
    RideSearch,
)
from routing.raptor.labels import ALIGHT, FAR, NOWHERE, READY, Labels
from routing.raptor.scan import Costs
from routing.street.kernels import Walks

LEG_COLUMNS = 10
# Columns of a leg: what it is, its ends, its times, what carries it (trip of the timetable, or
# ride), where it is boarded and left (positions in the pattern, or candidates; of doors -1 - row of
# the visit), the trip's day and the walk that follows it, or goes on to the goal.
KIND, FROM, TO, START_S, END_S, CARRIER, BOARD, LEAVE, DAY, WALK_S = range(LEG_COLUMNS)
VEHICLE, RIDE = 0, 1
CHANGE_HERE = -1

Int32 = npt.NDArray[np.int32]


@kernel
def unroll_legs(
    day: DayTimetable,
    walks_back: Walks,
    costs: Costs,
    labels: Labels,
    row: int,
    stop_count: int,
    forward: bool,
    legs: Int32,
    riding: RideSearch | None,
) -> int:
    """
    Write the legs of the best journey of a row, from the goal backwards.

    Parameters
    ----------
    walks_back
        Walks by the node where they end, as the search sees it.

    Returns
    -------
    leg_count
        Legs written.

    Raises
    ------
    RuntimeError
        Nothing fits a label: the search is wrong, and no itinerary is better than a wrong one.
    """
    node, row, count = labels.goal_node[row], labels.goal_row[row], 0
    node_count = len(labels.egress)
    walk_s = np.int64(labels.egress[node]) if node < node_count else np.int64(0)
    while True:
        leg = legs[count]
        if node < node_count:
            times_s = labels.time_s[:, node]
            row = _made_in(times_s, ALIGHT, row)
            leg[TO], leg[END_S], leg[WALK_S] = node, times_s[ALIGHT + row], walk_s
            if node < stop_count:
                _find_vehicle(day, labels, row, forward, leg)
            elif riding is not None:
                _find_boarding(riding, costs, labels, row, stop_count, forward, leg)
        elif riding is not None:
            _write_door_leg(riding, costs.stop_s, row, stop_count, forward, leg)
        count += 1
        node = leg[FROM]
        if node == NOWHERE:
            raise RuntimeError("no trip or ride fits a label")
        if node >= node_count:
            return count
        row = _made_in(labels.time_s[:, node], READY, row - 1)
        if row == 0:
            return count
        walk_s = np.int64(0)
        walk = _find_walk(walks_back, costs, labels, row, node, stop_count, forward)
        if walk != CHANGE_HERE:
            walk_s = np.int64(walks_back.seconds[walk])
            node = walks_back.to[walk]


@kernel
def _made_in(times_s: Int32, column: int, row: int) -> int:
    """Fewest vehicles for which a node's label is as good as for `row` of them."""
    first = 1 if column == ALIGHT else 0
    while row > first and times_s[column + row - 1] == times_s[column + row]:
        row -= 1
    return row


@kernel
def _find_vehicle(day: DayTimetable, labels: Labels, row: int, forward: bool, leg: Int32) -> None:
    """
    Trip that gets to a stop at a label's time, and where it is boarded.

    Of the places where it can be boarded, the one that leaves most time to get there.
    """
    node, at_s = leg[TO], leg[END_S]
    leg[KIND], leg[FROM] = VEHICLE, NOWHERE
    most_s = np.int64(-1)
    for k in range(day.at_stop_first[node], day.at_stop_first[node + 1]):
        pattern, position = day.at_stop_pattern[k], day.at_stop_position[k]
        first_stop = day.first_stop[pattern]
        trips = day.first_trip[pattern + 1] - day.first_trip[pattern]
        if not day.flag[first_stop + position] & CAN_ALIGHT:
            continue
        column = day.first_event[pattern] + position * trips
        trip = np.searchsorted(day.arrival_s[column : column + trips], at_s, side="right") - 1
        if trip < 0 or day.arrival_s[column + trip] != at_s:
            continue
        for board in range(position):
            stop = day.stop[first_stop + board]
            ready_s = np.int64(labels.time_s[READY + row - 1, stop])
            leave_s = day.departure_s[day.first_event[pattern] + board * trips + trip]
            spare_s = leave_s - ready_s
            if spare_s > most_s and ready_s < FAR and day.flag[first_stop + board] & CAN_BOARD:
                most_s = spare_s
                leg[FROM], leg[START_S] = stop, leave_s
                leg[CARRIER] = day.trip[day.first_trip[pattern] + trip]
                leg[DAY] = day.day[day.first_trip[pattern] + trip]
                leg[BOARD], leg[LEAVE] = board, position
                if not forward:
                    last = day.first_stop[pattern + 1] - first_stop - 1
                    leg[BOARD], leg[LEAVE] = last - position, last - board


@kernel
def _find_boarding(
    riding: RideSearch,
    costs: Costs,
    labels: Labels,
    row: int,
    stop_count: int,
    forward: bool,
    leg: Int32,
) -> None:
    """
    Where the ride is boarded that gets to a meeting point at a label's time.

    Of the places where it can be boarded, the one that leaves most time to get there.
    """
    bodies, rides, matrix = riding.bodies, riding.rides, riding.drive_s
    other_point, at_s = leg[TO] - stop_count, leg[END_S]
    ride, other = labels.ride[other_point, row - 1]
    body = rides.body[ride]
    leg[KIND], leg[CARRIER], leg[FROM] = RIDE, ride, NOWHERE
    listed, scratch = riding.scratch.listed, riding.scratch
    from_s, to_s, segment = listed[FROM_START_S], listed[TO_END_S], listed[IN_SEGMENT]
    most_s, solo_s = np.int64(-1), np.int64(bodies.solo_s[body])
    for candidate in range(scratch.listed_first[body], scratch.listed_end[body]):
        point = listed[MEETING_POINT, candidate]
        ready_s = np.int64(labels.time_s[READY + row - 1, stop_count + point])
        pickup, dropoff = (candidate, other) if forward else (other, candidate)
        drive_s = np.int64(matrix[point, other_point])
        if segment[pickup] != segment[dropoff]:
            drive_s = to_s[pickup] + from_s[dropoff] - solo_s
        leave_s = at_s - drive_s - costs.stop_s
        if (
            leave_s - ready_s <= most_s
            or point == other_point
            or segment[pickup] > segment[dropoff]
            or from_s[pickup] + drive_s + to_s[dropoff] > solo_s + bodies.budget_s[body]
        ):
            continue
        pickup_s = leave_s if forward else -at_s
        passes_s = pickup_s - from_s[pickup]
        if rides.earliest_s[ride] <= passes_s <= rides.latest_s[ride]:
            most_s = leave_s - ready_s
            leg[FROM], leg[START_S] = stop_count + point, leave_s
            leg[BOARD], leg[LEAVE] = listed[CANDIDATE, pickup], listed[CANDIDATE, dropoff]
    if leg[FROM] == NOWHERE and row == 1 and len(riding.doors.near_first) > 0:
        _find_door_boarding(riding, costs.stop_s, other, stop_count, forward, leg)


@kernel
def _find_door_boarding(
    riding: RideSearch, stop_s: int, other: int, stop_count: int, forward: bool, leg: Int32
) -> None:
    """The same where it is boarded at the near door; `other` is where one gets out, as listed."""
    doors, rides, bodies = riding.doors, riding.rides, riding.bodies
    ride, at_s, point = leg[CARRIER], leg[END_S], leg[TO] - stop_count
    body = rides.body[ride]
    there, most_s = listed_place(riding.scratch.listed, other), np.int64(-1)
    for visit in range(doors.near_first[body], doors.near_first[body + 1]):
        here = visit_place(doors.near, visit)
        pickup, dropoff = (here, there) if forward else (there, here)
        drive_s = drive_between_s(
            pickup, dropoff, int(doors.near_drive_s[point]), int(bodies.solo_s[body])
        )
        leave_s = at_s - drive_s - stop_s
        passes_s = (leave_s if forward else -at_s) - pickup[1]
        if (
            leave_s - doors.ready_s[0] <= most_s
            or pickup[1] + drive_s + dropoff[2] > bodies.solo_s[body] + bodies.budget_s[body]
            or not rides.earliest_s[ride] <= passes_s <= rides.latest_s[ride]
        ):
            continue
        most_s, leg[START_S] = leave_s - doors.ready_s[0], leave_s
        leg[FROM] = _door_node(riding, stop_count, forward)
        own = riding.scratch.listed[CANDIDATE, other]
        leg[BOARD], leg[LEAVE] = (-1 - visit, own) if forward else (own, -1 - visit)


@kernel
def _write_door_leg(
    riding: RideSearch, stop_s: int, row: int, stop_count: int, forward: bool, leg: Int32
) -> None:
    """Write the leg that ends at the far door."""
    doors, listed, found = riding.doors, riding.scratch.listed, riding.doors.found[row]
    ride, boarding = int(found[FOUND_RIDE]), int(found[FOUND_BOARD])
    visit, at_s = int(found[FOUND_VISIT]), int(found[FOUND_END_S])
    if boarding < 0:
        node, own, table_s = _door_node(riding, stop_count, forward), boarding, doors.between_s
        here = visit_place(doors.near, -1 - boarding)
    else:
        point = listed[MEETING_POINT, boarding]
        node, own = stop_count + int(point), int(listed[CANDIDATE, boarding])
        table_s = int(doors.far_drive_s[point])
        here = listed_place(listed, boarding)
    there = visit_place(doors.far, visit)
    pickup, dropoff = (here, there) if forward else (there, here)
    drive_s = drive_between_s(
        pickup, dropoff, table_s, int(riding.bodies.solo_s[riding.rides.body[ride]])
    )
    leg[KIND], leg[CARRIER], leg[FROM] = RIDE, ride, node
    leg[TO] = _door_node(riding, stop_count, not forward)
    leg[START_S], leg[END_S], leg[WALK_S] = at_s - drive_s - stop_s, at_s, doors.far_walk_s
    leg[BOARD], leg[LEAVE] = (own, -1 - visit) if forward else (-1 - visit, own)


@kernel
def _door_node(riding: RideSearch, stop_count: int, at_origin: bool) -> int:
    """Node of one of the two doors, behind all others: the origin's, then the destination's."""
    return stop_count + len(riding.drive_s) + (0 if at_origin else 1)


@kernel
def _find_walk(
    walks_back: Walks,
    costs: Costs,
    labels: Labels,
    row: int,
    node: int,
    stop_count: int,
    forward: bool,
) -> int:
    """Row of the walk by which one was ready at a node, or `CHANGE_HERE`."""
    at_s = labels.time_s[READY + row, node]
    if node < stop_count and labels.time_s[ALIGHT + row, node] + costs.change_s[node] == at_s:
        return CHANGE_HERE
    for walk in range(walks_back.first[node], walks_back.first[node + 1]):
        other = walks_back.to[walk]
        change_s = costs.change_s[other if forward else node]
        if labels.time_s[ALIGHT + row, other] + walks_back.seconds[walk] + change_s == at_s:
            return walk
    raise RuntimeError("no change fits the label of a stop")
