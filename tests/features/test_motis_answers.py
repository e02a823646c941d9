"""What MOTIS clients rely on in itineraries and trips, each trap on its own, on the demo."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.support.motis import (
    ENDS,
    TIME,
    board,
    direction_names,
    legs_of,
    planned,
    read,
    specs,
)

# Itineraries


def test_both_lists_are_there_even_when_they_are_empty(api: httpx.Client) -> None:
    answer = planned(api, transitModes="", directModes="")
    assert (answer["direct"], answer["itineraries"]) == ([], [])


def test_every_leg_but_walks_has_intermediate_stops(api: httpx.Client) -> None:
    answer = planned(api, directModes="WALK,BIKE,CAR", maxDirectTime=20_000)
    legs = [leg for leg in legs_of(answer) if leg["mode"] != "WALK"]
    assert {"BIKE", "CAR", "RIDE_SHARING"} < {leg["mode"] for leg in legs}
    assert all(isinstance(leg["intermediateStops"], list) for leg in legs)


def test_steps_follow_the_streets_in_directions_that_clients_know(api: httpx.Client) -> None:
    walks = [leg for leg in legs_of(planned(api)) if leg["mode"] == "WALK"]
    assert walks
    for walk in walks:
        steps = walk["steps"]
        assert steps[0]["relativeDirection"] == "DEPART"
        assert {step["relativeDirection"] for step in steps} <= direction_names()
        assert sum(s["distance"] for s in steps) == pytest.approx(walk["distance"], abs=1)
        points = sum(s["polyline"]["length"] - 1 for s in steps) + 1
        assert points == walk["legGeometry"]["length"]
    assert any(step["streetName"] for walk in walks for step in walk["steps"])


def test_legs_and_transfers_without_detail_have_empty_geometry(api: httpx.Client) -> None:
    for leg in legs_of(planned(api, detailedLegs="false")):
        assert leg["legGeometry"]["points"] == ""
        assert "steps" not in leg
    bare = planned(api, detailedTransfers="false", transitModes="TRAM,BUS,COACH")["itineraries"]
    for itinerary in bare:
        ends = itinerary["legs"][0], itinerary["legs"][-1]
        assert all(leg["legGeometry"]["points"] for leg in ends)
        for leg in itinerary["legs"][1:-1]:
            assert bool(leg["legGeometry"]["points"]) == (leg["mode"] != "WALK")


def test_modes_are_those_that_clients_know(api: httpx.Client) -> None:
    contract = json.loads((specs() / "client-contract.json").read_text())
    known = set(contract["clients"]["kpublictransport (KDE Itinerary, KTrip)"]["modes_known"])
    answer = planned(api, directModes="WALK,BIKE,CAR", maxDirectTime=20_000)
    assert {leg["mode"] for leg in legs_of(answer)} <= known
    assert {event["mode"] for event in board(api, radius=2000, n=200)["stopTimes"]} <= known


def test_itinerary_id_is_empty_as_none_can_be_refreshed(api: httpx.Client) -> None:
    assert {it["id"] for it in planned(api)["itineraries"]} == {""}
    answer = api.get("/api/v6/refresh-itinerary", params={"itineraryId": "x"})
    assert answer.status_code == 404
    assert "/api/v6/refresh-itinerary" in answer.json()["error"]


def test_stops_that_nobody_can_use_are_left_out_unless_asked_for(api: httpx.Client) -> None:
    events = board(api, n=200)["stopTimes"]
    assert {event["pickupDropoffType"] for event in events} == {"NORMAL"}
    for event in board(api, n=50, withScheduledSkippedStops="true")["stopTimes"]:
        assert event["pickupDropoffType"] in {"NORMAL", "NOT_ALLOWED"}


# Trips


def test_trip_of_every_leg_of_a_plan_is_one_leg(api: httpx.Client) -> None:
    found = [leg for leg in legs_of(planned(api)) if "tripId" in leg]
    assert {"RIDE_SHARING", "TRAM"} <= {leg["mode"] for leg in found}
    for leg in found:
        itinerary = read(api, "/api/v6/trip", tripId=leg["tripId"])
        (whole,) = itinerary["legs"]
        assert whole["mode"] == leg["mode"]
        assert whole["tripId"] == leg["tripId"]
        assert itinerary["transfers"] == 0


def test_trip_of_a_leg_passes_the_stops_of_the_leg_at_its_times(api: httpx.Client) -> None:
    vehicles = [leg for leg in legs_of(planned(api)) if leg["mode"] in {"TRAM", "BUS", "COACH"}]
    assert vehicles
    for leg in vehicles:
        (whole,) = read(api, "/api/v6/trip", tripId=leg["tripId"])["legs"]
        calls = [whole["from"], *whole["intermediateStops"], whole["to"]]
        departures = {(call["stopId"], call.get("departure")) for call in calls}
        arrivals = {(call["stopId"], call.get("arrival")) for call in calls}
        assert (leg["from"]["stopId"], leg["startTime"]) in departures
        assert (leg["to"]["stopId"], leg["endTime"]) in arrivals
        assert [whole["from"]["name"], whole["to"]["name"]] == [
            leg["tripFrom"]["name"],
            leg["tripTo"]["name"],
        ]


@pytest.mark.parametrize("arrive_by", ["false", "true"])
def test_trip_of_a_board_passes_its_stop_at_its_time(api: httpx.Client, arrive_by: str) -> None:
    name = "arrival" if arrive_by == "true" else "departure"
    for event in board(api, arriveBy=arrive_by)["stopTimes"]:
        (whole,) = read(api, "/api/v6/trip", tripId=event["tripId"])["legs"]
        calls = [whole["from"], *whole["intermediateStops"], whole["to"]]
        found = {(call["stopId"], call.get(name)) for call in calls}
        assert (event["place"]["stopId"], event["place"][name]) in found


@pytest.mark.parametrize(
    "trip_id",
    [
        "nothing",
        "20261124_nothing:1",
        "20261399_urbain:T-1-LV-010",
        "19990101_urbain:T-1-LV-010",
        "00010101_urbain:T-1-LV-010",
        "99991231_carpool:nobody",
        "20261124_carpool:nobody",
    ],
)
def test_unknown_trip_is_not_found(api: httpx.Client, trip_id: str) -> None:
    answer = api.get("/api/v6/trip", params={"tripId": trip_id})
    assert answer.status_code == 404
    assert answer.json()["error"]


def test_ride_does_not_tell_where_the_driver_starts_or_ends(api: httpx.Client) -> None:
    ride = next(leg for leg in legs_of(planned(api)) if leg["mode"] == "RIDE_SHARING")
    (whole,) = read(api, "/api/v6/trip", tripId=ride["tripId"])["legs"]
    for end in ("from", "to"):
        assert whole[end]["stopId"].startswith("carpool:")


def test_links_of_a_ride_lead_back_here_from_any_app(api: httpx.Client) -> None:
    ride = next(leg for leg in legs_of(planned(api)) if leg["mode"] == "RIDE_SHARING")
    offer, date = ride["mobility"]["offer_id"], ride["mobility"]["date"]
    page = f"{str(api.base_url).rstrip('/')}/?offer={offer}&date={date}"
    assert ride["routeUrl"] == ride["ticketUrls"]["web"] == page
    assert (ride["routeType"], ride["source"]) == (1551, "carpool")
    elsewhere = api.get(
        "/api/v6/plan", params={**ENDS, "time": TIME}, headers={"host": "go.example"}
    ).json()
    there = next(leg for leg in legs_of(elsewhere) if leg["mode"] == "RIDE_SHARING")
    assert there["routeUrl"].startswith("http://go.example/?offer=")
