"""Building a network from spoilt timetables: what means nothing is passed over."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gtfs_data.build import build_timetable
from gtfs_data.checks import Findings
from gtfs_data.reader import read_feed
from routing.build import build_network
from routing.street.rules import Speeds
from tests.gtfs_data.small_feeds import zip_feed

pytestmark = pytest.mark.unit

STOPS = """
    stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station
    S1,Mairie,43.60,3.90,0,
    S2,Gare,43.61,3.90,0,
    S3,Lycée,43.63,3.90,0,
    HALL,Hall,,,3,
"""


def test_transfer_to_a_stop_without_a_place_is_passed_over(tmp_path: Path) -> None:
    transfers = """
        from_stop_id,to_stop_id,transfer_type,min_transfer_time
        S1,HALL,0,
        S1,S3,2,120
    """
    path = zip_feed(tmp_path / "f.zip", stops=STOPS, transfers=transfers)
    timetable = build_timetable([read_feed(path, "f")], Findings())
    network = build_network(
        timetable, None, zone=ZoneInfo("Europe/Paris"), sites=[], speeds=Speeds(),
        findings=Findings(),
    )  # fmt: skip
    first, to = network.ground.walks.first, network.ground.walks.to
    one, far, hall = (network.stop_row[f"f:{stop}"] for stop in ("S1", "S3", "HALL"))
    reached = to[first[one] : first[one + 1]].tolist()
    assert far in reached  # 3.3 km: only the transfer leads there
    assert hall not in reached
