"""What a rider is told, on worlds small enough to be worked out on paper."""

from __future__ import annotations

import datetime as dt

import pytest

from core.geo import Coordinate
from routing.ends import PlaceUnknown
from routing.planner import plan as plan_query
from routing.query import Endpoint, Limits, PlanQuery
from routing.raptor.search import no_rides
from tests.support.tiny import ZONE, answer, explained, instant, plan, stop_walks, tiny_world

pytestmark = pytest.mark.unit


def test_rider_waits_for_the_next_bus_when_the_first_has_left() -> None:
    world = tiny_world("""
        L1   Mairie  Gare   Lycée
             07:00   07:10  07:25
             07:30   07:40  07:55
    """)
    assert plan(world, "walk 5min > Mairie", "Lycée > walk 2min", depart="07:01") == [
        "walk 5min | L1 Mairie 07:30 > Lycée 07:55 | walk 2min  [07:25 > 07:57, 0 transfers]",
    ]


def test_bus_is_caught_in_the_second_in_which_it_leaves() -> None:
    world = tiny_world("""
        service 2026-03-10..2026-03-10
        L1   Mairie  Gare
             07:00   07:10
    """)
    assert plan(world, "walk 5min > Mairie", "Gare", depart="06:55") == [
        "walk 5min | L1 Mairie 07:00 > Gare 07:10  [06:55 > 07:10, 0 transfers]",
    ]
    assert plan(world, "walk 5min > Mairie", "Gare", depart="06:55:01") == []


def test_walk_of_exactly_the_limit_is_taken_and_one_minute_more_is_not() -> None:
    # Limits are inclusive: 15 minutes mean 900 s, not 899.
    world = tiny_world("""
        service 2026-03-10..2026-03-10
        L1   Mairie  Gare
             07:00   07:10
    """)
    assert plan(world, "walk 15min > Mairie", "Gare", depart="06:40") == [
        "walk 15min | L1 Mairie 07:00 > Gare 07:10  [06:45 > 07:10, 0 transfers]",
    ]
    assert plan(world, "walk 16min > Mairie", "Gare", depart="06:40") == []


def test_slower_way_with_fewer_vehicles_stands_beside_the_faster_one() -> None:
    world = tiny_world("""
        L1   Mairie  Gare
             07:00   07:10
        L2   Gare    Lycée
             07:12   07:20
        L3   Mairie  Lycée
             07:00   07:30
    """)
    assert plan(world, "Mairie", "Lycée", depart="06:55") == [
        "L1 Mairie 07:00 > Gare 07:10 | L2 Gare 07:12 > Lycée 07:20  [07:00 > 07:20, 1 transfer]",
        "L3 Mairie 07:00 > Lycée 07:30  [07:00 > 07:30, 0 transfers]",
    ]


def test_change_that_arrives_no_sooner_is_left_out() -> None:
    world = tiny_world("""
        L1   Mairie  Gare
             07:00   07:10
        L2   Gare    Lycée
             07:12   07:30
        L3   Mairie  Lycée
             07:00   07:30
    """)
    assert plan(world, "Mairie", "Lycée", depart="06:55") == [
        "L3 Mairie 07:00 > Lycée 07:30  [07:00 > 07:30, 0 transfers]",
    ]


def test_change_at_a_stop_takes_a_minute() -> None:
    # L1 arrives at 07:10 and a change takes 60 s: the bus of 07:10 is missed, that of 07:11 not.
    world = tiny_world("""
        L1   Mairie  Gare
             07:00   07:10
        L2   Gare    Lycée
             07:10   07:20
             07:11   07:21
    """)
    assert plan(world, "Mairie", "Lycée", depart="07:00") == [
        "L1 Mairie 07:00 > Gare 07:10 | L2 Gare 07:11 > Lycée 07:21  [07:00 > 07:21, 1 transfer]",
    ]


def test_no_boarding_where_riders_may_only_get_out() -> None:
    world = tiny_world("""
        service 2026-03-10..2026-03-10
        L1   Mairie  Gare    Lycée
             07:00   07:10a  07:25
             07:30b  07:40b  07:55
    """)
    assert plan(world, "Gare", "Lycée", depart="07:00") == [
        "L1 Gare 07:40 > Lycée 07:55  [07:40 > 07:55, 0 transfers]",
    ]
    assert plan(world, "Mairie", "Gare", depart="07:10") == []


