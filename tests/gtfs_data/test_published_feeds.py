"""Real and deliberately broken feeds: each is compiled, or refused by an error of ours."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from core.errors import MobilityError
from gtfs_data.build import build_timetable
from gtfs_data.carpool_places import read_carpool_places
from gtfs_data.checks import Findings
from gtfs_data.reader import read_feed

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("MOBILITY_SHARED_DATA", ROOT.parent / "shared" / "data"))
ARCHIVES = sorted([*DATA.glob("broken/**/*.zip"), *DATA.glob("feeds/*.zip")])
LARGE_BYTES = 2_000_000
"""Larger ones are built whole by tests/features/test_every_shape.py."""
REFUSED = frozenset({"gtfs_sans_stops.zip", "gtfs_sans_trips.zip", "missing_stops.zip"})


def need(path: Path) -> Path:
    if not path.exists():
        pytest.skip(f"{path} is absent: set MOBILITY_SHARED_DATA to the folder of published data")
    return path


def test_published_feeds_are_at_hand() -> None:
    need(DATA)
    assert ARCHIVES


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(
            path,
            id="/".join(path.parts[-2:]),
            marks=[pytest.mark.slow] if path.stat().st_size > LARGE_BYTES else [],
        )
        for path in ARCHIVES
    ],
)
def test_published_feed_is_compiled_or_refused(path: Path) -> None:
    try:
        timetable = build_timetable([read_feed(path, "f")], Findings())
    except MobilityError as error:
        assert str(error)  # noqa: PT017 — the message is all that the publisher sees
        return
    assert path.name not in REFUSED
    assert timetable.trip_first_event[-1] == len(timetable.event_arrival_s)
    assert (timetable.event_departure_s >= timetable.event_arrival_s).all()
    assert (np.diff(timetable.trip_first_event) >= 2).all()


def test_national_carpool_places_are_read() -> None:
    places = read_carpool_places(need(DATA / "carpool" / "bnlc_2024-05-16.csv"), Findings())
    assert len(places) > 5000
    assert len({place.id for place in places}) == len(places)
