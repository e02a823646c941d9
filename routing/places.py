"""Search by name: the one door to tantivy. The index lies inside the snapshot."""

from __future__ import annotations

import shutil
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
import tantivy
from scipy.spatial import cKDTree

from core.geo import Coordinate, distance_m
from gtfs_data.timetable import Timetable
from routing.street.graph import KINDS, Streets
from routing.street.osm import NamedPlace

ANALYZER = "folded"
CANDIDATE_LIMIT = 500
"""Names weighed by nearness: more of one name than this, and the nearest may be missed."""
WORD_LIMIT = 12
LETTER_LIMIT = 40
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
SETTLEMENTS = frozenset({"city", "town", "village"})


class MatchKind(StrEnum):
    """What a name stands for; the MOTIS API's words."""

    STOP = "STOP"
    PLACE = "PLACE"
    ADDRESS = "ADDRESS"


@dataclass(frozen=True, slots=True)
class Match:
    """One answer of a search by name."""

    kind: MatchKind
    name: str
    id: str
    coordinate: Coordinate
    area: str
    score: float


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("words", tokenizer_name=ANALYZER)
    for name in ("name", "kind", "id", "area"):
        builder.add_text_field(name, stored=True, tokenizer_name="raw")
    for name in ("lat", "lon", "weight"):
        builder.add_float_field(name, stored=True)
    return builder.build()


def _register(index: tantivy.Index) -> None:
    folded = (
        tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
        .filter(tantivy.Filter.ascii_fold())
        .filter(tantivy.Filter.lowercase())
        .build()
    )
    index.register_tokenizer(ANALYZER, folded)


@dataclass(frozen=True, slots=True)
class _Entry:
    kind: MatchKind
    name: str
    id: str
    lat: float
    lon: float
    weight: float


def build_places(
    folder: Path, timetable: Timetable, streets: Streets, named: Iterable[NamedPlace]
) -> int:
    """Write the index of stops, streets and named places; returns how many entries it has."""
    named = list(named)
    entries = [
        *_stops(timetable),
        *_streets(streets),
        *(
            _Entry(MatchKind.PLACE, p.name, "", p.lat, p.lon, WEIGHTS.get(p.kind, 1.0))
            for p in named
        ),
    ]
    settlements = [p for p in named if p.kind in SETTLEMENTS]
    tree = cKDTree([(p.lat, p.lon) for p in settlements]) if settlements else None
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    index = tantivy.Index(_schema(), path=str(folder))
    _register(index)
    writer = index.writer(heap_size=50_000_000, num_threads=1)
    for entry in entries:
        area = ""
        if tree is not None:
            area = settlements[int(tree.query((entry.lat, entry.lon))[1])].name
        document = tantivy.Document()
        document.add_text("words", entry.name if area == entry.name else f"{entry.name} {area}")
        for name, text in (
            ("name", entry.name), ("kind", str(entry.kind)), ("id", entry.id), ("area", area),
        ):  # fmt: skip
            document.add_text(name, text)
        for name, number in (("lat", entry.lat), ("lon", entry.lon), ("weight", entry.weight)):
            document.add_float(name, number)
        writer.add_document(document)
    writer.commit()
    writer.wait_merging_threads()
    return len(entries)


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


class Places:
    """An opened index."""

    def __init__(self, folder: Path) -> None:
        index = tantivy.Index.open(str(folder))
        _register(index)
        index.reload()
        self._index = index
        self._searcher = index.searcher()

    def search(self, text: str, *, count: int = 10, near: Coordinate | None = None) -> list[Match]:
        """Best matches of what was typed so far: accents, case and a typo a word forgiven."""
        words = folded_words(text)
        if not words:
            return []
        schema = self._index.schema
        parts = []
        for i, word in enumerate(words):
            options = [tantivy.Query.boost_query(_term(schema, word), 3.0)]
            if i == len(words) - 1 or len(word) > 2:
                prefix = tantivy.Query.regex_query(schema, "words", f"{word}.*")
                options.append(tantivy.Query.boost_query(prefix, 1.5))
            if len(word) > 3:
                fuzzy = tantivy.Query.fuzzy_term_query(
                    schema, "words", word, distance=1 if len(word) < 8 else 2, prefix=True
                )
                options.append(tantivy.Query.boost_query(fuzzy, 0.5))
            any_of = tantivy.Query.boolean_query(
                [(tantivy.Occur.Should, option) for option in options]
            )
            parts.append((tantivy.Occur.Must, any_of))
        hits = self._searcher.search(tantivy.Query.boolean_query(parts), CANDIDATE_LIMIT).hits
        matches = [self._match(address, score, words, near) for score, address in hits]
        return sorted(matches, key=lambda m: (-m.score, m.name))[:count]

    def _match(
        self, address: tantivy.DocAddress, score: float, words: list[str], near: Coordinate | None
    ) -> Match:
        document = self._searcher.doc(address)
        name = document.get_first("name")
        place = Coordinate(document.get_first("lat"), document.get_first("lon"))
        own = folded_words(name)
        score *= document.get_first("weight")
        if own == words:
            score *= 2
        elif own[: len(words)] == words or " ".join(own).startswith(" ".join(words)):
            score *= 1.5
        score /= 1 + 0.03 * len(own)
        if near is not None:
            score /= 1 + distance_m(near, place) / NEAR_M
        return Match(
            kind=MatchKind(document.get_first("kind")),
            name=name,
            id=document.get_first("id"),
            coordinate=place,
            area=document.get_first("area"),
            score=score,
        )


def _term(schema: tantivy.Schema, word: str) -> tantivy.Query:
    return tantivy.Query.term_query(schema, "words", word)


_UNSPLIT = str.maketrans(
    {"œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
)
"""Letters that the index folds and Unicode does not take apart."""


def folded_words(text: str) -> list[str]:
    """Words as the index holds them: no accents, lower case, letters and digits only."""
    plain = unicodedata.normalize("NFKD", text.lower().translate(_UNSPLIT))
    kept = (c if c.isalnum() else " " for c in plain if not unicodedata.combining(c))
    return [word[:LETTER_LIMIT] for word in "".join(kept).split()[:WORD_LIMIT]]
