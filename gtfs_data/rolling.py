"""
Three rolled days: the timetable as a search on one date reads it.

Yesterday's trips (some run past midnight, others lead to journeys that do), today's and
tomorrow's, all in seconds from the
territory's start of the searched day (noon minus twelve hours), so that feeds of several zones
merge and the days on which clocks change need no special case in the search.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from core.time import day_start_epoch_s, get_zone
from gtfs_data.days import day_number
from gtfs_data.kernels import chain_without_overtaking, lay_out_events, turn_events
from gtfs_data.store import frozen
from gtfs_data.throughs import Runs, runs_of, through_runs_of
from gtfs_data.timetable import NONE, Timetable

DAYS = (-1, 0, 1)
"""Service days laid out around the searched date."""

OFFSET_COLUMNS = (0, 3, 6)
"""Of `DayTimetable`: where stops, trips and events of each pattern begin."""
Int32 = npt.NDArray[np.int32]


class DayTimetable(NamedTuple):
    """
    Patterns of three service days, trips in each sorted so that none overtakes another.

    Event arrays are stop-major: the times of pattern ``p`` at its stop ``i`` stand from
    ``first_event[p] + i * trip_count`` on, ascending, so that boarding is a binary search.
    """

    first_stop: Int32
    """Shape (pattern_count + 1,): row of each pattern's first stop in `stop` and `flag`."""
    stop: Int32
    flag: npt.NDArray[np.uint8]
    first_trip: Int32
    """Shape (pattern_count + 1,): row of each pattern's first trip in `trip` and `day`."""
    trip: Int32
    """Row of the `Timetable`'s trips, then of its through trips: see `gtfs_data.throughs`."""
    day: Int32
    """-1, 0 or 1: service day relative to the searched date."""
    first_event: Int32
    arrival_s: Int32
    departure_s: Int32
    at_stop_first: Int32
    """Shape (stop_count + 1,): CSR of the patterns that call at a stop, in order of pattern."""
    at_stop_pattern: Int32
    at_stop_position: Int32


def roll_days(timetable: Timetable, date: dt.date, zone: ZoneInfo) -> DayTimetable:
    """
    Lay three service days out around `date`, in seconds from its start in `zone`.

    Patterns of through trips follow those of the feeds' own.
    """
    t, tables = timetable, []
    for runs, first_trip in ((runs_of(t), 0), (through_runs_of(t), len(t.trip_service))):
        if first_trip == 0 or len(runs.pattern):
            tables.append(_rolled(runs, first_trip, *_dated_trips(t, runs, date, zone)))
    first_stop, stop, flag, first_trip_of, trip, day, first_event, arrival, departure = (
        _end_to_end(columns, offset=i in OFFSET_COLUMNS)
        for i, columns in enumerate(zip(*tables, strict=True))
    )
    lengths = np.diff(first_stop)
    pattern = np.repeat(np.arange(len(lengths)), lengths)
    position = np.arange(len(stop)) - np.repeat(first_stop[:-1], lengths)
    calls = np.lexsort((position, pattern, stop))
    at_first = np.r_[0, np.cumsum(np.bincount(stop, minlength=t.stop_count))]
    columns = (
        first_stop, stop, flag, first_trip_of, trip, day, first_event, arrival, departure,
        at_first.astype(np.int32), pattern[calls].astype(np.int32),
        position[calls].astype(np.int32),
    )  # fmt: skip
    return DayTimetable(*(frozen(np.ascontiguousarray(c)) for c in columns))


def _end_to_end(columns: tuple[npt.NDArray[Any], ...], *, offset: bool) -> npt.NDArray[Any]:
    """One column of several tables; of `offset` columns each begins where the last one ends."""
    if not offset or len(columns) == 1:
        return np.concatenate(columns)
    return np.concatenate([columns[0], *(c[1:] + columns[0][-1] for c in columns[1:])])


