"""Cars under way: what drivers' phones tell, and who sees what of it, on the demo."""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from google.transit import gtfs_realtime_pb2 as rt

from carpool.bookings import BookingEvent
from carpool.offers import Offer
from carpool.privacy import FARTHEST_M
from core.geo import Coordinate, distance_m
from mobility.actions.change_booking import Side
from mobility.actions.run_ride import be_late, cancel_ride, start_ride
from mobility.mapping.carpool_realtime import CELL_M
from tests.support.booked import wait_until
from tests.support.bookings import Booth, now
from tests.support.ridden import MINUTE, Ridden, live, make_private, position, post, shift
from tests.support.users import Somebody


def test_what_cannot_be_is_left_out_and_what_comes_again_changes_nothing(
    api: httpx.Client, today: Callable[..., tuple[Ridden, Somebody, Somebody]], like: Offer
) -> None:
    ride, driver, rider = today()
    at = now()
    good = position(like.start, at - dt.timedelta(seconds=20), accuracy_m=8.0)
    batch = [
        position(like.start, at, heading=90.0, speed_mps=3.0),
        good,
        position(like.start, at + 10 * MINUTE),
        position(like.start, at - 90 * MINUTE),
        position(Coordinate(0.0, 0.0), at - dt.timedelta(seconds=30)),
        position(like.start, at - dt.timedelta(seconds=5), accuracy_m=5_000.0),
        position(like.end, at - dt.timedelta(seconds=19)),
    ]
    first = post(api, driver, ride, *batch)
    assert first.status_code == 200, first.text
    assert first.json() == {
        "taken": 2,
        "left_out": {"future": 1, "too_soon": 1, "outside": 1, "vague": 1, "too_fast": 1},
    }
    again = post(api, driver, ride, good).json()
    assert again == {"taken": 0, "left_out": {"known": 1}}
    for wrong in ([], [{**good, "lat": 91}], [{**good, "odd": 1}], [good] * 501):
        assert post(api, driver, ride, *wrong).status_code == 422
    assert post(api, rider, ride, good).json()["code"] == "ride_not_found"
    assert api.post(f"/mobility/v1/rides/{ride.ride_id}/positions", json={}).status_code == 401


def test_rides_are_followed_from_a_quarter_of_an_hour_before_and_while_somebody_rides_along(
    ridden: Callable[..., Ridden], like: Offer
) -> None:
    ride = ridden()
    with pytest.raises(Exception, match="wait until"):
        ride.report(ride.leaves_at - 16 * MINUTE, like.start)
    assert ride.report(ride.leaves_at - 14 * MINUTE, like.start) == {}
    cancelled = ride.leaves_at - 13 * MINUTE
    ride.booth.act(ride.rider, Side.RIDER, ride.booking.id, BookingEvent.CANCEL_RIDER, at=cancelled)
    with pytest.raises(Exception, match="nobody rides along"):
        ride.report(ride.leaves_at - 12 * MINUTE, like.start)


def test_a_rider_sees_times_at_once_and_the_car_only_shortly_before(
    api: httpx.Client, today: Callable[..., tuple[Ridden, Somebody, Somebody]], like: Offer,
    somebody: Callable[..., Somebody], booth: Booth,
) -> None:  # fmt: skip
    ride, driver, rider = today()
    taken = post(api, driver, ride, position(like.start, now()))
    assert taken.status_code == 200, taken.text
    seen = live(api, rider, ride)
    assert seen.status_code == 200, seen.text
    facts = seen.json()
    assert facts["pickup"]["planned_at"] == facts["pickup"]["expected_at"]
    planned_at = facts["pickup"]["planned_at"]
    assert facts["seen_at"] is not None
    assert facts["car"] is None, "more than ten minutes before"
    # The pick-up is ten minutes nearer.
    nearer = {"pickup_from": ride.booking.pickup_from - 10 * MINUTE}
    shift(booth, ride, nearer["pickup_from"])
    wait_until(lambda: live(api, rider, ride).json()["pickup"]["planned_at"] != planned_at)
    post(api, driver, ride, position(like.start, now()))
    wait_until(lambda: live(api, rider, ride).json()["car"] is not None)
    assert distance_m(Coordinate(*coordinates(live(api, rider, ride))), like.start) < 1
    for who, status in ((driver, 404), (somebody(), 404)):
        assert live(api, who, ride).status_code == status
    own = api.get(f"/mobility/v1/rides/{ride.ride_id}/live", headers=driver.headers).json()
    assert [stop["is_pickup"] for stop in own["stops"]] == [True, False]
    other = api.get(f"/mobility/v1/rides/{ride.ride_id}/live", headers=rider.headers)
    assert other.json()["code"] == "ride_not_found"
    # Where the start is private, nobody sees a car near it.
    make_private(booth, ride)
    wait_until(lambda: live(api, rider, ride).json()["car"] is None)


