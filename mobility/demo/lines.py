"""The urban network: a tram, bus lines, a school bus and a shuttle, led over the streets."""

from __future__ import annotations

import cmath
import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mobility.demo import names
from mobility.demo.geometry import Polyline, Projection, along
from mobility.demo.gtfs_files import Feed, Row
from mobility.demo.network import CAR_KINDS, MAIN_KINDS, Router, StreetNetwork
from mobility.demo.poi import (
    BUSINESS,
    CAMPUS,
    HOSPITAL,
    HUB,
    LYCEE,
    MALL,
    STADIUM,
    STATION,
    Poi,
)
from mobility.demo.service_days import SATURDAY, SCHOOL, SUNDAY, WEEKDAY
from mobility.demo.stops import Call, StopBook, StopNamer

if TYPE_CHECKING:
    from collections.abc import Mapping

USUAL_STOP_COUNT = 260
RUN_KMH = {"bus": 25.0, "tram": 27.0}  # between stops; stops take the rest
DWELL_S = {"bus": 22, "tram": 25}
MAIN_STREET_M = 260.0  # a line's waypoint moves to a main street this close

Band = tuple[float, float, int]  # from hour, to hour, minutes between departures
Profile = dict[str, tuple[Band, ...]]

TRAM: Profile = {
    WEEKDAY: ((5.5, 7, 12), (7, 9, 8), (9, 16, 10), (16, 19, 8), (19, 24.51, 15)),
    SATURDAY: ((5.5, 8, 15), (8, 20, 10), (20, 24.51, 15)),
    SUNDAY: ((6.5, 24.51, 15),),
}
MAIN: Profile = {
    WEEKDAY: ((5.75, 7, 20), (7, 9, 10), (9, 16, 15), (16, 19, 10), (19, 21, 20), (21, 24.1, 30)),
    SATURDAY: ((6.25, 20, 15), (20, 24.1, 30)),
    SUNDAY: ((8, 22, 30),),
}
PLAIN: Profile = {
    WEEKDAY: ((6, 7, 30), (7, 9, 15), (9, 16, 20), (16, 19, 15), (19, 21.1, 30)),
    SATURDAY: ((6.5, 20.1, 30),),
    SUNDAY: ((8.5, 20, 40),),
}
MINOR: Profile = {
    WEEKDAY: ((6.25, 20, 30),),
    SATURDAY: ((7, 19.5, 45),),
    SUNDAY: ((9, 19, 60),),
}
SCHOOL_RUNS: Profile = {SCHOOL: ((7.2, 7.5, 15),)}
SHUTTLE: Profile = {WEEKDAY: ((7.5, 19.5, 10),), SATURDAY: ((9, 19.5, 12),)}


@dataclass(frozen=True, slots=True)
class LinePlan:
    """A line before it has streets: where it leads, how often, in what colour."""

    line_id: str
    mode: str
    via: tuple[str | complex, ...]
    profile: Profile
    colour: str
    spacing_m: float = 330.0


def _gate(angle_deg: float) -> complex:
    return cmath.rect(2_250.0, math.radians(angle_deg))