def _rolled(
    runs: Runs, first_trip: int, trip: Int32, day: Int32, shift: Int32
) -> tuple[npt.NDArray[Any], ...]:
    """Columns of `DayTimetable` up to its times, for dated trips numbered from `first_trip` on."""
    pattern_count = len(runs.first_stop) - 1
    pattern = runs.pattern[trip]
    departure = runs.departure_s[runs.first_event[trip]] + shift
    arrival = runs.arrival_s[runs.first_event[trip + 1] - 1] + shift
    order = np.lexsort((arrival, departure, pattern))
    bounds = np.searchsorted(pattern[order], np.arange(pattern_count + 1))
    stop_count = np.diff(runs.first_stop)
    chain = np.zeros(len(trip), np.int32)
    chains_before = np.zeros(pattern_count + 1, np.int32)
    first_event = runs.first_event[trip]
    for p in range(pattern_count):
        chains_before[p + 1] = chains_before[p] + (
            chain_without_overtaking(
                order[bounds[p] : bounds[p + 1]],
                first_event,
                int(stop_count[p]),
                shift,
                runs.arrival_s,
                runs.departure_s,
                chain,
            )
        )
    rolled = chains_before[pattern] + chain  # row of the new pattern of each dated trip
    order = np.lexsort((arrival, departure, rolled))
    source = np.repeat(np.arange(pattern_count), np.diff(chains_before))
    dated = (trip[order], day[order], shift[order])
    return _lay_out(runs, source, rolled[order], dated, first_trip)


def _dated_trips(
    t: Timetable, runs: Runs, date: dt.date, zone: ZoneInfo
) -> tuple[Int32, Int32, Int32]:
    """Trips that run on one of the three days: row, day, and seconds to add to their times."""
    base = day_start_epoch_s(date, zone)
    zones = [get_zone(name) for name in t.feed_zone]
    trips, days, shifts = [], [], []
    for offset in DAYS:
        day = date + dt.timedelta(days=offset)
        column = day_number(day) - int(t.service_first_day[0])
        if not 0 <= column < t.service_runs.shape[1]:
            continue
        on = (t.service_runs[runs.service, column] == 1) & (runs.service != NONE)
        shift_of_feed = np.array([day_start_epoch_s(day, z) - base for z in zones], np.int32)
        rows = np.flatnonzero(on).astype(np.int32)
        trips.append(rows)
        days.append(np.full(len(rows), offset, np.int32))
        shifts.append(shift_of_feed[runs.feed[rows]])
    empty = np.zeros(0, np.int32)
    return (
        np.concatenate(trips) if trips else empty,
        np.concatenate(days) if days else empty,
        np.concatenate(shifts) if shifts else empty,
    )


def _lay_out(
    runs: Runs,
    source: npt.NDArray[np.int64],
    rolled: Int32,
    dated: tuple[Int32, Int32, Int32],
    first_trip: int,
) -> tuple[npt.NDArray[Any], ...]:
    """Arrays of the rolled patterns; `source` is the pattern of `runs` of each."""
    trip, day, shift = dated
    count = len(source)
    trip_count = np.bincount(rolled, minlength=count)
    stop_count = np.diff(runs.first_stop)[source]
    first_stop = np.r_[0, np.cumsum(stop_count)].astype(np.int32)
    first_trip_of = np.r_[0, np.cumsum(trip_count)].astype(np.int32)
    first_event = np.r_[0, np.cumsum(stop_count * trip_count)].astype(np.int32)
    position = np.arange(first_stop[-1]) - np.repeat(first_stop[:-1], stop_count)
    row = np.repeat(runs.first_stop[:-1][source], stop_count) + position
    arrival, departure = np.empty(first_event[-1], np.int32), np.empty(first_event[-1], np.int32)
    lay_out_events(
        first_trip_of, first_event, trip, shift, runs.first_event, runs.arrival_s,
        runs.departure_s, arrival, departure,
    )  # fmt: skip
    numbers = (trip + np.int32(first_trip), day)
    stops = (runs.stop[row], runs.flag[row])
    return (first_stop, *stops, first_trip_of, *numbers, first_event, arrival, departure)


def rows_open(
    t: Timetable, day: DayTimetable, allowed: npt.NDArray[np.bool_], *, turned: bool
) -> npt.NDArray[np.bool_]:
    """
    Shape of `day.stop`: calls that riders reach who only take allowed trips.

    In a through trip they stay aboard as far as its trips are allowed.

    Parameters
    ----------
    allowed
        Shape (trip_count,): the same for all trips of a pattern.
    turned
        Whether `day` is `mirrored`.
    """
    calls = np.diff(day.first_stop)
    trip = np.zeros(len(calls), np.int32)  # any of each pattern
    trip[np.repeat(np.arange(len(calls)), np.diff(day.first_trip))] = day.trip
    own = trip < len(t.trip_service)
    open_calls = np.zeros(len(day.stop), bool)
    open_calls[np.repeat(own, calls)] = np.repeat(allowed[trip[own]], calls[own])
    if own.all():
        return open_calls
    nth = np.arange(len(t.through_trip)) - np.repeat(
        t.through_first_trip[:-1], np.diff(t.through_first_trip)
    )
    refused = np.where(allowed[t.through_trip], len(t.through_trip), nth)
    through, counts = trip[~own] - len(t.trip_service), calls[~own]
    leading = np.minimum.reduceat(refused, t.through_first_trip[:-1])[through]
    nth = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    if turned:
        nth = np.repeat(counts, counts) - 1 - nth
    row = np.repeat(t.through_first_row[t.through_pattern[through]], counts) + nth
    open_calls[np.repeat(~own, calls)] = t.through_row_part[row] < np.repeat(leading, counts)
    return open_calls


