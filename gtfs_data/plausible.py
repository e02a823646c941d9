"""
What a feed says without contradiction and yet hardly means: too fast, too far, never, nowhere.

Nothing is changed for it, so a build does not look; `mobility check` does. Thresholds are those
of the canonical GTFS validator, so that a publisher is not told two things.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from core.geo import METRES_PER_DEGREE
from gtfs_data.calendar import read_calendar
from gtfs_data.checks import Findings
from gtfs_data.days import day_number
from gtfs_data.reader import BLANK, Feed
from gtfs_data.service import trips_per_day
from gtfs_data.timetable import NONE, Timetable

ORIGIN_DEG = 1.0
"""Nobody boards within a degree of 0°, 0°: there is only sea."""
SHAPE_LIMIT_M = 100.0
SPEED_LIMIT_KMH = {0: 100, 1: 150, 2: 500, 3: 150, 4: 80, 5: 30, 6: 50, 7: 50, 11: 150, 12: 150}
"""By route_type; extended types count as their hundred's basic one."""
OTHER_LIMIT_KMH = 200
EXTENDED_TYPES = {1: 2, 2: 3, 4: 1, 7: 3, 8: 11, 9: 0, 10: 4, 12: 4, 13: 6, 14: 7}
"""Hundred of an extended route_type → basic type."""
ROUNDING_S = 60
"""Added to each hop: many feeds round one or both of its times to the minute."""
AHEAD_DAYS = 7

Float64 = npt.NDArray[np.float64]


def check_plausible(
    feed: Feed, timetable: Timetable, on_demand: Iterable[str], findings: Findings
) -> None:
    """Look at one feed, read and compiled alone; `on_demand` are stops of flexible services."""
    stops = feed.table("stops")
    near = (stops["stop_lat"].abs() <= ORIGIN_DEG) & (stops["stop_lon"].abs() <= ORIGIN_DEG)
    for row in stops["row"][near]:
        message = "lies near 0°, 0°, in the sea: nobody gets on there"
        findings.error("near_origin", "stops.txt", int(row), message)
    _find_unused(feed, on_demand, findings)
    _find_idle(feed, findings)
    if len(timetable.trip_service):
        _find_far_shapes(feed, timetable, findings)
        _find_fast(feed, timetable, findings)


def check_validity(feed: Feed, timetable: Timetable, today: dt.date, findings: Findings) -> None:
    """Say whether a feed is still good on a day, and whether it says until when it is."""
    info = feed.table("feed_info")
    ends = info["feed_end_date"].iloc[0] if len(info) else BLANK
    if ends == BLANK:
        message = "says not until when it is valid: feed_end_date is absent"
        findings.warning("no_end_date", "feed_info.txt", None, message)
    elif ends < day_number(today) + AHEAD_DAYS:
        message = f"feed_end_date is {np.datetime64(int(ends), 'D')}"
        findings.warning("feed_expired", "feed_info.txt", int(info["row"].iloc[0]), message)
    days = np.flatnonzero(trips_per_day(timetable)[0])
    if len(days) == 0:
        findings.error("nothing_runs", "trips.txt", None, "no trip runs on any day")
        return
    last = int(timetable.service_first_day[0] + days[-1])
    if last < day_number(today):
        message = f"the last trip runs on {np.datetime64(last, 'D')}: riders of today find nothing"
        findings.warning("service_over", "calendar.txt", None, message)


def _find_unused(feed: Feed, on_demand: Iterable[str], findings: Findings) -> None:
    stops, routes, trips = (feed.table(name) for name in ("stops", "routes", "trips"))
    times = feed.table("stop_times")
    board = stops["location_type"].isin((BLANK, 0)) & ~stops["stop_id"].isin(set(on_demand))
    for rule, table, file, used, what in (
        ("unused_stop", stops[board], "stops.txt", times["stop_id"], "no trip calls at"),
        ("unused_route", routes, "routes.txt", trips["route_id"], "no trip belongs to"),
        ("trip_without_times", trips, "trips.txt", times["trip_id"], "no stop time of"),
    ):
        key = {"stops.txt": "stop_id", "routes.txt": "route_id"}.get(file, "trip_id")
        alone = table[~table[key].isin(used)]
        for row, name in zip(alone["row"].tolist(), alone[key].tolist(), strict=True):
            findings.warning(rule, file, row, f"{what} {name!r}")


