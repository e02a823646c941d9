"""
A generated région or country for tests of scale: timetables of many towns, no streets.

Towns are grids of stops, and their sizes fall by a power law. Local lines wind along the rows and
the columns of each grid; coaches and trains run from town to town. The same seed gives the same
bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mobility.demo import names
from mobility.demo.geometry import METRES_PER_DEGREE
from mobility.demo.region_feed import Lines, Rows, Text, numbered, write_feed

CENTRE_LAT, CENTRE_LON = 46.58, 2.4
LAND_M2_PER_STOP = 1.4e6
SPACING_M, JITTER_M = 430.0, 45.0
"""Between stops of a town: a dozen others lie within a walk of 15 minutes."""
STOPS_PER_TOWN = 160
LEVEL_TOWNS = 200
"""Sizes fall as if a town larger than the largest stood before each so many towns."""
LINE_STOPS = 25
"""Of local lines in a town whose rows are shorter: they wind through several."""
TOWNS_PER_HUB = 25
EXPRESS_STOPS = 6
STATION_AWAY_M = 60.0
PLACES_TRIED = 48

LOCAL_KMH = (15.0, 24.0)
LEAST_RIDE_S = 30
LOCAL_TRIPS = (5, 200)
"""A day and direction, at least and at most."""
CALIBRATION_STEPS = 40
BUS_TYPE = 3

Points = npt.NDArray[np.complex128]
Floats = npt.NDArray[np.float64]
Step = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Size:
    """How large a territory to generate."""

    id: str
    name: str
    stop_count: int
    event_count: int
    """Stop events of a working day."""
    feed_count: int
    """Feeds of local lines, from west to east; one more holds the lines between towns."""


REGION = Size("demo-region", "Région de la Loyre", 50_000, 5_000_000, 1)
COUNTRY = Size("demo-pays", "Pays de la Loyre", 400_000, 30_000_000, 12)


@dataclass(frozen=True, slots=True)
class _Kind:
    """Lines between towns: speed along straight lines, so a little less than what is driven."""

    route_type: int
    kmh: float
    dwell_s: int
    trip_count: int


COACH = _Kind(200, 50, 60, 12)
REGIONAL = _Kind(2, 75, 60, 20)
EXPRESS = _Kind(2, 140, 180, 18)


@dataclass(frozen=True, slots=True)
class _Towns:
    """Grids of stops, the largest first."""

    name: npt.NDArray[np.str_]
    columns: Rows
    rows: Rows
    centre: Points
    axis: Points
    """Direction of each town's rows."""

    @property
    def stop_count(self) -> Rows:
        return self.columns * self.rows


def build_region(
    out: Path, size: Size = REGION, *, seed: int = 7, on_step: Step = lambda _: None
) -> Path:
    """Generate a territory of some size into a folder; returns its `territory.yaml`."""
    on_step("towns and lines")
    out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([seed, size.stop_count])
    towns = _build_towns(size, rng)
    place, town = _stops(towns, rng)
    name = _stop_names(towns, town, rng)
    between = _lines_between(towns, rng)
    local = _local_lines(towns, place, size.event_count - between.event_count, rng)
    from_west = np.argsort(towns.centre.real[town], kind="stable")
    feed = np.empty(len(town), np.int64)
    feed[from_west] = np.arange(len(town)) * size.feed_count // len(town)
    feed = feed[(np.cumsum(towns.stop_count) - 1)[town]]  # a town is of one feed
    feeds = [f"villes-{number + 1:02d}" for number in range(size.feed_count)]
    for number, feed_id in enumerate(feeds):
        on_step(f"feed {feed_id}")
        kept = feed == number
        stops = (name[kept], *_lat_lon(place[kept]))
        write_feed(out / f"{feed_id}.zip", f"Bus {number + 1}", local.among(kept), stops)
    feeds.append("liaisons")
    on_step(f"feed {feeds[-1]}")
    stations = np.strings.encode(np.strings.add("Gare de ", towns.name), "utf-8")
    stops = (stations, *_lat_lon(towns.centre + STATION_AWAY_M))
    write_feed(out / "liaisons.zip", "Cars et trains", between, stops)
    return _write_territory(out, size, feeds)


def _write_territory(out: Path, size: Size, feeds: Sequence[str]) -> Path:
    listed = "".join(f"  - {{id: {feed}, path: {feed}.zip}}\n" for feed in feeds)
    text = f"""\
# Territoire généré par Mobility : villes et réseaux fictifs / generated, fictional.
id: {size.id}
name: "{size.name} (territoire généré)"
generated: true
timezone: Europe/Paris
languages: [fr, en]
feeds:
{listed}attributions:
  - text: "Données générées par Mobility, sans rapport avec un lieu réel"
    url: null
"""
    path = out / "territory.yaml"
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


