"""Cars under way: what drivers' phones tell, who sees what of it, and who is told, on the demo."""

from __future__ import annotations

import csv
import datetime as dt
import io
import uuid
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from google.transit import gtfs_realtime_pb2 as rt

from carpool.bookings import Booking, BookingEvent, BookingState
from carpool.offers import Offer
from carpool.ports import StoredRide
from carpool.privacy import FARTHEST_M
from carpool.tracking import Fix, Reason
from core.geo import Coordinate, distance_m
from core.time import to_instant
from mobility.actions.ask_not_left import ask_not_left
from mobility.actions.book_seats import confirm_seats
from mobility.actions.change_booking import Side
from mobility.actions.follow_ride import report_positions
from mobility.actions.ride_desk import load_ride
from mobility.actions.run_ride import be_late, cancel_ride, start_ride
from mobility.db.changes import lock_changes
from mobility.db.engine import Connection
from mobility.db.notices import list_notices
from mobility.db.rides import SqlRideStore
from mobility.db.schema import booking
from mobility.db.schema import offer as offers
from mobility.installation import Installation, open_installation
from mobility.mapping.carpool_realtime import CELL_M
from mobility.settings import Settings
from mobility.users.scopes import EVERYBODYS, Principal
from mobility.world import World
from tests.support.booked import found, leg_of, wait_until
from tests.support.bookings import Booth, Driven, pairs_alone
from tests.support.users import Somebody

MINUTE = dt.timedelta(minutes=1)
HTTP_DEPARTS = 12 * MINUTE
"""From now: near enough to be followed."""


@pytest.fixture(scope="module")
def here(demo_home: Path, booth: Booth) -> Iterator[Installation]:
    opened = open_installation(Settings(home=demo_home))
    yield opened
    opened.close()


@dataclass(frozen=True)
class Ridden:
    """A ride with one rider who is sure to be taken along."""

    booth: Booth
    here: Installation
    driven: Driven
    rider: Principal
    booking: Booking
    pair: tuple[int, int]

    @property
    def ride_id(self) -> uuid.UUID:
        return self.booking.ride_id

    @property
    def leaves_at(self) -> dt.datetime:
        at_s = int(self.booking.pickup_from.timestamp())
        return to_instant(at_s - int(self.driven.way.body.from_start_s[self.pair[0]]))

    def place(self, row: int) -> Coordinate:
        points, point = self.booth.desk.snapshot.network.points, self.driven.way.body.point[row]
        return Coordinate(float(points.lat[point]), float(points.lon[point]))

    def report(self, at: dt.datetime, place: Coordinate, **more: Any) -> dict[Reason, int]:
        world = World(self.booth.desk.snapshot)
        fix = Fix(at.timestamp(), place, **more)
        return report_positions(
            world, self.booth.desk, self.here.cars, self.driven.driver, self.ride_id, [fix], now=at
        )

    def told(self, who: Principal, kind: str) -> list[dict[str, Any]]:
        with self.booth.desk.engine.connect() as connection:
            notices = list_notices(connection, who.person_id, after=0, count=100)
        return [dict(notice.content) for notice in notices if notice.kind == kind]

    def late_s(self) -> int:
        with self.booth.desk.engine.connect() as connection:
            return SqlRideStore(connection).read_ride(self.ride_id).late_s


@pytest.fixture
def ridden(
    booth: Booth, here: Installation, driven: Callable[..., Driven]
) -> Callable[..., Ridden]:
    """Publishes a drive and books a seat on it, hours before."""

    def publish(*, rider: Principal | None = None, from_start_s: int = 0, **changes: Any) -> Ridden:
        drive = driven(**changes)
        body = drive.way.body
        p, q, _ = next(
            pair for pair in pairs_alone(drive.way) if body.from_start_s[pair[0]] >= from_start_s
        )
        who = rider or booth.person("rider")
        before = to_instant(drive.way.earliest_s) - dt.timedelta(hours=2)
        (held,) = booth.hold(who, booth.quote(drive, p, q), now=before)
        (booked,) = confirm_seats(booth.desk, who, held.id, now=before)
        assert booked.state is BookingState.CONFIRMED
        return Ridden(booth, here, drive, who, booked, (p, q))

    return publish


