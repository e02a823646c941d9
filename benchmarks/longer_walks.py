"""
What longer walks would bring on Porto, between vehicles and at both ends, and what they cost.

    python benchmarks/longer_walks.py [--home FOLDER]

Writes benchmarks/results/longer_walks.json. Walks between vehicles of up to 15 minutes, as
snapshots have them, against 30, 45 and 60, with walks at both ends of up to 15 and of up to 60.
600 seeded pairs of places, five moments of a Tuesday and two of a Sunday, and two hours of the
Tuesday. Where one is sooner on foot all the way, one walks. Times are the search alone, without
rides, one thread, by turns, of the processor. `FOLDER` is built where it is not there yet.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.recorded import build_porto, record
from core.geo import Coordinate
from mobility.snapshots import current_snapshot
from mobility.world import open_snapshot
from routing import walks
from routing.bounds import build_bounds
from routing.ends import reach_on_foot
from routing.network import Network
from routing.raptor.body_table import no_flexible_trips
from routing.raptor.search import Search, Window, no_rides
from routing.raptor.unroll import RawJourney, Reach
from routing.terrain import Conditions
from tests.support.territories import random_places

PAIRS = 600
BETWEEN_MIN, ENDS_MIN = (15, 30, 45, 60), (15, 60)
"""The first of each is what a search takes today."""
MATCHING_M = 250
DIRECT_S = 4 * 3600
"""On foot all the way across the city."""
TUESDAY, SUNDAY = dt.date(2025, 10, 14), dt.date(2025, 10, 19)
MOMENTS = (
    *((TUESDAY, hour * 3600) for hour in (6, 8, 13, 18, 22)),
    *((SUNDAY, hour * 3600) for hour in (10, 21)),
)
HOURS = ((TUESDAY, 8 * 3600), (TUESDAY, 22 * 3600))
NO_OFFERS, NO_RIDES = no_flexible_trips(), no_rides()


class Question(NamedTuple):
    """Walks to the first stop and from the last one, and on foot all the way."""

    access: Reach
    egress: Reach
    direct_s: int


class Best(NamedTuple):
    """The earliest arrival, and of these the one with the least walk."""

    end_s: int
    on_foot_s: int


def with_walks(network: Network, limit_min: int) -> tuple[Network, dict[str, Any]]:
    """The same territory with walks between stops of up to so many minutes."""
    stops, ground, walking = network.stop_count, network.ground, network.walking("foot")
    standing = walks.standing_at(
        ground.stop_node, network.streets, ground.stations.open_node, straight=False
    )
    began = time.perf_counter()
    walks.FOOT_LIMIT_S = limit_min * 60
    links = walks.find_walks(
        standing, walking.arcs, walking.links_s[:stops], walking.mps,
        np.arange(stops, dtype=np.int32),
    )  # fmt: skip
    there, back, _, _ = walks.walk_tables(
        links, network.timetable, network.node_count, on_foot=True
    )
    walks_s = time.perf_counter() - began
    made = Network(
        zone=network.zone, timetable=network.timetable, streets=network.streets,
        grid=network.grid, points=network.points,
        ground=replace(ground, walks=there, walks_back=back),
        bounds=build_bounds(network.timetable, there, back), speeds=network.speeds,
    )  # fmt: skip
    built_s = time.perf_counter() - began
    return made, {
        "walks": len(there.to),
        "walks_build_s": round(walks_s, 1),
        "bounds_build_s": round(built_s - walks_s, 1),
    }


def make_questions(network: Network, places: list[Coordinate], limit_min: int) -> list[Question]:
    """Pairs of places from which one can walk all the way, with walks at both ends."""
    made = []
    for pair in zip(places[::2], places[1::2], strict=True):
        start, end = (network.find_snapped("foot", place, MATCHING_M) for place in pair)
        route = start and end and network.find_route("foot", start, end, DIRECT_S)
        if not route:
            continue
        access, egress = (
            reach_on_foot(network, at, [], limit_min * 60, carpool=False, towards=at is end)
            for at in (start, end)
        )
        made.append(Question(access, egress, route.seconds))
    return made


def ask(network: Network, question: Question, date: dt.date, window: Window) -> list[RawJourney]:
    """Journeys that are best by departure, arrival and number of vehicles."""
    return Search(
        network=network, terrain=network.terrain(date, Conditions(change_s=60)),
        flexible=NO_OFFERS, rides=NO_RIDES, access=question.access, egress=question.egress,
        arrive_by=False, max_vehicles=8, seats=0, direct_s=question.direct_s,
        carpool_change_s=0, pickup_stop_s=0,
    ).run(window)  # fmt: skip


def ask_all(
    networks: list[Network],
    questions: list[Question],
    moments: tuple[tuple[dt.date, int], ...],
    width_s: int,
) -> tuple[list[list[list[RawJourney]]], npt.NDArray[np.float64]]:
    """Answers by network, and the milliseconds of the processor for each."""
    asked = [(date, at_s, question) for date, at_s in moments for question in questions]
    answers: list[list[list[RawJourney]]] = [[] for _ in networks]
    took_ms = np.empty((len(networks), len(asked)))
    for row, (date, at_s, question) in enumerate(asked):
        for i, network in enumerate(networks):
            began = time.thread_time()
            answers[i].append(ask(network, question, date, Window(at_s, at_s + width_s)))
            took_ms[i, row] = (time.thread_time() - began) * 1000
    return answers, took_ms


def best_of(question: Question, at_s: int, journeys: list[RawJourney]) -> Best:
    """By public transport, or on foot all the way."""
    by_transit = [Best(j.end_s, j.access_s + sum(j.walk_s) + j.egress_s) for j in journeys]
    return min([Best(at_s + question.direct_s, question.direct_s), *by_transit])


def gains(before: list[Best], after: list[Best]) -> dict[str, Any]:
    """How many arrive sooner, by how much, and how much longer they walk for it."""
    sooner_s = np.array([a.end_s - b.end_s for a, b in zip(before, after, strict=True)])
    walked_s = np.array([b.on_foot_s - a.on_foot_s for a, b in zip(before, after, strict=True)])
    assert (sooner_s >= 0).all(), "longer walks made somebody late"
    return {
        "sooner_percent": percent(sooner_s > 0),
        "over_1_min_percent": percent(sooner_s > 60),
        "over_5_min_percent": percent(sooner_s > 300),
        "sooner_s": percentiles(sooner_s[sooner_s > 0]),
        "longer_on_foot_s": percentiles(walked_s[sooner_s > 0]),
    }


def changes(before: list[list[RawJourney]], after: list[list[RawJourney]]) -> dict[str, Any]:
    """How many answers of an hour differ in a departure, an arrival or a number of vehicles."""
    old, new = (
        [{(j.start_s, j.end_s, j.vehicle_count) for j in journeys} for journeys in side]
        for side in (before, after)
    )
    pairs = list(zip(old, new, strict=True))
    return {
        "answers_changed_percent": percent(np.array([a != b for a, b in pairs])),
        "journeys": sum(map(len, old)),
        "journeys_gone": sum(len(a - b) for a, b in pairs),
        "journeys_new": sum(len(b - a) for a, b in pairs),
    }


def percent(which: npt.NDArray[np.bool_]) -> float:
    """Share of those for which it holds."""
    return round(100 * float(which.mean()), 2)


def percentiles(values: npt.NDArray[Any]) -> dict[str, float]:
    """Median and 95th; nothing of nothing."""
    if len(values) == 0:
        return {}
    middle, high = np.percentile(values, [50, 95])
    return {"p50": round(float(middle), 2), "p95": round(float(high), 2)}


def main() -> None:
    """Measure, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--home", type=Path)
    home = parser.parse_args().home or Path(tempfile.mkdtemp(prefix="mobility-bench-"))
    built = home / "snapshots"
    porto = open_snapshot(current_snapshot(built)) if built.is_dir() else build_porto(home)
    network = porto.network
    result: dict[str, Any] = {"stops": network.stop_count, "between": {}}
    networks = []
    for limit_min in BETWEEN_MIN:
        made, result["between"][f"{limit_min} min"] = with_walks(network, limit_min)
        networks.append(made)
    places = random_places(network, 2 * PAIRS, seed=5)
    usual: list[Best] = []
    for ends_min in ENDS_MIN:
        questions = make_questions(network, places, ends_min)
        answers, moment_ms = ask_all(networks, questions, MOMENTS, 0)
        ranges, hour_ms = ask_all(networks, questions, HOURS, 3600)
        asked = [(question, at_s) for _, at_s in MOMENTS for question in questions]
        best = [
            [best_of(*question, found) for question, found in zip(asked, own, strict=True)]
            for own in answers
        ]
        usual = usual or best[0]
        told = result[f"ends {ends_min} min"] = {"questions": len(asked)}
        for i, between_min in enumerate(BETWEEN_MIN):
            own = told[f"between {between_min} min"] = {
                "moment_ms": percentiles(moment_ms[i]),
                "hour_ms": percentiles(hour_ms[i]),
            }
            if i > 0:
                own |= gains(best[0], best[i]) | changes(ranges[0], ranges[i])
            elif best[0] is not usual:
                own["against the usual ends"] = gains(usual, best[0])
    record("longer_walks", result)


if __name__ == "__main__":
    main()
