"""What real MOTIS clients send and demand, each trap on its own, against the running demo."""

from __future__ import annotations

import datetime as dt
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mobility.actions.run_demo import RunningServer
from mobility.api import maps, one_to_all, plan, stoptimes, trip
from tests.support.motis import direction_names, motis_document, specs

TIME = "2026-11-24T06:00:00Z"
ENDS = {"fromPlace": "46.460909,1.038042", "toPlace": "46.58883,1.177209"}
HOSPITAL = "46.58883,1.177209"
STATION = "urbain:S002"
BOX = {"min": "46.55,1.20", "max": "46.60,1.15"}
"""As the API has it: the lower right and the upper left corner."""


@pytest.fixture(scope="module")
def api(demo_server: RunningServer) -> Iterator[httpx.Client]:
    """A client of the demo."""
    with httpx.Client(base_url=demo_server.base_url, timeout=30) as client:
        yield client


def read(api: httpx.Client, path: str, **params: Any) -> Any:
    answer = api.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def planned(api: httpx.Client, version: int = 6, **params: Any) -> Any:
    return read(api, f"/api/v{version}/plan", **{**ENDS, "time": TIME, **params})


def board(api: httpx.Client, version: int = 6, **params: Any) -> Any:
    return read(
        api, f"/api/v{version}/stoptimes", **{"stopId": STATION, "time": TIME, "n": 10, **params}
    )


def legs_of(answer: Any) -> list[Any]:
    return [leg for it in answer["itineraries"] + answer["direct"] for leg in it["legs"]]


# Versions


def registered() -> list[str]:
    """Paths that the MOTIS server registers and that this one serves, by its own lists."""
    return [
        *(f"/api/v{v}/plan" for v in range(1, 7)),
        *(f"/api/v{v}/stoptimes" for v in (1, 4, 5, 6)),
        *(f"/api/v{v}/trip" for v in (1, 2, 4, 5, 6)),
        *(f"/api/v{v}/map/stops" for v in (1, 6)),
        *(f"/api/{v}/one-to-all" for v in ("v1", "v6", "experimental")),
        "/api/v1/geocode", "/api/v1/reverse-geocode", "/api/v1/map/initial", "/api/v1/health",
    ]  # fmt: skip


def asked(api: httpx.Client, path: str) -> dict[str, str]:
    """A lawful question to a path."""
    match path.rsplit("/", 1)[1]:
        case "plan":
            return {**ENDS, "time": TIME}
        case "stoptimes":
            return {"stopId": STATION, "time": TIME}
        case "trip":
            return {"tripId": board(api)["stopTimes"][0]["tripId"]}
        case "stops":
            return BOX
        case "one-to-all":
            return {"one": HOSPITAL, "time": TIME, "maxTravelTime": "30"}
        case "geocode":
            return {"text": "gare"}
        case "reverse-geocode":
            return {"place": HOSPITAL}
    return {}


@pytest.mark.parametrize("path", registered())
def test_every_registered_path_answers_get_and_head(api: httpx.Client, path: str) -> None:
    params = asked(api, path)
    got, headed = api.get(path, params=params), api.head(path, params=params)
    assert (got.status_code, headed.status_code) == (200, 200), got.text
    assert headed.content == b""
    assert headed.headers["content-type"] == got.headers["content-type"]
    assert got.json()


def test_routes_are_those_of_the_list() -> None:
    assert list(plan.VERSIONS) == [1, 2, 3, 4, 5, 6]
    assert stoptimes.VERSIONS == (1, 4, 5, 6)
    assert trip.VERSIONS == (1, 2, 4, 5, 6)
    assert maps.STOP_VERSIONS == (1, 6)
    assert one_to_all.VERSIONS == ("v1", "v6", "experimental")


@pytest.mark.parametrize(("version", "decimals"), [(1, 7), (2, 6), (4, 6), (5, 6), (6, 6)])
def test_polylines_have_seven_decimals_in_v1_and_six_from_v2_on(
    api: httpx.Client, version: int, decimals: int
) -> None:
    trip_id = board(api)["stopTimes"][0]["tripId"]
    legs = read(api, f"/api/v{version}/trip", tripId=trip_id)["legs"]
    legs += legs_of(planned(api, version))
    assert {leg["legGeometry"]["precision"] for leg in legs} == {decimals}
    steps = [step for leg in legs for step in leg.get("steps", [])]
    assert {step["polyline"]["precision"] for step in steps} == {decimals}


