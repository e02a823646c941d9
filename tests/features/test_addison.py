"""Addison County: a rider far from any coach, and a neighbour who drives to the stop."""

from __future__ import annotations

import datetime as dt
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from carpool.compile import compile_offer
from carpool.offers import WEEKDAYS, Offer
from core.geo import Coordinate
from core.ids import OfferId
from gtfs_data.throughs import is_through
from mobility.world import World
from tests.support.territories import TestedTerritory, build_real, shared_data

DATE = dt.date(2016, 10, 12)
FAR_WALK_S = 3600


@pytest.fixture(scope="module")
def county() -> TestedTerritory:
    """Addison without any offer."""
    data = shared_data("addison")
    feeds = {"actr": data / "actr_gtfs.zip"}
    out = Path(tempfile.mkdtemp(prefix="mobility-addison-"))
    snapshot = build_real("addison", "America/New_York", data / "addison.osm.pbf", feeds, out)
    return TestedTerritory(World(snapshot), feeds, DATE)


@pytest.fixture(scope="module")
def morning(county: TestedTerritory) -> dict[str, Any]:
    """
    A coach of the morning, where it starts, where it goes, and a farm hours away on foot.

    The farm is the quiet meeting point whose drive to the coach's first stop is between ten and
    twenty minutes and that is farthest from all stops.
    """
    network = county.network
    t, day = network.timetable, network.day(DATE)[0]
    points = list(network.points.id)
    for pattern in range(len(day.first_stop) - 1):
        if is_through(t, int(day.trip[day.first_trip[pattern]])):
            break
        first, last = (
            int(day.stop[day.first_stop[pattern]]),
            int(day.stop[day.first_stop[pattern + 1] - 1]),
        )
        trips = int(day.first_trip[pattern + 1] - day.first_trip[pattern])
        column = int(day.first_event[pattern])
        departures = day.departure_s[column : column + trips].tolist()
        leaves_s = next((s for s in departures if 7 * 3600 < s < 9 * 3600), 0)
        pickup = f"stop:{t.stop_id[first]}"
        if leaves_s == 0 or pickup not in points or first == last:
            continue
        drive_s = network.ground.drive_s[:, points.index(pickup)].astype(int)
        streets = [
            p
            for p in range(len(points))
            if points[p].startswith("street:") and 600 <= drive_s[p] <= 1200
        ]
        for p in streets:
            farm = Coordinate(float(network.points.lat[p]), float(network.points.lon[p]))
            steps = np.hypot((t.stop_lat - farm.lat) * 111_000, (t.stop_lon - farm.lon) * 80_000)
            if np.nanmin(steps) > 4_000:
                end = Coordinate(float(t.stop_lat[last]), float(t.stop_lon[last]))
                stop = Coordinate(float(t.stop_lat[first]), float(t.stop_lon[first]))
                return {
                    "farm": farm,
                    "stop": stop,
                    "end": end,
                    "leaves_s": leaves_s,
                    "drive_s": int(drive_s[p]),
                }
    pytest.fail("no such place in Addison")


def at(county: TestedTerritory, seconds: int) -> dt.datetime:
    midnight = dt.datetime.combine(DATE, dt.time(), tzinfo=county.zone)
    return midnight + dt.timedelta(seconds=seconds)


def test_without_an_offer_the_answer_is_an_honest_nothing_with_the_next_departure(
    county: TestedTerritory, morning: dict[str, Any]
) -> None:
    leave = at(county, morning["leaves_s"] - 3600)
    answer = county.plan(morning["farm"], morning["end"], leave)
    assert answer["itineraries"] == []
    messages = {m["code"]: m["en"] for m in answer["mobility"]["messages"]}
    assert "Nothing better than walking" in messages["nothing_better_than_walking"]
    reason = messages["no_stop_near_origin"]
    assert "No stop within a 15 min walk" in reason
    assert "Next departure from there: 2016-10-12" in reason


def test_with_a_neighbours_offer_the_rider_takes_the_car_and_then_the_coach(
    county: TestedTerritory, morning: dict[str, Any]
) -> None:
    network = county.network
    leaves_s = morning["leaves_s"] - morning["drive_s"] - 900
    offer = Offer(
        id=OfferId("00000000-0000-0000-0000-000000000001"),
        driver="neighbour",
        start=morning["farm"],
        end=morning["stop"],
        vias=(),
        depart_from_s=leaves_s,
        depart_to_s=leaves_s + 300,
        weekdays=frozenset(WEEKDAYS),
        valid_from=DATE,
        valid_to=DATE,
        seat_count=2,
        detour_budget_s=300,
    )
    world = World(county.world.snapshot, [offer], [compile_offer(network, offer)])
    served = TestedTerritory(world, county.feeds, DATE)
    answer = served.plan(morning["farm"], morning["end"], at(county, leaves_s - 600))
    chains = [[leg["mode"] for leg in it["legs"]] for it in answer["itineraries"]]
    found = [
        it
        for it, modes in zip(answer["itineraries"], chains, strict=True)
        if [m for m in modes if m != "WALK"] == ["RIDE_SHARING", "BUS"]
    ]
    assert found, chains
    # The car leaves when the driver does, and there are five minutes to change.
    ride, coach = (leg for leg in found[0]["legs"] if leg["mode"] != "WALK")
    wait = dt.datetime.fromisoformat(coach["startTime"]) - dt.datetime.fromisoformat(
        ride["endTime"]
    )
    assert wait >= dt.timedelta(minutes=5)
    assert found[0]["mobility"]["price"]["amount_cents"] is not None


def test_territory_without_a_tariff_says_that_prices_are_unknown(
    county: TestedTerritory, morning: dict[str, Any]
) -> None:
    bare = World(replace(county.world.snapshot, tariff=None))
    served = TestedTerritory(bare, county.feeds, DATE)
    leave = at(county, morning["leaves_s"] - 900)
    answer = served.plan(morning["stop"], morning["end"], leave, withFares=True)
    assert answer["itineraries"]
    for itinerary in answer["itineraries"]:
        assert itinerary["mobility"]["price"]["amount_cents"] is None
        assert itinerary["mobility"]["price"]["unknown_reason"] == "no_tariff"
        assert "fareTransfers" not in itinerary
