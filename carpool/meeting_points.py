"""
Which places may become meeting points: transit stops, carpool places, and quiet streets.

Quiet streets fill the gaps: where no stop or carpool place is within `STREET_SPACING_M`, a
junction of a street on which a car may stop becomes one, so that a rider far from any stop can
still be picked up by a neighbour.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from scipy.spatial import cKDTree

from core.geo import METRES_PER_DEGREE
from gtfs_data.carpool_places import CarpoolPlace
from gtfs_data.timetable import Timetable
from routing.spi import MeetingSite, SiteKind
from routing.street.graph import KINDS, Streets
from routing.street.osm import NamedPlace

STREET_SPACING_M = 700.0
"""From anywhere on the streets, some meeting point is within a walk of about ten minutes."""
QUIET_KINDS = ("residential", "living_street", "unclassified", "service", "tertiary")
"""In order of preference."""


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


def street_sites(
    streets: Streets, places: Sequence[NamedPlace], sites: Sequence[MeetingSite]
) -> list[MeetingSite]:
    """Junctions of quiet streets that are far from every other site, and from each other."""
    rank = {KINDS.index(kind): i for i, kind in enumerate(QUIET_KINDS)}
    best: dict[int, tuple[int, int]] = {}  # junction → (preference, edge)
    for edge in np.flatnonzero(streets.edge_may_stop).tolist():
        preference = rank.get(int(streets.edge_kind[edge]))
        if preference is None or streets.foot_forward_s[edge] < 0:
            continue
        for node in (int(streets.edge_from[edge]), int(streets.edge_to[edge])):
            best[node] = min(best.get(node, (preference, edge)), (preference, edge))
    if not best:
        return []
    per_lon = METRES_PER_DEGREE * float(np.cos(np.radians(streets.node_lat.mean())))

    def plane(lat: float, lon: float) -> tuple[float, float]:
        return lat * METRES_PER_DEGREE, lon * per_lon

    nodes = sorted(best, key=lambda node: (best[node][0], node))
    where = np.array([plane(streets.node_lat[n], streets.node_lon[n]) for n in nodes])
    free = np.ones(len(nodes), bool)
    tree = cKDTree(where)
    for site in sites:
        free[tree.query_ball_point(plane(site.lat, site.lon), STREET_SPACING_M)] = False
    chosen = []
    for i in range(len(nodes)):
        if free[i]:
            chosen.append(i)
            free[tree.query_ball_point(where[i], STREET_SPACING_M)] = False
    towns = cKDTree([plane(p.lat, p.lon) for p in places]) if places else None
    found = []
    for i in chosen:
        node, edge = nodes[i], best[nodes[i]][1]
        lat, lon = float(streets.node_lat[node]), float(streets.node_lon[node])
        name = streets.names[streets.edge_name[edge]]
        if towns is not None:
            near = places[int(towns.query(where[i])[1])].name
            name = f"{name} ({near})" if name else near
        site_id = f"street:{lat:.5f},{lon:.5f}"
        found.append(MeetingSite(site_id, name or site_id, SiteKind.STREET, lat, lon))
    return found