def only_trips(
    day: DayTimetable, trips: npt.NDArray[np.bool_], stops: npt.NDArray[np.bool_]
) -> DayTimetable:
    """
    Leave out all but some trips (rows of the timetable); nobody gets in or out at other `stops`.

    Patterns stay where they are, if need be without trips: what is left of one does not overtake.
    """
    kept = trips[day.trip]
    counts = np.diff(day.first_trip)
    lengths = np.diff(day.first_stop)
    pattern = np.repeat(np.arange(len(counts)), lengths * counts)
    nth = np.arange(len(day.arrival_s)) - day.first_event[pattern]
    event = kept[day.first_trip[pattern] + nth % np.maximum(counts[pattern], 1)]
    before = np.r_[0, np.cumsum(kept)]
    left = before[day.first_trip]
    first_event = np.r_[0, np.cumsum(lengths * np.diff(left))]
    changed = {
        "flag": np.where(stops[day.stop], day.flag, 0).astype(np.uint8),
        "first_trip": left.astype(np.int32),
        "trip": day.trip[kept],
        "day": day.day[kept],
        "first_event": first_event.astype(np.int32),
        "arrival_s": day.arrival_s[event],
        "departure_s": day.departure_s[event],
    }
    return day._replace(**{name: frozen(array) for name, array in changed.items()})


def without_throughs(t: Timetable, day: DayTimetable) -> DayTimetable:
    """Leave out through trips (of a day that is not mirrored): whoever stays aboard must change."""
    trip = np.zeros(len(day.first_trip) - 1, np.int32)  # any of each pattern; some may have none
    trip[np.repeat(np.arange(len(trip)), np.diff(day.first_trip))] = day.trip
    through = trip >= len(t.trip_service)
    if not through.any():
        return day
    count = int(np.argmax(through))
    stops, trips, events = (
        int(first[count]) for first in (day.first_stop, day.first_trip, day.first_event)
    )
    own = day.at_stop_pattern < count
    before = np.r_[0, np.cumsum(own)].astype(np.int32)
    columns = (
        day.first_stop[: count + 1], day.stop[:stops], day.flag[:stops],
        day.first_trip[: count + 1], day.trip[:trips], day.day[:trips],
        day.first_event[: count + 1], day.arrival_s[:events], day.departure_s[:events],
        before[day.at_stop_first], day.at_stop_pattern[own], day.at_stop_position[own],
    )  # fmt: skip
    return DayTimetable(*(frozen(np.ascontiguousarray(c)) for c in columns))


def mirrored(day: DayTimetable) -> DayTimetable:
    """
    Turn time round: patterns and trips reversed, times negated, boarding and alighting swapped.

    A search forward on the mirror is a search backward on the day.
    """
    pattern_count = len(day.first_stop) - 1
    lengths = np.diff(day.first_stop)
    trips = np.diff(day.first_trip)
    pattern = np.repeat(np.arange(pattern_count), lengths)
    nth = np.arange(len(day.stop)) - day.first_stop[pattern]
    row = day.first_stop[pattern] + lengths[pattern] - 1 - nth
    trip_pattern = np.repeat(np.arange(pattern_count), trips)
    trip_nth = np.arange(len(day.trip)) - day.first_trip[trip_pattern]
    trip_row = day.first_trip[trip_pattern] + trips[trip_pattern] - 1 - trip_nth
    arrival, departure = np.empty_like(day.arrival_s), np.empty_like(day.departure_s)
    turn_events(day.first_event, day.arrival_s, day.departure_s, arrival, departure)
    flag = day.flag[row]
    stop = day.stop[row]
    calls = np.lexsort((nth, pattern, stop))
    columns = (
        day.first_stop, stop, ((flag & 1) << 1 | flag >> 1).astype(np.uint8), day.first_trip,
        day.trip[trip_row], day.day[trip_row], day.first_event, arrival, departure,
        day.at_stop_first, pattern[calls].astype(np.int32), nth[calls].astype(np.int32),
    )  # fmt: skip
    return DayTimetable(*(frozen(np.ascontiguousarray(c)) for c in columns))
