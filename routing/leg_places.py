"""Stops and meeting points as ends of legs, made when they are first asked for and kept."""

from __future__ import annotations

from core.geo import Coordinate
from gtfs_data.timetable import Timetable
from routing.ground import MeetingPoints
from routing.itinerary import LegPlace


class LegPlaces(dict[int, LegPlace]):
    """Place of each search node: stops, then meeting points."""

    def __init__(self, timetable: Timetable, points: MeetingPoints) -> None:
        super().__init__()
        self._timetable = timetable
        self._points = points

    def __missing__(self, node: int) -> LegPlace:
        """Make the place of a node."""
        t, points = self._timetable, self._points
        point = node - t.stop_count
        if point < 0:
            where = Coordinate(float(t.stop_lat[node]), float(t.stop_lon[node]))
            place = LegPlace(t.stop_name[node], where, stop=node)
        else:
            where = Coordinate(float(points.lat[point]), float(points.lon[point]))
            place = LegPlace(points.name[point], where, point=point)
        self[node] = place
        return place