@pytest.mark.parametrize("version", range(1, 7))
def test_level_is_zero_before_v6_and_left_out_from_then_on(api: httpx.Client, version: int) -> None:
    for leg in legs_of(planned(api, version)):
        assert leg["from"].get("level") == (0 if version < 6 else None)


@pytest.mark.parametrize("version", range(1, 7))
def test_max_transfers_counted_vehicles_before_v3(api: httpx.Client, version: int) -> None:
    none, one = (planned(api, version, maxTransfers=n)["itineraries"] for n in (0, 1))
    if version < 3:
        assert none == []
        assert {it["transfers"] for it in one} == {0}
    else:
        assert {it["transfers"] for it in none} == {0}
        assert {it["transfers"] for it in one} <= {0, 1}


@pytest.mark.parametrize("version", [1, 4, 5])
def test_display_name_came_with_v4(api: httpx.Client, version: int) -> None:
    events, newest = (board(api, v, n=30)["stopTimes"] for v in (version, 6))
    assert [e["tripId"] for e in events] == [e["tripId"] for e in newest] != []
    name = "displayName" if version >= 4 else "routeShortName"
    assert [e[name] for e in events] == [e["displayName"] for e in newest]
    assert all(("displayName" in event) == (version >= 4) for event in events)


# Traps: parameters


def test_lists_come_as_commas_or_as_repeated_keys(api: httpx.Client) -> None:
    commas = planned(api, transitModes="BUS,COACH", directModes="WALK,BIKE")
    repeated = planned(api, transitModes=["BUS", "COACH"], directModes=["WALK", "BIKE"])
    assert commas["itineraries"] == repeated["itineraries"]
    assert commas["direct"] == repeated["direct"]
    assert {leg["mode"] for leg in legs_of(commas)} <= {"WALK", "BUS", "COACH", "BIKE"}
    modes = [board(api, mode=mode, n=30)["stopTimes"] for mode in ("TRAM,BUS", ["TRAM", "BUS"])]
    assert modes[0] == modes[1]
    kinds = [
        read(api, "/api/v1/geocode", text="gare", type=kinds)
        for kinds in ("STOP,ADDRESS", ["STOP", "ADDRESS"])
    ]
    assert kinds[0] == kinds[1] != []


def test_empty_values_are_lawful_and_no_transit_mode_means_no_transit(api: httpx.Client) -> None:
    answer = planned(api, transitModes="", language="", pageCursor="", preTransitModes="")
    assert answer["itineraries"] == []
    assert board(api, mode="", language="", pageCursor="") == board(api)
    assert read(api, "/api/v1/geocode", text="gare", place="", language="", type="")


def test_unknown_parameters_are_ignored(api: httpx.Client) -> None:
    assert board(api, tims="2026-11-24T06:00:00Z") == board(api)
    assert planned(api, brandNew="1")["itineraries"] == planned(api)["itineraries"]


def test_generated_clients_may_send_every_default(api: httpx.Client) -> None:
    parameters = motis_document()["paths"]["/api/v6/plan"]["get"]["parameters"]
    assert len(parameters) > 60
    defaults = {
        p["name"]: p["schema"].get("default") for p in parameters if "default" in p["schema"]
    }
    assert len(defaults) > 25
    sent = {
        name: ",".join(map(str, value)) if isinstance(value, list) else json.dumps(value).strip('"')
        for name, value in defaults.items()
    }
    assert planned(api, **sent)["itineraries"] == planned(api)["itineraries"]


def test_every_parameter_of_the_document_is_accounted_for() -> None:
    parameters = motis_document()["paths"]["/api/v6/plan"]["get"]["parameters"]
    known = plan.HONOURED | plan.IGNORED | set(plan.PLAN_ONLY_DEFAULTS)
    assert {p["name"] for p in parameters} == known
    assert not plan.HONOURED & set(plan.PLAN_ONLY_DEFAULTS)


NOT_HONOURED = {
    "radius": "500",
    "via": STATION,
    "viaMinimumStay": "5",
    "additionalTransferTime": "5",
    "transferTimeFactor": "1.5",
    "pedestrianProfile": "WHEELCHAIR",
    "elevationCosts": "HIGH",
    "requireBikeTransport": "true",
    "slowDirect": "true",
    "fastestDirectFactor": "2",
    "numLegAlternatives": "2",
    "realtimeMode": "OFF",
    "directRentalFormFactors": "BICYCLE",
    "transitModes": "CAR",
    "directModes": "RENTAL",
    "preTransitModes": "BIKE",
    "postTransitModes": "CAR_PARKING",
}


