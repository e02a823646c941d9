"""Through trips as searches and answers read them: numbered after the trips of a timetable."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from gtfs_data.store import frozen

if TYPE_CHECKING:
    from gtfs_data.timetable import Timetable

Int32 = npt.NDArray[np.int32]


class Runs(NamedTuple):
    """Patterns and the trips that run them: those of the feeds, or through trips."""

    first_stop: Int32
    """Shape (pattern_count + 1,)."""
    stop: Int32
    flag: npt.NDArray[np.uint8]
    pattern: Int32
    """Of each trip, as `service` and `feed`."""
    service: Int32
    feed: Int32
    first_event: Int32
    """Shape (trip_count + 1,)."""
    arrival_s: Int32
    departure_s: Int32


def runs_of(t: Timetable) -> Runs:
    """Trips of the feeds."""
    return Runs(
        t.pattern_first_stop,
        t.pattern_stop,
        t.pattern_flag,
        t.trip_pattern,
        t.trip_service,
        t.route_feed[t.pattern_route[t.trip_pattern]],
        t.trip_first_event,
        t.event_arrival_s,
        t.event_departure_s,
    )


def through_runs_of(t: Timetable) -> Runs:
    """Through trips, their times taken from the trips that they join."""
    lengths = np.diff(t.through_first_row)[t.through_pattern]
    first_event = np.r_[0, np.cumsum(lengths)].astype(np.int32)
    owner = np.repeat(np.arange(len(lengths)), lengths)
    nth = np.arange(len(owner)) - first_event[owner]
    row = t.through_first_row[t.through_pattern[owner]] + nth
    trip = t.through_trip[t.through_first_trip[owner] + t.through_row_part[row]]
    event = t.trip_first_event[trip] + t.through_row_position[row]
    leading = t.through_trip[t.through_first_trip[:-1]]
    return Runs(
        t.through_first_row,
        t.through_row_stop,
        t.through_row_flag,
        t.through_pattern,
        t.through_service,
        t.route_feed[t.pattern_route[t.trip_pattern[leading]]],
        frozen(first_event),
        frozen(t.event_arrival_s[event]),
        frozen(t.event_departure_s[event]),
    )


def is_through(t: Timetable, trip: int) -> bool:
    """Whether a number that a rolled day gives a trip is that of a through trip."""
    return trip >= len(t.trip_service)


class Part(NamedTuple):
    """One trip of a ride, boarded and left at positions of its pattern."""

    trip: int
    board: int
    leave: int


def parts_of_ride(t: Timetable, trip: int, board: int, leave: int) -> list[Part]:
    """Trips of one ride in one vehicle; positions are counted in the rolled pattern."""
    if not is_through(t, trip):
        return [Part(trip, board, leave)]
    through = trip - len(t.trip_service)
    first_row = int(t.through_first_row[t.through_pattern[through]])
    last_part = int(t.through_row_part[first_row + leave])
    first_trip = int(t.through_first_trip[through])
    parts = []
    for nth, own in enumerate(t.through_trip[first_trip : first_trip + last_part + 1].tolist()):
        last = int(t.trip_first_event[own + 1] - t.trip_first_event[own]) - 1
        starts = int(t.through_row_position[first_row + board]) if nth == 0 else 0
        ends = int(t.through_row_position[first_row + leave]) if nth == last_part else last
        parts.append(Part(own, starts, ends))
    return parts


class RideCalls(NamedTuple):
    """Calls of a trip, or of a through trip, at the positions of its rolled pattern."""

    stop: Int32
    flag: npt.NDArray[np.uint8]
    arrival_s: Int32
    departure_s: Int32
    """Of the service day."""


def calls_of_ride(t: Timetable, trip: int) -> RideCalls:
    """Where a vehicle calls for those whom a search puts on this trip."""
    if is_through(t, trip):
        number = trip - len(t.trip_service)
        pattern = int(t.through_pattern[number])
        row = slice(int(t.through_first_row[pattern]), int(t.through_first_row[pattern + 1]))
        part = t.through_row_part[row]
        own = t.through_trip[int(t.through_first_trip[number]) + part]
        event = t.trip_first_event[own] + t.through_row_position[row]
        stop, flag = t.through_row_stop[row], t.through_row_flag[row]
        return RideCalls(stop, flag, t.event_arrival_s[event], t.event_departure_s[event])
    pattern = int(t.trip_pattern[trip])
    row = slice(int(t.pattern_first_stop[pattern]), int(t.pattern_first_stop[pattern + 1]))
    events = slice(int(t.trip_first_event[trip]), int(t.trip_first_event[trip + 1]))
    times = t.event_arrival_s[events], t.event_departure_s[events]
    return RideCalls(t.pattern_stop[row], t.pattern_flag[row], *times)
