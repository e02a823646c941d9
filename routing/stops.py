"""Stops by where they are and by what calls there."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.geo import METRES_PER_DEGREE, Coordinate, distance_m
from core.modes import Mode, mode_of_route_type
from gtfs_data.timetable import Timetable

SAME_STOP_M = 400.0
"""Stops of one name within this are shown as one when grouped."""
MODES = tuple(Mode)
Int32 = npt.NDArray[np.int32]
Bool = npt.NDArray[np.bool_]


def stops_with_modes(t: Timetable, modes: frozenset[Mode]) -> Bool:
    """Shape (stop_count,): whether a vehicle of these modes calls at a stop or its platforms."""
    wanted = np.array([_mode(kind) in modes for kind in t.route_type.tolist()], bool)
    on = np.repeat(wanted[t.pattern_route], np.diff(t.pattern_first_stop))
    called = np.zeros(t.stop_count, bool)
    called[t.pattern_stop[on]] = True
    called[t.stop_parent[called & (t.stop_parent >= 0)]] = True
    return called


def modes_of_stops(t: Timetable, stops: list[int]) -> list[list[Mode]]:
    """Modes that call at each of some stops or their platforms, in the order of `Mode`."""
    bit = np.array([1 << MODES.index(_mode(kind)) for kind in t.route_type.tolist()], np.int64)
    of_call = np.repeat(bit[t.pattern_route], np.diff(t.pattern_first_stop))
    at_stop = np.zeros(t.stop_count, np.int64)
    np.bitwise_or.at(at_stop, t.pattern_stop, of_call)
    platform = np.flatnonzero(t.stop_parent >= 0)
    np.bitwise_or.at(at_stop, t.stop_parent[platform], at_stop[platform])
    return [[m for i, m in enumerate(MODES) if at_stop[stop] >> i & 1] for stop in stops]


def stops_in_box(t: Timetable, one: Coordinate, other: Coordinate) -> Bool:
    """Shape (stop_count,): inside the box that two opposite corners span, whichever they are."""
    south, north = sorted((one.lat, other.lat))
    west, east = sorted((one.lon, other.lon))
    lat, lon = t.stop_lat, t.stop_lon
    return (lat >= south) & (lat <= north) & (lon >= west) & (lon <= east)


def metres_to_stops(t: Timetable, place: Coordinate) -> npt.NDArray[np.float64]:
    """Shape (stop_count,): straight line to every stop, on a plane around the place."""
    per_lon = METRES_PER_DEGREE * np.cos(np.radians(place.lat))
    metres: npt.NDArray[np.float64] = np.hypot(
        (t.stop_lat - place.lat) * METRES_PER_DEGREE, (t.stop_lon - place.lon) * per_lon
    )
    return metres


def grouped_stops(t: Timetable, stops: list[int]) -> list[int]:
    """One row a station, or a name: platforms and both sides of a street are one."""
    kept: dict[str, list[int]] = {}
    for stop in stops:
        parent = int(t.stop_parent[stop])
        row = parent if parent >= 0 else stop
        same = kept.setdefault(t.stop_name[row], [])
        if not any(distance_m(_place(t, row), _place(t, k)) < SAME_STOP_M for k in same):
            same.append(row)
    return [row for rows in kept.values() for row in rows]


def platforms_of(t: Timetable, stop: int, *, alone: bool) -> list[int]:
    """
    List a stop with its platforms; unless `alone`, with its station's, and all of one name.

    Both sides of a street have one name and often no station.
    """
    own = [stop]
    if not alone:
        parent = int(t.stop_parent[stop])
        near = np.flatnonzero(metres_to_stops(t, _place(t, stop)) <= SAME_STOP_M).tolist()
        own += [parent] * (parent >= 0)
        own += [row for row in near if t.stop_name[row] == t.stop_name[stop]]
    children = np.flatnonzero(np.isin(t.stop_parent, own)).tolist()
    return list(dict.fromkeys([*own, *children]))


def _place(t: Timetable, stop: int) -> Coordinate:
    return Coordinate(float(t.stop_lat[stop]), float(t.stop_lon[stop]))


def _mode(route_type: int) -> Mode:
    return mode_of_route_type(route_type) or Mode.OTHER