@pytest.mark.parametrize(("name", "value"), NOT_HONOURED.items())
def test_value_that_is_not_honoured_is_refused_by_name(
    api: httpx.Client, name: str, value: str
) -> None:
    answer = api.get("/api/v6/plan", params={**ENDS, name: value})
    assert answer.status_code == 400
    assert name in answer.json()["error"]


@pytest.mark.parametrize(
    ("path", "params", "word"),
    [
        ("/api/v6/plan", {"toPlace": HOSPITAL}, "fromPlace"),
        ("/api/v6/plan", {**ENDS, "maxTransfers": "many"}, "maxTransfers"),
        ("/api/v6/plan", {**ENDS, "time": "yesterday"}, "time"),
        ("/api/v6/plan", {**ENDS, "time": "9999-12-31T23:59:59Z"}, "time"),
        ("/api/v6/plan", {**ENDS, "pageCursor": "LATER|99999999999"}, "pageCursor"),
        ("/api/v6/plan", {**ENDS, "pageCursor": "EARLIER|-99999999999"}, "pageCursor"),
        ("/api/v6/plan", {**ENDS, "fromPlace": "nowhere:1"}, "nowhere:1"),
        ("/api/v6/plan", {**ENDS, "fromPlace": "carpool:nowhere"}, "carpool:nowhere"),
        ("/api/v6/stoptimes", {}, "stopId"),
        ("/api/v6/stoptimes", {"stopId": "nowhere:1"}, "nowhere:1"),
        ("/api/v6/stoptimes", {"center": HOSPITAL}, "radius"),
        ("/api/v6/trip", {}, "tripId"),
        ("/api/v6/map/stops", {"min": "46,1"}, "max"),
        ("/api/v6/map/stops", {"min": "here", "max": "46,1"}, "min"),
        ("/api/v6/one-to-all", {"one": HOSPITAL}, "maxTravelTime"),
        ("/api/v6/one-to-all", {"one": HOSPITAL, "maxTravelTime": "9999"}, "maxTravelTime"),
        ("/api/v1/geocode", {}, "text"),
        ("/api/v1/geocode", {"text": "gare", "type": "PLANET"}, "type"),
        ("/api/v1/reverse-geocode", {"place": "91,0"}, "latitude"),
    ],
)
def test_what_cannot_be_understood_is_said_in_the_shape_of_motis(
    api: httpx.Client, path: str, params: dict[str, str], word: str
) -> None:
    answer = api.get(path, params=params)
    assert answer.status_code == (400 if path.endswith("geocode") else 422)
    assert answer.headers["content-type"] == "application/json"
    assert word in answer.json()["error"]


