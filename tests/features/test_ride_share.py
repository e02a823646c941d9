"""A MOTIS server asks for rides, on the running demo."""

from __future__ import annotations

import base64
import datetime as dt
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from tests.support.booked import Ask, wait_until
from tests.support.standard_covoiturage import Json, moment

PATH = "/api/whitelistRideShare"
WALK_S, WAIT_S, MINUTE_S = 900, 1_200, 60


@pytest.fixture(scope="module")
def schema() -> Json:
    """The recorded contract."""
    data = Path(os.environ.get("MOBILITY_SHARED_DATA", "../shared/data"))
    file = data.parent / "specs" / "motis" / "rideshare-provider.schema.json"
    if not file.is_file():
        pytest.skip(f"the contract is absent: {file} (set MOBILITY_SHARED_DATA)")
    read: Json = json.loads(file.read_text(encoding="utf-8"))
    return read


def ends_of(offer: Json) -> tuple[Json, Json]:
    start, end = ({"lat": offer[n]["lat"], "lng": offer[n]["lon"]} for n in ("start", "end"))
    return start, end


def request_for(offer: Json, **changes: Any) -> Json:
    """All that can be asked of the drive from one end to the other, between four and six."""
    start, end = ends_of(offer)
    base_ms = moment(dt.date.fromisoformat(offer["date"]), "04:00") * 1000
    times = [base_ms + k * 600_000 for k in range(12)]
    return {
        "start": start, "target": end, "startBusStops": [{**end, "times": times}],
        "targetBusStops": [{**start, "times": times}, {"lat": 46.0, "lng": 0.0, "times": times}],
        "directTimes": times, "startFixed": True, "capacities": {"passengers": 1}, **changes,
    }  # fmt: skip


def asked(api: httpx.Client, content: Json, schema: Json) -> Json:
    """The answer, as the contract has it and of the sizes of the request."""
    Draft202012Validator({**schema["$defs"]["request"], "$defs": schema["$defs"]}).validate(content)
    answer = api.post(PATH, json=content)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    Draft202012Validator({**schema["$defs"]["response"], "$defs": schema["$defs"]}).validate(found)
    for side in ("start", "target"):
        stops = content[f"{side}BusStops"]
        assert [len(times) for times in found[side]] == [len(stop["times"]) for stop in stops]
    assert len(found["direct"]) == len(content["directTimes"])
    return found


def offer_in(event: Json) -> str:
    """Id of the offer of a quote: what is signed can be read by anybody."""
    text = event["tripId"]
    content = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))[16:]
    return str(json.loads(content)[1])


def own(events: list[list[Json]], offer: Json) -> list[tuple[int, Json]]:
    """Events of an offer, with the rows of the times for which they are given."""
    return [(t, e) for t, es in enumerate(events) for e in es if offer_in(e) == offer["id"]]


def test_rides_are_found_to_stops_from_stops_and_all_the_way_and_can_be_booked(
    api: httpx.Client, ask: Ask, drive: Callable[..., Json], schema: Json
) -> None:
    offer = drive(71, seats=2)
    content = request_for(offer)
    wait_until(lambda: bool(own(asked(api, content, schema)["direct"], offer)))
    found = asked(api, content, schema)
    times = content["directTimes"]
    to_stop, from_stop = own(found["start"][0], offer), own(found["target"][0], offer)
    assert to_stop
    assert from_stop
    for t, event in to_stop:
        assert times[t] - WAIT_S * 1000 <= event["dropoffTime"] <= times[t]
    for t, event in from_stop + own(found["direct"], offer):
        assert times[t] <= event["pickupTime"] <= times[t] + WAIT_S * 1000
    # It leaves between five and ten past.
    leaves = [e["pickupTime"] - times[0] for _, e in from_stop + to_stop]
    assert min(leaves) >= (3600 - WALK_S) * 1000
    assert all(e["pickupTime"] < e["dropoffTime"] for _, e in from_stop + to_stop)
    assert not any(es for es in found["target"][1]), "nobody drives in the sea of fields"
    by_arrival = asked(api, {**content, "startFixed": False}, schema)
    for t, event in own(by_arrival["direct"], offer):
        assert event["dropoffTime"] <= times[t]
    assert own(by_arrival["direct"], offer)
    booked = ask("rider", "POST", "/bookings", json={"quotes": [from_stop[0][1]["tripId"]]})
    assert booked.status_code == 201, booked.text
    pickup_at = dt.datetime.fromisoformat(booked.json()[0]["pickup_from"])
    assert 0 <= pickup_at.timestamp() - from_stop[0][1]["pickupTime"] / 1000 < WALK_S + MINUTE_S


