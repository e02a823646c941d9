"""
Tiny worlds: a timetable that a planner could read, built into a real `Network`.

The text goes the whole way of a real territory: a GTFS archive and an OSM file are written to a
temporary folder and read, cleaned, compiled and tied together by the production code. The world
is one straight street along the equator, so that walks and drives are known by construction:

    street   Ferme 100min Mairie 100min Gare 4min Halle      minutes on foot along the street
    L1   Mairie  Gare         Lycée                           a line, then a row for each trip
         07:00   07:10        07:25                           not indented: starts a line
         07:30   07:40/07:45  07:55                           arrival/departure
         08:00   -            08:20                           - runs by without stopping
         08:30   08:40b       08:50a                          b: boarding only, a: alighting only
    offer Anna  Ferme > Mairie > Gare  07:05-07:15  budget 5min  seats 2  door yes
    block Bus1 07:00 07:30                                    one vehicle runs these trips of L1
    aboard L1@07:00 > L2@07:30                                transfers.txt, type 4: riders may stay
    alight L1@07:00 > L2@07:30                                type 5: riders must get out
    every 10min L1@07:00 07:00-08:00 exact                    frequencies.txt; without exact: about
    feed south                                                lines below belong to another feed
    service 2026-03-01..2026-03-31                            days on which the lines below run
    zone Europe/London                                        time zone of this feed

* One walks 60 m a minute and drives 600 m: a car takes a tenth of the minutes of the street.
* Places that the street does not name follow at its end, `FAR_MIN` apart.
* A world without lines has a feed whose only bus ran on New Year's Day.
* Every place that no line calls at is a carpool place; every stop is a meeting point.
* At every place a footpath goes north, on which journeys start, and one south, where they end.
* A stop of feed ``south`` named Centre stands at ``south:Centre`` if the street names that, else
  at Centre. Ids are names; trips are numbered anew in each feed: feeds share their ids.
"""

from __future__ import annotations

import datetime as dt
import re
import tempfile
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from carpool.compile import compile_offer
from carpool.meeting_points import stop_sites
from carpool.offers import Offer, parse_offer
from carpool.running import RunningDates
from core.geo import METRES_PER_DEGREE, Coordinate
from core.ids import OfferId
from gtfs_data.build import build_timetable
from gtfs_data.checks import Findings
from gtfs_data.reader import read_feed
from gtfs_data.timetable import Timetable
from routing.build import build_network
from routing.itinerary import Itinerary, PlanAnswer, RideLeg, StreetLeg, TransitLeg
from routing.network import Network
from routing.planner import CriteriaFrom
from routing.planner import plan as plan_query
from routing.query import Endpoint, Limits, PlanQuery
from routing.raptor.body_table import flexible_trips
from routing.raptor.criteria import CriteriaTable
from routing.raptor.flexible import FlexibleTrips
from routing.raptor.search import rides_of
from routing.spi import MeetingSite, SiteKind
from routing.street.graph import build_streets
from routing.street.osm import read_osm
from routing.street.osm_write import OsmNode, OsmWay, write_osm
from routing.street.rules import DEFAULT_CAR_KMH, Speeds

METRES_PER_MINUTE = 60
FAR_MIN = 100
"""Too far to walk, for access (15 minutes) and all the way (30 minutes)."""
FOOTPATH_M = 2400
DATE = "2026-03-10"
"""A Tuesday."""
SERVICE = "2026-01-01..2026-12-31"
SEATS = {"aboard": 4, "alight": 5}
"""transfer_type between trips."""
SPEEDS = Speeds(foot_mps=1.0, car_kmh=dict.fromkeys(DEFAULT_CAR_KMH, 36.0))
ZONE = ZoneInfo("Europe/Paris")


@dataclass(slots=True)
class _Line:
    name: str
    stops: list[str]
    service: str
    trips: list[list[str]] = field(default_factory=list)
    blocks: dict[str, str] = field(default_factory=dict)
    """First time of a trip → its block."""


@dataclass(slots=True)
class _FeedText:
    id: str
    zone: str = ZONE.key
    lines: list[_Line] = field(default_factory=list)
    seats: list[tuple[int, str, str]] = field(default_factory=list)
    """transfer_type and the trips, as `L1@07:00`."""
    repeats: list[tuple[str, str, int, int]] = field(default_factory=list)
    """Trip, window, headway, exact_times."""


