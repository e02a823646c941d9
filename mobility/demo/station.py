"""
The town's railway station inside: two platforms, two entrances, stairs and an elevator.

The square lies at the height of platform 1. One reaches platform 2 through a subway, by stairs or
by an elevator, and the subway from the south by a ramp.
"""

from __future__ import annotations

import cmath
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mobility.demo.geometry import Projection
    from mobility.demo.gtfs_files import Feed

STREET, SUBWAY = "L0", "L-1"
PLATFORM_M = 6.0
"""From the middle of the tracks to the middle of each platform."""
ENTRANCE_M = 22.0


@dataclass(frozen=True, slots=True)
class Spot:
    """A place inside of a station, by the end of its id."""

    key: str
    name: str
    kind: int
    """location_type."""
    across_m: float
    level: str


SPOTS = (
    Spot("1", "", 0, PLATFORM_M, STREET),
    Spot("2", "", 0, -PLATFORM_M, STREET),
    Spot("N", "Entrée nord", 2, ENTRANCE_M, STREET),
    Spot("S", "Entrée sud", 2, -ENTRANCE_M, STREET),
    Spot("T1", "", 3, PLATFORM_M, SUBWAY),
    Spot("T2", "", 3, -PLATFORM_M, SUBWAY),
)
WALKWAY, STAIRS, ELEVATOR = 1, 2, 5
WAYS = (
    ("quai-1", "N", "1", WALKWAY, {"length": 16, "traversal_time": 15}),
    ("escalier-1", "1", "T1", STAIRS, {"traversal_time": 25, "stair_count": -24}),
    ("ascenseur-1", "1", "T1", ELEVATOR, {"traversal_time": 45}),
    ("souterrain", "T1", "T2", WALKWAY, {"length": 12, "traversal_time": 12}),
    ("escalier-2", "T2", "2", STAIRS, {"traversal_time": 25, "stair_count": 24}),
    ("ascenseur-2", "T2", "2", ELEVATOR, {"traversal_time": 45}),
    ("rampe-sud", "S", "T2", WALKWAY, {"length": 60, "traversal_time": 55, "max_slope": -0.05}),
)


def add_station(
    feed: Feed, station: str, name: str, at: complex, along: complex, projection: Projection
) -> None:
    """Write a station of this kind at a point of a railway that leads `along`."""
    across = 1j * cmath.rect(1.0, cmath.phase(along))

    def row(key: str, label: str, kind: int, point: complex, **more: str | int) -> None:
        lat, lon = projection.lat_lon(point)
        feed.stops.append(
            {
                "stop_id": key,
                "stop_name": label,
                "stop_lat": round(lat, 6),
                "stop_lon": round(lon, 6),
                "location_type": kind,
                **more,
            }
        )

    row(station, name, 1, at, wheelchair_boarding=1)
    for spot in SPOTS:
        label = f"{name} – {spot.name}" if spot.name else name if spot.kind == 0 else ""
        more: dict[str, str | int] = {"parent_station": station, "level_id": spot.level}
        if spot.kind == 0:
            more["platform_code"] = spot.key
        row(f"{station}-{spot.key}", label, spot.kind, at + spot.across_m * across, **more)
    feed.levels += [
        {"level_id": STREET, "level_index": 0, "level_name": "Rue"},
        {"level_id": SUBWAY, "level_index": -1, "level_name": "Souterrain"},
    ]
    for way, start, end, mode, facts in WAYS:
        feed.pathways.append(
            {
                "pathway_id": f"{station}-{way}",
                "from_stop_id": f"{station}-{start}",
                "to_stop_id": f"{station}-{end}",
                "pathway_mode": mode,
                "is_bidirectional": 1,
                **facts,
            }
        )
