"""Riders and drivers rate each other, and neither sees the other's word first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from carpool.bookings import BookingEvent
from carpool.ratings import BLIND, PRIOR_COUNT, PRIOR_STARS, score
from mobility.actions.change_booking import Side
from mobility.actions.rate_ride import rate_ride
from mobility.actions.run_ride import start_ride
from mobility.actions.sign_in import issue
from mobility.db.notices import list_notices
from mobility.db.ratings import list_ratings, scores_of
from mobility.users.scopes import EVERYBODYS, SIGN_IN, Principal
from tests.support.booked import Ask
from tests.support.bookings import Booth, Driven, at_once, first_pair, now, outcome


def driven_there(booth: Booth, ride: Driven, rider: Principal) -> tuple[Any, dt.datetime]:
    """A ride from its booking to its end, and when it was over."""
    (booked,) = booth.book(rider, booth.quote(ride, *first_pair(ride)))
    at = booked.pickup_from
    start_ride(booth.desk, ride.driver, booked.ride_id, now=at)
    booth.act(ride.driver, Side.DRIVER, booked.id, BookingEvent.BOARD, at=at, code=booked.code)
    over = booked.dropoff_by
    booth.act(ride.driver, Side.DRIVER, booked.id, BookingEvent.COMPLETE, at=over)
    return booked, over


def seen(booth: Booth, who: Principal, now: dt.datetime) -> list[int]:
    with booth.desk.engine.connect() as connection:
        return [each.stars for each in list_ratings(connection, who.person_id, now)]


def test_what_one_side_says_is_shown_once_the_other_has_spoken(
    booth: Booth, driven: Callable[..., Driven]
) -> None:
    ride, rider, other = driven(), booth.person("rider"), booth.person("other")
    engine = booth.desk.engine
    booked, over = driven_there(booth, ride, rider)

    def rate(who: Principal, side: Side, stars: int, at: dt.datetime = over) -> None:
        rate_ride(engine, who, side, booked.id, stars, "", now=at)

    rate(rider, Side.RIDER, 2)
    assert seen(booth, ride.driver, over) == []
    for who, side in ((other, Side.RIDER), (rider, Side.DRIVER), (ride.driver, Side.RIDER)):
        assert outcome(lambda who=who, side=side: rate(who, side, 5))[1] == "booking_not_found"
    assert outcome(lambda: rate(rider, Side.RIDER, 5))[1] == "already_rated"
    rate(ride.driver, Side.DRIVER, 4)
    assert (seen(booth, ride.driver, over), seen(booth, rider, over)) == ([2], [4])
    with engine.connect() as connection:
        for who in (rider, ride.driver):
            last = list_notices(connection, who.person_id, after=0, count=100)[-1]
            assert (last.kind, last.content) == ("ratings_shown", {"booking_id": str(booked.id)})
        people = [rider.person_id, ride.driver.person_id, other.person_id]
        scores = scores_of(connection, people, over)
    assert scores == {rider.person_id: score(4, 1), ride.driver.person_id: score(2, 1)}


def test_a_driver_is_shown_whom_he_may_rate_and_the_last_news_first(
    booth: Booth, driven: Callable[..., Driven], ask: Ask
) -> None:
    ride, rider = driven(), booth.person("rider")
    booked, over = driven_there(booth, ride, rider)
    with booth.desk.engine.begin() as connection:
        session = issue(
            connection, ride.driver.user_id, SIGN_IN, "test", EVERYBODYS, now=now(),
            lives=dt.timedelta(days=1),
        )  # fmt: skip

    def done() -> list[dict[str, Any]]:
        (shown,) = ask(session.secret, "GET", "/rides", params={"since": ride.date}).json()
        assert shown["passengers"] == []
        found: list[dict[str, Any]] = shown["done"]
        return found

    whom = {"booking_id": str(booked.id), "rider": booth.alias(rider), "state": "completed"}
    assert done() == [{**whom, "stars_given": None}]
    for side, who in ((Side.RIDER, rider), (Side.DRIVER, ride.driver)):
        rate_ride(booth.desk.engine, who, side, booked.id, 3, "", now=over)
    assert done() == [{**whom, "stars_given": 3}]
    in_order = ask(session.secret, "GET", "/notices").json()
    assert [n["kind"] for n in in_order] == ["booking_confirm", "ratings_shown"]
    newest = ask(session.secret, "GET", "/notices", params={"newest": True, "count": 1}).json()
    assert newest == in_order[-1:]


def test_what_only_one_side_has_said_is_shown_when_the_other_can_speak_no_more(
    booth: Booth, driven: Callable[..., Driven]
) -> None:
    ride, rider = driven(), booth.person("rider")
    booked, over = driven_there(booth, ride, rider)
    engine, last = booth.desk.engine, booked.dropoff_by + BLIND
    rate_ride(engine, ride.driver, Side.DRIVER, booked.id, 1, "n'est pas venu", now=over)
    assert seen(booth, rider, last) == []
    late = last + dt.timedelta(seconds=1)
    assert seen(booth, rider, late) == [1]
    refused = outcome(lambda: rate_ride(engine, rider, Side.RIDER, booked.id, 1, "", now=late))
    assert refused[1] == "booking_state"


def test_nobody_rates_a_ride_that_is_not_over(booth: Booth, driven: Callable[..., Driven]) -> None:
    ride, rider = driven(), booth.person("rider")
    (booked,) = booth.book(rider, booth.quote(ride, *first_pair(ride)))
    at = booked.dropoff_by
    refused = outcome(
        lambda: rate_ride(booth.desk.engine, rider, Side.RIDER, booked.id, 5, "", now=at)
    )
    assert refused[1] == "booking_state"


def test_ratings_given_at_once_are_all_stored_once_and_told_once(
    booth: Booth, driven: Callable[..., Driven]
) -> None:
    ride, rider = driven(), booth.person("rider")
    booked, over = driven_there(booth, ride, rider)
    sides = [(rider, Side.RIDER), (ride.driver, Side.DRIVER)] * 4
    results = at_once(
        *(
            lambda who=who, side=side: rate_ride(
                booth.desk.engine, who, side, booked.id, 3, "", now=over
            )
            for who, side in sides
        )
    )
    assert sorted(map(str, results)) == ["None"] * 2 + ["already_rated"] * 6
    with booth.desk.engine.connect() as connection:
        told = list_notices(connection, rider.person_id, after=0, count=100)
    assert [n.kind for n in told].count("ratings_shown") == 1


@pytest.mark.unit
def test_everybody_begins_with_the_same_few_ratings() -> None:
    assert score(0, 0).stars == PRIOR_STARS
    one = (PRIOR_STARS * PRIOR_COUNT + 1) / (PRIOR_COUNT + 1)
    assert score(1, 1).stars == pytest.approx(one, abs=0.01)
    assert score(5_000, 1_000).stars == pytest.approx(5, abs=0.01)