@dataclass(frozen=True, slots=True)
class World:
    """A network with offers, and where its places stand."""

    network: Network
    offers: tuple[Offer, ...]
    flexible: FlexibleTrips
    place_m: dict[str, int]
    """Metres from the street's western end."""
    findings: Findings

    def at(self, place: str, north_m: float = 0.0) -> Coordinate:
        """A place of the street, or one on the footpath that leaves it."""
        return _coordinate(self.place_m[place], north_m)

    def row(self, place: str, feed: str = "tiny") -> int:
        """Row of a stop in the timetable."""
        return self.network.stop_row[f"{feed}:{place}"]

    def point(self, place: str, feed: str = "tiny") -> int:
        """Row of a place among the meeting points."""
        ids = (f"stop:{feed}:{place}", f"place:{place}")
        return next(self.network.point_row[i] for i in ids if i in self.network.point_row)


def _coordinate(east_m: float, north_m: float = 0.0) -> Coordinate:
    return Coordinate(lat=north_m / METRES_PER_DEGREE, lon=east_m / METRES_PER_DEGREE)


def tiny_world(text: str) -> World:
    """Build a world from its text; see the module's docstring for the language."""
    street: list[tuple[str, int]] = []
    feeds, offers = [_FeedText("tiny")], []
    service = SERVICE
    for row in text.splitlines():
        line = row.partition("#")[0].rstrip()
        word, *rest = line.split() or [""]
        if not word:
            continue
        if word == "street":
            street = _read_street(rest)
        elif word == "feed":
            feeds.append(_FeedText(rest[0]))
        elif word == "zone":
            feeds[-1].zone = rest[0]
        elif word == "service":
            service = rest[0]
        elif word == "block":
            feeds[-1].lines[-1].blocks |= dict.fromkeys(rest[1:], rest[0])
        elif word in SEATS:
            feeds[-1].seats.append((SEATS[word], rest[0], rest[2]))
        elif word == "every":
            exact = int(rest[3:] == ["exact"])
            feeds[-1].repeats.append((rest[1], rest[2], minutes_s(rest[0]), exact))
        elif word == "offer":
            offers.append(" ".join(rest))
        elif re.match(r"[\d-]", word):
            feeds[-1].lines[-1].trips.append(line.split())
        else:
            feeds[-1].lines.append(_Line(word, rest, service))
    feeds = [feed for feed in feeds if feed.lines]
    place_m = _lay_street(street, feeds, offers)
    feeds = feeds or [_past_feed(list(place_m)[:2])]
    findings = Findings()
    network = _network(feeds, place_m, findings)
    parsed = tuple(_read_offer(offer, place_m) for offer in offers)
    bodies = [compile_offer(network, offer) for offer in parsed]
    flexible = flexible_trips(bodies, network.coarse.point_cell)
    return World(network, parsed, flexible, place_m, findings)


def _past_feed(stops: list[str]) -> _FeedText:
    line = _Line("L0", stops, "2026-01-01..2026-01-01", [["05:00", "05:10"]])
    return _FeedText("tiny", lines=[line])


def _read_street(words: list[str]) -> list[tuple[str, int]]:
    places, metres = [(words[0], 0)], 0
    for gap, place in zip(words[1::2], words[2::2], strict=True):
        metres += round(float(gap.removesuffix("min")) * METRES_PER_MINUTE)
        places.append((place, metres))
    return places


def _lay_street(
    street: list[tuple[str, int]], feeds: list[_FeedText], offers: list[str]
) -> dict[str, int]:
    place_m = dict(street)
    named = [stop for feed in feeds for line in feed.lines for stop in line.stops]
    for offer in offers:
        named += [w for w in offer.split(" > ")[0].split()[1:] if w not in named]
        named += [part.split()[0] for part in offer.split(" > ")[1:]]
    for place in named:
        if place not in place_m:
            place_m[place] = max(place_m.values(), default=0) + FAR_MIN * METRES_PER_MINUTE
    return place_m