def test_time_comes_in_utc_with_seconds_or_milliseconds(api: httpx.Client) -> None:
    wanted = planned(api)["itineraries"]
    assert planned(api, time="2026-11-24T06:00:00.000Z")["itineraries"] == wanted
    assert planned(api, time="2026-11-24T07:00:00+01:00")["itineraries"] == wanted
    for itinerary in wanted:
        dt.datetime.strptime(itinerary["startTime"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=dt.UTC)


def test_limits_that_the_server_publishes_cap_a_larger_wish(api: httpx.Client) -> None:
    config = read(api, "/api/v1/map/initial")["serverConfig"]
    most = config["maxPrePostTransitTimeLimit"]
    capped = planned(api, maxPreTransitTime=10 * most, maxDirectTime=10**6)
    wanted = planned(api, maxPreTransitTime=most, maxDirectTime=config["maxDirectTimeLimit"])
    assert capped["itineraries"] == wanted["itineraries"]
    assert capped["direct"] == wanted["direct"] != []


# Traps: answers


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


# Boards


def test_board_goes_on_for_the_window_when_that_is_more(api: httpx.Client) -> None:
    end = "2026-11-24T07:00:00Z"
    hour = board(api, n=1, window=3600)["stopTimes"]
    assert len(hour) > 1
    assert all(event["place"]["departure"] <= end for event in hour)
    after = board(api, n=len(hour) + 1)["stopTimes"]
    assert after[: len(hour)] == hour
    assert after[-1]["place"]["departure"] > end
    assert len(board(api, n=len(hour) + 5, window=3600)["stopTimes"]) == len(hour) + 5


def test_board_shows_the_stops_that_follow_or_went_before(api: httpx.Client) -> None:
    for event in board(api, fetchStops="true")["stopTimes"]:
        times = [event["place"]["departure"], *(s["arrival"] for s in event["nextStops"])]
        assert times == sorted(times)
        assert event["nextStops"][-1]["name"] == event["tripTo"]["name"]
    for event in board(api, fetchStops="true", arriveBy="true")["stopTimes"]:
        assert event["previousStops"][0]["name"] == event["tripFrom"]["name"]
    assert "nextStops" not in board(api)["stopTimes"][0]


def test_board_shows_both_sides_of_a_street_unless_told_otherwise(api: httpx.Client) -> None:
    def sides(stop: str, **more: str) -> set[str]:
        return {e["place"]["stopId"] for e in board(api, stopId=stop, n=60, **more)["stopTimes"]}

    stops = [s for s in read(api, "/api/v6/map/stops", **BOX) if "parentId" not in s]
    boarded = [s for s in stops if sides(s["stopId"], exactRadius="true")]
    pairs = [
        {one["stopId"], other["stopId"]}
        for one, other in itertools.combinations(boarded, 2)
        if one["name"] == other["name"]
    ]
    assert pairs
    for pair in pairs[:5]:
        for stop in pair:
            assert sides(stop) == pair
            assert sides(stop, exactRadius="true") == {stop}


def test_board_of_a_vanished_stop_falls_back_to_its_place(api: httpx.Client) -> None:
    here = board(api, stopId="gone:1", center=HOSPITAL, radius=200)
    assert here["stopTimes"]
    assert here["place"]["lat"] == pytest.approx(46.58883)


def test_every_stop_of_an_answer_can_be_asked_for(api: httpx.Client) -> None:
    legs = legs_of(planned(api))
    places = {leg[end]["stopId"] for leg in legs for end in ("from", "to") if "stopId" in leg[end]}
    assert any(place.startswith("carpool:") for place in places)
    for place in places:
        shown = board(api, stopId=place)
        assert shown["place"]["stopId"] == place
        assert bool(shown["stopTimes"]) != place.startswith("carpool:")
        onward = planned(api, fromPlace=place, detailedLegs="false")
        assert onward["from"]["name"] == shown["place"]["name"]


VALUES = st.one_of(
    st.text(max_size=12),
    st.integers(-5, 2**40).map(str),
    st.sampled_from(
        ("true", "false", "TRANSIT", "BUS,TRAM", "WALK", "CAR", "STOP", "1e9", "-0.0", "nan", ",",
         "90,180", "46.58,1.2", "46.58,1.2,1", STATION, "LATER|1764000000", "EARLIER|0",
         "1970-01-01T00:00:00Z", "2100-12-31T23:59:59-12:00", "2026-03-29T02:30:00")
    ),
)  # fmt: skip
NAMES = [
    *sorted(plan.HONOURED - {"fromPlace", "toPlace", "searchWindow"}),
    "n", "window", "mode", "modes", "radius", "center", "direction", "exactRadius", "fetchStops",
    "type", "numResults", "place", "text", "min", "max", "grouped", "tripId", "stopId",
]  # fmt: skip


@settings(max_examples=400, deadline=None, derandomize=True)
@given(
    path=st.sampled_from(registered()),
    given_values=st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4),
)
def test_whatever_is_sent_is_answered_or_refused_in_words(
    api: httpx.Client, path: str, given_values: dict[str, str]
) -> None:
    lawful = {**ENDS, **BOX, "stopId": STATION, "one": HOSPITAL, "maxTravelTime": "30",
              "place": HOSPITAL, "text": "gare", "time": TIME, "tripId": "x"}  # fmt: skip
    answer = api.get(path, params={**lawful, **given_values})
    assert answer.status_code in {200, 400, 404, 422}, answer.text
    content = answer.json()
    if answer.status_code != 200:
        assert content["error"]


# Maps


def test_box_may_name_any_two_opposite_corners(api: httpx.Client) -> None:
    south_east, north_west = BOX["min"].split(","), BOX["max"].split(",")
    corners = [
        (BOX["min"], BOX["max"]),
        (BOX["max"], BOX["min"]),
        (f"{south_east[0]},{north_west[1]}", f"{north_west[0]},{south_east[1]}"),
        (f"{north_west[0]},{south_east[1]}", f"{south_east[0]},{north_west[1]}"),
    ]
    found = [read(api, "/api/v6/map/stops", min=a, max=b) for a, b in corners]
    assert found[0]
    assert all(stops == found[0] for stops in found)
    for stop in found[0]:
        assert 46.55 <= stop["lat"] <= 46.60
        assert 1.15 <= stop["lon"] <= 1.20