def test_seats_that_others_have_taken_are_not_offered(
    api: httpx.Client, ask: Ask, drive: Callable[..., Json], schema: Json
) -> None:
    offer = drive(72, seats=2, acceptance="automatic")
    pair = request_for(offer, capacities={"passengers": 2})
    wait_until(lambda: bool(own(asked(api, pair, schema)["direct"], offer)))
    three = request_for(offer, capacities={"passengers": 3})
    assert not own(asked(api, three, schema)["direct"], offer)
    (_, event), *_ = own(asked(api, request_for(offer), schema)["direct"], offer)
    held = ask("rider", "POST", "/bookings", json={"quotes": [event["tripId"]]})
    assert held.status_code == 201, held.text
    wait_until(lambda: not own(asked(api, pair, schema)["direct"], offer))
    assert own(asked(api, request_for(offer), schema)["direct"], offer), "one seat is left"


def test_whoever_brings_a_wheelchair_or_a_bike_is_promised_nothing(
    api: httpx.Client, drive: Callable[..., Json], schema: Json
) -> None:
    offer = drive(73)
    wait_until(lambda: bool(own(asked(api, request_for(offer), schema)["direct"], offer)))
    for brought in ({"wheelchairs": 1}, {"bikes": 1}, {"passengers": 200}):
        found = asked(api, request_for(offer, capacities=brought), schema)
        assert not any(es for side in found.values() for es in _flat(side))


def test_what_is_too_much_or_makes_no_sense_is_refused(
    api: httpx.Client, drive: Callable[..., Json]
) -> None:
    content = request_for(drive(75))
    stop = content["startBusStops"][0]
    day_ms = 86_400_000
    wrong: list[Json] = [
        {"startBusStops": [stop] * 1_001},
        {"startBusStops": [{**stop, "times": stop["times"] * 1_700}]},
        {"directTimes": [content["directTimes"][0] + k * day_ms for k in range(5)]},
        {"directTimes": [-1]},
        {"directTimes": ["soon"]},
        {"directTimes": [2**60]},
        {"start": {"lat": 91, "lng": 0}},
        {"start": {"lat": 46.5}},
        {"capacities": {"passengers": 0}},
        {"capacities": {"passengers": -1}},
        {"targetBusStops": None},
    ]
    for changes in wrong:
        answer = api.post(PATH, json={**content, **changes})
        assert answer.status_code == 422, (changes.keys(), answer.text[:200])
        assert answer.json()["error"]
    assert api.post(PATH, content=b"{").status_code == 422
    assert api.get(PATH).status_code == 405


def test_nothing_of_a_driver_is_told_but_his_ride(
    api: httpx.Client, drive: Callable[..., Json], schema: Json
) -> None:
    offer = drive(74)
    wait_until(lambda: bool(own(asked(api, request_for(offer), schema)["direct"], offer)))
    for side in asked(api, request_for(offer), schema).values():
        for event in _flat(side):
            assert set(event) == {"pickupTime", "dropoffTime", "tripId"}
            assert event["pickupTime"] % 60_000 == event["dropoffTime"] % 60_000 == 0


def _flat(side: list[Any]) -> list[Json]:
    found: list[Json] = []
    for item in side:
        found += _flat(item) if isinstance(item, list) else [item]
    return found