def _place_of(feed: _FeedText, stop: str, place_m: dict[str, int]) -> str:
    return f"{feed.id}:{stop}" if f"{feed.id}:{stop}" in place_m else stop


def past_timetable() -> Timetable:
    """For a test of streets alone: one bus, on New Year's Day, between two stops."""
    return _timetable([_past_feed(["Here", "There"])], {"Here": 0, "There": 300}, Findings())


def _timetable(feeds: list[_FeedText], place_m: dict[str, int], findings: Findings) -> Timetable:
    read = []
    with tempfile.TemporaryDirectory() as folder:
        for feed in feeds:
            path = Path(folder) / f"{feed.id}.zip"
            _write_gtfs(path, feed, place_m)
            read.append(read_feed(path, feed.id))
    return build_timetable(read, findings)


def _network(feeds: list[_FeedText], place_m: dict[str, int], findings: Findings) -> Network:
    timetable = _timetable(feeds, place_m, findings)
    with tempfile.TemporaryDirectory() as folder:
        _write_street(Path(folder) / "street.osm.pbf", place_m)
        raw = read_osm(Path(folder) / "street.osm.pbf")
    served = {_place_of(feed, s, place_m) for feed in feeds for ln in feed.lines for s in ln.stops}
    sites = stop_sites(timetable) + [
        MeetingSite(f"place:{name}", name, SiteKind.CARPOOL_PLACE, at.lat, at.lon)
        for name, at in ((name, _coordinate(m)) for name, m in place_m.items())
        if name not in served
    ]
    return build_network(
        timetable,
        build_streets(raw, SPEEDS),
        zone=ZONE,
        sites=sites,
        speeds=SPEEDS,
        findings=findings,
    )


def _write_street(path: Path, place_m: dict[str, int]) -> None:
    """Write one street through all places, and a footpath north and one south at each."""
    metres = sorted(set(place_m.values()))
    metres = [metres[0] - METRES_PER_MINUTE, *metres, metres[-1] + METRES_PER_MINUTE]
    nodes, ways = [], []
    for i, east_m in enumerate(metres):
        for n, north_m in ((3 * i + 1, 0), (3 * i + 2, FOOTPATH_M), (3 * i + 3, -FOOTPATH_M)):
            at = _coordinate(east_m, north_m)
            nodes.append(OsmNode(n, at.lat, at.lon))
            if north_m:
                ways.append(OsmWay(n, (3 * i + 1, n), {"highway": "footway"}))
    ids = tuple(3 * i + 1 for i in range(len(metres)))
    ways.append(OsmWay(1, ids, {"highway": "residential", "name": "Grande Rue"}))
    write_osm(path, nodes, ways)


def _write_gtfs(path: Path, feed: _FeedText, place_m: dict[str, int]) -> None:
    stops = list(dict.fromkeys(stop for line in feed.lines for stop in line.stops))
    services = list(dict.fromkeys(line.service for line in feed.lines))
    tables: dict[str, list[Any]] = {
        "agency": [
            ("agency_id", "agency_name", "agency_url", "agency_timezone"),
            ("a", feed.id, "https://example.org", feed.zone),
        ],
        "stops": [("stop_id", "stop_name", "stop_lat", "stop_lon")],
        "routes": [("route_id", "route_short_name", "route_type")],
        "trips": [("trip_id", "route_id", "service_id", "block_id")],
        "stop_times": [
            ("trip_id", "stop_id", "stop_sequence", "arrival_time", "departure_time",
             "pickup_type", "drop_off_type")
        ],
        "calendar": [
            ("service_id", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday",
             "sunday", "start_date", "end_date")
        ],
    }  # fmt: skip
    for stop in stops:
        at = _coordinate(place_m[_place_of(feed, stop, place_m)])
        tables["stops"].append((stop, stop, f"{at.lat:.12f}", f"{at.lon:.12f}"))
    for service in services:
        first, last = service.replace("-", "").split("..")
        tables["calendar"].append((service, *"1111111", first, last))
    number, named = 0, dict[str, str]()
    for line in feed.lines:
        if (line.name, line.name, 3) not in tables["routes"]:
            tables["routes"].append((line.name, line.name, 3))
        for times in line.trips:
            number += 1
            trip = f"trip{number}"
            starts = next(cell for cell in times if cell != "-").partition("/")[0].rstrip("ab")
            named.setdefault(f"{line.name}@{starts}", trip)
            block = line.blocks.get(starts, "")
            tables["trips"].append((trip, line.name, line.service, block))
            for i, (stop, cell) in enumerate(zip(line.stops, times, strict=True)):
                if cell != "-":
                    tables["stop_times"].append((trip, stop, i, *_stop_time(cell)))
    tables["transfers"] = [
        ("transfer_type", "from_trip_id", "to_trip_id"),
        *((kind, named[a], named[b]) for kind, a, b in feed.seats),
    ]
    tables["frequencies"] = [
        ("trip_id", "start_time", "end_time", "headway_secs", "exact_times"),
        *(
            (named[trip], *(f"{clock}:00" for clock in window.split("-")), headway_s, exact)
            for trip, window, headway_s, exact in feed.repeats
        ),
    ]
    with zipfile.ZipFile(path, "w") as archive:
        for name, rows in tables.items():
            content = "\n".join(",".join(str(cell) for cell in row) for row in rows)
            archive.writestr(f"{name}.txt", content + "\n")


