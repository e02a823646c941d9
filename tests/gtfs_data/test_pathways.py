"""Pathways and levels: what a timetable keeps of the inside of stations, and what it tells."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gtfs_data.enums import PathwayMode
from tests.gtfs_data.small_feeds import small_timetable, told

pytestmark = pytest.mark.unit

STOPS = """
    stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station,wheelchair_boarding,level_id
    S1,Mairie,43.60,3.90,0,,,
    S2,Gare,43.61,3.90,0,G,,QUAI
    S3,Lycée,43.63,3.90,0,,2,
    G,Gare,43.61,3.90,1,,1,
    E,Entrée,43.61,3.90,2,G,,RUE
    N,,,,3,G,,NULLE
"""
LEVELS = """
    level_id,level_index
    RUE,0
    QUAI,-1.5
"""
PATHWAYS = """
    pathway_id,from_stop_id,to_stop_id,pathway_mode,is_bidirectional,length,stair_count,max_slope
    P1,E,N,1,1,20.5,,0.05
    P2,N,S2,2,0,,-24,
"""


def test_pathways_lead_between_rows_of_the_stops(tmp_path: Path) -> None:
    t, findings = small_timetable(tmp_path, stops=STOPS, levels=LEVELS, pathways=PATHWAYS)
    name = list(t.stop_id)
    assert list(t.pathway_id) == ["f:P1", "f:P2"]
    assert [name[row] for row in t.pathway_from] == ["f:E", "f:N"]
    assert [name[row] for row in t.pathway_to] == ["f:N", "f:S2"]
    assert t.pathway_mode.tolist() == [PathwayMode.WALKWAY, PathwayMode.STAIRS]
    assert t.pathway_both_ways.tolist() == [1, 0]
    assert t.pathway_m[0] == 20.5
    assert np.isnan(t.pathway_m[1])
    assert t.pathway_stairs.tolist() == [0, 24]
    assert t.stop_level[[name.index("f:E"), name.index("f:S2")]].tolist() == [0, -1.5]
    assert np.isnan(t.stop_level[name.index("f:N")])
    assert told(findings) == [("unknown_level", "f/stops.txt", 7)]


def test_stop_without_a_word_on_wheelchairs_has_that_of_its_station(tmp_path: Path) -> None:
    t, _ = small_timetable(tmp_path, stops=STOPS, levels=LEVELS)
    said = dict(zip(t.stop_id, t.wheelchair_boarding.tolist(), strict=True))
    assert said == {"f:S1": 0, "f:S2": 1, "f:S3": 2, "f:G": 1, "f:E": 1, "f:N": 0}


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ("P3,E,NOWHERE,1,1,,,", "unknown_stop"),
        ("P3,E,G,1,1,,,", "pathway_at_station"),
        ("P3,E,N,9,1,,,", "unknown_pathway_mode"),
        ("P3,E,N,lift,1,,,", "invalid_value"),
        ("P3,E,,1,1,,,", "missing_value"),
        ("P1,E,N,5,1,,,", "duplicate_id"),
    ],
)
def test_pathway_that_means_nothing_costs_itself_alone(row: str, rule: str, tmp_path: Path) -> None:
    stops = STOPS.replace("NULLE", "QUAI")
    t, findings = small_timetable(
        tmp_path, stops=stops, levels=LEVELS, pathways=f"{PATHWAYS}    {row}\n"
    )
    assert list(t.pathway_id) == ["f:P1", "f:P2"]
    assert told(findings) == [(rule, "f/pathways.txt", 4)]


def test_pathways_without_a_needed_column_cost_the_file(tmp_path: Path) -> None:
    t, findings = small_timetable(tmp_path, pathways="pathway_id,from_stop_id\nP1,S1")
    assert len(t.pathway_id) == 0
    assert told(findings) == [("unreadable_table", "f/pathways.txt", None)]
    assert len(t.trip_id) == 2