@pytest.fixture
def today(
    ridden: Callable[..., Ridden], booth: Booth, somebody: Callable[..., Somebody]
) -> Callable[..., tuple[Ridden, Somebody, Somebody]]:
    """A ride that leaves soon, with the secrets of its driver and its rider."""

    def publish(**changes: Any) -> tuple[Ridden, Somebody, Somebody]:
        driver, rider = somebody(), somebody()
        zone = booth.desk.snapshot.network.zone
        leaves = (dt.datetime.now(dt.UTC) + HTTP_DEPARTS).astimezone(zone)
        second = leaves.hour * 3600 + leaves.minute * 60
        ride = ridden(
            rider=principal(rider), driver=principal(driver), date=leaves.date(),
            window_s=(second, second + 600), **changes,
        )  # fmt: skip
        return ride, driver, rider

    return publish


def principal(who: Somebody) -> Principal:
    return Principal(who.id, who.person_id, uuid.uuid4(), EVERYBODYS)


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def position(place: Coordinate, at: dt.datetime, **more: Any) -> dict[str, Any]:
    return {"lat": place.lat, "lon": place.lon, "at": at.isoformat(), **more}


def post(api: httpx.Client, who: Somebody, ride: Ridden, *batch: dict[str, Any]) -> httpx.Response:
    path = f"/mobility/v1/rides/{ride.ride_id}/positions"
    return api.post(path, headers=who.headers, json={"positions": list(batch)})


def live(api: httpx.Client, who: Somebody, ride: Ridden) -> httpx.Response:
    return api.get(f"/mobility/v1/bookings/{ride.booking.id}/live", headers=who.headers)


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


def shift(booth: Booth, ride: Ridden, pickup_from: dt.datetime) -> None:
    """Bring a whole ride forward, as if it had been booked so."""
    earlier = ride.booking.pickup_from - pickup_from
    with booth.desk.engine.begin() as connection:
        store = SqlRideStore(connection)
        stored = store.lock_ride(ride.ride_id)
        plan = tuple(replace(visit, at=visit.at - earlier) for visit in stored.plan)
        connection.execute(
            booking.update()
            .where(booking.c.id == ride.booking.id)
            .values(
                {
                    name: getattr(booking.c, name) - earlier
                    for name in ("pickup_from", "pickup_to", "dropoff_by")
                }
            )
        )
        saved(store, connection, replace(stored, plan=plan))


def saved(store: SqlRideStore, connection: Connection, ride: StoredRide) -> None:
    store.save_ride(replace(ride, version=ride.version + 1))
    lock_changes(connection)
    store.record_change(ride.id)


def make_private(booth: Booth, ride: Ridden) -> None:
    """Let the place from which the drive is computed stand for a home, and others learn of it."""
    with booth.desk.engine.begin() as connection:
        entered = {end: {"lat": 0.0, "lon": 0.0} for end in ("start", "end")}
        connection.execute(
            offers.update()
            .where(offers.c.id == uuid.UUID(ride.driven.offer.id))
            .values(entered=entered)
        )
        store = SqlRideStore(connection)
        stored = store.lock_ride(ride.ride_id)
        saved(store, connection, stored)


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


def test_whoever_is_promised_something_else_is_told_once_and_again_after_two_minutes(
    ridden: Callable[..., Ridden], like: Offer
) -> None:
    ride = ridden(from_start_s=300)
    late = ride.leaves_at + 12 * MINUTE
    ride.report(late, like.start)
    (first,) = ride.told(ride.rider, "booking_propose_change")
    assert first["plan_b"] == f"/mobility/v1/bookings/{ride.booking.id}/plan-b"
    assert 11 * 60 <= first["late_s"] <= 13 * 60
    assert ride.booth.state(ride.booking.id) is BookingState.CHANGE_PROPOSED
    ride.report(late + dt.timedelta(seconds=90), like.start)
    assert ride.late_s() >= 13 * 60, "the ride is as late as it is"
    assert len(ride.told(ride.rider, "booking_propose_change")) == 1, "less than two minutes more"
    ride.report(late + dt.timedelta(seconds=180), like.start)
    assert len(ride.told(ride.rider, "booking_propose_change")) == 2
    # He makes up for it: the rider hears that, too.
    ride.report(late + 5 * MINUTE, ride.place(ride.pair[0]), accuracy_m=400.0)
    (better,) = ride.told(ride.rider, "ride_late")
    assert better["late_s"] <= ride.told(ride.rider, "booking_propose_change")[-1]["late_s"] - 120