PLANS = (
    LinePlan("T", "tram", (HOSPITAL, HUB, STATION, CAMPUS), TRAM, "C2185B", 350.0),
    LinePlan("1", "bus", (_gate(186), HUB, LYCEE, _gate(6)), MAIN, "1565C0"),
    LinePlan("2", "bus", (-1_800 - 650j, STATION, HUB, 150 + 2_150j), MAIN, "2E7D32"),
    LinePlan("3", "bus", (BUSINESS, STATION, HUB, STADIUM), MAIN, "EF6C00"),
    LinePlan("4", "bus", (-1_950 + 1_700j, HOSPITAL, HUB, 2_000 - 250j), PLAIN, "6A1B9A"),
    LinePlan("5", "bus", (MALL, HUB, 50 + 1_300j, 750 + 2_100j), PLAIN, "00838F"),
    LinePlan(
        "6", "bus", (CAMPUS, 1_400 - 450j, LYCEE, STADIUM, 150 + 1_560j, HOSPITAL), PLAIN, "AD1457"
    ),
    LinePlan("7", "bus", (1_750 - 1_450j, STATION, -1_250 - 520j, -2_300 + 150j), PLAIN, "9E9D24"),
    LinePlan("8", "bus", (MALL, STATION, BUSINESS, -2_000 - 350j), MINOR, "5D4037"),
    LinePlan(
        "9", "bus", (1_950 + 1_150j, LYCEE, HUB, -1_000 + 60j, -2_250 + 450j), MINOR, "37474F"
    ),
    LinePlan("S", "bus", (750 + 2_100j, STADIUM, LYCEE), SCHOOL_RUNS, "F9A825", 480.0),
    LinePlan("N", "bus", (STATION, HUB, 300 + 330j, LYCEE), SHUTTLE, "00695C", 300.0),
)
FREQUENCY_LINE = "N"
SCHOOL_RETURN: Profile = {SCHOOL: ((15.75, 17.8, 60),)}


@dataclass(frozen=True, slots=True)
class UrbanNetwork:
    """The feed, and the stop places that offers and trips refer to."""

    feed: Feed
    book: StopBook
    paths: dict[str, Polyline]


def build_urban(
    network: StreetNetwork,
    pois: list[Poi],
    projection: Projection,
    *,
    stop_count: int,
    rng: np.random.Generator,
) -> UrbanNetwork:
    """Lead every line over the streets, place its stops, and run it through the day."""
    scale = float(np.clip(USUAL_STOP_COUNT / stop_count, 0.35, 4.0))
    book = StopBook(make_namer(network, pois, rng))
    cars = Router.build(network, main_bonus=0.55)
    rails = Router.build(network, kinds=CAR_KINDS | {"pedestrian"}, directed=False, main_bonus=0.5)
    spots = anchor_nodes(network, cars, pois)
    for key in (HUB, STATION, HOSPITAL, LYCEE, CAMPUS, BUSINESS, MALL, STADIUM):
        poi = next(p for p in pois if p.key == key)
        book.add_place(complex(cars.points[spots[key]]), name=poi.name, anchor=True)
    feed = Feed("Réseau urbain Valmob", "https://example.org/valmob")
    paths: dict[str, Polyline] = {}
    runs: list[tuple[LinePlan, int, list[Call], Polyline]] = []
    for plan in PLANS:
        router = rails if plan.mode == "tram" else cars
        nodes = [spots[v] if isinstance(v, str) else main_node(network, cars, v) for v in plan.via]
        there, back = lead(router, nodes), lead(router, nodes[::-1])
        places = book.places_along(there, spacing_m=plan.spacing_m * scale)
        calls = book.calls(there, places, line_id=plan.line_id, mode=plan.mode)
        returns = book.places_back(back, places)
        calls_back = book.calls(back, returns, line_id=plan.line_id, mode=plan.mode)
        paths[plan.line_id] = there
        runs += [(plan, 0, calls, there), (plan, 1, calls_back, back)]
    add_stops(feed, book, projection, rng)
    for plan, direction, calls, path in runs:
        if direction == 0:
            feed.routes.append(_route_row(plan, calls))
        _run_line(feed, plan, direction, calls=calls, path=path, projection=projection)
    _add_transfers(feed, book)
    return UrbanNetwork(feed, book, paths)