def test_grouped_stops_stand_once_for_all_their_platforms(api: httpx.Client) -> None:
    every = read(api, "/api/v6/map/stops", **BOX)
    grouped = read(api, "/api/v6/map/stops", **BOX, grouped="true")
    assert 0 < len(grouped) < len(every)
    assert {stop["name"] for stop in grouped} == {stop["name"] for stop in every}
    assert all("parentId" not in stop for stop in grouped)


def test_stops_on_the_map_are_those_of_the_modes(api: httpx.Client) -> None:
    every = read(api, "/api/v6/map/stops", **BOX)
    trams = read(api, "/api/v6/map/stops", **BOX, modes="TRAM")
    assert trams == [stop for stop in every if "TRAM" in stop["modes"]]
    assert 0 < len(trams) < len(every)


def test_map_starts_over_the_territory_and_says_whose_data_it_is(api: httpx.Client) -> None:
    answer = api.get("/api/v1/map/initial", headers={"origin": "https://app.example"})
    west, south, east, north = read(api, "/mobility/v1/territory")["bbox"]
    content = answer.json()
    assert south <= content["lat"] <= north
    assert west <= content["lon"] <= east
    # A map of 256 px tiles shows 360 degrees at zoom 0 and half as many at each further one.
    shown = 360 / 2 ** content["zoom"]
    assert shown == pytest.approx(max(east - west, north - south), rel=0.02)
    notices = read(api, "/mobility/v1/territory")["attributions"]
    links = answer.headers.get_list("link")
    assert links == [f'<{n["url"] or "/"}>; rel="license"' for n in notices] != []
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "link" in answer.headers["access-control-expose-headers"].lower()


@pytest.mark.parametrize("path", ["/tiles/22/1/1.mvt", "/glyphs/Noto/0-255.pbf"])
def test_absent_tiles_and_glyphs_do_no_harm(api: httpx.Client, path: str) -> None:
    assert api.get(path).status_code in {204, 404}


def test_any_page_may_ask_from_another_origin(api: httpx.Client) -> None:
    answer = api.options(
        "/api/v6/plan",
        headers={"origin": "https://app.example", "access-control-request-method": "POST"},
    )
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "POST" in answer.headers["access-control-allow-methods"]


# Places by nearness


def test_nearest_stop_street_and_place_come_first(api: httpx.Client) -> None:
    found = read(api, "/api/v1/reverse-geocode", place=HOSPITAL, numResults=10)
    assert found[0]["name"] == "Centre hospitalier Louise-Tessandier"
    assert {match["type"] for match in found} == {"STOP", "ADDRESS", "PLACE"}
    scores = [match["score"] for match in found]
    assert scores == sorted(scores, reverse=True)
    assert all(match["areas"] == found[0]["areas"] for match in found)
    assert found[0]["areas"][0]["name"]


def test_kinds_and_number_of_near_places_are_as_asked(api: httpx.Client) -> None:
    for kind in ("STOP", "ADDRESS", "PLACE"):
        found = read(api, "/api/v1/reverse-geocode", place=HOSPITAL, type=kind, numResults=2)
        assert [match["type"] for match in found] == [kind, kind]
    assert len(read(api, "/api/v1/reverse-geocode", place=HOSPITAL)) == 5
    assert read(api, "/api/v1/reverse-geocode", place="10,10") == []


def test_names_are_searched_inside_the_box_and_by_mode(api: httpx.Client) -> None:
    every = read(api, "/api/v1/geocode", text="gare", numResults=50)
    boxed = read(api, "/api/v1/geocode", text="gare", numResults=50, **BOX)
    assert 0 < len(boxed) < len(every)
    assert all(46.55 <= m["lat"] <= 46.60 and 1.15 <= m["lon"] <= 1.20 for m in boxed)
    trams = read(api, "/api/v1/geocode", text="gare", mode="TRAM", type="STOP")
    assert trams
    assert all("TRAM" in match["modes"] for match in trams)


# One place to all