def _stop_time(cell: str) -> tuple[str, str, int, int]:
    clock = cell.rstrip("ab")
    arrival, _, departure = clock.partition("/")
    arrival, departure = arrival + ":00", (departure or arrival) + ":00"
    return arrival, departure, int(cell.endswith("a")), int(cell.endswith("b"))


def _read_offer(text: str, place_m: dict[str, int]) -> Offer:
    """``Anna Ferme > Gare 07:05-07:15 budget 5min seats 2 on mon,tue from 2026-03-01``."""
    driver, *words = text.split()
    places = [words.pop(0)]
    while words and words[0] == ">":
        places.append(words[1])
        words = words[2:]
    first, _, last = words[0].partition("-")
    options = dict(zip(words[1::2], words[2::2], strict=True))

    def at(place: str) -> dict[str, float]:
        where = _coordinate(place_m[place])
        return {"lat": where.lat, "lon": where.lon}

    values: dict[str, Any] = {
        "driver": driver,
        "start": at(places[0]),
        "end": at(places[-1]),
        "vias": [at(place) for place in places[1:-1]],
        "depart_from": first,
        "depart_to": last or first,
        "valid_from": options.get("from", "2026-01-01"),
        "valid_to": options.get("to", "2026-12-31"),
        "seats": int(options.get("seats", 3)),
        "detour_budget_s": minutes_s(options.get("budget", "0min")),
        "door": options.get("door") == "yes",
    }
    if "on" in options:
        values["weekdays"] = options["on"].split(",")
    return parse_offer(values, OfferId(driver))


def minutes_s(text: str) -> int:
    """``5min`` → 300."""
    return round(float(text.removesuffix("min")) * 60)


def instant(text: str) -> dt.datetime:
    """``07:30``, ``2026-03-29 03:30`` or an ISO time with offset; local time is Paris's."""
    at = dt.datetime.fromisoformat(text if "-" in text else f"{DATE} {text}")
    return at if at.tzinfo else at.replace(tzinfo=ZONE)


def endpoint(world: World, text: str | Coordinate) -> Endpoint:
    """``walk 5min > Mairie``, ``Lycée > walk 2min``, ``Mairie``, ``Mairie + 9min`` on, or where."""
    if isinstance(text, Coordinate):
        return Endpoint(text)
    if start := re.fullmatch(r"walk (\S+)min > (\S+)", text):
        return Endpoint(world.at(start[2], float(start[1]) * METRES_PER_MINUTE))
    if end := re.fullmatch(r"(\S+) > walk (\S+)min", text):
        return Endpoint(world.at(end[1], -float(end[2]) * METRES_PER_MINUTE))
    if along := re.fullmatch(r"(\S+) \+ (\S+)min", text):
        east_m = world.place_m[along[1]] + float(along[2]) * METRES_PER_MINUTE
        return Endpoint(_coordinate(round(east_m)))
    return Endpoint(world.at(text))


