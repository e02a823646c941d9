"""A generated région: deterministic, searchable from town to town, and without impossible trips."""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from gtfs_data.build import build_timetable
from gtfs_data.checks import Findings, Severity
from gtfs_data.plausible import check_plausible
from gtfs_data.reader import read_feed
from gtfs_data.timetable import Timetable
from mobility.actions.build_territory import build_territory
from mobility.demo.region import Size, build_region
from mobility.territory import read_territory
from routing.network import open_network
from routing.raptor.body_table import no_flexible_trips
from routing.raptor.search import Search, Window, no_rides
from routing.raptor.unroll import Reach
from routing.terrain import Conditions

SMALL = Size("small", "Petite région", stop_count=800, event_count=24_000, feed_count=2)
TUESDAY = dt.date(2026, 11, 24)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_region(tmp_path_factory.mktemp("region"), SMALL).parent


@pytest.fixture(scope="module")
def timetable(folder: Path) -> Timetable:
    territory = read_territory(folder / "territory.yaml").territory
    feeds = [read_feed(folder / feed.path, feed.id) for feed in territory.feeds]
    findings = Findings()
    merged = build_timetable(feeds, findings)
    assert findings.worst() is None
    for feed in feeds:
        check_plausible(feed, build_timetable([feed], Findings()), (), findings)
    assert findings.worst() in {None, Severity.INFO}
    return merged


def test_same_seed_gives_the_same_bytes_and_another_one_others(
    folder: Path, tmp_path: Path
) -> None:
    again = build_region(tmp_path / "again", SMALL).parent
    other = build_region(tmp_path / "other", SMALL, seed=8).parent
    for path in sorted(folder.iterdir()):
        assert (again / path.name).read_bytes() == path.read_bytes()
    assert (other / "villes-01.zip").read_bytes() != (folder / "villes-01.zip").read_bytes()


def test_a_working_day_has_the_stops_and_events_that_were_asked_for(timetable: Timetable) -> None:
    assert timetable.stop_count == pytest.approx(SMALL.stop_count, rel=0.03)
    assert len(timetable.event_arrival_s) == pytest.approx(SMALL.event_count, rel=0.03)


def test_times_ascend_along_every_trip(timetable: Timetable) -> None:
    t = timetable
    assert (t.event_departure_s >= t.event_arrival_s).all()
    trip = np.repeat(np.arange(len(t.trip_service)), np.diff(t.trip_first_event))
    same = trip[1:] == trip[:-1]
    assert (t.event_arrival_s[1:] > t.event_departure_s[:-1])[same].all()


def test_lines_run_both_ways_from_morning_to_midnight(timetable: Timetable) -> None:
    t = timetable
    first_s = t.event_departure_s[t.trip_first_event[:-1]]
    assert first_s.min() >= 5 * 3600
    assert first_s.max() <= 24 * 3600
    ways = {
        (int(t.pattern_stop[a]), int(t.pattern_stop[b - 1]))
        for a, b in zip(t.pattern_first_stop[:-1], t.pattern_first_stop[1:], strict=True)
    }
    assert all((b, a) in ways for a, b in ways)


def test_a_dozen_neighbours_lie_within_a_walk_and_a_journey_leads_to_the_next_town(
    folder: Path,
) -> None:
    built = build_territory(read_territory(folder / "territory.yaml"), folder / "snapshots")
    network = open_network(built.folder)
    walks = network.ground.walks
    assert 8 < len(walks.to) / network.stop_count < 16
    town = [name.split(" – ")[0] for name in network.timetable.stop_name]
    ends = town.index(town[0]), next(i for i, name in enumerate(town) if name != town[0])
    reach = [Reach(np.array([stop], np.int32), np.zeros(1, np.int32)) for stop in ends]
    journeys = Search(
        network=network, terrain=network.terrain(TUESDAY, Conditions(change_s=60)),
        flexible=no_flexible_trips(), rides=no_rides(),
        access=reach[0], egress=reach[1], arrive_by=False, max_vehicles=8, seats=0, direct_s=None,
        carpool_change_s=0, pickup_stop_s=0,
    ).run(Window(7 * 3600, 12 * 3600))  # fmt: skip
    assert journeys
    assert all(len(journey.legs) >= 2 for journey in journeys)


def test_names_need_no_quotes_and_tell_stops_apart(folder: Path) -> None:
    with zipfile.ZipFile(folder / "villes-01.zip") as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("stops.txt").decode())))
    assert len({row["stop_name"] for row in rows}) == len(rows)
    assert all(" – " in row["stop_name"] for row in rows)