def test_rider_walks_between_two_stops() -> None:
    # 07:10, a minute to change, four on foot: ready at Halle at 07:15.
    world = tiny_world("""
        street  Mairie 100min Gare 4min Halle 100min Lycée
        L1   Mairie  Gare
             07:00   07:10
        L2   Halle   Lycée
             07:14   07:20
             07:15   07:21
    """)
    assert stop_walks(world)["Gare", "Halle"] == 240
    assert plan(world, "Mairie", "Lycée", depart="07:00") == [
        (
            "L1 Mairie 07:00 > Gare 07:10 | walk 4min | L2 Halle 07:15 > Lycée 07:21"
            "  [07:00 > 07:21, 1 transfer]"
        ),
    ]


def test_arriving_in_a_vehicle_counts_though_one_could_have_walked_there_sooner() -> None:
    # By L1 and on foot one is at Bourg at 07:21 with one bus, by L2 only at 07:25 with two. But
    # nobody walks on from a walk, and Cure, where L4 leaves, is 20 minutes from Arc.
    world = tiny_world("""
        street  Mairie 100min Arc 10min Bourg 10min Cure 100min Dole 100min Isle
        L1   Mairie  Arc
             07:00   07:10
        L2   Mairie  Isle
             07:00   07:05
        L3   Isle    Bourg
             07:10   07:25
        L4   Cure    Dole
             07:40   07:50
    """)
    assert plan(world, "Mairie", "Dole", depart="07:00") == [
        (
            "L2 Mairie 07:00 > Isle 07:05 | L3 Isle 07:10 > Bourg 07:25 | walk 10min | "
            "L4 Cure 07:40 > Dole 07:50  [07:00 > 07:50, 2 transfers]"
        ),
    ]


def test_night_bus_is_found_after_midnight_and_the_night_before() -> None:
    world = tiny_world("""
        N1   Mairie  Gare
             24:30   24:45
    """)
    told = ["N1 Mairie 00:30 > Gare 00:45  [00:30 > 00:45, 0 transfers]"]
    assert plan(world, "Mairie", "Gare", depart="2026-03-11 00:10") == told
    assert plan(world, "Mairie", "Gare", depart="2026-03-10 23:50") == [
        "N1 Mairie 00:30+1 > Gare 00:45+1  [00:30+1 > 00:45+1, 0 transfers]"
    ]
    assert plan(world, "Mairie", "Gare", arrive="2026-03-11 01:00") == told


def test_night_bus_belongs_to_the_service_day_before() -> None:
    # Only 10 March is served: its bus of 24:30 leaves on the 11th, and none on the 10th.
    world = tiny_world("""
        service 2026-03-10..2026-03-10
        N1   Mairie  Gare
             24:30   24:45
    """)
    leg = answer(world, "Mairie", "Gare", depart="2026-03-11 00:10").itineraries[0].legs[0]
    assert leg.service_date == dt.date(2026, 3, 10)
    assert plan(world, "Mairie", "Gare", depart="2026-03-10 00:10", window_s=3600) == []


def test_arrival_after_midnight_by_a_connection_before_it() -> None:
    world = tiny_world("""
        L1   Mairie  Gare
             23:30   23:50
        L2   Gare    Lycée
             23:58   24:20
    """)
    assert plan(world, "Mairie", "Lycée", depart="2026-03-10 23:00") == [
        (
            "L1 Mairie 23:30 > Gare 23:50 | L2 Gare 23:58 > Lycée 00:20+1"
            "  [23:30 > 00:20+1, 1 transfer]"
        )
    ]
    assert plan(world, "Mairie", "Lycée", arrive="2026-03-11 00:30") == [
        (
            "L1 Mairie 23:30-1 > Gare 23:50-1 | L2 Gare 23:58-1 > Lycée 00:20"
            "  [23:30-1 > 00:20, 1 transfer]"
        )
    ]


def test_arrive_just_after_midnight_by_a_bus_that_arrives_before_it() -> None:
    world = tiny_world("""
        L1   Mairie  Gare
             23:30   23:50
    """)
    assert plan(world, "Mairie", "Gare", arrive="2026-03-11 00:05") == [
        "L1 Mairie 23:30-1 > Gare 23:50-1  [23:30-1 > 23:50-1, 0 transfers]"
    ]


