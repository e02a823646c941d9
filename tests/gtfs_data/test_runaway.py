"""Feeds whose few bytes stand for more data than fits: they are cut short, and it is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.geo import METRES_PER_DEGREE
from gtfs_data import patterns
from gtfs_data.shapes import PIECE_LIMIT
from routing.street import straight
from tests.gtfs_data.small_feeds import small_timetable

pytestmark = pytest.mark.unit


def test_shape_point_on_the_wrong_continent_costs_no_memory(tmp_path: Path) -> None:
    jumps = "\n".join(f"S,{43.6 if i % 2 else -43.6},3.9,{i}" for i in range(200))
    t, _ = small_timetable(
        tmp_path, shapes=f"shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence\n{jumps}"
    )
    assert len(t.shape_lat) == 199 * PIECE_LIMIT + 1


def test_more_runs_than_a_capital_has_are_left_out_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patterns, "EXPANDED_LIMIT", 100)
    rows = """
        trip_id,start_time,end_time,headway_secs
        T1,06:00:00,09:00:00,600
        T2,06:00:00,08:00:00,60
    """
    t, findings = small_timetable(tmp_path, frequencies=rows)
    # T1 runs 18 times and calls at three stops: 54 stop times. T2 would add 120 runs.
    assert len(t.trip_service) == 18
    assert [(f.rule, f.file) for f in findings if f.rule == "too_many_runs"] == [
        ("too_many_runs", "f/frequencies.txt")
    ]


def test_stops_that_all_lie_in_one_spot_get_fewer_walks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(straight, "WALK_LIMIT", 100)
    far = np.arange(30) * 100 / METRES_PER_DEGREE  # 100 m apart
    start, to, seconds = straight.straight_walks(np.zeros(30), far, 900, 1.3)
    assert 0 < len(start) == len(to) <= 100
    assert seconds.max() < 900
    start, _, _ = straight.straight_walks(np.zeros(30), np.zeros(30), 900, 1.3)
    assert len(start) == 0
