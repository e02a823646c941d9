"""Riders say which itinerary they take: stays that they do not tap out of end there."""

from __future__ import annotations

import datetime as dt
import itertools
import random
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from mobility.actions.choose_itinerary import choose_itinerary, drop_itinerary, read_leg
from mobility.actions.forget_usage import PLACES_KEPT, forget_usage
from mobility.actions.take_usage import take_usage
from mobility.db.chosen_itineraries import KEPT_LIMIT
from mobility.db.engine import Engine, read_quote_key
from mobility.mapping.cloud_events import read_event
from mobility.world import World
from payments.chosen import LATE
from payments.taps import Used
from payments.tariff import GUESSES
from payments.versions import Tariffs
from tests.support.booked import Ask
from tests.support.bookings import Booth
from tests.support.usage import Event, bills_of, event, linked_card, midnight, send
from tests.support.users import Somebody, code_of

UTC, MINUTE = dt.UTC, dt.timedelta(minutes=1)
Line = tuple[str, list[str]]


def leg(line: Line, to: int, at: dt.datetime, **changes: Any) -> dict[str, Any]:
    """A leg from the first stop of a line to another one."""
    route, stops = line
    return {
        "board_stop": stops[0], "alight_stop": stops[to], "route": route,
        "board_at": at.isoformat(), **changes,
    }  # fmt: skip


def metres_of(ask: Ask, who: Somebody) -> list[int]:
    legs = [leg for bill in bills_of(ask, who).values() for leg in bill["legs"]]
    return [leg["metres"] for leg in sorted(legs, key=lambda leg: leg["board_at"])]


def ended_by(ask: Ask, who: Somebody) -> list[str | None]:
    legs = [leg for bill in bills_of(ask, who).values() for leg in bill["legs"]]
    return [leg["ended_by"] for leg in sorted(legs, key=lambda leg: leg["board_at"])]


@pytest.fixture
def choose(engine: Engine, booth: Booth, train: Line) -> Callable[..., uuid.UUID]:
    """Notes at some time that a rider takes a train to a stop of its line."""

    def note(who: Somebody, to: int, board_at: dt.datetime, noted_at: dt.datetime) -> uuid.UUID:
        chosen = read_leg(
            booth.desk.snapshot.network, train[1][0], train[1][to], train[0], board_at
        )
        return choose_itinerary(engine, who.person_id, [chosen], lambda: noted_at).id

    return note


def test_a_rider_chooses_an_itinerary_looks_at_it_and_takes_it_back(
    ask: Ask, somebody: Callable[..., Somebody], train: Line
) -> None:
    rider, other = somebody(), somebody()
    at = dt.datetime.now(UTC) + 20 * MINUTE
    content = {"legs": [leg(train, 2, at, trip="20270324_1"), leg(train, 1, at + 60 * MINUTE)]}
    assert ask(rider.secret, "GET", "/chosen-itineraries").json() == []
    chosen = ask(rider.secret, "POST", "/chosen-itineraries", json=content)
    assert chosen.status_code == 201, chosen.text
    again = ask(rider.secret, "POST", "/chosen-itineraries", json=content)
    assert again.json() == chosen.json()  # once, however often it is said
    (shown,) = ask(rider.secret, "GET", "/chosen-itineraries").json()
    assert shown == chosen.json()
    for given, kept in zip(content["legs"], shown["legs"], strict=True):
        assert dt.datetime.fromisoformat(kept.pop("board_at")) == dt.datetime.fromisoformat(
            given.pop("board_at")
        )
        assert kept == {"trip": "", **given}
    assert ask(other.secret, "GET", "/chosen-itineraries").json() == []
    path = f"/chosen-itineraries/{shown['id']}"
    assert code_of(ask(other.secret, "DELETE", path)) == "chosen_itinerary_not_found"
    assert ask(rider.secret, "DELETE", path).status_code == 204
    assert ask(rider.secret, "DELETE", path).status_code == 404
    assert ask(rider.secret, "GET", "/chosen-itineraries").json() == []
    # It counts for what he has boarded until then, so that it is kept, and handed over to him.
    (kept,) = ask(rider.secret, "GET", "/fare-data").json()["chosen_itineraries"]
    assert kept["id"] == shown["id"]
    assert kept["dropped_at"] is not None
    assert ask(rider.secret, "DELETE", "/fare-data").json()["is_done"]
    assert ask(rider.secret, "GET", "/fare-data").json()["chosen_itineraries"] == []


