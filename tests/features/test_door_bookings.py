"""Drivers who come to the door, on the running demo: who books it, and who learns where it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from core.geo import Coordinate, distance_m
from routing.network import Network
from routing.polyline import decode_polyline
from tests.support.booked import Ask, book, found, leg_of, told, wait_until
from tests.support.bookings import Booth

Drive = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def network(booth: Booth) -> Network:
    return booth.desk.snapshot.network


def door_on_the_way(network: Network, leg: dict[str, Any]) -> Coordinate:
    """A spot on the street, half way, where a car may stop and no meeting point is near."""
    points = network.points
    drawn = leg["legGeometry"]
    corners = decode_polyline(drawn["points"], drawn["precision"], limit=drawn["length"])
    nearest = sorted(range(len(corners)), key=lambda row: abs(row - len(corners) // 2))
    for place in (Coordinate(*corners[row]) for row in nearest):
        door = network.find_door(place)
        known = (
            Coordinate(float(a), float(b)) for a, b in zip(points.lat, points.lon, strict=True)
        )
        if (
            door is not None
            and distance_m(door.at.coordinate, place) < 2
            and min(distance_m(place, other) for other in known) > 100
        ):
            return place
    raise AssertionError("no street without a meeting point on the way of this offer")


def from_door(place: Coordinate) -> dict[str, str]:
    return {"fromPlace": f"{place.lat},{place.lon}"}


def at(place: Coordinate) -> dict[str, float]:
    return {"lat": pytest.approx(place.lat, abs=1e-5), "lon": pytest.approx(place.lon, abs=1e-5)}


def ride_of(ask: Ask, offer: dict[str, Any]) -> Any:
    rides = ask("driver", "GET", "/rides", params={"since": offer["date"]})
    (ride,) = [ride for ride in rides.json() if ride["offer_id"] == offer["id"]]
    return ride


def test_the_driver_learns_where_the_door_is_once_he_has_accepted_its_rider(
    api: httpx.Client, ask: Ask, drive: Drive, network: Network
) -> None:
    offer = drive(140, door=True, acceptance="ask", detour_budget_s=900)
    door = door_on_the_way(network, found(api, offer))
    leg = found(api, offer, **from_door(door))
    assert leg["mobility"]["pickup_point_id"] is None
    assert {name: leg["from"][name] for name in ("lat", "lon")} == at(door)
    (booking,) = book(ask, leg, confirm=True).json()
    assert (booking["state"], booking["pickup_door"]) == ("pending_driver", at(door))
    assert booking["dropoff_door"] == at(Coordinate(leg["to"]["lat"], leg["to"]["lon"]))
    assert booking["pickup_from"] == leg["startTime"]

    ride = ride_of(ask, offer)
    (passenger,) = ride["passengers"]
    assert (passenger["pickup_door"], passenger["dropoff_door"]) == (None, None)
    assert [stop["at_door"] for stop in ride["stops"]] == [True, True]
    assert (
        passenger["pickup_name"]
        == network.points.name[network.point_row[ride["stops"][0]["point"]]]
    )
    assert (ride["stops"][0]["point"], ride["stops"][0]["door"]) == (booking["pickup_point"], None)
    asked = told(ask, "driver", "booking_request", booking_id=booking["id"])
    assert asked is not None
    assert not {"pickup_door", "dropoff_door"} & asked.keys()

    path = f"/rides/{ride['id']}/passengers/{booking['id']}"
    assert ask("driver", "POST", f"{path}/accept").status_code == 200
    ride = ride_of(ask, offer)
    assert ride["passengers"][0]["pickup_door"] == at(door)
    assert ride["stops"][0]["door"] == at(door)
    assert ask("driver", "GET", f"/rides/{ride['id']}/live").status_code == 200

    assert ask("rider", "POST", f"/bookings/{booking['id']}/cancel").status_code == 200
    assert ride_of(ask, offer)["passengers"] == []


def test_whoever_is_found_beside_a_rider_at_his_door_rides_along_and_both_are_in_time(
    api: httpx.Client, ask: Ask, drive: Drive, network: Network
) -> None:
    offer = drive(141, door=True, detour_budget_s=900, seats=3)
    whole = found(api, offer)
    door = door_on_the_way(network, whole)
    leg = found(api, offer, **from_door(door))
    (booking,) = book(ask, leg, confirm=True).json()
    assert booking["state"] == "confirmed"
    wait_until(
        lambda: (leg_of(api, offer) or whole)["mobility"]["quote"] != whole["mobility"]["quote"]
    )
    other = found(api, offer)
    beside = book(ask, other, who="authority", confirm=True)
    assert beside.status_code == 201, beside.text
    ride = ride_of(ask, offer)
    assert len(ride["stops"]) == 4
    for passenger in ride["passengers"]:
        pickup, dropoff = (
            next(
                stop["at"]
                for stop in ride["stops"]
                if (stop["booking_id"], stop["is_pickup"]) == (passenger["booking_id"], is_pickup)
            )
            for is_pickup in (True, False)
        )
        assert passenger["pickup_from"] <= pickup <= passenger["pickup_to"]
        assert dropoff <= passenger["dropoff_by"]


def test_a_driver_who_does_not_come_to_doors_any_more_is_not_booked_there(
    api: httpx.Client, ask: Ask, drive: Drive, network: Network
) -> None:
    offer = drive(142, door=True, detour_budget_s=900)
    door = door_on_the_way(network, found(api, offer))
    leg = found(api, offer, **from_door(door))
    shown = {"id", "version", "state", "driver", "drive_s", "point_count", "date"}
    changed = {name: value for name, value in offer.items() if name not in shown}
    answer = ask(
        "driver", "PUT", f"/offers/{offer['id']}",
        json={**changed, "door": False, "version": offer["version"]},
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    assert answer.json()["door"] is False
    refused = book(ask, leg)
    assert (refused.status_code, refused.json()["code"]) == (409, "ride_not_free")

    def is_met_at_a_point() -> bool:
        by_foot = leg_of(api, offer, **from_door(door))
        return by_foot is None or by_foot["mobility"]["pickup_point_id"] is not None

    wait_until(is_met_at_a_point)  # by then the server has heard of it
    assert is_met_at_a_point()


def test_arriving_in_time_the_rider_is_let_out_at_the_door_where_he_goes(
    api: httpx.Client, ask: Ask, drive: Drive, network: Network
) -> None:
    offer = drive(143, door=True, detour_budget_s=900)
    door = door_on_the_way(network, found(api, offer))
    to = {
        "toPlace": f"{door.lat},{door.lon}", "arriveBy": True,
        "time": f"{offer['date']}T06:30:00", "searchWindow": 7200,
    }  # fmt: skip
    leg = found(api, offer, **to)
    assert leg["mobility"]["dropoff_point_id"] is None
    (booking,) = book(ask, leg, confirm=True).json()
    assert booking["dropoff_door"] == at(door)
    assert booking["dropoff_by"] > leg["endTime"]
    assert ride_of(ask, offer)["stops"][-1]["door"] == at(door)