def coordinates(answer: httpx.Response) -> tuple[float, float]:
    car = answer.json()["car"]
    return car["lat"], car["lon"]


def test_from_within_the_circle_around_a_private_start_no_time_tells_how_far_the_door_is(
    ridden: Callable[..., Ridden], booth: Booth, like: Offer
) -> None:
    """Two drivers late alike, one at his door, one at the edge: riders are told the same."""
    delays, points = [], booth.desk.snapshot.network.points
    places = map(Coordinate, points.lat.tolist(), points.lon.tolist())
    inside = [place for place in places if distance_m(place, like.start) < FARTHEST_M]
    farthest = max(inside, key=lambda place: distance_m(place, like.start))
    for place in (like.start, farthest):
        ride = ridden(from_start_s=300)
        make_private(booth, ride)
        assert ride.report(ride.leaves_at + 15 * MINUTE, place, accuracy_m=1.0) == {}
        delays.append(ride.late_s())
    assert delays[0] == delays[1] == 12 * 60


def test_feeds_tell_delays_under_the_timetables_ids_and_about_where_cars_are(
    api: httpx.Client, today: Callable[..., tuple[Ridden, Somebody, Somebody]],
    ridden: Callable[..., Ridden], booth: Booth, like: Offer,
) -> None:  # fmt: skip
    ride, driver, _ = today()
    gone = ridden()
    cancel_ride(booth.desk, gone.driven.driver, gone.ride_id, now=now())
    start_ride(booth.desk, ride.driven.driver, ride.ride_id, now=now())
    be_late(booth.desk, ride.driven.driver, ride.ride_id, 900, now=now())
    seen = now()
    assert post(api, driver, ride, position(like.start, seen)).json()["taken"] == 1
    own = f"carpool:{ride.driven.offer.id}:{ride.driven.date:%Y%m%d}:1"
    cancelled = f"carpool:{gone.driven.offer.id}:{gone.driven.date:%Y%m%d}:1"

    def all_known() -> bool:
        known = feed(api, "trip-updates")
        if not {own, cancelled} <= known.keys():
            return False
        told = known[own].trip_update.stop_time_update
        return {update.arrival.delay for update in told} == {900}

    wait_until(all_known)
    updates = feed(api, "trip-updates")
    zipped = api.get("/open-data/gtfs/carpool.zip").content
    with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
        calls = list(csv.DictReader(io.StringIO(archive.read("stop_times.txt").decode())))
    assert updates.keys() <= {row["trip_id"] for row in calls}
    relation = updates[cancelled].trip_update.trip.schedule_relationship
    assert relation == rt.TripDescriptor.CANCELED
    of_trip = {row["stop_sequence"]: row for row in calls if row["trip_id"] == own}
    told = list(updates[own].trip_update.stop_time_update)
    assert told
    for update in told:
        row = of_trip[str(update.stop_sequence)]
        assert (update.stop_id, update.arrival.delay) == (row["stop_id"], 900)
        zone = booth.desk.snapshot.network.zone
        planned = (dt.datetime.fromtimestamp(update.arrival.time - 900, zone)).strftime("%H:%M:%S")
        assert planned == row["arrival_time"]
    (vehicle,) = [e.vehicle for e in feed(api, "vehicle-positions").values() if e.id == own]
    where = Coordinate(vehicle.position.latitude, vehicle.position.longitude)
    assert 1 < distance_m(where, like.start) < CELL_M, "somewhere in the same cell"
    moved = Coordinate(like.start.lat + 1e-5, like.start.lon)
    post(api, driver, ride, position(moved, now()))
    (again,) = [e.vehicle for e in feed(api, "vehicle-positions").values() if e.id == own]
    assert again.position == vehicle.position, "what moves a little stays in its cell"
    make_private(booth, ride)
    wait_until(lambda: own not in feed(api, "vehicle-positions"))
    as_json = api.get("/open-data/gtfs-rt/trip-updates.pb", params={"format": "json"}).json()
    assert {entity["id"] for entity in as_json["entity"]} == updates.keys()