def test_what_is_no_itinerary_is_refused(
    ask: Ask, somebody: Callable[..., Somebody], train: Line
) -> None:
    rider, now = somebody(), dt.datetime.now(UTC)
    good = leg(train, 1, now)
    wrong: list[tuple[list[dict[str, Any]], str]] = [
        ([good | {"board_stop": "none:\u0000"}], "board_stop 'none:\\x00' is not a stop"),
        ([good | {"alight_stop": "none:none"}], "alight_stop 'none:none' is not a stop"),
        ([good, good | {"route": "carpool"}], "route 'carpool' is not a line"),
        ([leg(train, 1, now - dt.timedelta(hours=7))], "6 hours ago"),
        ([leg(train, 1, now + dt.timedelta(days=31))], "30 days ahead"),
        ([good | {"board_at": "2027-03-24T08:00:00"}], "timezone"),
        ([good | {"board_at": "0001-01-01T00:00:00+14:00"}], "6 hours ago"),
        ([good | {"board_stop": "a" * 201}], "200"),
        ([good | {"mode": "bus"}], "mode"),
        ([good | {"trip": "a" * 201}], "200"),
        ([], "legs"),
        ([good] * 11, "legs"),
    ]
    for legs, said in wrong:
        answer = ask(rider.secret, "POST", "/chosen-itineraries", json={"legs": legs})
        assert answer.status_code == 422, answer.text
        assert said in answer.json()["error"], answer.text
    assert ask(rider.secret, "GET", "/chosen-itineraries").json() == []


def test_nobody_chooses_more_than_anybody_takes(
    ask: Ask, somebody: Callable[..., Somebody], train: Line, choose: Callable[..., uuid.UUID]
) -> None:
    rider, now = somebody(), dt.datetime.now(UTC)
    for minute in range(KEPT_LIMIT):
        choose(rider, 1, now + minute * MINUTE, now)
    content = {"legs": [leg(train, 2, now)]}
    answer = ask(rider.secret, "POST", "/chosen-itineraries", json=content)
    assert (answer.status_code, code_of(answer)) == (409, "too_many_chosen")


def test_a_choice_ends_a_ride_until_the_tap_out_is_known(
    ask: Ask, somebody: Callable[..., Somebody], engine: Engine, train: Line
) -> None:
    rider, late, (route, stops) = somebody(), somebody(), train
    number, others = linked_card(engine, rider), linked_card(engine, late)
    content = {"legs": [leg(train, 1, dt.datetime.now(UTC) + 10 * MINUTE)]}
    assert ask(rider.secret, "POST", "/chosen-itineraries", json=content).status_code == 201
    at = dt.datetime.now(UTC)
    send(ask, [event(own, "in", at, stops[0], route=route) for own in (number, others)])
    # Who says so once he has tapped in has said it too late.
    assert ask(late.secret, "POST", "/chosen-itineraries", json=content).status_code == 201
    (guessed,), (whole,) = metres_of(ask, rider), metres_of(ask, late)
    assert 0 < guessed < whole
    assert (ended_by(ask, rider), ended_by(ask, late)) == (["chosen"], ["line_maximum"])
    (bill,) = bills_of(ask, late).values()
    assert bill["legs"][0]["end_fr"] == (
        "arrivée estimée\N{NO-BREAK SPACE}: inconnue, donc au plus loin sur la ligne"
    )
    send(ask, [event(others, "out", at + MINUTE, stops[1], mode="rail")])
    assert metres_of(ask, late) == [guessed]  # as long as if it had been tapped
    send(ask, [event(number, "out", at + MINUTE, stops[2], mode="rail")])
    assert guessed < metres_of(ask, rider)[0] < whole
    assert ended_by(ask, rider) == ended_by(ask, late) == [None]