def test_clock_times_hold_on_the_day_on_which_the_clock_is_put_forward() -> None:
    # The service day of 29 March starts at noon minus 12 hours, 23:00 of the 28th (UTC+1):
    # 07:00 is seven o'clock of the new time, 05:00 UTC.
    world = tiny_world("""
        L1   Mairie  Gare
             07:00   07:10
    """)
    found = answer(world, "Mairie", "Gare", depart="2026-03-29 00:30").itineraries[0]
    assert found.start_at == dt.datetime(2026, 3, 29, 5, 0, tzinfo=dt.UTC)
    arriving = answer(world, "Mairie", "Gare", arrive="2026-03-29 07:10").itineraries[0]
    assert arriving.start_at == found.start_at


def test_night_bus_into_the_lost_hour_leaves_an_hour_later_by_the_clock() -> None:
    # 26:30 of the 28th is 02:30 (UTC+1), an hour that is left out: clocks show 03:30.
    world = tiny_world("""
        service 2026-03-28..2026-03-28
        N1   Mairie  Gare
             26:30   26:45
    """)
    assert plan(world, "Mairie", "Gare", depart="2026-03-29 00:30") == [
        "N1 Mairie 03:30 > Gare 03:45  [03:30 > 03:45, 0 transfers]"
    ]


def test_both_half_past_two_of_the_night_on_which_the_clock_is_put_back() -> None:
    # 25 October: 26:30 of the 24th is 02:30 of summer time (00:30 UTC); the service day of the
    # 25th starts at 01:00 of summer time, so that its 02:30 is an hour later (01:30 UTC).
    world = tiny_world("""
        service 2026-10-24..2026-10-24
        N1   Mairie  Gare
             26:30   26:45
        service 2026-10-25..2026-10-25
        N2   Mairie  Gare
             02:30   02:45
    """)
    found = answer(
        world, "Mairie", "Gare", between=("2026-10-25 00:30", "2026-10-25 06:00")
    ).itineraries
    assert [i.start_at.astimezone(dt.UTC).hour for i in found] == [0, 1]
    assert [i.start_at.astimezone(ZONE).strftime("%H:%M") for i in found] == ["02:30", "02:30"]


def test_night_bus_before_the_service_day_starts_on_the_day_of_25_hours() -> None:
    # The service day of 25 October starts at 01:00: quarter past midnight is still the 24th's.
    world = tiny_world("""
        N1   Mairie  Gare
             24:15   24:40
    """)
    assert plan(world, "Mairie", "Gare", depart="2026-10-25 00:05") == [
        "N1 Mairie 00:15 > Gare 00:40  [00:15 > 00:40, 0 transfers]"
    ]


def test_feeds_of_two_zones_meet_in_one_journey() -> None:
    # 07:30 in London is 08:30 in Paris.
    world = tiny_world("""
        street  Mairie 100min Gare 100min Dover
        L1   Mairie  Gare
             08:00   08:20
        feed uk
        zone Europe/London
        F1   Gare    Dover
             07:30   07:50
    """)
    assert plan(world, "Mairie", "Dover", depart="08:00") == [
        "L1 Mairie 08:00 > Gare 08:20 | F1 Gare 08:30 > Dover 08:50  [08:00 > 08:50, 1 transfer]"
    ]


def test_arriving_by_a_time_takes_the_latest_departure() -> None:
    world = tiny_world("""
        L1   Mairie  Gare   Lycée
             07:00   07:10  07:25
             07:30   07:40  07:55
             08:00   08:10  08:25
    """)
    assert plan(world, "walk 5min > Mairie", "Lycée > walk 2min", arrive="08:00") == [
        "walk 5min | L1 Mairie 07:30 > Lycée 07:55 | walk 2min  [07:25 > 07:57, 0 transfers]",
    ]


def test_nobody_arrives_a_second_late() -> None:
    world = tiny_world("""
        service 2026-03-10..2026-03-10
        L1   Mairie  Gare
             09:00   09:10
             09:20   09:30
    """)
    for until, expected in (("09:30", ["09:10", "09:30"]), ("09:29:59", ["09:10"])):
        found = answer(
            world, "Mairie", "Gare", depart=until, window_s=3600, arrive_by=True, backwards=True
        )
        assert [f"{i.end_at.astimezone(ZONE):%H:%M}" for i in found.itineraries] == expected