def _find_idle(feed: Feed, findings: Findings) -> None:
    calendar = read_calendar(feed, Findings())  # what is wrong in it has been told
    idle = {
        s for s, runs in zip(calendar.service_ids, calendar.runs, strict=True) if not runs.any()
    }
    for file in ("calendar", "calendar_dates"):
        table = feed.table(file)
        first = table[table["service_id"].isin(idle)].drop_duplicates("service_id")
        for row, service in zip(first["row"].tolist(), first["service_id"].tolist(), strict=True):
            idle.discard(service)
            message = f"service {service!r} runs on no day: its trips are never found"
            findings.warning("idle_service", f"{file}.txt", row, message)


def _find_far_shapes(feed: Feed, t: Timetable, findings: Findings) -> None:
    pattern = np.repeat(np.arange(len(t.pattern_route)), np.diff(t.pattern_first_stop))
    drawn = np.flatnonzero(t.pattern_stop_point != NONE)
    if len(drawn) == 0:
        return
    shape = t.pattern_shape[pattern[drawn]]
    point = t.shape_first_point[shape] + t.pattern_stop_point[drawn]
    stop = t.pattern_stop[drawn]
    gap_m = _metres(t.stop_lat[stop], t.stop_lon[stop], t.shape_lat[point], t.shape_lon[point])
    far = np.flatnonzero(gap_m > SHAPE_LIMIT_M)
    _, first = np.unique(np.stack([stop[far], shape[far]]), axis=1, return_index=True)
    rows = feed.table("stops")["row"].to_numpy()
    trip = t.pattern_first_trip[pattern[drawn[far[first]]]]
    for i, at in zip(far[first].tolist(), trip.tolist(), strict=True):
        message = f"{gap_m[i]:,.0f} m from the shape of trip {_own(t.trip_id[at])!r}"
        findings.warning("far_from_shape", "stops.txt", int(rows[stop[i]]), message)


def _find_fast(feed: Feed, t: Timetable, findings: Findings) -> None:
    """Tell for each hop of a pattern its fastest trip, if that is faster than such vehicles go."""
    count = np.diff(t.trip_first_event)
    trip = np.repeat(np.arange(len(count)), count)
    place = np.arange(len(trip)) - t.trip_first_event[trip]
    at = t.pattern_first_stop[t.trip_pattern[trip]] + place
    hop = np.flatnonzero(trip[1:] == trip[:-1])  # from event `hop` to the next
    start, end = t.pattern_stop[at[hop]], t.pattern_stop[at[hop + 1]]
    way_m = _metres(t.stop_lat[start], t.stop_lon[start], t.stop_lat[end], t.stop_lon[end])
    left_s, arrived_s = t.event_departure_s[hop], t.event_arrival_s[hop + 1]
    took_s = arrived_s - left_s + ROUNDING_S
    kmh = way_m / took_s * 3.6
    kind = np.array([_limit_kmh(k) for k in t.route_type.tolist()])
    route = t.pattern_route[t.trip_pattern[trip[hop]]]
    fast = np.flatnonzero(kmh > kind[route])
    fast = fast[np.lexsort((-kmh[fast], at[hop[fast]]))]
    fast = fast[np.unique(at[hop[fast]], return_index=True)[1]]
    row_of = dict(zip(feed.table("trips")["trip_id"], feed.table("trips")["row"], strict=True))
    for i in fast.tolist():
        name = _own(t.trip_id[int(trip[hop[i]])])
        if name not in row_of:  # one of the runs that a frequency stands for
            name = name.rpartition("@")[0]
        message = (
            f"trip {name!r} from {t.stop_name[start[i]]} to {t.stop_name[end[i]]}: "
            f"{way_m[i]:,.0f} m in {arrived_s[i] - left_s[i]} s, {kmh[i]:,.0f} km/h"
        )
        findings.warning("fast_travel", "trips.txt", row_of.get(name), message)


def _limit_kmh(route_type: int) -> int:
    basic = EXTENDED_TYPES.get(route_type // 100, route_type) if route_type >= 100 else route_type
    return SPEED_LIMIT_KMH.get(basic, OTHER_LIMIT_KMH)


def _own(scoped_id: str) -> str:
    return scoped_id.partition(":")[2]


def _metres(lat: Float64, lon: Float64, to_lat: Float64, to_lon: Float64) -> Float64:
    north = (to_lat - lat) * METRES_PER_DEGREE
    east = (to_lon - lon) * METRES_PER_DEGREE * np.cos(np.radians(lat))
    metres: Float64 = np.hypot(north, east)
    return metres
