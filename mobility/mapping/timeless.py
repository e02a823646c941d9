"""
What is written of stops and lines whatever the hour, in the shape of the MOTIS 2 API.

Made when first asked for and kept between answers: nobody changes what stands here, only copies.
"""

from __future__ import annotations

from typing import Any

from core.modes import Mode, mode_of_route_type
from core.remember import Remembered
from gtfs_data.enums import CAN_ALIGHT, CAN_BOARD
from routing.network import Network

Json = dict[str, Any]

DEFAULT_COLOR = "5B6770"
WRITTEN_KEPT = 4
"""Networks by version of the API: apps of one version, or two, before and after a switch."""
USES: tuple[Json, ...] = tuple(
    {
        "pickupType": "NORMAL" if flag & CAN_BOARD else "NOT_ALLOWED",
        "dropoffType": "NORMAL" if flag & CAN_ALIGHT else "NOT_ALLOWED",
        "cancelled": False,
    }
    for flag in range(1 + (CAN_BOARD | CAN_ALIGHT))
)
"""Whether riders may get in and out, by the flag of a call."""


def mode_name(mode: Mode, version: int) -> str:
    """Name of a mode in a version of the API."""
    if mode is Mode.SUBURBAN and version < 5:
        return "METRO"
    if mode is Mode.AERIAL_LIFT and version < 5:
        return "AREAL_LIFT"
    return str(mode)


def line_names(short: str, shown: str, version: int) -> Json:
    """Name of a line: before v4 the field of the short name held the one to show."""
    if version < 4:
        return {"routeShortName": shown}
    return {"routeShortName": short, "displayName": shown}


class Timeless:
    """Stops and lines of one network in one version of the API."""

    def __init__(self, network: Network, version: int) -> None:
        self._t = network.timetable
        self._places = network.places
        self._zone = network.zone.key
        self._version = version
        self._stops: dict[int, Json] = {}
        self._lines: dict[int, Json] = {}

    def place(self, name: str, lat: float, lon: float) -> Json:
        """Any place."""
        written: Json = {
            "name": name, "lat": lat, "lon": lon, "vertexType": "NORMAL", "tz": self._zone
        }  # fmt: skip
        if self._version < 6:
            written["level"] = 0.0
        return written

    def stop(self, row: int) -> Json:
        """A stop."""
        written = self._stops.get(row)
        if written is None:
            place = self._places[row]
            written = self.place(place.name, place.coordinate.lat, place.coordinate.lon)
            written = self._stops[row] = written | self.stop_ids(row)
        return written

    def stop_ids(self, row: int) -> Json:
        """Ids of a stop, and its platform."""
        t = self._t
        written: Json = {"stopId": t.stop_id[row], "vertexType": "TRANSIT"}
        parent = int(t.stop_parent[row])
        if parent >= 0:
            written["parentId"] = t.stop_id[parent]
        if t.stop_platform[row]:
            written["track"] = written["scheduledTrack"] = t.stop_platform[row]
        return written

    def line(self, route: int) -> Json:
        """Line and agency of a vehicle, with room for what its trip and pattern say."""
        written = self._lines.get(route)
        if written is None:
            written = self._lines[route] = self._line(route)
        return written

    def line_url(self, route: int) -> str:
        """Address of a line's page, or nothing."""
        url: str = self._t.route_url[route]
        return url

    def _line(self, route: int) -> Json:
        t = self._t
        agency = int(t.route_agency[route])
        short, long = t.route_short_name[route], t.route_long_name[route]
        mode = mode_of_route_type(int(t.route_type[route])) or Mode.OTHER
        return {
            "mode": mode_name(mode, self._version),
            "headsign": "",
            "tripFrom": None,
            "tripTo": None,
            "routeId": t.route_id[route],
            "directionId": "0",
            "routeColor": t.route_color[route] or DEFAULT_COLOR,
            "routeTextColor": t.route_text_color[route] or "FFFFFF",
            "routeType": int(t.route_type[route]),
            "agencyId": t.agency_id[agency] if agency >= 0 else "",
            "agencyName": t.agency_name[agency] if agency >= 0 else "",
            "agencyUrl": t.agency_url[agency] if agency >= 0 else "",
            **line_names(short, short, self._version),
            "routeLongName": long,
            "tripShortName": "",
            "cancelled": False,
            "bikesAllowed": False,
            "source": t.feed_id[int(t.route_feed[route])],
        }


timeless: Remembered[tuple[Network, int], Timeless] = Remembered(
    lambda of: Timeless(*of), WRITTEN_KEPT
)
"""Of a network and a version."""
