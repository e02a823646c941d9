"""Regional services: sparse coaches from the town to the villages, and one railway line."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mobility.demo import names
from mobility.demo.geometry import Polyline, Projection, along, project
from mobility.demo.gtfs_files import Feed, Row
from mobility.demo.lines import add_stops, anchor_nodes, lead, main_node, make_namer
from mobility.demo.network import Router, StreetNetwork
from mobility.demo.poi import HUB, LYCEE, STATION, Poi
from mobility.demo.service_days import SATURDAY, SUNDAY, WEEKDAY
from mobility.demo.station import add_station
from mobility.demo.stops import Call, StopBook, StopPlace

if TYPE_CHECKING:
    from mobility.demo.landscape import Landscape

COACH_LINE_COUNT = 8
UNSERVED_COUNT = 2  # villages left without a coach on purpose
COACH_SLACK = 1.12  # a coach against a car
COACH_DWELL_S = 45
RAIL_KMH = 92.0
RAIL_DWELL_S = 120
RAIL_ACCESS = {names.MARKET_TOWNS[0]: 1, names.HALT_VILLAGE: 2, names.MARKET_TOWNS[1]: 0}
"""wheelchair_boarding of the stations outside the town: one of each."""
HOUR_S, MINUTE_S = 3600, 60

TO_TOWN_H = (6.5, 7.2, 8.4, 12.9, 13.7, 17.6, 18.6)
FROM_TOWN_H = (7.0, 9.6, 12.25, 16.2, 17.3, 18.3, 19.2)
KEPT = ((0, 1, 3, 5), (0, 1, 3, 4, 5), (0, 1, 2, 3, 5, 6), (0, 1, 2, 3, 4, 5, 6))
KEPT_BACK = ((0, 2, 4, 5), (0, 2, 3, 4, 5), (0, 1, 2, 3, 4, 5), (0, 1, 2, 3, 4, 5, 6))


@dataclass(frozen=True, slots=True)
class RegionalStop:
    """A stop outside the town as offers see it: where it is, and who leaves for the town when."""

    name: str
    point: complex
    departures_s: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RegionalService:
    """A feed, with its stops outside the town."""

    feed: Feed
    stops: tuple[RegionalStop, ...]
    paths: tuple[Polyline, ...]


def build_coaches(
    network: StreetNetwork,
    land: Landscape,
    pois: list[Poi],
    projection: Projection,
    rng: np.random.Generator,
) -> RegionalService:
    """Coach lines from the station to the villages, a few trips a day."""
    book = StopBook(make_namer(network, pois, rng))
    router = Router.build(network)
    spots = anchor_nodes(network, router, pois)
    for key, name in ((STATION, "Gare routière de Valmont"), (HUB, "Hôtel de Ville"), (LYCEE, "")):
        poi = next(p for p in pois if p.key == key)
        book.add_place(complex(router.points[spots[key]]), name=name or poi.name, anchor=True)
    villages = list(land.settlements[1:])
    nodes = {v.name: main_node(network, router, v.centre) for v in villages}
    for village in villages:
        label = "Mairie" if village.place == "village" else "Place du Marché"
        here = complex(router.points[nodes[village.name]])
        book.add_place(here, name=f"{village.name} – {label}", anchor=True)
    for name, point in _served_hamlets(land, rng).items():
        book.add_place(point, name=name)
    far = sorted(villages, key=lambda v: -abs(v.centre))
    unserved = {str(n) for n in rng.permutation([v.name for v in far[3:]])[:UNSERVED_COUNT]}
    feed = Feed("Cars du Pays de Loyre", "https://example.org/cars")
    served: set[str] = set()
    lines: list[tuple[list[Call], Polyline, list[Call], Polyline]] = []
    for village in far:
        if village.name in served | unserved or len(lines) == COACH_LINE_COUNT:
            continue
        there = lead(router, [nodes[village.name], spots[STATION]])
        back = lead(router, [spots[STATION], nodes[village.name]])
        number = str(len(lines) + 1)
        calls = book.calls(there, _passed(book, there), line_id=number, mode="coach")
        calls_back = book.calls(back, _passed(book, back), line_id=number, mode="coach")
        served |= {c.place.name.split(" – ")[0] for c in calls}
        lines.append((calls, there, calls_back, back))
    add_stops(feed, book, projection, rng)
    leaving: dict[str, list[int]] = {}
    for row, line in enumerate(lines):
        _run_coach(feed, router, row, line=line, projection=projection, rng=rng, leaving=leaving)
    stops = tuple(
        RegionalStop(p.name, p.platforms[0].point, tuple(sorted(leaving.get(p.name, ()))))
        for p in book.places
        if p.platforms and abs(p.point) > 4_000
    )
    return RegionalService(feed, stops, tuple(line[1] for line in lines))


def _served_hamlets(land: Landscape, rng: np.random.Generator) -> dict[str, complex]:
    return {
        name: complex(land.places[row])
        for row, name in sorted(land.hamlets.items())
        if rng.random() < 0.5
    }


def _passed(book: StopBook, path: Polyline) -> list[tuple[StopPlace, float]]:
    """The places a coach passes, in order, the ends of the path included."""
    out = []
    for place in book.places:
        gap_m, at_m = project(path, place.point)
        if gap_m < (220.0 if place.anchor else 60.0):
            out.append((place, at_m))
    return sorted(out, key=lambda c: c[1])


def _drive_s(router: Router, path: Polyline) -> Polyline:
    """Seconds from the path's start to each of its points, as the real part."""
    index = {complex(z): i for i, z in enumerate(router.points)}
    rows = [index[complex(z)] for z in path]
    steps = [float(router.graph[a, b]) for a, b in itertools.pairwise(rows)]
    return np.concatenate([[0.0], np.cumsum(steps)]).astype(np.complex128)