def _build_towns(size: Size, rng: np.random.Generator) -> _Towns:
    count = max(size.stop_count // STOPS_PER_TOWN, 2)
    share = 1 / (np.arange(1, count + 1) + count / LEVEL_TOWNS)
    stops = size.stop_count * share / share.sum()
    columns = np.maximum(np.rint(np.sqrt(stops)), 2).astype(np.int64)
    rows = np.maximum(np.rint(stops / columns), 2).astype(np.int64)
    radius_m = np.hypot(columns, rows) * SPACING_M / 2
    return _Towns(
        name=_town_names(count, rng),
        columns=columns,
        rows=rows,
        centre=_centres(radius_m, np.sqrt(size.stop_count * LAND_M2_PER_STOP), rng),
        axis=np.exp(1j * rng.uniform(0, np.pi / 2, count)),
    )


def _town_names(count: int, rng: np.random.Generator) -> npt.NDArray[np.str_]:
    saints = [f"Saint-{name}" for name in names.PAST_FIRST_NAMES]
    roots = np.array([*names.PAST_SURNAMES, *saints, *names.PLOTS])
    endings = np.array([*names.PLOTS_OF, *names.TOWN_ENDINGS])
    pick = rng.permutation(len(roots) * len(endings))[:count]
    assert len(pick) == count
    first = np.strings.add(roots[pick // len(endings)], "-")
    return np.strings.add(first, endings[pick % len(endings)])


def _centres(radius_m: Floats, side_m: float, rng: np.random.Generator) -> Points:
    """Put each town where it touches no other, or as little as can be."""
    centre = np.zeros(len(radius_m), np.complex128)
    for town in range(1, len(centre)):
        spots = rng.uniform(-side_m / 2, side_m / 2, (PLACES_TRIED, 2)) @ (1, 1j)
        gap_m = np.abs(spots[:, None] - centre[:town]) - radius_m[:town]
        room_m = gap_m.min(axis=1) - radius_m[town]
        free = np.flatnonzero(room_m > SPACING_M)
        centre[town] = spots[free[0] if len(free) else room_m.argmax()]
    return centre


def _stops(towns: _Towns, rng: np.random.Generator) -> tuple[Points, Rows]:
    """Place and town of every stop: town by town, row by row."""
    town, k = numbered(towns.stop_count)
    columns, rows = towns.columns[town], towns.rows[town]
    spot = k % columns - (columns - 1) / 2 + 1j * (k // columns - (rows - 1) / 2)
    off = rng.uniform(-JITTER_M, JITTER_M, (len(k), 2)) @ (1, 1j)
    return towns.centre[town] + towns.axis[town] * (spot * SPACING_M + off), town


def _lat_lon(point: Points) -> tuple[Floats, Floats]:
    """Degrees; metres to the east are true on every latitude."""
    lat = CENTRE_LAT + point.imag / METRES_PER_DEGREE
    return lat, CENTRE_LON + point.real / (METRES_PER_DEGREE * np.cos(np.radians(lat)))


def _stop_names(towns: _Towns, town: Rows, rng: np.random.Generator) -> Text:
    """Town and corner; a town with more stops than there are corners numbers them."""
    streets = [names.stop_name_of_street(s) for s in (*names.PEOPLE, *names.THINGS, *names.NATURE)]
    plots = [f"{plot}-{of}" for plot in names.PLOTS for of in names.PLOTS_OF]
    people = [f"{a} {b}" for a in names.PAST_FIRST_NAMES for b in names.PAST_SURNAMES]
    corners = np.array(list(dict.fromkeys([*names.CORNERS, *streets, *plots, *people])))
    _, k = numbered(towns.stop_count)
    corner = corners[(k + rng.integers(len(corners), size=len(towns.name))[town]) % len(corners)]
    again = k // len(corners) + 1
    number = np.where(again > 1, np.strings.add(" ", again.astype(np.str_)), "")
    whole = np.strings.add(np.strings.add(towns.name, " – ")[town], corner)
    return np.strings.encode(np.strings.add(whole, number), "utf-8")


def _local_lines(towns: _Towns, place: Points, event_count: int, rng: np.random.Generator) -> Lines:
    """Lines along the rows of each town and along its columns, as often as events allow."""
    count = towns.stop_count
    town, k = numbered(count)
    first = np.cumsum(count) - count
    stops, lengths, of_town = [], [], []
    for width, rows in ((towns.columns, True), (towns.rows, False)):
        lane, step = k // width[town], k % width[town]
        step = np.where(lane % 2 == 1, width[town] - 1 - step, step)
        row, column = (lane, step) if rows else (step, lane)
        stops.append(first[town] + row * towns.columns[town] + column)
        line_count = np.where(width >= LINE_STOPS, count // width, -(-count // LINE_STOPS))
        own = np.repeat(np.arange(len(count)), line_count)
        line = (np.cumsum(line_count) - line_count)[town] + k * line_count[town] // count[town]
        lengths.append(np.bincount(line))
        of_town.append(own)
    length = np.concatenate(lengths)
    often = count[np.concatenate(of_town)] ** 0.3 * rng.lognormal(0, 0.4, len(length))
    lines = _timed(
        place,
        np.concatenate(stops),
        length,
        mps=rng.uniform(*LOCAL_KMH, len(length)) / 3.6,
        dwell_s=np.zeros(len(length), np.int64),
    )
    return replace(
        lines,
        trip_count=_calibrated(often, length, event_count),
        phase=rng.random((len(length), 2)),
        route_type=np.full(len(length), BUS_TYPE),
    )


def _calibrated(often: Floats, length: Rows, event_count: int) -> Rows:
    """Trips of each line in proportion, so many that all make the events wanted."""
    low, high = 0.0, float(LOCAL_TRIPS[1])
    for _ in range(CALIBRATION_STEPS):
        middle = (low + high) / 2
        trips = np.rint(often * middle).clip(*LOCAL_TRIPS).astype(np.int64)
        low, high = (middle, high) if (2 * trips * length).sum() < event_count else (low, middle)
    return trips


def _lines_between(towns: _Towns, rng: np.random.Generator) -> Lines:
    """Coaches and trains from small towns to the next hub, expresses from hub to hub."""
    count = len(towns.centre)
    hubs = max(count // TOWNS_PER_HUB, 2)
    larger = np.zeros(count, np.int64)  # the nearest larger town of each
    for town in range(1, count):
        larger[town] = np.abs(towns.centre[:town] - towns.centre[town]).argmin()
    ways = [(_up(larger, town, hubs), (COACH, REGIONAL)[town % 2]) for town in _ends(larger)]
    ways += [(_up(larger, hub, 1), EXPRESS) for hub in _ends(larger[:hubs])]
    ways += [(_wander(towns.centre[:hubs], hub), EXPRESS) for hub in range(hubs)]
    kinds = [kind for _, kind in ways]
    lines = _timed(
        towns.centre,
        np.concatenate([way for way, _ in ways]),
        np.array([len(way) for way, _ in ways]),
        mps=np.array([kind.kmh for kind in kinds]) / 3.6,
        dwell_s=np.array([kind.dwell_s for kind in kinds]),
    )
    return replace(
        lines,
        trip_count=np.array([kind.trip_count for kind in kinds]),
        phase=rng.random((len(kinds), 2)),
        route_type=np.array([kind.route_type for kind in kinds]),
    )


def _ends(larger: Rows) -> Rows:
    """Towns that are no other's next larger one."""
    return np.setdiff1d(np.arange(1, len(larger)), larger[1:])


def _up(larger: Rows, town: int, hubs: int) -> list[int]:
    """Way from a town to the first of the largest ones, by ever larger towns."""
    way = [int(town)]
    while len(way) == 1 or way[-1] >= hubs:
        way.append(int(larger[way[-1]]))
    return way


def _wander(centre: Points, start: int) -> list[int]:
    """Way from a hub on to the nearest that was not passed yet, a few times."""
    way = [start]
    for _ in range(min(EXPRESS_STOPS, len(centre)) - 1):
        away_m = np.abs(centre - centre[way[-1]])
        away_m[way] = np.inf
        way.append(int(away_m.argmin()))
    return way


def _timed(place: Points, stop: Rows, length: Rows, *, mps: Floats, dwell_s: Rows) -> Lines:
    """Lines with their times; how often they run is still to be said."""
    line, k = numbered(length)
    ride_s = np.abs(np.diff(place[stop], prepend=0)) / mps[line]
    ride_s = np.maximum(np.ceil(ride_s), LEAST_RIDE_S).astype(np.int64)
    wait_s = np.where((k > 0) & (k < length[line] - 1), dwell_s[line], 0)
    ride_s[k == 0] = 0
    left_s = np.cumsum(ride_s + wait_s)
    departure_s = left_s - left_s[(np.cumsum(length) - length)[line]]
    none = np.zeros(len(length), np.int64)
    return Lines(
        length, stop, departure_s - wait_s, departure_s, none, np.zeros((len(length), 2)), none
    )
