"""
Walks by way of stations, from raw pathways: a networkx graph, searched whole.

One goes from a platform to entrances, from those over the streets (or straight, without a map)
to other entrances or places in the open, or all the way inside. Only pathways that state their
time are understood, as all of Washington's do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import networkx as nx

from tests.oracles.feed_tables import FeedTables

ENTRANCE = "2"
EXIT_GATE = "7"
FAR_S = 1800


class PathwayWalks:
    """Seconds on foot between places, some of which lie inside of stations."""

    def __init__(self, feeds: Sequence[FeedTables], streets: Any) -> None:
        self._streets = streets
        self._inside = nx.DiGraph()
        self._doors: dict[str, list[Any]] = {}
        for feed in feeds:
            for row in feed.pathways:
                self._add(feed.feed_id, row)
            for own, stop in feed.stops.items():
                if stop.get("location_type") == ENTRANCE:
                    place = feed.coordinate(own)
                    self._doors[f"{feed.feed_id}:{own}"] = streets.person(place)
        self._back = self._inside.reverse()

    def _add(self, feed_id: str, row: Mapping[str, str]) -> None:
        ends = [f"{feed_id}:{row[end]}" for end in ("from_stop_id", "to_stop_id")]
        both = row["is_bidirectional"] == "1" and row["pathway_mode"] != EXIT_GATE
        for a, b in (ends, ends[::-1]) if both else (ends,):
            seconds = int(row["traversal_time"])
            known = self._inside.get_edge_data(a, b, {"s": seconds})["s"]
            self._inside.add_edge(a, b, s=min(known, seconds))

    def walks_s(
        self, start: tuple[str, list[Any]], end: tuple[str, list[Any]], limit_s: int
    ) -> set[int]:
        """The least seconds from place to place (id, and where it hangs in the open), or none."""
        found = []
        if start[0] in self._inside and end[0] in self._inside:
            within = _lengths(self._inside, start[0])
            found += [within[end[0]]] if end[0] in within else []
        for out_s, leave in self._open_ends(self._inside, *start):
            for in_s, reach in self._open_ends(self._back, *end):
                over = self._streets.walk_choices_s(leave, reach, limit_s)
                found += [out_s + s + in_s for s in over]
        return {min(found)} if found and min(found) <= limit_s else set()

    def _open_ends(self, graph: nx.DiGraph, id_: str, hung: list[Any]) -> list[tuple[int, Any]]:
        """Where one comes into the open from a place, after how many seconds."""
        if id_ not in graph:
            return [(0, hung)]
        lengths = _lengths(graph, id_)
        return [(s, self._doors[node]) for node, s in lengths.items() if node in self._doors]


def _lengths(graph: nx.DiGraph, start: str) -> dict[str, int]:
    lengths: dict[str, int] = nx.single_source_dijkstra_path_length(
        graph, start, cutoff=FAR_S, weight="s"
    )
    return lengths
