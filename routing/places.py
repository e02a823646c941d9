"""
Search by name: the one door to tantivy. The index lies inside the snapshot.

The index finds the rows whose words fit; arrays beside it say where they are, and they are weighed
together: how well words fit, what kind of place it is, how near it lies.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tantivy

from core.geo import METRES_PER_DEGREE, Coordinate, distance_m
from gtfs_data.store import Texts, from_arrays, to_arrays
from gtfs_data.timetable import Timetable
from routing.ground import MeetingPoints
from routing.network import MEETING_POINT
from routing.place_words import OTHER_SPELLINGS, PARTICLES, folded_words, same_word
from routing.street.graph import KINDS, Streets
from routing.street.osm import NamedPlace

CANDIDATE_LIMIT = 500
"""Names weighed by nearness: more of one name than this, and the nearest may be missed."""
NEAR_M = 20_000.0
"""Distance at which nearness to the asked place counts half."""
SAME_STOP_M = 400.0
ROAD_KINDS = frozenset(
    KINDS.index(kind)
    for kind in (
        "primary", "secondary", "tertiary", "unclassified", "residential", "living_street",
        "pedestrian", "trunk",
    )
)  # fmt: skip
WEIGHTS = {"city": 1.6, "town": 1.5, "village": 1.3, "suburb": 1.2, "quarter": 1.1}
AREA_LIMIT_M = {"city": 12_000.0, "town": 6_000.0, "village": 3_000.0}
"""How far a settlement's name is put behind the names around it."""
CARPOOL_PLACE = "carpool_place"

Float64 = npt.NDArray[np.float64]


class MatchKind(StrEnum):
    """What a name stands for; the MOTIS API's words."""

    STOP = "STOP"
    PLACE = "PLACE"
    ADDRESS = "ADDRESS"


KIND_ORDER = tuple(MatchKind)


@dataclass(frozen=True, slots=True)
class Match:
    """One answer of a search by name."""

    kind: MatchKind
    name: str
    id: str
    coordinate: Coordinate
    area: str
    score: float


@dataclass(frozen=True, slots=True)
class _Entry:
    kind: MatchKind
    name: str
    id: str
    lat: float
    lon: float
    weight: float


@dataclass(frozen=True, slots=True)
class _Entries:
    """Everything that has a name, a row each; arrays of one length."""

    kind: npt.NDArray[np.uint8]
    """Row of `KIND_ORDER`."""
    lat: Float64
    lon: Float64
    weight: Float64
    name: Texts
    folded: Texts
    """Folded words of the name, a space between them."""
    id: Texts
    area: Texts


def build_places(
    folder: Path,
    timetable: Timetable,
    streets: Streets,
    points: MeetingPoints,
    named: Iterable[NamedPlace],
) -> int:
    """Write the index of stops, streets, carpool and named places; returns how many there are."""
    named = list(named)
    entries = [
        *_stops(timetable),
        *_streets(streets),
        *_carpool_places(points),
        *(
            _Entry(MatchKind.PLACE, p.name, "", p.lat, p.lon, WEIGHTS.get(p.kind, 1.0))
            for p in named
        ),
    ]
    areas = _areas(entries, [p for p in named if p.kind in AREA_LIMIT_M])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    _write_index(folder, entries, areas)
    arrays = _Entries(
        kind=np.array([KIND_ORDER.index(e.kind) for e in entries], np.uint8),
        lat=np.array([e.lat for e in entries]),
        lon=np.array([e.lon for e in entries]),
        weight=np.array([e.weight for e in entries]),
        name=Texts.of([e.name for e in entries]),
        folded=Texts.of([" ".join(folded_words(e.name)) for e in entries]),
        id=Texts.of([e.id for e in entries]),
        area=Texts.of(areas),
    )
    for name, array in to_arrays(arrays, "entries").items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)
    return len(entries)


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("words", tokenizer_name="whitespace")
    builder.add_unsigned_field("row", fast=True)
    return builder.build()


def _write_index(folder: Path, entries: Sequence[_Entry], areas: Sequence[str]) -> None:
    index = tantivy.Index(_schema(), path=str(folder))
    writer = index.writer(heap_size=50_000_000, num_threads=1)
    for row, (entry, area) in enumerate(zip(entries, areas, strict=True)):
        words = folded_words(entry.name)
        others = [other for word in words for other in OTHER_SPELLINGS.get(word, ())]
        around = [] if area == entry.name else folded_words(area)
        document = tantivy.Document()
        document.add_text("words", " ".join([*words, *around, *others]))
        document.add_unsigned("row", row)
        writer.add_document(document)
    writer.commit()
    writer.wait_merging_threads()


