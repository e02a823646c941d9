"""
Timetable: one immutable struct of arrays for all feeds of a territory.

Times are seconds from the start of the feed's own service day; `gtfs_data.rolling` lays three
days out around a searched date. Ids are feed-scoped (``feed:id``), so feeds may share them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.geo import METRES_PER_DEGREE
from gtfs_data.enums import GENERIC_NODE
from gtfs_data.store import Texts

NONE = -1

Int32 = npt.NDArray[np.int32]
Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Timetable:
    """All feeds of a territory; rows are indices (`StopIdx`, `TripIdx`, …) of this value only."""

    feed_id: Texts
    feed_zone: Texts
    feed_publisher: Texts
    feed_first_day: Int32
    feed_last_day: Int32
    """Day numbers between which some service runs."""

    agency_name: Texts
    agency_url: Texts
    agency_id: Texts

    stop_id: Texts
    stop_name: Texts
    stop_platform: Texts
    stop_zone: Texts
    """Fare zone, with the id of its feed before it; blank where none is given."""
    stop_lat: Float64
    stop_lon: Float64
    stop_parent: Int32
    """Station of a platform, or `NONE`."""
    stop_feed: Int32
    stop_wheelchair: Int32
    stop_type: Int32
    """location_type: entrances and nodes inside of stations are rows, too; nothing calls there."""
    stop_level: Float64

    pathway_id: Texts
    pathway_from: Int32
    pathway_to: Int32
    """Rows of the stops."""
    pathway_mode: Int32
    pathway_both_ways: npt.NDArray[np.uint8]
    pathway_m: Float64
    pathway_s: Int32
    pathway_stairs: Int32
    pathway_slope: Float64
    pathway_width_m: Float64
    """Length, time, steps, slope and width as given; `NONE` or NaN where they are not."""

    route_id: Texts
    route_short_name: Texts
    route_long_name: Texts
    route_url: Texts
    route_color: Texts
    route_text_color: Texts
    route_type: Int32
    route_agency: Int32
    route_feed: Int32

    service_first_day: Int32
    """Shape (1,): day number of column 0 of `service_runs`."""
    service_runs: npt.NDArray[np.uint8]
    """Shape (service_count, day_count); after the feed's own, days of through trips."""

    trip_id: Texts
    trip_headsign: Texts
    trip_short_name: Texts
    trip_service: Int32
    trip_direction: Int32
    trip_pattern: Int32
    trip_wheelchair: Int32
    trip_headway_s: Int32
    """Of runs of frequencies.txt whose times are not exact: one leaves about this often; else 0."""
    trip_first_event: Int32
    """Shape (trip_count + 1,); trips stand in order of pattern, then of departure."""
    event_arrival_s: Int32
    event_departure_s: Int32

    pattern_route: Int32
    pattern_first_trip: Int32
    pattern_first_stop: Int32
    pattern_stop: Int32
    pattern_flag: npt.NDArray[np.uint8]
    pattern_shape: Int32
    """Row of `shape_first_point`, or `NONE`."""
    pattern_stop_point: Int32
    """For each stop of a pattern the point of its shape, counted from the shape's first."""

    shape_first_point: Int32
    shape_lat: Float64
    shape_lon: Float64

    transfer_from: Int32
    transfer_to: Int32
    transfer_type: Int32
    transfer_min_s: Int32
    """transfers.txt between stops; stations stand for all their platforms."""

    through_pattern: Int32
    """Shape (through_count,): through trips, as `gtfs_data.blocks` joins them."""
    through_service: Int32
    through_first_trip: Int32
    """Shape (through_count + 1,)."""
    through_trip: Int32
    through_first_row: Int32
    """Shape (through_pattern_count + 1,): calls for getting in, then calls for getting out."""
    through_row_part: Int32
    """Which of its trips calls there: 0 for the first."""
    through_row_position: Int32
    """Position in that trip's pattern."""
    through_row_stop: Int32
    through_row_flag: npt.NDArray[np.uint8]

    @property
    def stop_count(self) -> int:
        """Number of stops, stations included."""
        return len(self.stop_lat)

    @property
    def wheelchair_boarding(self) -> Int32:
        """Shape (stop_count,): 0 unknown, 1 yes, 2 no; the station's where a row says nothing."""
        said = np.where(np.isin(self.stop_wheelchair, (1, 2)), self.stop_wheelchair, 0)
        for _ in range(2):  # a boarding area asks its platform, which asks its station
            inherits = (said == 0) & (self.stop_parent != NONE) & (self.stop_type != GENERIC_NODE)
            said = np.where(inherits, said[self.stop_parent], said)
        return said.astype(np.int32)


def pattern_metres(t: Timetable) -> Int32:
    """
    Metres along each pattern from its first stop, by row of `pattern_stop`.

    Along the line as drawn where there is one, straight from stop to stop elsewhere.
    """
    row, lengths = np.arange(len(t.pattern_stop)), np.diff(t.pattern_first_stop)
    straight = _growing_metres(t.stop_lat[t.pattern_stop], t.stop_lon[t.pattern_stop])
    drawn = _growing_metres(t.shape_lat, t.shape_lon)
    shape = np.repeat(t.pattern_shape, lengths)
    on = np.flatnonzero((shape >= 0) & (t.pattern_stop_point >= 0))
    metres = straight.copy()
    metres[on] = drawn[t.shape_first_point[shape[on]] + t.pattern_stop_point[on]]
    first = np.repeat(t.pattern_first_stop[:-1], lengths)
    off = np.setdiff1d(row, on)  # one call off the line: straight from its first stop to its last
    metres = np.where(np.isin(first, first[off]), straight, metres)
    return np.rint(metres - metres[first]).astype(np.int32)


def _growing_metres(lat: Float64, lon: Float64) -> Float64:
    """Metres from the first point along all points."""
    if len(lat) == 0:
        return np.zeros(0)
    north = np.diff(lat) * METRES_PER_DEGREE
    east = np.diff(lon) * METRES_PER_DEGREE * np.cos(np.radians(lat[:-1]))
    metres: Float64 = np.r_[0.0, np.cumsum(np.hypot(north, east))]
    return metres
