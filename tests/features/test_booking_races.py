"""The races of a booking, each with real concurrency on PostgreSQL."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from carpool.bookings import HOLD, BookingEvent, BookingState
from carpool.compile import compile_offer, pack_body
from carpool.offers import Acceptance, OfferState
from core.time import day_start_epoch_s
from mobility.actions.book_seats import confirm_seats
from mobility.actions.change_booking import Side, TooSoon, sweep
from mobility.actions.ride_desk import lock
from mobility.actions.run_ride import cancel_ride, end_ride, start_ride
from mobility.db.offers import SqlOfferStore
from mobility.db.rides import SqlRideStore
from mobility.db.schema import outbox
from tests.support.bookings import (
    Booth,
    Driven,
    at_once,
    codes,
    first_pair,
    now,
    soon,
    two_that_exclude_each_other,
)

S = BookingState


def test_race_1_the_last_seat_is_taken_once(booth: Booth, driven: Callable[..., Driven]) -> None:
    for _ in range(5):
        ride = driven(seat_count=1)
        quote = booth.quote(ride, *first_pair(ride))
        riders = [booth.person("rider") for _ in range(8)]
        results = at_once(*(partial(booth.hold, r, quote) for r in riders))
        assert codes(results) == ["ride_not_free"] * 7
        assert booth.seats_taken(ride) == [("held", 1)]
        assert booth.engaged(ride) == 2  # the rider and the driver


def test_race_2_two_riders_who_fit_alone_but_not_together(
    booth: Booth, driven: Callable[..., Driven]
) -> None:
    for _ in range(3):
        ride = driven()
        first, second = two_that_exclude_each_other(ride.way)
        quotes = [booth.quote(ride, *pair, spare_s=3_600) for pair in (first, second)]
        riders = [booth.person("rider") for _ in quotes]
        results = at_once(*(
            partial(booth.hold, r, q)
            for r, q in zip(riders, quotes, strict=True)
        ))  # fmt: skip
        assert codes(results) == ["ride_not_free"]
        assert len(booth.seats_taken(ride)) == 1


def test_race_3_a_rider_cancels_while_the_driver_accepts(
    booth: Booth, driven: Callable[..., Driven]
) -> None:
    seen = set()
    for _ in range(12):
        ride = driven(acceptance=Acceptance.ASK)
        rider = booth.person("rider")
        (asked,) = booth.book(rider, booth.quote(ride, *first_pair(ride)))
        assert asked.state is S.PENDING_DRIVER
        results = at_once(
            partial(booth.act, rider, Side.RIDER, asked.id, BookingEvent.CANCEL_RIDER),
            partial(booth.act, ride.driver, Side.DRIVER, asked.id, BookingEvent.ACCEPT),
        )
        assert results[0] is not None
        # Cancelling is possible before and after; accepting only before.
        assert not isinstance(results[0], str)
        assert results[0].state is S.CANCELLED_RIDER
        seen.add(results[1] if isinstance(results[1], str) else results[1].state)
        assert booth.state(asked.id) is S.CANCELLED_RIDER
        assert booth.engaged(ride) == 0
    assert seen <= {"booking_state", S.CONFIRMED}


def test_race_3_a_driver_declines_while_he_accepts_on_another_phone(
    booth: Booth, driven: Callable[..., Driven]
) -> None:
    for _ in range(6):
        ride = driven(acceptance=Acceptance.ASK)
        (asked,) = booth.book(booth.person("rider"), booth.quote(ride, *first_pair(ride)))
        results = at_once(
            partial(booth.act, ride.driver, Side.DRIVER, asked.id, BookingEvent.DECLINE),
            partial(booth.act, ride.driver, Side.DRIVER, asked.id, BookingEvent.ACCEPT),
        )
        assert codes(results) == ["booking_state"]
        won = next(result for result in results if not isinstance(result, str))
        assert booth.state(asked.id) is won.state
        assert booth.engaged(ride) == (2 if won.state is S.CONFIRMED else 0)


def test_race_4_a_hold_ends_while_it_is_confirmed(
    booth: Booth, driven: Callable[..., Driven]
) -> None:
    for _ in range(8):
        ride = driven(seat_count=1)
        rider = booth.person("rider")
        held_at = now()
        (held,) = booth.hold(rider, booth.quote(ride, *first_pair(ride)), now=held_at)
        over = held_at + HOLD
        before = over - dt.timedelta(seconds=1)
        results = at_once(
            partial(confirm_seats, booth.desk, rider, held.id, now=before),
            partial(sweep, booth.desk, now=over),
            partial(sweep, booth.desk, now=over),
        )
        state = booth.state(held.id)
        if isinstance(results[0], str):
            assert (results[0], state) == ("booking_state", S.EXPIRED)
            assert booth.engaged(ride) == 0
            booth.hold(booth.person("rider"), booth.quote(ride, *first_pair(ride)))
        else:
            assert state is S.CONFIRMED
            assert booth.engaged(ride) == 2


def test_race_4_whoever_comes_after_the_end_of_a_hold_needs_no_sweep(
    booth: Booth, driven: Callable[..., Driven]
) -> None:
    ride = driven(seat_count=1)
    first, second = booth.person("rider"), booth.person("rider")
    (held,) = booth.hold(first, booth.quote(ride, *first_pair(ride)))
    later = now() + HOLD + dt.timedelta(seconds=1)
    (other,) = booth.hold(second, booth.quote(ride, *first_pair(ride)), now=later)
    assert booth.state(held.id) is S.EXPIRED
    assert booth.state(other.id) is S.HELD


def test_race_5_giving_back_twice_gives_back_once(
    booth: Booth, driven: Callable[..., Driven]
) -> None:
    ride = driven(seat_count=2)
    rider = booth.person("rider")
    (held,) = booth.hold(rider, booth.quote(ride, *first_pair(ride)))
    booth.book(booth.person("other"), booth.quote(ride, *first_pair(ride)))
    cancel = lambda: booth.act(rider, Side.RIDER, held.id, BookingEvent.CANCEL_RIDER)  # noqa: E731
    results = at_once(*[cancel] * 6)
    assert codes(results) == ["booking_state"] * 5
    assert booth.engaged(ride) == 2
    booth.hold(booth.person("third"), booth.quote(ride, *first_pair(ride)))
    with pytest.raises(Exception, match="search again"):
        booth.hold(booth.person("fourth"), booth.quote(ride, *first_pair(ride)))


def change_offer(booth: Booth, ride: Driven, version: int, **changes: Any) -> None:
    changed = replace(ride.offer, **changes)
    body = compile_offer(booth.desk.snapshot.network, changed)
    with booth.desk.engine.begin() as connection:
        SqlOfferStore(connection).replace_offer(
            changed, version, booth.desk.snapshot.ground_hash, pack_body(body)
        )


def test_race_6_an_offer_changes_after_a_quote(booth: Booth, driven: Callable[..., Driven]) -> None:
    ride = driven()
    quote = booth.quote(ride, *first_pair(ride))
    change_offer(booth, ride, 1, seat_count=2)  # the promise can still be kept
    booth.hold(booth.person("rider"), quote)
    late = driven()
    quote = booth.quote(late, *first_pair(late))
    change_offer(booth, late, 1, depart_from_s=9 * 3600, depart_to_s=9 * 3600 + 600)
    with pytest.raises(Exception, match="as it was quoted"):
        booth.hold(booth.person("rider"), quote)


def test_race_6_an_offer_changes_while_many_book_it(
    booth: Booth, driven: Callable[..., Driven]
) -> None:
    ride = driven(seat_count=4)
    quote = booth.quote(ride, *first_pair(ride))

    def edit() -> str:
        for version in range(1, 6):
            change_offer(booth, ride, version, seat_count=4 if version % 2 else 3)
        return "edited"

    riders = [booth.person("rider") for _ in range(8)]
    results = at_once(edit, *(partial(booth.hold, r, quote) for r in riders))
    refused = [code for code in codes(results) if code != "edited"]
    assert set(refused) <= {"ride_not_free"}
    seats = sum(count for state, count in booth.seats_taken(ride) if state == "held")
    assert seats == 8 - len(refused)
    assert seats <= 4


def test_race_7_what_was_booked_holds_when_the_offer_changes(
    booth: Booth, driven: Callable[..., Driven]
) -> None:
    ride = driven()
    (booked,) = booth.book(booth.person("rider"), booth.quote(ride, *first_pair(ride)))
    change_offer(booth, ride, 1, depart_from_s=10 * 3600, depart_to_s=10 * 3600, seat_count=1)
    with booth.desk.engine.connect() as connection:
        stored = SqlRideStore(connection).read_ride(booked.ride_id)
    assert stored.offer.depart_from_s == ride.offer.depart_from_s
    # On that date the drive is as it was promised, for others too.
    booth.hold(booth.person("other"), booth.quote(ride, *first_pair(ride)))


def test_race_8_a_driver_cancels_while_riders_book(
    booth: Booth, driven: Callable[..., Driven]
) -> None:
    for _ in range(4):
        ride = driven(seat_count=4)
        quote = booth.quote(ride, *first_pair(ride))
        (booked,) = booth.book(booth.person("rider"), quote)
        riders = [booth.person("rider") for _ in range(6)]
        at_once(
            partial(cancel_ride, booth.desk, ride.driver, booked.ride_id, now=now()),
            *(partial(booth.hold, r, quote) for r in riders),
        )
        assert {state for state, _ in booth.seats_taken(ride)} == {"cancelled_driver"}
        assert booth.engaged(ride) == 0
        with pytest.raises(Exception, match="cancelled"):
            booth.hold(booth.person("late"), quote)


def test_race_9_a_double_click_books_once(booth: Booth, driven: Callable[..., Driven]) -> None:
    ride = driven(seat_count=4)
    quote, rider = booth.quote(ride, *first_pair(ride)), booth.person("rider")
    results = at_once(*[lambda: booth.hold(rider, quote, key="one")] * 6)
    assert codes(results) == []
    assert len({result[0].id for result in results if not isinstance(result, str)}) == 1
    assert booth.seats_taken(ride) == [("held", 1)]


def test_race_9_nobody_sits_in_two_cars_at_once(
    booth: Booth, driven: Callable[..., Driven]
) -> None:
    for _ in range(4):
        date = soon()
        rides = [driven(date=date) for _ in range(4)]
        rider = booth.person("rider")
        quotes = [booth.quote(ride, *first_pair(ride)) for ride in rides]
        results = at_once(*(partial(booth.hold, rider, q) for q in quotes))
        assert codes(results) == ["already_on_the_way"] * 3
        assert sum(len(booth.seats_taken(ride)) for ride in rides) == 1


def test_race_9_a_driver_drives_one_car_at_a_time(
    booth: Booth, driven: Callable[..., Driven]
) -> None:
    date, driver = soon(), booth.person("driver")
    rides = [driven(date=date, driver=driver) for _ in range(2)]
    results = at_once(*(
        partial(booth.hold, booth.person("rider"), booth.quote(ride, *first_pair(ride)))
        for ride in rides
    ))  # fmt: skip
    assert codes(results) == ["already_on_the_way"]
    # Nor does he ride in another's car while he drives, or in his own.
    won = next(ride for ride in rides if booth.seats_taken(ride))
    for other in (driven(date=date), won):
        with pytest.raises(Exception, match=r"on the way|your own"):
            booth.hold(driver, booth.quote(other, *first_pair(other)))


def test_race_10_two_rides_of_a_journey_are_held_both_or_not_at_all(
    booth: Booth, driven: Callable[..., Driven]
) -> None:
    for _ in range(4):
        date = soon()
        early = driven(date=date, seat_count=1)
        late = driven(date=date, seat_count=1, window_s=(11 * 3600, 11 * 3600))
        quotes = [booth.quote(ride, *first_pair(ride)) for ride in (early, late)]
        riders = [booth.person("rider") for _ in range(6)]
        results = at_once(*(partial(booth.hold, r, *quotes) for r in riders))
        assert codes(results) == ["ride_not_free"] * 5
        assert booth.seats_taken(early) == booth.seats_taken(late) == [("held", 1)]
        held = next(result for result in results if not isinstance(result, str))
        rider = next(r for r in riders if r.person_id == held[0].rider_id)
        confirmed = confirm_seats(booth.desk, rider, held[1].id, now=now())
        assert [b.state for b in confirmed] == [S.CONFIRMED] * 2


def test_race_10_a_ride_that_is_full_frees_the_other(
    booth: Booth, driven: Callable[..., Driven]
) -> None:
    date = soon()
    early = driven(date=date)
    late = driven(date=date, seat_count=1, window_s=(11 * 3600, 11 * 3600))
    booth.book(booth.person("first"), booth.quote(late, *first_pair(late)))
    with pytest.raises(Exception, match="search again"):
        booth.hold(booth.person("rider"), *(booth.quote(r, *first_pair(r)) for r in (early, late)))
    assert booth.seats_taken(early) == []
    assert booth.engaged(early) == 0


def test_race_11_the_database_decides_whatever_the_search_has_shown(
    booth: Booth, driven: Callable[..., Driven]
) -> None:
    ride = driven(seat_count=1)
    shown = booth.quote(ride, *first_pair(ride))  # found before anybody booked
    booth.book(booth.person("first"), shown)
    with pytest.raises(Exception, match="search again"):
        booth.hold(booth.person("second"), shown)
    paused = driven()
    shown = booth.quote(paused, *first_pair(paused))
    with booth.desk.engine.begin() as connection:
        SqlOfferStore(connection).change_state(paused.offer.id, OfferState.PAUSED)
    with pytest.raises(Exception, match="does not offer"):
        booth.hold(booth.person("rider"), shown)


def test_race_12_a_ride_is_billed_once(booth: Booth, driven: Callable[..., Driven]) -> None:
    ride = driven()
    rider = booth.person("rider")
    (booked,) = booth.book(rider, booth.quote(ride, *first_pair(ride)))
    at = booked.pickup_from
    with pytest.raises(TooSoon):
        start_ride(booth.desk, ride.driver, booked.ride_id, now=now())
    start_ride(booth.desk, ride.driver, booked.ride_id, now=at)
    booth.act(ride.driver, Side.DRIVER, booked.id, BookingEvent.BOARD, code=booked.code, at=at)
    results = at_once(*[
        lambda: booth.act(ride.driver, Side.DRIVER, booked.id, BookingEvent.COMPLETE, at=at)
    ] * 5)  # fmt: skip
    assert codes(results) == ["booking_state"] * 4
    end_ride(booth.desk, ride.driver, booked.ride_id, now=at)
    with booth.desk.engine.connect() as connection:
        kinds = connection.execute(
            sa.select(outbox.c.kind).where(outbox.c.booking_id == booked.id).order_by(outbox.c.id)
        ).scalars()
        assert list(kinds) == ["booking_confirmed", "ride_completed"]


@pytest.mark.parametrize("date", [dt.date(2027, 3, 28), dt.date(2027, 10, 31)])
def test_race_13_promises_are_instants_on_days_on_which_the_clock_changes(
    booth: Booth, driven: Callable[..., Driven], date: dt.date
) -> None:
    zone: ZoneInfo = booth.desk.snapshot.network.zone
    ride = driven(date=date, window_s=(8 * 3600, 8 * 3600))
    (booked,) = booth.book(booth.person("rider"), booth.quote(ride, *first_pair(ride)))
    p, _ = first_pair(ride)
    left = booked.pickup_from.astimezone(zone) - dt.timedelta(
        seconds=int(ride.way.body.from_start_s[p])
    )
    midnight = dt.datetime.combine(date, dt.time(), tzinfo=zone).timestamp()
    hours = 24 if date.month not in (3, 10) else 23 if date.month == 3 else 25
    next_midnight = dt.datetime.combine(
        date + dt.timedelta(days=1), dt.time(), tzinfo=zone
    ).timestamp()
    assert next_midnight - midnight == hours * 3600
    # Service time is counted from noon less twelve hours: eight o'clock on the clock of the wall.
    assert left.timestamp() == day_start_epoch_s(date, zone) + 8 * 3600
    assert (left.hour, left.minute) == (8, 0)


def test_race_14_what_takes_time_is_done_before_a_ride_is_locked(
    booth: Booth, driven: Callable[..., Driven], monkeypatch: pytest.MonkeyPatch
) -> None:
    ride = driven()
    quote = booth.quote(ride, *first_pair(ride))
    (booked,) = booth.book(booth.person("first"), quote)
    compiling, go_on = threading.Event(), threading.Event()
    real = type(booth.desk).way_of

    def slow(self: Any, *args: Any, **more: Any) -> Any:
        if threading.current_thread().name == "slow":
            compiling.set()
            assert go_on.wait(20)
        return real(self, *args, **more)

    monkeypatch.setattr(type(booth.desk), "way_of", slow)
    monkeypatch.setattr("mobility.actions.book_seats._ready", {})  # made anew
    rider, results = booth.person("slow"), []
    thread = threading.Thread(name="slow", target=lambda: results.append(booth.hold(rider, quote)))
    thread.start()
    assert compiling.wait(20)
    with booth.desk.engine.begin() as connection:  # would wait for a lock that were held
        connection.execute(sa.text("set local lock_timeout = '2s'"))
        lock(booth.desk, connection, [booked.ride_id], now())
    go_on.set()
    thread.join()
    assert results[0][0].state is S.HELD