@pytest.mark.parametrize("arrive_by", ["false", "true"])
def test_reach_is_what_plan_finds(api: httpx.Client, arrive_by: str) -> None:
    limits = {"maxPreTransitTime": "0", "maxPostTransitTime": "0"}
    ends = {"one": STATION, "time": TIME, "arriveBy": arrive_by, "maxTravelTime": "90", **limits}
    found = read(api, "/api/v6/one-to-all", **ends)["all"]
    sample = [p for k in (1, 2, 3) for p in [p for p in found if p["k"] == k][:6]]
    assert {place["k"] for place in sample} >= {1, 2}
    for place in sample:
        pair = [STATION, place["place"]["stopId"]]
        origin, destination = pair[::-1] if arrive_by == "true" else pair
        answer = planned(
            api, fromPlace=origin, toPlace=destination, timetableView="false", arriveBy=arrive_by,
            directModes="", detailedLegs="false", **limits,
        )  # fmt: skip
        times = {
            it["startTime"] if arrive_by == "true" else it["endTime"]: it["transfers"]
            for it in answer["itineraries"]
        }
        reached = place["place"]["departure" if arrive_by == "true" else "arrival"]
        best = max(times, default="") if arrive_by == "true" else min(times, default="9")
        # Plan may not walk on from another stop here, as reach does: it is never better.
        assert (reached >= best) if arrive_by == "true" else (reached <= best)
        if reached == best:
            assert place["k"] <= times[best] + 1


def test_reach_grows_with_time_and_counts_begun_minutes(api: httpx.Client) -> None:
    reached = {}
    for minutes in (10, 30):
        answer = read(api, "/api/v6/one-to-all", one=HOSPITAL, time=TIME, maxTravelTime=minutes)
        for stop in answer["all"]:
            assert 0 <= stop["duration"] <= minutes
            arrival = dt.datetime.fromisoformat(stop["place"]["arrival"])
            seconds = (arrival - dt.datetime.fromisoformat(TIME)).total_seconds()
            assert 60 * (stop["duration"] - 1) < seconds <= 60 * stop["duration"]
        reached[minutes] = {stop["place"]["stopId"] for stop in answer["all"]}
        assert answer["one"]["departure"] == TIME
    assert reached[10] < reached[30]


def test_reach_without_vehicles_is_on_foot(api: httpx.Client) -> None:
    answer = read(
        api, "/api/v6/one-to-all", one=HOSPITAL, time=TIME, maxTravelTime=60, transitModes=""
    )
    assert {stop["k"] for stop in answer["all"]} == {0}
    assert max(stop["duration"] for stop in answer["all"]) <= 15  # the walk before transit


# Methods and paths


@pytest.mark.parametrize("version", range(1, 7))
def test_plan_may_be_posted(api: httpx.Client, version: int) -> None:
    params = {**ENDS, "time": TIME}
    posted = api.post(f"/api/v{version}/plan", params=params, json={})
    assert posted.status_code == 200, posted.text
    assert posted.json()["itineraries"] == planned(api, version)["itineraries"]
    offsets = {"fromOffsets": [{"stopId": STATION, "duration": 60}]}
    refused = api.post(f"/api/v{version}/plan", params=params, json=offsets)
    assert refused.status_code == 400
    assert "fromOffsets" in refused.json()["error"]


@pytest.mark.parametrize("path", registered())
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_wrong_method_is_told_the_right_ones(api: httpx.Client, path: str, method: str) -> None:
    answer = api.request(method, path)
    assert answer.status_code == 405
    allowed = answer.headers["allow"].split(", ")
    assert allowed == (["GET", "HEAD", "POST"] if path.endswith("plan") else ["GET", "HEAD"])
    assert method in answer.json()["error"]


@pytest.mark.parametrize("path", ["/api/v7/plan", "/api/v3/trip", "/api/", "/api/v6/%00"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_unknown_path_is_not_found_in_the_shape_of_motis(
    api: httpx.Client, path: str, method: str
) -> None:
    answer = api.request(method, path)
    assert answer.status_code == 404
    assert answer.json()["error"]


def test_answers_repeat_what_was_asked(api: httpx.Client) -> None:
    assert planned(api)["requestParameters"] == {**ENDS, "time": TIME}


def test_documented_table_names_every_parameter_with_its_fate() -> None:
    page = (Path(__file__).parents[2] / "docs" / "motis-api.md").read_text(encoding="utf-8")
    fates = {
        "honoured": plan.HONOURED,
        "accepted at": plan.PLAN_ONLY_DEFAULTS,
        "ignored": plan.IGNORED,
    }
    for fate, names in fates.items():
        for name in names:
            assert f"| `{name}` | {fate}" in page, name
