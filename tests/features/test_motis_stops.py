"""What MOTIS clients rely on around stops: boards, map, places near, reach; on the demo."""

from __future__ import annotations

import datetime as dt
import itertools

import httpx
import pytest

from tests.support.motis import BOX, HOSPITAL, STATION, TIME, board, legs_of, planned, read

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