def _areas(entries: Sequence[_Entry], settlements: Sequence[NamedPlace]) -> list[str]:
    """Name of the settlement that each entry lies in or by; blank far from any."""
    from scipy.spatial import cKDTree  # noqa: PLC0415 — builds only

    areas = [""] * len(entries)
    nearest = np.full(len(entries), np.inf)
    for rank, limit_m in AREA_LIMIT_M.items():  # the nearest, whatever its rank
        own = [s for s in settlements if s.kind == rank]
        if not own or not entries:
            continue
        metres, which = cKDTree(_flat([(s.lat, s.lon) for s in own], own[0].lat)).query(
            _flat([(e.lat, e.lon) for e in entries], own[0].lat), distance_upper_bound=limit_m
        )
        for row in np.flatnonzero(metres < nearest).tolist():
            areas[row] = own[int(which[row])].name
        nearest = np.minimum(nearest, metres)
    return areas


def _flat(places: Sequence[tuple[float, float]], lat0: float) -> Float64:
    """Metres on a plane that touches the Earth at a latitude; shape (count, 2)."""
    degrees = np.array(places, np.float64)
    return degrees * (METRES_PER_DEGREE, METRES_PER_DEGREE * np.cos(np.radians(lat0)))


def _stops(t: Timetable) -> list[_Entry]:
    """One entry a station, or a name: platforms and both sides of a street are one."""
    calls = np.bincount(t.pattern_stop, minlength=t.stop_count)
    kept: dict[str, list[_Entry]] = {}
    entries = []
    for stop in np.argsort(-calls, kind="stable").tolist():
        parent = int(t.stop_parent[stop])
        row = parent if parent >= 0 else stop
        if calls[stop] == 0 or not t.stop_name[row] or np.isnan(t.stop_lat[row]):
            continue
        place = Coordinate(float(t.stop_lat[row]), float(t.stop_lon[row]))
        same = kept.setdefault(t.stop_name[row], [])
        if any(distance_m(Coordinate(e.lat, e.lon), place) < SAME_STOP_M for e in same):
            continue
        weight = 1.4 + min(float(calls[stop]), 20) / 50
        entry = _Entry(
            MatchKind.STOP, t.stop_name[row], t.stop_id[row], place.lat, place.lon, weight
        )
        same.append(entry)
        entries.append(entry)
    return entries


def _streets(streets: Streets) -> list[_Entry]:
    """One entry a street name and neighbourhood, at the middle of its longest edge there."""
    named = np.flatnonzero((streets.edge_name > 0) & np.isin(streets.edge_kind, list(ROAD_KINDS)))
    best: dict[tuple[int, int, int], tuple[float, float, float]] = {}
    for edge in named.tolist():
        a, b = int(streets.edge_first_point[edge]), int(streets.edge_first_point[edge + 1])
        middle = (a + b) // 2
        lat, lon = float(streets.point_lat[middle]), float(streets.point_lon[middle])
        key = (int(streets.edge_name[edge]), round(lat * 50), round(lon * 50))
        metres = float(streets.edge_m[edge])
        if key not in best or metres > best[key][0]:
            best[key] = (metres, lat, lon)
    return [
        _Entry(MatchKind.ADDRESS, streets.names[name], "", lat, lon, 0.8)
        for (name, _, _), (_, lat, lon) in best.items()
    ]