def test_the_greater_of_word_and_measure_counts_before_he_leaves_and_the_measure_on_the_way(
    ridden: Callable[..., Ridden], like: Offer
) -> None:
    ride = ridden()
    desk, driver = ride.booth.desk, ride.driven.driver
    early = ride.leaves_at - 10 * MINUTE
    be_late(desk, driver, ride.ride_id, 1_200, now=early)
    ride.report(early + MINUTE, like.start)
    assert ride.late_s() == 1_200, "at home he can still make it, but he knows better"
    start_ride(desk, driver, ride.ride_id, now=ride.leaves_at)
    ride.report(ride.leaves_at + 2 * MINUTE, like.start)
    assert ride.late_s() < 200, "on the way it is as measured, his word being old"
    be_late(desk, driver, ride.ride_id, 900, now=ride.leaves_at + 3 * MINUTE)
    assert ride.late_s() == 900, "he has just said more"
    be_late(desk, driver, ride.ride_id, 0, now=ride.leaves_at + 4 * MINUTE)
    assert 0 < ride.late_s() < 200
    be_late(desk, driver, ride.ride_id, 0, now=ride.leaves_at + 9 * MINUTE)
    assert ride.late_s() == 0, "nobody has seen the car for five minutes"


def test_a_car_that_was_at_a_stop_goes_on_to_the_next(
    ridden: Callable[..., Ridden], like: Offer
) -> None:
    ride = ridden()
    start_ride(ride.booth.desk, ride.driven.driver, ride.ride_id, now=ride.leaves_at)
    there = ride.booking.pickup_from + MINUTE
    ride.report(there, ride.place(ride.pair[0]))
    with ride.booth.desk.engine.begin() as connection:
        stored = SqlRideStore(connection).read_ride(ride.ride_id)
        loaded = load_ride(ride.booth.desk, connection, stored)
    assert [visit.reached_at for visit in stored.plan] == [there.replace(microsecond=0), None]
    hop_s = ride.driven.way.between_s(*ride.pair)
    assert hop_s is not None
    assert 60 <= stored.late_s <= 61, "as late at the end as at the beginning"
    assert loaded.track is not None
    ride.report(there + 20 * MINUTE, ride.place(ride.pair[1]))
    over = ride.report(there + 21 * MINUTE, ride.place(ride.pair[1]))
    assert over == {Reason.OVER: 1}


def test_people_are_asked_warned_and_let_go_when_a_ride_does_not_leave(
    ridden: Callable[..., Ridden],
) -> None:
    ride = ridden()
    desk, leaves, driver = ride.booth.desk, ride.leaves_at, ride.driven.driver
    not_left = "ride_not_left"

    def counts() -> tuple[int, int, str]:
        told = (len(ride.told(who, not_left)) for who in (driver, ride.rider))
        return (*told, ride.booth.state(ride.booking.id))  # type: ignore[return-value]

    expected = {
        4: (0, 0, "confirmed"), 5: (1, 0, "confirmed"), 9: (1, 0, "confirmed"),
        10: (2, 1, "confirmed"), 14: (2, 1, "confirmed"), 15: (2, 1, "change_proposed"),
    }  # fmt: skip
    for minutes, wanted in expected.items():
        for _ in range(2):  # several processes look
            ask_not_left(desk, now=leaves + minutes * MINUTE)
        assert counts() == wanted, minutes
    assert ride.told(ride.rider, not_left)[0]["plan_b"].endswith("/plan-b")
    ride.booth.act(
        ride.rider, Side.RIDER, ride.booking.id, BookingEvent.REFUSE_CHANGE,
        at=leaves + 16 * MINUTE,
    )  # fmt: skip
    assert ride.booth.state(ride.booking.id) is BookingState.CANCELLED_DRIVER


