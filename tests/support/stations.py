"""
Tiny stations: platforms, entrances and pathways as text, built into a real `Network`.

The world is a street along the equator; one walks 60 m a minute, a wheelchair does 48.

    stop   Mairie 0                       a stop at this metre of the street
    stop   Gare   6000 station yes        yes, no: wheelchair_boarding; nothing: unknown
    stop   Quai   6000 in Gare            a platform
    stop   Nord   6000 entrance in Gare
    stop   Hall   6000 node in Gare
    way    A      Nord > Hall walkway 30  one way; < > both ways; seconds
    way    B      Hall <> Quai stairs 20
    way    C      Hall <> Quai walkway 20 slope 0.1 width 0.7
    trip   T1     Mairie 07:00 Quai 07:10 no      yes, no: wheelchair_accessible
    steps  1200 1260                      the street has stairs between these metres
    lift   6060 yes round                 the street goes on a level higher by an elevator of OSM;
                                          yes, no: wheelchair; round: a path leads there, too

Without a street map (`streets=False`) walks are straight lines: 1.3 times as long.
"""

from __future__ import annotations

import tempfile
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

from core.geo import METRES_PER_DEGREE, Coordinate
from gtfs_data.build import build_timetable
from gtfs_data.checks import Findings
from gtfs_data.enums import PathwayMode
from gtfs_data.reader import WEEKDAYS, read_feed
from routing.build import build_network
from routing.itinerary import PlanAnswer
from routing.outages import plan_around
from routing.query import Endpoint, Limits, PlanQuery
from routing.raptor.body_table import no_flexible_trips
from routing.raptor.search import no_rides
from routing.street.graph import build_streets
from routing.street.osm import read_osm
from routing.street.osm_write import OsmNode, OsmWay, write_osm
from routing.street.rules import DEFAULT_CAR_KMH, Speeds
from tests.support.tiny import ZONE, World, instant, told

SPEEDS = Speeds(foot_mps=1.0, wheelchair_mps=0.8, car_kmh=dict.fromkeys(DEFAULT_CAR_KMH, 36.0))
TYPES = {"station": 1, "entrance": 2, "node": 3, "area": 4}
SAID = {"yes": 1, "no": 2}
STREET_M = 12_000
LIFT_NODES = 100_000
"""OSM ids of elevators: so many, and the metre."""
LANDING_M = 40
"""Before and behind an elevator the street is a footway of one level."""
ROUND_M = 300
"""How far the path that leads there, too, goes north and back."""
PATHWAY_COLUMNS = (
    "pathway_id", "from_stop_id", "to_stop_id", "pathway_mode", "is_bidirectional",
    "traversal_time", "max_slope", "min_width",
)  # fmt: skip


@dataclass(slots=True)
class _Text:
    stops: list[str]
    pathways: list[str]
    trips: list[str]
    stop_times: list[str]
    east_m: dict[str, float]
    steps: list[tuple[float, float]]
    lifts: dict[float, list[str]]


def station_world(text: str, *, streets: bool = True) -> World:
    """Build a world from its text; see the module's docstring for the language."""
    read = _Text([], [], [], [], {}, [], {})
    for line in text.splitlines():
        word, *rest = line.split() or [""]
        if word:
            {"stop": _stop, "way": _way, "trip": _trip, "steps": _steps, "lift": _lift}[word](
                read, rest
            )
    findings = Findings()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tiny.zip"
        _write_feed(path, read)
        timetable = build_timetable([read_feed(path, "tiny")], findings)
        osm = Path(folder) / "street.osm.pbf"
        _write_street(osm, read)
        raw = read_osm(osm)
    network = build_network(
        timetable, build_streets(raw, SPEEDS) if streets else None, zone=ZONE, sites=[],
        speeds=SPEEDS, findings=findings,
    )  # fmt: skip
    flexible = no_flexible_trips()
    return World(network, (), flexible, dict(read.east_m), findings)


def ask(
    world: World,
    origin: float | str,
    destination: float | str,
    *,
    out: frozenset[str] | set[str] = frozenset(),
    depart: str = "",
    arrive: str = "",
    **options: object,
) -> PlanAnswer:
    """Ask the planner, between metres of the street or ids, with elevators out of service."""
    at = instant(depart or arrive)
    query = PlanQuery(
        _end(world, origin), _end(world, destination), at=at, window_s=0,
        arrive_by=bool(arrive), backwards=bool(arrive), **options,
    )  # type: ignore[arg-type] # fmt: skip
    return plan_around(
        world.network, query, flexible=world.flexible, rides_on=lambda _: no_rides(),
        limits=Limits(), shut=frozenset(n if ":" in n else f"tiny:{n}" for n in out),
    )  # fmt: skip


def answers(world: World, *ends: float | str, **question: object) -> list[str]:
    """Itineraries found, one line each, as `tests.support.tiny.plan` tells them."""
    found = ask(world, *ends, **question)  # type: ignore[arg-type]
    asked = str(question.get("depart") or question.get("arrive"))
    return [told(world, it, instant(asked).date()) for it in found.itineraries]


def pathways_of(world: World, answer: PlanAnswer) -> list[list[str]]:
    """Ids of the pathways of each itinerary."""
    ids = world.network.timetable.pathway_id
    return [
        [
            ids[pathway].removeprefix("tiny:")
            for leg in it.legs
            if leg.access is not None
            for pathway in leg.access.pathways
        ]
        for it in answer.itineraries
    ]


