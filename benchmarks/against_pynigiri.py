"""
The search against nigiri (the engine of MOTIS) in one process: time per query, and answers.

    pip install pynigiri==0.1.5
    python benchmarks/against_pynigiri.py FEED_FOLDER 2024-03-13 QUERIES.csv [--json OUT.json]

`FEED_FOLDER` holds a feed that both read the same way (`benchmarks/alike_feed.py` makes one);
`QUERIES.csv` has columns from_stop, to_stop, departure. Interleaved, shuffled, one thread, best of
five per query; both sides hand out journeys with legs as Python objects.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import json
import resource
import sys
import time
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
import pynigiri as nigiri

from benchmarks.recorded import this_machine
from core.ids import StopId
from gtfs_data.build import build_timetable
from gtfs_data.checks import Findings
from gtfs_data.reader import read_feed
from routing.build import build_network
from routing.network import Network
from routing.raptor.body_table import no_flexible_trips
from routing.raptor.search import Search, Window, no_rides
from routing.raptor.unroll import Reach
from routing.street.rules import Speeds
from routing.terrain import Conditions

REPEATS = 5
MAX_VEHICLES = 8
WINDOW_S = 7_200
LONGEST_MIN = 720
"""Journeys that take longer are left out on both sides."""
UTC = ZoneInfo("Etc/UTC")

Answer = list[tuple[int, int, int]]
"""(departure, arrival, changes) of each journey, in minutes of the day."""


class Ours:
    """This project's search between two stops of the feed."""

    def __init__(self, folder: Path, date: dt.date) -> None:
        archive = folder.with_suffix(".zip")
        if not archive.exists():
            with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
                for table in sorted(folder.glob("*.txt")):
                    out.write(table, table.name)
        timetable = build_timetable([read_feed(archive, "f")], Findings())
        # Nobody walks but as transfers.txt says.
        self.network: Network = build_network(
            timetable, None, zone=UTC, sites=[], speeds=Speeds(foot_mps=1e-6), findings=Findings()
        )
        self.terrain = self.network.terrain(date, Conditions())

    def ends(self, origin: str, destination: str) -> tuple[Reach, Reach]:
        """Walks from the first stop and to the second."""
        ground = self.network.ground
        ways = []
        for stop_id, walks in ((origin, ground.walks), (destination, ground.walks_back)):
            stop = self.network.stop_row[StopId(f"f:{stop_id}")]
            row = slice(int(walks.first[stop]), int(walks.first[stop + 1]))
            node = np.r_[stop, walks.to[row]].astype(np.int32)
            ways.append(Reach(node, np.r_[0, walks.seconds[row]].astype(np.int32)))
        return ways[0], ways[1]

    def ask(self, ends: tuple[Reach, Reach], window: Window) -> list[Any]:
        """Journeys with legs."""
        return Search(
            network=self.network, terrain=self.terrain, flexible=NO_OFFERS, rides=NO_RIDES,
            access=ends[0], egress=ends[1], arrive_by=False, max_vehicles=MAX_VEHICLES, seats=0,
            direct_s=None, carpool_change_s=0, pickup_stop_s=0,
        ).run(window)  # fmt: skip

    @staticmethod
    def told(journeys: Sequence[Any], window: Window) -> Answer:
        """What the journeys are; a single departure leaves when it is asked for."""
        single = window.until_s == window.from_s
        found = (
            (window.from_s if single else j.start_s, j.end_s, len(j.legs) - 1) for j in journeys
        )
        return sorted((s // 60, e // 60, c) for s, e, c in found if e - s <= LONGEST_MIN * 60)


NO_OFFERS = no_flexible_trips()
NO_RIDES = no_rides()


class Nigiri:
    """The rival, asked the same."""

    def __init__(self, folder: Path, date: dt.date) -> None:
        finalize = nigiri.FinalizeOptions()
        finalize.adjust_footpaths = False
        finalize.max_footpath_length = 11  # exclusive
        finalize.merge_dupes_intra_src = finalize.merge_dupes_inter_src = False
        loader = nigiri.LoaderConfig()
        loader.link_stop_distance = 0
        loader.default_tz = "Etc/UTC"
        source = nigiri.TimetableSource("f", f"{folder}/")
        source.loader_config = loader
        day = dt.timedelta(days=1)
        self.timetable = nigiri.load_timetable([source], str(date - day), str(date + day), finalize)
        self.midnight = int(dt.datetime.combine(date, dt.time(), UTC).timestamp()) // 60

    def query(self, origin: str, destination: str, window: Window) -> Any:
        """A query between two stops, walking from and to them."""
        query = nigiri.Query()
        start, end = (self.midnight + s // 60 for s in (window.from_s, window.until_s))
        query.start_time = start if start == end else (start, end)
        for side, stop in (("start", origin), ("destination", destination)):
            setattr(query, side, [nigiri.Offset(self.timetable.find_location(stop), 0, 0)])
        query.start_match_mode = query.dest_match_mode = nigiri.LocationMatchMode.EXACT
        query.use_start_footpaths = True
        query.max_transfers = MAX_VEHICLES - 1
        query.max_travel_time = LONGEST_MIN
        return query

    def told(self, journeys: Sequence[Any]) -> Answer:
        """What the journeys are."""
        return sorted(
            (j.start_time - self.midnight, j.dest_time - self.midnight, j.transfers)
            for j in journeys
        )


def measure(
    ours: Ours, rival: Nigiri, queries: list[dict[str, str]], width_s: int, seed: int
) -> dict[str, Any]:
    """Best of `REPEATS` per query on both sides, and where the answers differ."""
    window = []
    for query in queries:
        at = dt.datetime.fromisoformat(query["departure"])
        at_s = at.hour * 3600 + at.minute * 60
        window.append(Window(at_s, at_s + width_s))
    ends = [ours.ends(q["from_stop"], q["to_stop"]) for q in queries]
    asked = [
        rival.query(q["from_stop"], q["to_stop"], w) for q, w in zip(queries, window, strict=True)
    ]
    best_ms = np.full((2, len(queries)), np.inf)
    answers: list[list[Any]] = [[None] * len(queries), [None] * len(queries)]
    order = np.random.default_rng(seed)
    for _ in range(REPEATS):
        for i in order.permutation(len(queries)).tolist():
            sides: tuple[Callable[[], Any], ...] = (
                lambda i=i: ours.ask(ends[i], window[i]),
                lambda i=i: nigiri.route(rival.timetable, asked[i]),
            )
            for side in order.permutation(2).tolist():
                began = time.perf_counter()
                answers[side][i] = sides[side]()
                took_ms = (time.perf_counter() - began) * 1000
                best_ms[side, i] = min(best_ms[side, i], took_ms)
    compared, different = 0, []
    for i, (egress, access) in enumerate((e[1], e[0]) for e in ends):
        if np.intersect1d(egress.node, access.node).size:
            continue  # one may as well walk: nigiri answers that, and hides slower vehicles
        compared += 1
        mine, theirs = ours.told(answers[0][i], window[i]), rival.told(answers[1][i])
        if mine != theirs:
            different.append({"query": i, "ours": mine, "nigiri": theirs})
    result: dict[str, Any] = {"queries": len(queries), "compared": compared}
    for side, name in enumerate(("ours", "nigiri")):
        p50, p95 = np.percentile(best_ms[side], (50, 95))
        result[name] = {"p50_ms": round(p50, 3), "p95_ms": round(p95, 3)}
    result["ratio"] = {
        p: round(result["ours"][p] / result["nigiri"][p], 3) for p in ("p50_ms", "p95_ms")
    }
    result["different"] = len(different)
    result["first_differences"] = different[:3]
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("folder", type=Path)
    parser.add_argument("date", type=dt.date.fromisoformat)
    parser.add_argument("queries", type=Path)
    parser.add_argument("--ranges", type=int, default=200, help="queries also asked for 2 hours")
    parser.add_argument("--limit", type=int, default=None, help="only so many queries")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    with given.queries.open() as lines:
        queries = list(csv.DictReader(lines))[: given.limit]
    began = time.perf_counter()
    ours = Ours(given.folder, given.date)
    built_s = time.perf_counter() - began
    began = time.perf_counter()
    rival = Nigiri(given.folder, given.date)
    loaded_s = time.perf_counter() - began
    result: dict[str, Any] = {
        "stops": ours.network.stop_count,
        "built_s": round(built_s, 1),
        "nigiri_loaded_s": round(loaded_s, 1),
        "runs": [],
    }
    measure(ours, rival, queries[:20], 0, 0)  # compiles and warms up
    measure(ours, rival, queries[:5], WINDOW_S, 0)
    for seed in range(given.runs):
        pair = measure(ours, rival, queries, 0, seed)
        ranged = measure(ours, rival, queries[: given.ranges], WINDOW_S, seed)
        result["runs"].append({"pair": pair, "range_2h": ranged})
        for name, found in result["runs"][-1].items():
            print(
                f"{name:9} ours {found['ours']}  nigiri {found['nigiri']}  ratio {found['ratio']}"
                f"  different {found['different']} of {found['compared']}",
                flush=True,
            )
            for each in found["first_differences"]:
                print("   ", each)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    result["machine"] = {**this_machine(), "peak_mb": peak_mb}
    if given.json:
        given.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