def test_two_feeds_may_use_the_same_ids() -> None:
    # Stop "Centre", route "L1" and trip "trip1" stand in both.
    world = tiny_world("""
        street  Centre 100min Port 100min south:Centre 100min Plage
        feed north
        L1   Centre  Port
             07:00   07:10
        feed south
        L1   Centre  Plage
             07:00   07:20
    """)
    assert plan(world, "Centre", "Port", depart="06:50") == [
        "L1 Centre 07:00 > Port 07:10  [07:00 > 07:10, 0 transfers]"
    ]
    assert plan(world, "south:Centre", "Plage", depart="06:50") == [
        "L1 Centre 07:00 > Plage 07:20  [07:00 > 07:20, 0 transfers]"
    ]
    assert plan(world, "Centre", "Plage", depart="06:50") == []
    assert world.network.stop_row.keys() == {
        "north:Centre", "north:Port", "south:Centre", "south:Plage"
    }  # fmt: skip


def test_a_journey_slower_than_walking_is_left_out() -> None:
    # Twelve minutes on foot; the bus arrives thirteen minutes after leaving home.
    world = tiny_world("""
        street  Mairie 12min Gare
        L1   Mairie  Gare
             07:10   07:13
             07:30   07:33
    """)
    assert plan(world, "Mairie", "Gare", depart="07:00") == []
    assert [walk.end_at for walk in answer(world, "Mairie", "Gare", depart="07:00").direct] == [
        instant("07:12")
    ]
    assert plan(world, "Mairie", "Gare", depart="07:05") == [
        "L1 Mairie 07:10 > Gare 07:13  [07:10 > 07:13, 0 transfers]"
    ]


def test_expired_feed_is_said_to_be_expired() -> None:
    world = tiny_world("""
        service 2026-01-05..2026-06-30
        L1   Mairie  Gare
             07:00   07:10
    """)
    values = explained(world, "Mairie", "Gare", depart="2027-03-10 06:00")["no_service_on_date"]
    assert values == {
        "date": dt.date(2027, 3, 10),
        "first_date": dt.date(2026, 1, 5),
        "last_date": dt.date(2026, 6, 30),
    }
    within = explained(world, "Mairie", "Gare", depart="2026-06-30 06:00")
    assert "no_service_on_date" not in within


def test_nothing_better_than_walking_says_so_and_names_the_next_departure() -> None:
    # Nord and Sud are ten minutes apart; the nearest stop is 30 minutes south of Sud.
    world = tiny_world("""
        street  Nord 10min Sud 30min Mairie 100min Gare
        L1   Mairie  Gare
             07:00   07:10
             09:00   09:10
    """)
    found = explained(world, "Nord", "Sud", depart="07:30")
    assert found["nothing_better_than_walking"] == {"walk_min": 10, "walk_km": 0.6}
    nearest = found["no_stop_near_origin"]
    assert (nearest["stop"], nearest["walk_min"], nearest["line"]) == ("Mairie", 40, "L1")
    assert nearest["departure_at"] == instant("09:00")
    assert found["no_stop_near_destination"]["walk_min"] == 30


def test_next_departure_is_looked_for_on_the_days_ahead() -> None:
    world = tiny_world("""
        street  Nord 10min Sud 30min Mairie 100min Gare
        L1   Mairie  Gare
             07:00   07:10
    """)
    found = explained(world, "Nord", "Sud", depart="07:30")["no_stop_near_origin"]
    assert found["departure_at"] == instant("2026-03-11 07:00")


def test_place_far_from_any_street_is_said_to_be() -> None:
    world = tiny_world("""
        L1   Mairie  Gare
             07:00   07:10
    """)
    found = explained(world, Coordinate(lat=1.0, lon=1.0), "Gare", depart="07:00")
    assert found.keys() == {"no_street_near_origin", "nothing_found"}


def test_unknown_stop_is_refused() -> None:
    world = tiny_world("""
        L1   Mairie  Gare
             07:00   07:10
    """)
    unknown = Endpoint(world.at("Mairie"), stop_id="tiny:Plage")
    query = PlanQuery(unknown, Endpoint(world.at("Gare")), at=instant("07:00"))
    with pytest.raises(PlaceUnknown, match="tiny:Plage"):
        plan_query(
            world.network, query, flexible=world.flexible, rides_on=lambda _: no_rides(),
            limits=Limits(),
        )  # fmt: skip