def answer(
    world: World,
    origin: str | Coordinate,
    destination: str | Coordinate,
    *,
    depart: str = "",
    arrive: str = "",
    between: tuple[str, str] | None = None,
    limits: Limits | None = None,
    criteria: CriteriaTable | CriteriaFrom | None = None,
    **options: Any,
) -> PlanAnswer:
    """
    Ask the planner.

    `depart` and `arrive` ask for that moment alone; `between` for all departures from the first
    to before the second (with ``arrive_by=True``: arrivals). A `window_s` in the options asks as
    the API does: for an interval that is widened until enough is found.
    """
    if between is not None:
        at, end = instant(between[0]), instant(between[1])
        window_s = int((end - at).total_seconds())
        options = {"window_s": window_s, "wanted_count": 0, **options}
        if options.get("arrive_by"):
            options, at = {"backwards": True, **options}, end
    else:
        at = instant(depart or arrive)
        options = {"window_s": 0, "arrive_by": bool(arrive), "backwards": bool(arrive), **options}
    query = PlanQuery(endpoint(world, origin), endpoint(world, destination), at=at, **options)
    return plan_query(
        world.network,
        query,
        flexible=world.flexible,
        rides_on=lambda date: rides_of(RunningDates(world.offers).windows(world.network, date)),
        limits=limits or Limits(),
        criteria=(lambda _: criteria) if isinstance(criteria, CriteriaTable) else criteria,
    )


def plan(
    world: World, origin: str | Coordinate, destination: str | Coordinate, **question: Any
) -> list[str]:
    """Ask the planner and read each itinerary as one line; see `answer` for the question."""
    found = answer(world, origin, destination, **question)
    asked = question.get("depart") or question.get("arrive") or question["between"][0]
    return [told(world, itinerary, instant(asked).date()) for itinerary in found.itineraries]


def told(world: World, itinerary: Itinerary, date: dt.date) -> str:
    """
    ``walk 5min | L1 Mairie 07:30 > Lycée 07:55 | walk 2min  [07:25 > 07:57, 0 transfers]``.

    Times of another day than `date` say so: ``00:10+1``, ``23:50-1``.
    """
    legs = []
    for leg in itinerary.legs:
        if isinstance(leg, StreetLeg):
            legs.append(f"{leg.mode.lower()} {_minutes(leg.end_at - leg.start_at)}")
            continue
        carrier = _line_of(world, leg) if isinstance(leg, TransitLeg) else _driver(world, leg)
        if isinstance(leg, TransitLeg) and leg.stays_aboard:
            carrier = f"aboard {carrier}"
        legs.append(
            f"{carrier} {leg.start.name} {_clock(leg.start_at, date)} > "
            f"{leg.end.name} {_clock(leg.end_at, date)}"
        )
    count = itinerary.vehicle_count - 1
    transfers = "1 transfer" if count == 1 else f"{count} transfers"
    ends = f"{_clock(itinerary.start_at, date)} > {_clock(itinerary.end_at, date)}"
    return f"{' | '.join(legs)}  [{ends}, {transfers}]"


def _line_of(world: World, leg: TransitLeg) -> str:
    t = world.network.timetable
    return t.route_short_name[int(t.pattern_route[t.trip_pattern[leg.trip]])]


def _driver(world: World, leg: RideLeg) -> str:
    return world.offers[leg.offer].driver


def _clock(at: dt.datetime, date: dt.date) -> str:
    local = at.astimezone(ZONE)
    clock = f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
    days = (local.date() - date).days
    return f"{clock}{days:+d}" if days else clock


def _minutes(duration: dt.timedelta) -> str:
    whole, rest = divmod(int(duration.total_seconds()), 60)
    return f"{whole}min{rest}s" if rest else f"{whole}min"


def explained(world: World, *ends: str, **question: Any) -> dict[str, dict[str, Any]]:
    """Explanations of an answer by code."""
    return {e.code: e.values for e in answer(world, *ends, **question).explanations}


def stop_walks(world: World) -> dict[tuple[str, str], int]:
    """Seconds of all walks between stops, by name."""
    walks, names = world.network.ground.walks, world.network.timetable.stop_name
    start = np.repeat(np.arange(len(walks.first) - 1), np.diff(walks.first))
    return {
        (names[a], names[b]): s
        for a, b, s in zip(start.tolist(), walks.to.tolist(), walks.seconds.tolist(), strict=True)
    }