def feed(api: httpx.Client, name: str) -> dict[str, Any]:
    answer = api.get(f"/open-data/gtfs-rt/{name}.pb", timeout=120)  # it may have to compile
    assert answer.status_code == 200, answer.text
    message = rt.FeedMessage()
    message.ParseFromString(answer.content)
    return {entity.id: entity for entity in message.entity}


def events(lines: Iterator[str]) -> Iterator[str]:
    """Names of events, and their contents behind them."""
    for line in lines:
        if line.startswith(("event: ", "data: ")):
            yield line.partition(": ")[2]


def test_two_people_follow_one_car_until_the_ride_ends(
    api: httpx.Client, today: Callable[..., tuple[Ridden, Somebody, Somebody]], like: Offer,
    somebody: Callable[..., Somebody],
) -> None:  # fmt: skip
    ride, driver, rider = today()
    wait_until(lambda: live(api, rider, ride).status_code == 200)
    path = f"/mobility/v1/bookings/{ride.booking.id}/live/stream"
    own = f"/mobility/v1/rides/{ride.ride_id}/live/stream"
    assert api.get(path, headers=somebody().headers).status_code == 404
    with (
        api.stream("GET", path, headers=rider.headers) as to_rider,
        api.stream("GET", own, headers=driver.headers) as to_driver,
    ):
        assert to_rider.headers["content-type"].startswith("text/event-stream")
        streams = [events(stream.iter_lines()) for stream in (to_rider, to_driver)]
        for stream in streams:
            assert next(stream) == "live"
            assert '"seen_at":null' in next(stream)
        ride.report(now(), like.start)  # taken by another process
        for stream in streams:
            assert next(stream) == "live"
            assert '"seen_at":"20' in next(stream)
        cancel_ride(ride.booth.desk, ride.driven.driver, ride.ride_id, now=now())
        for stream in streams:
            assert "end" in [*stream]


def test_one_person_has_so_many_streams_and_no_more(
    api: httpx.Client, today: Callable[..., tuple[Ridden, Somebody, Somebody]]
) -> None:
    ride, _, rider = today()
    wait_until(lambda: live(api, rider, ride).status_code == 200)
    path = f"/mobility/v1/bookings/{ride.booking.id}/live/stream"
    with ExitStack() as opened:
        reading = []
        for _ in range(4):
            stream = opened.enter_context(api.stream("GET", path, headers=rider.headers))
            assert stream.status_code == 200
            reading.append(stream.iter_lines())  # dropped, it would close the stream
            next(reading[-1])
        with api.stream("GET", path, headers=rider.headers) as refused:
            assert refused.status_code == 429
    wait_until(lambda: stream_opens(api, path, rider))


def stream_opens(api: httpx.Client, path: str, who: Somebody) -> bool:
    with api.stream("GET", path, headers=who.headers) as stream:
        return stream.status_code == 200