def _end(world: World, end: float | str) -> Endpoint:
    east_m = world.place_m[end] if isinstance(end, str) else end
    stop_id = f"tiny:{end}" if isinstance(end, str) else None
    return Endpoint(Coordinate(0.0, east_m / METRES_PER_DEGREE), stop_id)  # type: ignore[arg-type]


def _stop(read: _Text, words: list[str]) -> None:
    name, metres, *rest = words
    east_m = float(metres)
    read.east_m[name] = east_m
    kind = next((TYPES[w] for w in rest if w in TYPES), 0)
    parent = rest[rest.index("in") + 1] if "in" in rest else ""
    said = next((SAID[w] for w in rest if w in SAID), "")
    lon = f"{east_m / METRES_PER_DEGREE:.12f}"
    read.stops.append(f"{name},{name},0,{lon},{kind},{parent},{said}")


def _way(read: _Text, words: list[str]) -> None:
    name, start, arrow, end, mode, seconds, *more = words
    facts = dict(zip(more[::2], more[1::2], strict=True))
    number = PathwayMode[mode.upper()].value
    both = int(arrow == "<>")
    slope, width = facts.get("slope", ""), facts.get("width", "")
    read.pathways.append(f"{name},{start},{end},{number},{both},{seconds},{slope},{width}")


def _trip(read: _Text, words: list[str]) -> None:
    name, *calls = words
    said: int | str = SAID[calls.pop()] if calls[-1] in SAID else ""
    read.trips.append(f"{name},L1,C,{said}")
    for i, (stop, time) in enumerate(zip(calls[::2], calls[1::2], strict=True)):
        read.stop_times.append(f"{name},{stop},{i},{time}:00,{time}:00")


def _steps(read: _Text, words: list[str]) -> None:
    read.steps.append((float(words[0]), float(words[1])))


def _lift(read: _Text, words: list[str]) -> None:
    metre, *facts = words
    read.lifts[float(metre)] = facts


def lift_id(metre: float) -> str:
    """Id of the elevator at a metre of the street."""
    return f"osm:node/{LIFT_NODES + round(metre)}"


def _write_feed(path: Path, read: _Text) -> None:
    tables = {
        "agency": ["agency_name,agency_url,agency_timezone", f"A,https://a.example,{ZONE.key}"],
        "stops": [
            "stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station,wheelchair_boarding",
            *read.stops,
        ],
        "routes": ["route_id,route_short_name,route_type", "L1,L1,3"],
        "trips": ["trip_id,route_id,service_id,wheelchair_accessible", *read.trips],
        "stop_times": [
            "trip_id,stop_id,stop_sequence,arrival_time,departure_time", *read.stop_times
        ],
        "calendar": [
            f"service_id,{','.join(WEEKDAYS)},start_date,end_date",
            "C,1,1,1,1,1,1,1,20260101,20261231",
        ],
        "pathways": [
            ",".join(PATHWAY_COLUMNS),
            *read.pathways,
        ],
    }  # fmt: skip
    with zipfile.ZipFile(path, "w") as archive:
        for name, rows in tables.items():
            archive.writestr(f"{name}.txt", "\n".join(rows) + "\n")


def _write_street(path: Path, read: _Text) -> None:
    """Write the street, and beside stairs a way round them that takes 600 m more."""
    landings = {m + side for m in read.lifts for side in (-LANDING_M, 0, LANDING_M)}
    metres = sorted({-60.0, STREET_M, *landings, *(m for pair in read.steps for m in pair)})
    nodes = [OsmNode(i + 1, 0.0, m / METRES_PER_DEGREE) for i, m in enumerate(metres)]
    ways: list[OsmWay] = []
    for i, pair in enumerate(zip(metres, metres[1:], strict=False)):
        ends = (i + 1, i + 2)
        kind = "steps" if pair in read.steps else "residential"
        if read.lifts.keys() & {*pair}:
            kind = "footway"
        level = str(sum(m < pair[1] for m in read.lifts))
        ways.append(OsmWay(len(ways) + 1, ends, {"highway": kind, "level": level}))
        if kind == "steps":
            top = [(pair[0], 300.0), (pair[1], 300.0)]
            ids = [len(nodes) + 1, len(nodes) + 2]
            nodes += [
                OsmNode(n, north / METRES_PER_DEGREE, east / METRES_PER_DEGREE)
                for n, (east, north) in zip(ids, top, strict=True)
            ]
            ways.append(OsmWay(len(ways) + 1, (ends[0], *ids, ends[1]), {"highway": "footway"}))
    for metre, facts in read.lifts.items():
        row = metres.index(metre)
        own = LIFT_NODES + round(metre)
        told = next((w for w in facts if w in SAID), "")
        tags = {"highway": "elevator", **({"wheelchair": told} if told else {})}
        ways = [
            replace(w, node_ids=tuple(own if n == row + 1 else n for n in w.node_ids)) for w in ways
        ]
        nodes[row] = OsmNode(own, 0.0, metre / METRES_PER_DEGREE, tags)
        if "round" in facts:
            ids = [len(nodes) + 1, len(nodes) + 2]
            nodes += [
                OsmNode(n, ROUND_M / METRES_PER_DEGREE, (metre + side) / METRES_PER_DEGREE)
                for n, side in zip(ids, (-LANDING_M, LANDING_M), strict=True)
            ]
            around = (row, *ids, row + 2)
            ways.append(OsmWay(len(ways) + 1, around, {"highway": "footway"}))
    write_osm(path, nodes, ways)