def test_a_clock_that_is_ahead_makes_no_choice_come_before_the_tap(
    ask: Ask, somebody: Callable[..., Somebody], engine: Engine, train: Line
) -> None:
    rider, other, (route, stops) = somebody(), somebody(), train
    cards = [linked_card(engine, who) for who in (rider, other)]
    at = dt.datetime.now(UTC) + 3 * MINUTE
    send(ask, [event(number, "in", at, stops[0], route=route) for number in cards])
    content = {"legs": [leg(train, 1, at)]}
    assert ask(rider.secret, "POST", "/chosen-itineraries", json=content).status_code == 201
    send(ask, [event(number, "in", at + MINUTE, stops[2], route=route) for number in cards])
    assert metres_of(ask, rider) == metres_of(ask, other)


SOURCES = ("chosen", "boarding", "habit")
HOW = {
    "chosen": "chosen", "boarding": "next_boarding", "habit": "habit", "line": "line_maximum",
}  # fmt: skip


@pytest.mark.parametrize(
    "known", [own for n in range(4) for own in itertools.combinations(SOURCES, n)]
)
def test_a_ride_ends_as_chosen_then_where_one_boards_next_then_as_usual_then_with_its_line(
    known: tuple[str, ...], ask: Ask, somebody: Callable[..., Somebody], engine: Engine,
    train: Line, bus: Line, choose: Callable[..., uuid.UUID],
) -> None:  # fmt: skip
    """To the 2nd stop as chosen, to that of a bus by the next boarding, to the 3rd by habit."""
    route, stops = train
    start = midnight(1) + dt.timedelta(hours=9)
    dice = random.Random(len(known))

    def ride(number: str, days_ago: int, to: int) -> list[Event]:
        at = start - dt.timedelta(days=days_ago)
        end = event(number, "out", at + 20 * MINUTE, stops[to], mode="rail")
        return [event(number, "in", at, stops[0], route=route), end]

    yardstick = somebody()
    number = linked_card(engine, yardstick)
    (in_, _), next_at = ride(number, 2, 1), start + dt.timedelta(days=-2, minutes=40)
    change = event(number, "board", next_at, bus[1][0], mode="bus")
    send(ask, [*ride(number, 4, 1), *ride(number, 3, 2), in_, change])
    chosen, usual, boarded, _ = metres_of(ask, yardstick)
    found = []
    for _ in range(2):
        rider = somebody()
        number = linked_card(engine, rider)
        if "chosen" in known:
            choose(rider, 1, start - 5 * MINUTE, start - 60 * MINUTE)
        # What counts for nothing: chosen too late, taken back, for another hour.
        choose(rider, 2, start, start + MINUTE)
        choose(rider, 2, start + 21 * MINUTE, start - 60 * MINUTE)
        told = [event(number, "in", start, stops[0], route=route)]
        if "boarding" in known:
            told.append(event(number, "board", start + 40 * MINUTE, bus[1][0], mode="bus"))
        if "habit" in known:
            told += [each for weeks in (1, 2, 3) for each in ride(number, 7 * weeks, 2)]
        mixed = [*told, *told[:3]]
        dice.shuffle(mixed)
        for batch in (mixed[:2], mixed[2:4], mixed[4:]):
            send(ask, batch)
        found.append(metres_of(ask, rider)[3 * ("habit" in known)])
        assert ended_by(ask, rider)[3 * ("habit" in known)] == HOW[(*known, "line")[0]]
    assert found[0] == found[1]
    ends = {"chosen": chosen, "boarding": boarded, "habit": usual}
    expected = next((ends[source] for source in SOURCES if source in known), None)
    if expected is None:
        assert found[0] > usual > chosen
    else:
        assert found[0] == expected