def _run_coach(
    feed: Feed,
    router: Router,
    row: int,
    *,
    line: tuple[list[Call], Polyline, list[Call], Polyline],
    projection: Projection,
    rng: np.random.Generator,
    leaving: dict[str, list[int]],
) -> None:
    calls, there, calls_back, back = line
    number = str(row + 1)
    feed.routes.append(
        {
            "route_id": number,
            "agency_id": "1",
            "route_short_name": f"{500 + 10 * (row + 1)}",
            "route_long_name": f"{calls[0].place.name.split(' – ')[0]} – {names.TOWN}",
            "route_type": 200 if row % 2 else 3,
            "route_color": "004D40" if row % 2 else "33691E",
            "route_text_color": "FFFFFF",
            "route_desc": "Ligne générée",
        }
    )
    size = int(rng.integers(len(KEPT)))
    shift_h = float(rng.integers(-3, 4)) * 5 / 60
    sunday = rng.random() < 0.5
    for direction, stops, path, hours, kept in (
        (0, calls, there, TO_TOWN_H, KEPT),
        (1, calls_back, back, FROM_TOWN_H, KEPT_BACK),
    ):
        shape_id = f"{number}-{direction}"
        at_m, drive_s = along(path), _drive_s(router, path).real
        points = [
            (*projection.lat_lon(complex(z)), float(m)) for z, m in zip(path, at_m, strict=True)
        ]
        feed.add_shape(shape_id, points)
        starts = {
            WEEKDAY: [hours[i] + shift_h for i in kept[size]],
            SATURDAY: [hours[2] + 0.5, hours[4] + 1.0],
            SUNDAY: [hours[5] + 0.25] if sunday else [],
        }
        for service_id, start_hours in starts.items():
            for i, start_h in enumerate(start_hours):
                start_s = round(start_h * 60) * MINUTE_S
                times = []
                for n, call in enumerate(stops):
                    driven = float(np.interp(call.at_m - stops[0].at_m, at_m, drive_s))
                    exact_s = start_s + driven * COACH_SLACK + COACH_DWELL_S * n
                    second = math.ceil(exact_s / MINUTE_S) * MINUTE_S
                    times.append((call.platform.stop_id, second, second, call.at_m))
                    if direction == 0 and service_id == WEEKDAY:
                        leaving.setdefault(call.place.name, []).append(second)
                trip: Row = {
                    "route_id": number,
                    "service_id": service_id,
                    "trip_id": f"{shape_id}-{service_id}-{i:03d}",
                    "direction_id": direction,
                    "shape_id": shape_id,
                    "wheelchair_accessible": int(row % 3 < 2),
                }
                feed.add_trip(trip, times, headsign=stops[-1].place.name)


def rail_stop_points(land: Landscape, network: StreetNetwork) -> dict[str, complex]:
    """Where trains stop: on the railway, as near a street as the station's surroundings allow."""
    points = np.array(sorted({n for w in network.ways for n in w.nodes}))
    spots = np.array(network.points)[points]
    out = {}
    for name, station in land.stations.items():
        rail = land.railway[np.abs(land.railway - station) < 260]
        steps = np.linspace(0, 1, 12)
        fine = np.concatenate([a + (b - a) * steps for a, b in itertools.pairwise(rail)])
        near = spots[np.abs(spots - station) < 500]
        gaps_m = np.abs(fine[:, None] - near[None, :]).min(axis=1)
        # Near enough to a street, and not far from where the station was planned.
        out[name] = complex(fine[(gaps_m + np.abs(fine - station) * 0.1).argmin()])
    return out