def make_namer(network: StreetNetwork, pois: list[Poi], rng: np.random.Generator) -> StopNamer:
    """A namer that knows the landmarks and the street names."""
    seen: dict[str, list[complex]] = {}
    for way in network.ways:
        if any(first in way.name for first in names.PAST_FIRST_NAMES):
            continue  # too long for a stop
        if way.name and way.kind in CAR_KINDS | {"pedestrian"}:
            label = names.stop_name_of_street(way.name)
            seen.setdefault(label, []).append(network.points[way.nodes[len(way.nodes) // 2]])
    landmarks = [
        (p.name, p.point) for p in pois if not p.name.startswith("Pharmacie") and p.key != "park"
    ]
    streets = [(label, point) for label, points in seen.items() for point in points]
    spare = [names.stop_name_of_street(n) for n in (*names.NATURE, *names.THINGS)]
    spare += names.CORNERS
    return StopNamer(landmarks, streets, [str(s) for s in rng.permutation(spare)])


def main_node(network: StreetNetwork, router: Router, near: complex) -> int:
    """The node of a main street near a point, or of any street when none is close."""
    mask = np.zeros(len(network.points), dtype=bool)
    for way in network.ways:
        if way.kind in MAIN_KINDS and not way.bridge and not way.roundabout:
            mask[list(way.nodes)] = True
    node = router.nearest(near, among=mask)
    close = abs(network.points[node] - near) < MAIN_STREET_M
    return node if close else router.nearest(near)


def anchor_nodes(network: StreetNetwork, router: Router, pois: list[Poi]) -> dict[str, int]:
    """Street node of each keyed place, on a main street when one is close."""
    return {p.key: main_node(network, router, p.point) for p in pois if p.key}


def lead(router: Router, nodes: list[int]) -> Polyline:
    """The path through the nodes in order, without there-and-back spurs."""
    path = [nodes[0]]
    for a, b in itertools.pairwise(nodes):
        path += router.path(a, b)[1:]
    out: list[int] = []
    for node in path:
        if len(out) > 1 and out[-2] == node:
            out.pop()
        else:
            out.append(node)
    return router.points[out]


def add_stops(feed: Feed, book: StopBook, projection: Projection, rng: np.random.Generator) -> None:
    """Write every place: as a station with platforms where lines meet, as plain stops elsewhere."""
    for place in book.places:
        if not place.platforms:
            continue
        station = "tram" in place.modes or len(place.line_ids) >= 3
        access = 1 if "tram" in place.modes else int(rng.choice([0, 1, 2], p=[0.35, 0.5, 0.15]))
        if station:
            middle = sum(p.point for p in place.platforms) / len(place.platforms)
            feed.stops.append(_stop_row(place.place_id, place.name, middle, projection, access, 1))
        for number, platform in enumerate(place.platforms, start=1):
            row = _stop_row(platform.stop_id, place.name, platform.point, projection, access, 0)
            if station:
                row |= {"parent_station": place.place_id, "platform_code": str(number)}
            feed.stops.append(row)


def _stop_row(
    stop_id: str, name: str, point: complex, projection: Projection, access: int, kind: int
) -> Row:
    lat, lon = projection.lat_lon(point)
    return {
        "stop_id": stop_id,
        "stop_name": name,
        "stop_lat": round(lat, 6),
        "stop_lon": round(lon, 6),
        "location_type": kind,
        "parent_station": "",
        "wheelchair_boarding": access,
        "platform_code": "",
    }


def _route_row(plan: LinePlan, calls: list[Call]) -> Row:
    label = {"T": "T1", "S": "Scol", "N": "Navette"}.get(plan.line_id, plan.line_id)
    return {
        "route_id": plan.line_id,
        "agency_id": "1",
        "route_short_name": label,
        "route_long_name": f"{calls[0].place.name} – {calls[-1].place.name}",
        "route_type": 0 if plan.mode == "tram" else 3,
        "route_color": plan.colour,
        "route_text_color": "000000" if plan.colour in {"F9A825", "9E9D24", "EF6C00"} else "FFFFFF",
        "route_desc": "Ligne générée",
    }


def traffic_factor(second: int, service_id: str) -> float:
    """How much longer a bus needs than off-peak."""
    hour = second / 3600
    if service_id == WEEKDAY and (7.25 <= hour < 9 or 16.5 <= hour < 18.5):
        return 1.15
    return 0.92 if hour >= 21 or hour < 6.5 else 1.0


def _departures(bands: tuple[Band, ...], *, shift_min: float) -> list[int]:
    out: list[int] = []
    for first_h, last_h, every_min in bands:
        second = int(first_h * 3600 + shift_min * 60)
        while second < last_h * 3600:
            if not out or second - out[-1] >= min(every_min * 60, 300):
                out.append(second)
            second += every_min * 60
    return out


def _call_times(
    calls: list[Call], start_s: int, *, mode: str, factor: float
) -> list[tuple[str, int, int, float]]:
    out: list[tuple[str, int, int, float]] = []
    at_s, before_m = float(start_s), calls[0].at_m
    for i, call in enumerate(calls):
        if i:
            at_s += (call.at_m - before_m) / RUN_KMH[mode] * 3.6 * factor
            before_m = call.at_m
        arrival_s = round(at_s / 10) * 10
        inner = 0 < i < len(calls) - 1
        at_s += DWELL_S[mode] if inner else 0
        departure_s = round(at_s / 10) * 10 if mode == "tram" else arrival_s
        out.append((call.platform.stop_id, arrival_s, departure_s, call.at_m))
    return out


def _run_line(
    feed: Feed,
    plan: LinePlan,
    direction: int,
    *,
    calls: list[Call],
    path: Polyline,
    projection: Projection,
) -> None:
    shape_id = f"{plan.line_id}-{direction}"
    feed.add_shape(
        shape_id,
        [
            (*projection.lat_lon(complex(z)), float(m))
            for z, m in zip(path, along(path), strict=True)
        ],
    )
    back_from_school = plan.profile is SCHOOL_RUNS and direction == 1
    profile: Mapping[str, tuple[Band, ...]] = SCHOOL_RETURN if back_from_school else plan.profile
    for service_id, bands in profile.items():
        starts = _departures(bands, shift_min=0.0 if direction == 0 else bands[0][2] / 2)
        if plan.line_id == FREQUENCY_LINE:
            starts = starts[:1]
            feed.frequencies += [
                {
                    "trip_id": f"{shape_id}-{service_id}-000",
                    "start_time": f"{int(first_h):02d}:{int(first_h % 1 * 60):02d}:00",
                    "end_time": f"{int(last_h):02d}:{int(last_h % 1 * 60):02d}:00",
                    "headway_secs": every_min * 60,
                    "exact_times": 0,
                }
                for first_h, last_h, every_min in bands
            ]
        for i, start_s in enumerate(starts):
            trip: Row = {
                "route_id": plan.line_id,
                "service_id": service_id,
                "trip_id": f"{shape_id}-{service_id}-{i:03d}",
                "direction_id": direction,
                "shape_id": shape_id,
                "wheelchair_accessible": 1 if plan.mode == "tram" else (2, 1, 0, 1)[i % 4],
            }
            factor = 1.0 if plan.mode == "tram" else traffic_factor(start_s, service_id)
            times = _call_times(calls, start_s, mode=plan.mode, factor=factor)
            feed.add_trip(trip, times, headsign=calls[-1].place.name)


def _add_transfers(feed: Feed, book: StopBook) -> None:
    """Minimum transfer times at the places where most lines meet."""
    hub, station, *others = book.places  # in the order in which `build_urban` adds the anchors
    busiest = max(others, key=lambda p: len(p.line_ids))
    for place in (hub, station, busiest):
        for a in place.platforms:
            for b in place.platforms:
                seconds = 60 + 30 * math.ceil(abs(a.point - b.point) / 30)
                feed.transfers.append(
                    {
                        "from_stop_id": a.stop_id,
                        "to_stop_id": b.stop_id,
                        "transfer_type": 2,
                        "min_transfer_time": seconds,
                    }
                )
