"""What happens to booked rides before and on their day: delays, early leavers, no network."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from carpool.bookings import BookingEvent, BookingState
from mobility.actions.change_booking import Said, Side, change_booking
from mobility.actions.run_ride import be_late, start_ride
from mobility.db.engagements import Engagement, engage
from mobility.db.rides import SqlRideStore
from tests.support.booking_storm import broken_promises
from tests.support.bookings import (
    Booth,
    Driven,
    first_pair,
    now,
    pairs_alone,
)

S = BookingState


def test_a_late_driver_asks_whom_it_costs_a_promise(
    booth: Booth, driven: Callable[..., Driven]
) -> None:
    ride = driven()
    first, second = booth.person("first"), booth.person("second")
    (near,) = booth.book(first, booth.quote(ride, *first_pair(ride)))
    be_late(booth.desk, ride.driver, near.ride_id, 60, now=now())
    assert booth.state(near.id) is S.CONFIRMED
    be_late(booth.desk, ride.driver, near.ride_id, 1_200, now=now())
    assert booth.state(near.id) is S.CHANGE_PROPOSED
    booth.act(first, Side.RIDER, near.id, BookingEvent.ACCEPT_CHANGE)
    assert booth.state(near.id) is S.CONFIRMED
    with pytest.raises(Exception, match="as it was quoted"):
        booth.hold(second, booth.quote(ride, *first_pair(ride)))
    quote = booth.quote(ride, *first_pair(ride), later_s=1_200)
    (late,) = booth.book(second, quote)
    assert late.state is S.PENDING_DRIVER, "the driver of a late ride is asked himself"
    be_late(booth.desk, ride.driver, near.ride_id, 1_210, now=now())
    assert booth.state(late.id) is S.PENDING_DRIVER, "he was quoted the delay"
    assert broken_promises(booth.desk, ride.offer.id) == []


def test_a_driver_who_cannot_leave_sooner_keeps_his_time_when_the_first_rider_leaves(
    booth: Booth, driven: Callable[..., Driven]
) -> None:
    """He is somewhere else until then; the second rider keeps what was promised."""
    ride = driven(window_s=(8 * 3600, 8 * 3600 + 600))
    pairs = pairs_alone(ride.way)
    p, q, _ = pairs[0]
    first, second = booth.person("first"), booth.person("second")
    (late,) = booth.book(second, booth.quote(ride, p, q, spare_s=900))
    (early,) = booth.book(first, booth.quote(ride, p, q, later_s=200))
    with booth.desk.engine.connect() as connection:
        leaves = SqlRideStore(connection).read_ride(early.ride_id).plan[0].at
    seconds = int(ride.way.body.from_start_s[p])
    away = driven()
    with booth.desk.engine.begin() as connection:
        store = SqlRideStore(connection)
        store.add_ride(away.offer, 1, away.date)
        other = store.find_ride(away.offer.id, away.date)
        assert other is not None
        until = leaves - dt.timedelta(seconds=seconds)
        from_when = until - dt.timedelta(minutes=30)
        engage(connection, [Engagement(other.id, ride.driver.person_id, from_when, until)])
    booth.act(first, Side.RIDER, early.id, BookingEvent.CANCEL_RIDER)
    assert booth.state(early.id) is S.CANCELLED_RIDER
    assert booth.state(late.id) is S.CONFIRMED
    with booth.desk.engine.connect() as connection:
        kept = SqlRideStore(connection).read_ride(early.ride_id).plan[0]
    assert (kept.booking, kept.at) == (late.id, leaves)
    assert broken_promises(booth.desk, ride.offer.id) == []


def test_a_driver_on_time_after_all_and_a_ride_that_all_have_left(
    booth: Booth, driven: Callable[..., Driven]
) -> None:
    ride = driven()
    rider = booth.person("rider")
    (booked,) = booth.book(rider, booth.quote(ride, *first_pair(ride)))
    be_late(booth.desk, ride.driver, booked.ride_id, 600, now=now())
    with booth.desk.engine.connect() as connection:
        assert SqlRideStore(connection).find_booking(booked.id)[0].late_s == 600
    be_late(booth.desk, ride.driver, booked.ride_id, 0, now=now())
    booth.act(rider, Side.RIDER, booked.id, BookingEvent.REFUSE_CHANGE)
    with pytest.raises(Exception, match="nobody rides along"):
        be_late(booth.desk, ride.driver, booked.ride_id, 600, now=now())
    (again,) = booth.book(rider, booth.quote(ride, *first_pair(ride)))
    at = again.pickup_from
    start_ride(booth.desk, ride.driver, again.ride_id, now=at)
    booth.act(rider, Side.RIDER, again.id, BookingEvent.CANCEL_RIDER, at=at)
    with booth.desk.engine.connect() as connection:
        assert SqlRideStore(connection).read_ride(again.ride_id).state == "completed"


def test_a_phone_without_network_tells_later_that_the_rider_got_in(
    booth: Booth, driven: Callable[..., Driven]
) -> None:
    ride = driven()
    (booked,) = booth.book(booth.person("rider"), booth.quote(ride, *first_pair(ride)))
    be_late(booth.desk, ride.driver, booked.ride_id, 900, now=now())
    boarded_at = booked.pickup_from + dt.timedelta(minutes=15)
    told_at = booked.pickup_from + dt.timedelta(hours=2)
    after = change_booking(
        booth.desk, ride.driver, Side.DRIVER, booked.id, BookingEvent.BOARD,
        Said(boarded_at, booked.code), now=told_at,
    )  # fmt: skip
    assert after.state is S.BOARDED
