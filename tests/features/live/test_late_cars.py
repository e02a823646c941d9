"""Cars that are late: how late they are, who is told, and what the search makes of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import httpx

from carpool.bookings import BookingEvent, BookingState
from carpool.offers import Offer
from carpool.tracking import Reason
from mobility.actions.ask_not_left import ask_not_left
from mobility.actions.change_booking import Side
from mobility.actions.ride_desk import load_ride
from mobility.actions.run_ride import be_late, start_ride
from mobility.db.rides import SqlRideStore
from tests.support.booked import found, leg_of, wait_until
from tests.support.bookings import Booth
from tests.support.ridden import MINUTE, Ridden


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