def build_rail(land: Landscape, network: StreetNetwork, projection: Projection) -> RegionalService:
    """One line through the town, about hourly, from market town to market town."""
    feed = Feed("Trains de la Loyre", "https://example.org/rail")
    order = (names.MARKET_TOWNS[0], names.TOWN, names.HALT_VILLAGE, names.MARKET_TOWNS[1])
    points = rail_stop_points(land, network)
    at_m = {name: project(land.railway, points[name])[1] for name in order}
    label = {n: f"Gare {names.of_place(n)}" for n in order} | {names.TOWN: "Gare de Valmont"}
    stop_id = {name: f"S{i + 1:03d}" for i, name in enumerate(order)}
    for name in order:
        if name == names.TOWN:
            along_rail = points[order[2]] - points[order[0]]
            add_station(feed, stop_id[name], label[name], points[name], along_rail, projection)
            continue
        lat, lon = projection.lat_lon(points[name])
        feed.stops.append(
            {
                "stop_id": stop_id[name],
                "stop_name": label[name],
                "stop_lat": round(lat, 6),
                "stop_lon": round(lon, 6),
                "location_type": 0,
                "wheelchair_boarding": RAIL_ACCESS[name],
            }
        )
    feed.routes.append(
        {
            "route_id": "1",
            "agency_id": "1",
            "route_short_name": "TER L",
            "route_long_name": f"{order[0]} – {names.TOWN} – {order[-1]}",
            "route_type": 2,
            "route_color": "0D47A1",
            "route_text_color": "FFFFFF",
            "route_desc": "Ligne générée",
        }
    )
    leaving: dict[str, list[int]] = {name: [] for name in order}
    for direction in (0, 1):
        stops = order if direction == 0 else order[::-1]
        _run_trains(
            feed, direction, stops=stops, at_m=at_m, stop_id=stop_id, label=label, leaving=leaving
        )
        line = land.railway[:: 1 if direction == 0 else -1]
        first, last = project(line, points[stops[0]])[1], project(line, points[stops[-1]])[1]
        metres = along(line)
        inside = (metres > first) & (metres < last)
        shape = np.concatenate([[points[stops[0]]], line[inside], [points[stops[-1]]]])
        feed.add_shape(
            f"1-{direction}",
            [
                (*projection.lat_lon(complex(z)), float(m))
                for z, m in zip(shape, along(shape), strict=True)
            ],
        )
    outside = tuple(
        RegionalStop(label[n], points[n], tuple(sorted(leaving[n])))
        for n in order
        if n != names.TOWN
    )
    return RegionalService(feed, outside, (land.railway,))


def _run_trains(
    feed: Feed,
    direction: int,
    *,
    stops: tuple[str, ...],
    at_m: dict[str, float],
    stop_id: dict[str, str],
    label: dict[str, str],
    leaving: dict[str, list[int]],
) -> None:
    minute = 42 if direction == 0 else 8
    hours = {
        WEEKDAY: [*range(5, 21), 6.5, 7.5, 17.5],
        SATURDAY: list(range(6, 21, 2)),
        SUNDAY: list(range(8, 21, 2)),
    }
    for service_id, starts in hours.items():
        for i, hour in enumerate(sorted(starts)):
            start_s = int(hour * HOUR_S) + minute * MINUTE_S
            times = []
            for n, name in enumerate(stops):
                gone_m = abs(at_m[name] - at_m[stops[0]])
                exact_s = start_s + gone_m / RAIL_KMH * 3.6 + RAIL_DWELL_S * n
                arrival_s = math.ceil(exact_s / MINUTE_S) * MINUTE_S
                wait_s = MINUTE_S if 0 < n < len(stops) - 1 else 0
                platform = (
                    f"{stop_id[name]}-{direction + 1}" if name == names.TOWN else stop_id[name]
                )
                times.append((platform, arrival_s, arrival_s + wait_s, gone_m))
                towards_town = stops.index(names.TOWN) > n
                if towards_town and service_id == WEEKDAY:
                    leaving[name].append(arrival_s + wait_s)
            trip: Row = {
                "route_id": "1",
                "service_id": service_id,
                "trip_id": f"1-{direction}-{service_id}-{i:03d}",
                "direction_id": direction,
                "shape_id": f"1-{direction}",
                "wheelchair_accessible": 1,
            }
            feed.add_trip(trip, times, headsign=label[stops[-1]])
