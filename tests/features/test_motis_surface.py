"""What MOTIS clients send: versions, parameters and methods, each trap on its own, on the demo."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mobility.api import maps, one_to_all, plan, stoptimes, trip
from tests.support.motis import (
    BOX,
    ENDS,
    HOSPITAL,
    STATION,
    TIME,
    board,
    legs_of,
    motis_document,
    planned,
    read,
)

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
    "preTransitModes": "RENTAL",
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


# Whatever comes


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
    *sorted((plan.HONOURED | plan.OWN) - {"fromPlace", "toPlace", "searchWindow"}),
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