@pytest.mark.parametrize(
    "allowed", [own for n in range(4) for own in itertools.combinations(GUESSES, n)]
)
def test_of_what_is_known_only_what_the_tariff_lets_us_guess_ends_a_ride(
    allowed: tuple[str, ...], ask: Ask, somebody: Callable[..., Somebody], engine: Engine,
    train: Line, bus: Line, choose: Callable[..., uuid.UUID], booth: Booth,
) -> None:  # fmt: skip
    snapshot = booth.desk.snapshot
    assert snapshot.tariff is not None
    own = replace(snapshot.tariff, guesses=frozenset(allowed))
    world, now = World(snapshot, tariffs=Tariffs((own,))), dt.datetime.now(UTC)
    route, stops = train
    start = midnight(1) + dt.timedelta(hours=9)
    rider = somebody()
    number = linked_card(engine, rider)
    choose(rider, 1, start - 5 * MINUTE, start - 60 * MINUTE)
    told = [
        event(number, "in", start, stops[0], route=route),
        event(number, "board", start + 40 * MINUTE, bus[1][0], mode="bus"),
    ]
    for week in (1, 2, 3):
        at = start - dt.timedelta(days=7 * week)
        told += [event(number, "in", at, stops[0], route=route),
                 event(number, "out", at + 20 * MINUTE, stops[2], mode="rail")]  # fmt: skip
    random.Random(len(allowed)).shuffle(told)
    with engine.connect() as connection:
        key = read_quote_key(connection)
    for each in told:
        used = read_event(each, "test", key, snapshot.network, now)
        assert isinstance(used, Used)
        take_usage(engine, world, [used], now)
    assert ended_by(ask, rider)[3] == (*allowed, "line_maximum")[0]


def test_what_was_taken_back_still_counts_for_a_tap_from_before_that_comes_late(
    ask: Ask, somebody: Callable[..., Somebody], engine: Engine,
    train: Line, choose: Callable[..., uuid.UUID],
) -> None:  # fmt: skip
    rider, (route, stops) = somebody(), train
    number = linked_card(engine, rider)
    start = midnight(1) + dt.timedelta(hours=9)
    chosen = choose(rider, 1, start, start - 60 * MINUTE)
    drop_itinerary(engine, rider.person_id, chosen, lambda: start + 30 * MINUTE)
    send(ask, [event(number, "in", start + 35 * MINUTE, stops[0], route=route)])
    send(ask, [event(number, "in", start + 10 * MINUTE, stops[0], route=route)])
    # The later one was boarded when it had been taken back; the earlier one ends as chosen.
    before, after = metres_of(ask, rider)
    assert 0 < before < after


def test_a_way_that_the_line_does_not_go_is_not_taken(
    ask: Ask, somebody: Callable[..., Somebody], engine: Engine, train: Line, bus: Line
) -> None:
    rider, (route, stops) = somebody(), train
    number = linked_card(engine, rider)
    at = dt.datetime.now(UTC)
    legs = [
        leg(train, 1, at, board_stop=stops[-1], alight_stop=stops[-1]),
        leg(train, 1, at, alight_stop=bus[1][1]),
    ]
    for each in legs:
        answer = ask(rider.secret, "POST", "/chosen-itineraries", json={"legs": [each]})
        assert answer.status_code == 201, answer.text
    at = dt.datetime.now(UTC)
    send(ask, [event(number, "in", at, stops[0], route=route)])
    (whole,) = metres_of(ask, rider)
    send(ask, [event(number, "out", at + MINUTE, stops[2], mode="rail")])
    assert metres_of(ask, rider)[0] < whole


def test_a_choice_is_forgotten_two_days_after_its_last_leg(
    somebody: Callable[..., Somebody], engine: Engine, choose: Callable[..., uuid.UUID]
) -> None:
    rider, now = somebody(), dt.datetime.now(UTC)
    gone = now - PLACES_KEPT - LATE
    old, young = (choose(rider, 1, gone + minute * MINUTE, gone) for minute in (-1, 1))
    forget_usage(engine, now)
    with engine.connect() as connection:
        query = sa.text("select id from chosen_itinerary where id in (:old, :young)")
        assert connection.execute(query, {"old": old, "young": young}).scalars().all() == [young]
