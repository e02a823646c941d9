"""Weekly series on PostgreSQL: races for the last seats, and whoever dies in the middle."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from carpool.bookings import BookingEvent, BookingState
from carpool.offers import WEEKDAYS, Acceptance, OfferState
from carpool.series import DateAnswer, answer_of
from core.geo import Coordinate
from mobility.actions import book_series as action
from mobility.actions.book_series import (
    Wanted,
    answer_series,
    book_series,
    cancel_series,
    continue_series,
    dates_with_bookings,
)
from mobility.actions.change_booking import Side
from mobility.db.idempotency import KeyReused
from mobility.db.journeys import JourneyEnds, read_journeys
from mobility.db.notices import list_notices
from mobility.db.offers import SqlOfferStore
from mobility.db.series import list_series
from mobility.users.scopes import Principal
from tests.support.booking_storm import broken_promises
from tests.support.bookings import Booth, Driven, at_once, codes, first_pair, now, soon

WEEKS = 3
A = DateAnswer


@pytest.fixture
def weekly(driven: Callable[..., Driven]) -> Callable[..., Driven]:
    """Publishes an offer for some weeks, every day unless other days are said."""

    def publish(**changes: Any) -> Driven:
        date = changes.pop("date", None) or soon()
        last = date + dt.timedelta(days=7 * WEEKS - 1)
        days = frozenset(WEEKDAYS)
        return driven(**{"date": date, "valid_to": last, "weekdays": days, **changes})

    return publish


def back_of(weekly: Callable[..., Driven], out: Driven, **changes: Any) -> Driven:
    """An offer for the evening of the same dates."""
    return weekly(date=out.date, window_s=(17 * 3600, 17 * 3600 + 600), **changes)


def wanted(booth: Booth, out: Driven, back: Driven | None = None, **changes: Any) -> Wanted:
    quotes = [[booth.quote(d, *first_pair(d))] if d else [] for d in (out, back)]
    usual = Wanted(
        quotes[0], quotes[1], frozenset(WEEKDAYS), out.date + dt.timedelta(days=7 * WEEKS - 1),
        both_or_none=False, ends=None,
    )  # fmt: skip
    return usual._replace(**changes)


def go(booth: Booth, rider: Principal, asked: Wanted, *, key: str | None = None) -> uuid.UUID:
    return book_series(booth.desk, rider, asked, booth.key, key=key, now=now())


def answers(booth: Booth, series_id: uuid.UUID, way: str = "out") -> list[tuple[str, str | None]]:
    """What became of each date of one way."""
    return [
        (answer_of(date.reason, bookings), date.reason)
        for date, bookings in dates_of(booth, series_id)
        if date.way == way
    ]


def dates_of(booth: Booth, series_id: uuid.UUID) -> list[Any]:
    with booth.desk.engine.connect() as connection:
        return dates_with_bookings(connection, [series_id])[series_id]


def told(booth: Booth, who: Principal) -> list[str]:
    with booth.desk.engine.connect() as connection:
        return [n.kind for n in list_notices(connection, who.person_id, after=0, count=100)]


def test_each_date_is_answered_by_itself_and_the_driver_is_told_once(
    booth: Booth, weekly: Callable[..., Driven]
) -> None:
    date = soon()
    monday = date + dt.timedelta(days=-date.weekday() % 7)
    ride = weekly(
        date=monday, weekdays=frozenset({"mon", "wed"}), seat_count=1,
        except_dates=frozenset({monday + dt.timedelta(days=9)}),
    )  # fmt: skip
    rider, other = booth.person("rider"), booth.person("other")
    taken = booth.quote(ride, *first_pair(ride))
    asked = wanted(booth, ride, weekdays=frozenset({"mon", "tue", "wed"}))
    booth.book(other, taken)  # the first Monday is full
    series_id = go(booth, rider, asked)
    assert answers(booth, series_id) == [
        (A.REFUSED, "ride_not_free"), (A.REFUSED, "not_driven"), (A.BOOKED, None),
        (A.BOOKED, None), (A.REFUSED, "not_driven"), (A.REFUSED, "except_date"),
        (A.BOOKED, None), (A.REFUSED, "not_driven"), (A.BOOKED, None),
    ]  # fmt: skip
    assert told(booth, ride.driver) == ["booking_confirm", "series_booked"]
    again = go(booth, rider, asked)
    assert Counter(reason for _, reason in answers(booth, again)) == {
        "already_on_the_way": 4, "not_driven": 3, "except_date": 1, "ride_not_free": 1,
    }  # fmt: skip
    assert broken_promises(booth.desk, ride.offer.id) == []


def test_both_ways_of_a_date_are_booked_or_none_if_the_rider_says_so(
    booth: Booth, weekly: Callable[..., Driven]
) -> None:
    out = weekly(seat_count=2)
    back = back_of(weekly, out, seat_count=1, except_dates=frozenset({out.date}))
    second = out.date + dt.timedelta(days=1)
    # On the second date the seat back is somebody else's.
    full = go(
        booth, booth.person("other"),
        wanted(booth, back, weekdays=frozenset({WEEKDAYS[second.weekday()]}), until=second),
    )  # fmt: skip
    assert answers(booth, full) == [(A.BOOKED, None)]
    short = {"until": out.date + dt.timedelta(days=2)}
    both = go(booth, booth.person("both"), wanted(booth, out, back, both_or_none=True, **short))
    assert answers(booth, both) == [
        (A.REFUSED, "other_way"), (A.REFUSED, "ride_not_free"), (A.BOOKED, None),
    ]  # fmt: skip
    assert answers(booth, both, "back") == [
        (A.REFUSED, "except_date"), (A.REFUSED, "ride_not_free"), (A.BOOKED, None),
    ]  # fmt: skip
    ids = [date.together_id for date, _ in dates_of(booth, both) if date.together_id]
    assert len(set(ids)) == 2, "the ways of a date are two journeys"
    each = go(booth, booth.person("each"), wanted(booth, out, back, **short))
    assert answers(booth, each) == [(A.BOOKED, None)] * 3
    assert answers(booth, each, "back") == [
        (A.REFUSED, "except_date"), (A.REFUSED, "ride_not_free"), (A.REFUSED, "ride_not_free"),
    ]  # fmt: skip


def test_two_riders_who_book_series_at_once_share_the_seats_of_no_date(
    booth: Booth, weekly: Callable[..., Driven]
) -> None:
    out = weekly(seat_count=1)
    back = back_of(weekly, out, seat_count=1)
    riders = [booth.person("rider") for _ in range(3)]
    results = at_once(*(partial(go, booth, r, wanted(booth, out, back)) for r in riders))
    assert codes(results) == []
    for way in ("out", "back"):
        dates = [answers(booth, i, way) for i in results if isinstance(i, uuid.UUID)]
        for of_date in zip(*dates, strict=True):
            assert sorted(of_date) == [
                (A.BOOKED, None), (A.REFUSED, "ride_not_free"), (A.REFUSED, "ride_not_free"),
            ]  # fmt: skip
    assert broken_promises(booth.desk, out.offer.id, back.offer.id) == []


def test_both_or_none_at_once_takes_both_seats_of_a_date_or_neither(
    booth: Booth, weekly: Callable[..., Driven]
) -> None:
    out = weekly(seat_count=1)
    back = back_of(weekly, out, seat_count=1)
    riders = [booth.person("rider") for _ in range(3)]
    asked = wanted(booth, out, back, both_or_none=True)
    results = at_once(*(partial(go, booth, rider, asked) for rider in riders))
    assert codes(results) == []
    for series_id in results:
        assert isinstance(series_id, uuid.UUID)
        assert answers(booth, series_id) == answers(booth, series_id, "back")
    booked = Counter(
        date.date
        for series_id in results
        if isinstance(series_id, uuid.UUID)
        for date, bookings in dates_of(booth, series_id)
        if bookings
    )
    assert set(booked.values()) == {2}
    assert len(booked) == 7 * WEEKS


@pytest.mark.parametrize("goes_on", ["the same key", "upkeep", "both at once"])
def test_whoever_dies_in_the_middle_is_gone_on_with_and_books_nothing_twice(
    booth: Booth,
    weekly: Callable[..., Driven],
    monkeypatch: pytest.MonkeyPatch,
    goes_on: str,
) -> None:
    ride = weekly(seat_count=2)
    rider, asked = booth.person("rider"), wanted(booth, ride)
    book, tried = action.book_journeys, 0

    def dies(*args: Any, **more: Any) -> Any:
        nonlocal tried
        tried += 1
        done = book(*args, **more)
        if tried == 5:  # the date is booked, whoever asked never learns it
            raise KeyboardInterrupt
        return done

    with monkeypatch.context() as patched:
        patched.setattr(action, "book_journeys", dies)
        with pytest.raises(KeyboardInterrupt):
            go(booth, rider, asked, key="series")
    later = now() + dt.timedelta(minutes=5)
    again: list[Callable[[], Any]] = [partial(go, booth, rider, asked, key="series")] * 2
    sweeps: list[Callable[[], Any]] = [partial(continue_series, booth.desk, now=later)] * 2
    acts = {"the same key": again[:1], "upkeep": sweeps[:1], "both at once": again + sweeps}
    assert codes(at_once(*acts[goes_on])) == []
    series_id = go(booth, rider, asked, key="series")
    assert answers(booth, series_id) == [(A.BOOKED, None)] * 7 * WEEKS
    assert Counter(booth.seats_taken(ride)) == {("confirmed", 1): 7 * WEEKS}
    assert told(booth, ride.driver) == ["series_booked"]
    with pytest.raises(KeyReused):
        go(booth, rider, asked._replace(until=ride.date), key="series")


def test_a_series_that_is_worked_on_is_left_to_whoever_works_on_it(
    booth: Booth, weekly: Callable[..., Driven], monkeypatch: pytest.MonkeyPatch
) -> None:
    ride = weekly()
    with monkeypatch.context() as patched:
        patched.setattr(action, "work_off", lambda *_, **__: None)
        series_id = go(booth, booth.person("rider"), wanted(booth, ride))
    assert {answer for answer, _ in answers(booth, series_id)} == {A.OPEN}
    continue_series(booth.desk, now=now())
    assert {answer for answer, _ in answers(booth, series_id)} == {A.OPEN}
    continue_series(booth.desk, now=now() + dt.timedelta(minutes=3))
    assert {answer for answer, _ in answers(booth, series_id)} == {A.BOOKED}


def test_a_date_is_not_booked_by_whoever_comes_to_it_once_the_series_was_given_back(
    booth: Booth, weekly: Callable[..., Driven], monkeypatch: pytest.MonkeyPatch
) -> None:
    ride, rider = weekly(), booth.person("rider")
    book, begun = action.book_journeys, False

    def given_back_first(*args: Any, **more: Any) -> Any:
        nonlocal begun
        if not begun:
            begun = True
            with booth.desk.engine.connect() as connection:
                (stored,) = list_series(connection, rider.person_id, 1)
            cancel_series(booth.desk, rider, stored.series.id, now=now())
        return book(*args, **more)

    with monkeypatch.context() as patched:
        patched.setattr(action, "book_journeys", given_back_first)
        series_id = go(booth, rider, wanted(booth, ride))
    assert set(answers(booth, series_id)) == {(A.REFUSED, "cancelled")}
    assert booth.seats_taken(ride) == []
    assert told(booth, ride.driver) == []


def test_a_driver_who_is_asked_answers_all_dates_in_one_act(
    booth: Booth, weekly: Callable[..., Driven]
) -> None:
    ride = weekly(acceptance=Acceptance.ASK)
    rider, stranger = booth.person("rider"), booth.person("stranger")
    series_id = go(booth, rider, wanted(booth, ride))
    assert {answer for answer, _ in answers(booth, series_id)} == {A.ASKED}
    first = dates_of(booth, series_id)[0][1][0]
    booth.act(ride.driver, Side.DRIVER, first.id, BookingEvent.DECLINE)
    accept = partial(answer_series, booth.desk, ride.driver, series_id, BookingEvent.ACCEPT)
    with pytest.raises(Exception, match="nobody rides with you"):
        answer_series(booth.desk, stranger, series_id, BookingEvent.ACCEPT, now=now())
    assert (accept(now=now()).done, accept(now=now()).done) == (7 * WEEKS - 1, 0)
    assert told(booth, rider) == ["booking_decline", "series_accept"]
    found = answers(booth, series_id)
    assert found == [(A.OVER, None)] + [(A.BOOKED, None)] * (7 * WEEKS - 1)
    declined = answer_series(booth.desk, ride.driver, series_id, BookingEvent.DECLINE, now=now())
    assert declined.done == 0, "what was accepted stays"
    gone = answer_series(booth.desk, ride.driver, series_id, BookingEvent.CANCEL_DRIVER, now=now())
    assert gone.done == 7 * WEEKS - 1
    assert told(booth, rider)[2:] == ["series_cancel_driver"]
    assert booth.engaged(ride) == 0


def test_a_series_that_is_given_back_frees_what_is_to_come_and_nothing_else(
    booth: Booth, weekly: Callable[..., Driven], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = weekly()
    back = back_of(weekly, out)
    rider = booth.person("rider")
    series_id = go(booth, rider, wanted(booth, out, back), key="given back")
    first, second = (bookings[0] for _, bookings in dates_of(booth, series_id)[:2])
    booth.act(rider, Side.RIDER, second.id, BookingEvent.CANCEL_RIDER)  # one date is dropped
    after_first = first.pickup_from + dt.timedelta(minutes=1)
    with pytest.raises(Exception, match="no series"):
        cancel_series(booth.desk, booth.person("stranger"), series_id, now=after_first)
    cancel_series(booth.desk, rider, series_id, now=after_first)
    cancel_series(booth.desk, rider, series_id, now=after_first)
    found = answers(booth, series_id) + answers(booth, series_id, "back")
    assert Counter(answer for answer, _ in found) == {A.BOOKED: 1, A.OVER: 14 * WEEKS - 1}
    assert booth.state(first.id) is BookingState.CONFIRMED
    assert told(booth, out.driver) == ["series_booked", "series_cancelled"]
    assert told(booth, back.driver) == ["series_booked", "booking_cancel_rider", "series_cancelled"]
    # The same key books nothing anew.
    assert go(booth, rider, wanted(booth, out, back), key="given back") == series_id
    assert booth.engaged(out) == 2
    with monkeypatch.context() as patched:
        patched.setattr(action, "work_off", lambda *_, **__: None)
        begun = go(booth, rider, wanted(booth, back))
    cancel_series(booth.desk, rider, begun, now=now())
    continue_series(booth.desk, now=now() + dt.timedelta(minutes=5))
    assert set(answers(booth, begun)) == {(A.REFUSED, "cancelled")}


def test_a_paused_offer_takes_no_series_and_keeps_what_it_has(
    booth: Booth, weekly: Callable[..., Driven]
) -> None:
    ride = weekly()
    first = go(booth, booth.person("rider"), wanted(booth, ride))
    with booth.desk.engine.begin() as connection:
        SqlOfferStore(connection).change_state(ride.offer.id, OfferState.PAUSED)
    second = go(booth, booth.person("late"), wanted(booth, ride))
    assert set(answers(booth, first)) == {(A.BOOKED, None)}
    assert set(answers(booth, second)) == {(A.REFUSED, "ride_not_free")}


def test_the_journey_of_the_way_back_is_the_other_way_round(
    booth: Booth, weekly: Callable[..., Driven]
) -> None:
    out = weekly()
    back = back_of(weekly, out)
    ends = JourneyEnds(Coordinate(46.45, 1.01), Coordinate(46.58, 1.17))
    series_id = go(booth, booth.person("r"), wanted(booth, out, back, until=out.date, ends=ends))
    dates = [date for date, _ in dates_of(booth, series_id)]
    with booth.desk.engine.connect() as connection:
        found = read_journeys(connection, [d.together_id for d in dates])
    assert [found[d.together_id].ends for d in dates] == [ends, JourneyEnds(ends.end, ends.start)]
