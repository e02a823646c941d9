"""Which places may become meeting points: transit stops and carpool places."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from gtfs_data.carpool_places import CarpoolPlace
from gtfs_data.timetable import Timetable
from routing.spi import MeetingSite, SiteKind


def stop_sites(timetable: Timetable) -> list[MeetingSite]:
    """Every stop that a trip calls at; the build keeps those where a car may stop."""
    return [
        MeetingSite(
            id=f"stop:{timetable.stop_id[stop]}",
            name=timetable.stop_name[stop],
            kind=SiteKind.STOP,
            lat=float(timetable.stop_lat[stop]),
            lon=float(timetable.stop_lon[stop]),
        )
        for stop in np.unique(timetable.pattern_stop).tolist()
    ]


def place_sites(places: Iterable[CarpoolPlace]) -> list[MeetingSite]:
    """Carpool places, named with their town where the name alone says little."""
    return [
        MeetingSite(
            id=f"bnlc:{place.id}",
            name=place.name if place.town in place.name else f"{place.name} ({place.town})",
            kind=SiteKind.CARPOOL_PLACE,
            lat=place.lat,
            lon=place.lon,
        )
        for place in places
    ]