def _carpool_places(points: MeetingPoints) -> list[_Entry]:
    """Carpool areas of the national base; journeys start or end at their ids as at a stop's."""
    return [
        _Entry(
            MatchKind.PLACE, points.name[row], MEETING_POINT + points.id[row],
            float(points.lat[row]), float(points.lon[row]), 1.2,
        )
        for row in range(len(points.lat))
        if points.kind[row] == CARPOOL_PLACE and points.name[row]
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Box:
    """A part of the map, in degrees."""

    low: Coordinate
    high: Coordinate


class Places:
    """An opened index."""

    def __init__(self, folder: Path) -> None:
        index = tantivy.Index.open(str(folder))
        index.reload()
        self._schema = index.schema
        self._searcher = index.searcher()
        arrays = {path.stem: np.load(path, mmap_mode="r") for path in folder.glob("*.npy")}
        self._entries = from_arrays(_Entries, arrays, "entries")

    @property
    def names(self) -> Texts:
        """Name of every row."""
        return self._entries.name

    def search(
        self,
        text: str,
        *,
        count: int = 10,
        near: Coordinate | None = None,
        kinds: Iterable[MatchKind] = KIND_ORDER,
        box: Box | None = None,
    ) -> list[Match]:
        """Best matches of what was typed so far: accents, case and a typo a word forgiven."""
        words = folded_words(text)
        if not words:
            return []
        hits = self._searcher.search(self._query(words), CANDIDATE_LIMIT).hits
        score = np.array([score for score, _ in hits])
        row = np.array(
            self._searcher.fast_field_values("row", [address for _, address in hits]), np.int64
        )
        kept = self._wanted(row, kinds, box)
        row, score = row[kept], score[kept] * self._fit(row[kept], words)
        if near is not None:
            score /= 1 + self._metres(row, near) / NEAR_M
        best = np.argsort(-score, kind="stable")[:count]
        matches = [self._match(int(row[i]), float(score[i])) for i in best]
        return sorted(matches, key=lambda m: (-m.score, m.name))

    def nearest(
        self, place: Coordinate, kind: MatchKind, *, count: int, within_m: float
    ) -> list[tuple[Match, float]]:
        """Matches of a kind around a place with their distance in metres, nearest first."""
        row = np.flatnonzero(self._entries.kind == KIND_ORDER.index(kind))
        metres = self._metres(row, place)
        order = np.argsort(metres, kind="stable")[:count]
        return [
            (self._match(int(row[i]), 1.0), float(metres[i])) for i in order if metres[i] < within_m
        ]

    def _query(self, words: list[str]) -> tantivy.Query:
        """Every word that weighs must be there, as typed, begun or misspelt by a letter."""
        parts = []
        for i, word in enumerate(words):
            last = i == len(words) - 1
            options = [tantivy.Query.boost_query(self._term(word), 3.0)]
            if last or len(word) > 2:
                prefix = tantivy.Query.regex_query(self._schema, "words", f"{word}.*")
                options.append(tantivy.Query.boost_query(prefix, 1.5))
            if len(word) > 3:
                fuzzy = tantivy.Query.fuzzy_term_query(
                    self._schema, "words", word, distance=1 if len(word) < 8 else 2, prefix=True
                )
                options.append(tantivy.Query.boost_query(fuzzy, 0.5))
            any_of = tantivy.Query.boolean_query(
                [(tantivy.Occur.Should, option) for option in options]
            )
            light = word in PARTICLES and not last
            parts.append((tantivy.Occur.Should if light else tantivy.Occur.Must, any_of))
        return tantivy.Query.boolean_query(parts)

    def _term(self, word: str) -> tantivy.Query:
        return tantivy.Query.term_query(self._schema, "words", word)

    def _wanted(
        self, row: npt.NDArray[np.int64], kinds: Iterable[MatchKind], box: Box | None
    ) -> npt.NDArray[np.bool_]:
        e = self._entries
        kept = np.isin(e.kind[row], [KIND_ORDER.index(kind) for kind in kinds])
        if box is not None:
            kept &= (e.lat[row] >= box.low.lat) & (e.lat[row] <= box.high.lat)
            kept &= (e.lon[row] >= box.low.lon) & (e.lon[row] <= box.high.lon)
        return kept

    def _fit(self, row: npt.NDArray[np.int64], words: list[str]) -> Float64:
        """How well whole names fit what was typed, and what kind of place they are of."""
        fit = self._entries.weight[row].astype(np.float64)
        typed = [word for word in words if word not in PARTICLES] or words
        offset, names = self._entries.folded.offset, self._entries.folded.utf8.data
        bounds = zip(offset[row].tolist(), offset[row + 1].tolist(), strict=True)
        for i, (a, b) in enumerate(bounds):
            own = bytes(names[a:b]).decode().split(" ")
            if own == words:
                fit[i] *= 2
            elif _begins(own, typed):
                fit[i] *= 1.5
            fit[i] /= 1 + 0.03 * len(own)
        return fit

    def _metres(self, row: npt.NDArray[np.int64], place: Coordinate) -> Float64:
        """Distances on a plane that touches the Earth at the place."""
        across = METRES_PER_DEGREE * np.cos(np.radians(place.lat))
        north = (self._entries.lat[row] - place.lat) * METRES_PER_DEGREE
        metres: Float64 = np.hypot(north, (self._entries.lon[row] - place.lon) * across)
        return metres

    def _match(self, row: int, score: float) -> Match:
        e = self._entries
        return Match(
            kind=KIND_ORDER[e.kind[row]],
            name=e.name[row],
            id=e.id[row],
            coordinate=Coordinate(float(e.lat[row]), float(e.lon[row])),
            area=e.area[row],
            score=score,
        )


def _begins(own: list[str], typed: list[str]) -> bool:
    """Say whether a name begins with the typed words, the last one perhaps unfinished."""
    heavy = [word for word in own if word not in PARTICLES] or own
    if len(typed) > len(heavy):
        return False
    *whole, last = zip(heavy, typed, strict=False)
    return all(same_word(a, b) for a, b in whole) and (
        last[0].startswith(last[1]) or same_word(*last)
    )
