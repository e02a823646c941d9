"""Stays that readers saw → fare legs: zones and metres as the timetable has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np
import numpy.typing as npt

from core.geo import Coordinate, distance_m
from core.ids import StopId
from gtfs_data.timetable import NONE, Timetable
from payments.chosen import ChosenLeg
from payments.taps import End, Stay, Tap
from payments.tariff import FareLeg
from routing.network import Network

Rows = npt.NDArray[np.int64]


def leg_of_stay(network: Network, stay: Stay) -> FareLeg:
    """
    What a stay is to the tariff: along the shortest line from stop to stop, or straight ahead.

    A stay of which the end is not known goes on to the stop that is farthest along its line. Of a
    tap whose stop is not in the timetable neither zones nor metres are known.
    """
    start, end = stay.start, stay.end
    metres = 0
    zones: tuple[str, ...] = ()
    if stay.how is not End.NOT_NEEDED:
        metres, zones = _way(network, start, None if stay.how is End.LINE_MAXIMUM else end)
    elif start.stop:
        zones = _zones(network.timetable, _platforms(network, start.stop)[:1])
    seconds = 0
    if end is not None and stay.how is End.TAPPED:
        seconds = int((end.at - start.at).total_seconds())
    return FareLeg(
        start.mode, start.at, metres, seconds, zones, start.operator, start.route, f"tap:{start.id}"
    )


def takes_leg(network: Network, tap: Tap, leg: ChosenLeg) -> bool:
    """
    Whether who taps in there can be on a leg that he chose.

    He is at its stop, or in the same station, and its line goes on from there to where he wants to
    alight: so no way is longer than one to the end of a line.
    """
    station = _station(network, tap.stop)
    if station == NONE or station != _station(network, leg.board_stop):
        return False
    calls = _calls(network, replace(tap, route=leg.route))
    return _shortest(network, calls, _platforms(network, leg.alight_stop)) is not None


def _way(network: Network, start: Tap, end: Tap | None) -> tuple[int, tuple[str, ...]]:
    t = network.timetable
    first = _calls(network, start)
    if end is None:
        if not len(first):
            return 0, ()
        last = t.pattern_first_stop[1:][_pattern(t, first)] - 1
        span = network.pattern_metres[last] - network.pattern_metres[first]
        best = int(span.argmax())
        return int(span[best]), _zones(t, t.pattern_stop[first[best] : last[best] + 1].tolist())
    ends = _platforms(network, end.stop)
    found = _shortest(network, first, ends)
    if found is not None:
        return found[0], _zones(t, t.pattern_stop[found[1] : found[2] + 1].tolist())
    starts = _platforms(network, start.stop)
    if not starts or not ends:
        return 0, ()
    return round(distance_m(_place(t, starts[0]), _place(t, ends[0]))), _zones(
        t, [starts[0], ends[0]]
    )


def _shortest(network: Network, first: Rows, ends: Sequence[int]) -> tuple[int, int, int] | None:
    """Metres from one of some rows of patterns on to a later one at one of some stops, and both."""
    t = network.timetable
    found: tuple[int, int, int] | None = None
    for row in first.tolist():
        stop_after = int(t.pattern_first_stop[1:][_pattern(t, np.array([row]))[0]])
        for other in range(row + 1, stop_after):
            if t.pattern_stop[other] in ends:
                metres = int(network.pattern_metres[other] - network.pattern_metres[row])
                if found is None or metres < found[0]:
                    found = metres, row, other
                break
    return found


def _calls(network: Network, tap: Tap) -> Rows:
    """Rows of patterns that call at the stop of a tap, of its line if it tells one."""
    t = network.timetable
    rows = np.flatnonzero(np.isin(t.pattern_stop, _platforms(network, tap.stop)))
    if tap.route:
        routes = [i for i, route in enumerate(t.route_id) if route == tap.route]
        rows = rows[np.isin(t.pattern_route[_pattern(t, rows)], routes)]
    return rows


def _pattern(t: Timetable, rows: Rows) -> Rows:
    return np.searchsorted(t.pattern_first_stop, rows, side="right") - 1


def _platforms(network: Network, stop_id: str) -> list[int]:
    """Rows of a stop and, if it is a station, of its platforms, which come first."""
    stop = network.stop_row.get(StopId(stop_id))
    if stop is None:
        return []
    return [*np.flatnonzero(network.timetable.stop_parent == stop).tolist(), stop]


def _station(network: Network, stop_id: str) -> int:
    """Row of the station of a stop, of the stop itself without one; `NONE` if it is not known."""
    stop = network.stop_row.get(StopId(stop_id), NONE)
    if stop == NONE:
        return NONE
    parent = int(network.timetable.stop_parent[stop])
    return stop if parent == NONE else parent


def _place(t: Timetable, stop: int) -> Coordinate:
    return Coordinate(float(t.stop_lat[stop]), float(t.stop_lon[stop]))


def _zones(t: Timetable, stops: Sequence[int]) -> tuple[str, ...]:
    """Zones from the first stop to the last; none where one of these has none."""
    zones = [t.stop_zone[stop] for stop in stops]
    if not zones or not zones[0] or not zones[-1]:
        return ()
    return tuple(zone for zone, _ in groupby(filter(None, zones)))