def test_nobody_is_asked_who_has_said_that_he_is_late_or_whose_car_moves(
    ridden: Callable[..., Ridden],
) -> None:
    late, moving = ridden(), ridden()
    desk = late.booth.desk
    be_late(desk, late.driven.driver, late.ride_id, 1_200, now=late.leaves_at)
    ask_not_left(desk, now=late.leaves_at + 24 * MINUTE)
    assert late.told(late.driven.driver, "ride_not_left") == []
    moving.report(moving.leaves_at + 4 * MINUTE, moving.place(moving.pair[0]))
    ask_not_left(desk, now=moving.leaves_at + 6 * MINUTE)
    assert moving.told(moving.driven.driver, "ride_not_left") == []


def as_searched(ride: Ridden) -> dict[str, Any]:
    """The same journey as the rider's, to whom the driver need make no detour."""
    offer = ride.driven.offer
    ends = {
        name: {"lat": place.lat, "lon": place.lon}
        for name, place in zip(("start", "end"), map(ride.place, ride.pair), strict=True)
    }
    return {**ends, "id": offer.id, "date": ride.driven.date.isoformat()}


def test_the_search_sees_new_times_and_what_the_car_has_passed_is_gone(
    api: httpx.Client, ridden: Callable[..., Ridden], booth: Booth, like: Offer
) -> None:
    ride = ridden(window_s=(5 * 3600, 5 * 3600 + 600), from_start_s=300)
    offer = as_searched(ride)
    before = found(api, offer)
    ride.report(ride.leaves_at + 12 * MINUTE, like.start)

    def starts() -> dt.datetime | None:
        leg = leg_of(api, offer)
        return None if leg is None else dt.datetime.fromisoformat(leg["startTime"])

    def pickup() -> str | None:
        """One may walk to where the car has not been yet."""
        leg = leg_of(api, offer)
        return None if leg is None else leg["mobility"]["pickup_point_id"]

    planned = dt.datetime.fromisoformat(before["startTime"])
    wait_until(lambda: (starts() or planned) >= planned + 11 * MINUTE)
    leg = found(api, offer)
    asked_at = ride.leaves_at + 5 * MINUTE
    (held,) = booth.hold(booth.person("late"), leg["mobility"]["quote"], now=asked_at)
    assert held.pickup_from >= planned + 11 * MINUTE
    assert pickup() == ride.booking.pickup_point
    start_ride(booth.desk, ride.driven.driver, ride.ride_id, now=ride.leaves_at + 12 * MINUTE)
    wait_until(lambda: leg_of(api, offer) is None)  # nobody knows where it is
    ride.report(ride.leaves_at + 14 * MINUTE, ride.place(ride.pair[0]), accuracy_m=400.0)
    between = next(
        row
        for row in range(ride.driven.way.body.searched)
        if 60 <= (ride.driven.way.between_s(row, ride.pair[1]) or 0) <= 200
    )
    ride.report(ride.leaves_at + 18 * MINUTE, ride.place(between), accuracy_m=100.0)
    wait_until(lambda: pickup() != ride.booking.pickup_point)
    with booth.desk.engine.begin() as connection:
        stored = SqlRideStore(connection).read_ride(ride.ride_id)
        loaded = load_ride(booth.desk, connection, stored)
    assert stored.seen_at is not None
    day = booth.desk.snapshot.network.zone
    midnight = dt.datetime.combine(stored.date, dt.time(), day)
    assert loaded.parts
    for part, body in loaded.parts:
        first_s = part.depart_from_s + int(body.from_start_s.min())
        assert midnight + dt.timedelta(seconds=first_s) >= stored.seen_at


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
    wait_until(lambda: {own, cancelled} <= feed(api, "trip-updates").keys())
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
