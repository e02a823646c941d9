"""Matrices of a small snapshot: however they are spread over workers, and from tables of places."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from distributed import LocalCluster

from core.errors import InvalidInput
from gtfs_data.store import SnapshotInvalid
from mobility.frames import matrix_frame
from mobility.matrices import (
    CELL_LIMIT,
    CHUNK_ORIGINS,
    Matrix,
    SchedulerAway,
    Study,
    answer_chunk,
    compute_matrix,
)
from mobility.place_table import read_place_table
from routing.ends import PlaceUnknown
from routing.network import save_network
from routing.query import Endpoint
from routing.travel_times import TravelQuery
from tests.support.tiny import World, endpoint, instant, tiny_world

TOWN = """
    street   Ferme 100min Mairie 100min Gare 4min Halle
    L1   Mairie  Gare         Lycée
         07:00   07:10        07:25
         07:30   07:40        07:55
"""


@pytest.fixture(scope="module")
def town() -> World:
    """A street with one line."""
    return tiny_world(TOWN)


@pytest.fixture(scope="module")
def snapshot(town: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its snapshot."""
    folder = tmp_path_factory.mktemp("snapshots") / "town"
    save_network(town.network, folder, {"built_at": "2026-03-01", "limits": {}})
    return folder


def places(world: World, count: int) -> list[Endpoint]:
    """Places along the footpaths of the street."""
    names = list(world.place_m)
    return [endpoint(world, f"{names[i % 5]} > walk {i % 7}min") for i in range(count)]


def computed(world: World, snapshot: Path, **how: object) -> Matrix:
    """A matrix of several chunks."""
    query = TravelQuery(instant("06:50"), 20 * 60)
    many = places(world, 2 * CHUNK_ORIGINS + 3)
    return compute_matrix(snapshot, many, places(world, 6), query, **how)  # type: ignore[arg-type]


def same(a: Matrix, b: Matrix) -> bool:
    """Whether two matrices hold the same times."""
    return np.array_equal(a.seconds, b.seconds) and np.array_equal(a.reached_share, b.reached_share)


def test_workers_of_this_machine_find_the_same_as_one(town: World, snapshot: Path) -> None:
    done: list[int] = []
    alone = computed(town, snapshot)
    assert alone.seconds.shape == (3, 19, 6)
    assert same(computed(town, snapshot, workers=2, on_done=done.append), alone)
    assert len(done) == 3
    assert done[-1] == 19


def test_processes_of_a_cluster_map_the_snapshot_and_find_the_same(
    town: World, snapshot: Path
) -> None:
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0"
    ) as cluster:
        spread = computed(town, snapshot, scheduler=cluster.scheduler_address)
    assert same(spread, computed(town, snapshot))


def test_a_scheduler_that_does_not_answer_is_told(
    town: World, snapshot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mobility.matrices.CONNECT_S", 1)
    with pytest.raises(SchedulerAway, match="no dask scheduler answers"):
        computed(town, snapshot, scheduler="tcp://127.0.0.1:9")


def test_a_worker_that_sees_another_snapshot_refuses(town: World, snapshot: Path) -> None:
    query = TravelQuery(instant("06:50"))
    study = Study(snapshot, "2026-02-01", tuple(places(town, 1)), query, (50,))
    with pytest.raises(SnapshotInvalid, match="built at 2026-03-01, not at 2026-02-01"):
        answer_chunk(study, places(town, 1))


def test_unknown_stops_and_matrices_without_end_are_refused(town: World, snapshot: Path) -> None:
    query, (place,) = TravelQuery(instant("06:50")), places(town, 1)
    with pytest.raises(PlaceUnknown, match="tiny:Nowhere"):
        compute_matrix(snapshot, [Endpoint(place.coordinate, "tiny:Nowhere")], [place], query)
    with pytest.raises(InvalidInput, match="pairs are expected"):
        compute_matrix(snapshot, [place] * CELL_LIMIT, [place] * 2, query)


def test_a_table_has_a_row_for_each_pair_and_nothing_where_nothing_is_reached(
    town: World, snapshot: Path
) -> None:
    # Five minutes to Mairie; at 6:55 the bus at 7:00 is caught, at 6:56 only that at 7:30.
    from_ = [Endpoint(endpoint(town, "walk 5min > Mairie").coordinate, name="home")]
    to = [Endpoint(town.at("Lycée"), name="school"), Endpoint(town.at("Ferme"), name="farm")]
    query = TravelQuery(instant("06:55"), 120, most_s=45 * 60)
    frame = matrix_frame(compute_matrix(snapshot, from_, to, query, percentiles=(5, 50, 95)))
    assert frame.equals(
        pl.DataFrame(
            {
                "from": ["home", "home"],
                "to": ["school", "farm"],
                "p05_s": pl.Series([1800, None], dtype=pl.Int32),
                "median_s": pl.Series([1800, None], dtype=pl.Int32),
                "p95_s": pl.Series([None, None], dtype=pl.Int32),
                "reached_share": [0.5, 0.0],
            }
        )
    )


def test_rows_that_are_wrong_are_told_and_left_out(town: World, tmp_path: Path) -> None:
    file = tmp_path / "homes.csv"
    file.write_text(
        "id,lat,lon,stop_id\n"
        "a,0,0.05\n"
        "b,here,0.05\n"
        "c,95,0.05\n"
        "a,0,0.1\n"
        "\n"
        "d,nan,0.05\n"
        "e,,,tiny:Gare\n"
        "f,,,tiny:Nowhere\n"
        "g,10,10\n"
    )
    table = read_place_table(file, town.network)
    assert [place.name for place in table.places] == ["a", "e", "g"]
    assert table.places[1].stop_id == "tiny:Gare"
    assert list(table.problems) == [
        f"{file} row 3: lat is 'here': degrees are expected; left out",
        f"{file} row 4: not a place on Earth: latitude 95.0, longitude 0.05; left out",
        f"{file} row 5: id 'a' stands above already; left out",
        f"{file} row 7: not a place on Earth: latitude nan, longitude 0.05; left out",
        f"{file} row 9: stop_id 'tiny:Nowhere' is none of this territory; left out",
        f"{file} row 10: no street within 250 m; never reached",
    ]


def test_tables_of_french_spreadsheets_are_read(town: World, tmp_path: Path) -> None:
    file = tmp_path / "homes.csv"
    file.write_bytes("\ufeffID;Lat;Lon\r\nMaison;0,0;0,05\r\n".encode())
    (place,) = read_place_table(file, town.network).places
    assert (place.name, place.coordinate.lon) == ("Maison", 0.05)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "columns lat and lon, or stop_id"),
        (b"id,x,y\n1,2,3\n", "columns lat and lon, or stop_id"),
        (b"lat,lon\n", "no row can be used"),
        (b"lat,lon\nx,y\n", "no row can be used.*row 2: lat is 'x'"),
        (b"lat,lon\n\xff\xfe\n", "cannot be read as UTF-8"),
    ],
)
def test_files_that_are_no_table_of_places_are_refused(
    town: World, tmp_path: Path, content: bytes, said: str
) -> None:
    file = tmp_path / "homes.csv"
    file.write_bytes(content)
    with pytest.raises(InvalidInput, match=said):
        read_place_table(file, town.network)
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_place_table(tmp_path / "absent.csv", town.network)
