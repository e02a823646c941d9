"""What riders used becomes their bill, and the price that the planner tells them."""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import sqlalchemy as sa

from carpool.bookings import BookingEvent
from core.modes import Mode, mode_of_route_type
from mobility.actions.change_booking import Side
from mobility.actions.forget_usage import PLACES_KEPT, RIDERS_KEPT, forget_usage
from mobility.actions.run_ride import start_ride
from mobility.actions.take_usage import take_usage
from mobility.db.engine import Engine, read_quote_key
from mobility.db.usage import forget_riders
from mobility.mapping.cloud_events import medium_digest
from mobility.users.scopes import Scope
from mobility.world import World
from payments.taps import Tap, TapKind, Used
from payments.tariff import FareLeg
from tests.features.conftest import ZONE
from tests.support.booked import Ask
from tests.support.bookings import Booth, Driven, first_pair
from tests.support.users import Somebody, code_of

Event = dict[str, Any]
UTC = dt.UTC


def midnight(days_ago: int) -> dt.datetime:
    day = dt.datetime.now(ZONE).date() - dt.timedelta(days=days_ago)
    return dt.datetime.combine(day, dt.time(), ZONE)


def card() -> str:
    return f"card {uuid.uuid4()}"


def line_of(world: World, mode: Mode) -> tuple[str, list[str]]:
    """A line of a mode, and the stops of one of its ways."""
    t = world.network.timetable
    modes = [mode_of_route_type(int(kind)) for kind in t.route_type[t.pattern_route]]
    pattern = max(
        (p for p, of in enumerate(modes) if of is mode),
        key=lambda p: t.pattern_first_stop[p + 1] - t.pattern_first_stop[p],
    )
    calls = t.pattern_stop[t.pattern_first_stop[pattern] : t.pattern_first_stop[pattern + 1]]
    return t.route_id[t.pattern_route[pattern]], [t.stop_id[stop] for stop in calls.tolist()]


@pytest.fixture(scope="module")
def bus(booth: Booth) -> tuple[str, list[str]]:
    return line_of(World(booth.desk.snapshot), Mode.BUS)


@pytest.fixture(scope="module")
def train(booth: Booth) -> tuple[str, list[str]]:
    world = World(booth.desk.snapshot)
    t = world.network.timetable
    kinds = {mode_of_route_type(int(kind)) for kind in t.route_type.tolist()}
    return line_of(world, next(kind for kind in kinds if kind and "RAIL" in kind.name))


def event(number: str, kind: str, at: dt.datetime, stop: str, **data: Any) -> Event:
    return {
        "specversion": "1.0", "id": f"{uuid.uuid4()}", "source": "/readers/12",
        "type": f"mobility.tap.{kind}", "time": at.isoformat(),
        "data": {"medium": number, "stop": stop, **data},
    }  # fmt: skip


def buses(
    number: str, bus: tuple[str, list[str]], days: range, hours: tuple[int, ...]
) -> list[Event]:
    return [
        event(number, "board", midnight(day) + dt.timedelta(hours=h), bus[1][0], route=bus[0])
        for day in days
        for h in hours
    ]


def send(ask: Ask, events: list[Event]) -> dict[str, Any]:
    written = json.dumps(events)  # also what is no text, such as half a character
    of = {"content-type": "application/json"}
    answer = ask("operator", "POST", "/usage", content=written, headers=of)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def link(ask: Ask, who: Somebody, number: str) -> httpx.Response:
    return ask(who.secret, "POST", "/media", json={"number": number, "label": "carte"})


def months_of(ask: Ask, who: Somebody) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask(who.secret, "GET", "/bills").json()
    return found


def bills_of(ask: Ask, who: Somebody) -> dict[str, dict[str, Any]]:
    """All bills of somebody; what was kept when they were rated is what they say."""
    found = {}
    for month in months_of(ask, who):
        bill = ask(who.secret, "GET", f"/bills/{month['month']}").json()
        assert bill["amount_cents"] == month["amount_cents"]
        assert len(bill["legs"]) == month["leg_count"]
        lines = sum(line["amount_cents"] for line in bill["lines"])
        assert bill["amount_cents"] == lines - bill["billed_before_cents"]
        found[month["month"]] = bill
    return found


def amount(ask: Ask, who: Somebody) -> int:
    return sum(bill["amount_cents"] for bill in bills_of(ask, who).values())


def test_taps_are_billed_as_the_cheapest_way_to_pay_for_all_of_them(
    ask: Ask, somebody: Callable[..., Somebody], bus: tuple[str, list[str]]
) -> None:
    rider, number = somebody(), card()
    events = buses(number, bus, range(4, 8), (6, 9, 12))
    random.Random(4).shuffle(events)
    assert send(ask, events[:7]) == {"new": 7, "known": 0, "refused": []}
    # A card that nobody has linked has an account of its own; what it has is taken over.
    assert months_of(ask, rider) == []
    assert link(ask, rider, number).status_code == 201
    assert send(ask, [*events[5:], *events[:2]]) == {"new": 5, "known": 4, "refused": []}
    assert amount(ask, rider) == 1_500
    bills = bills_of(ask, rider)
    last = bills[max(bills)]
    assert {line["rule"] for line in last["lines"]} == {"week"}
    assert last["lines"][0]["label_fr"] == "Forfait « week »"
    assert all(leg["unpriced"] is None and "stop" not in leg for leg in last["legs"])
    if len(bills) == 1:
        # Twelve buses at 1.50 are four days at 4.20, and these a week at 15.
        assert last["lines"][0]["arithmetic"] == "1500 < 1800"
        others = {a["product"]: a["amount_cents"] for a in last["alternatives"]}
        assert others == {"day": 1_680, "week": 1_680, "month": 4_200}


def test_a_card_is_one_persons_and_may_be_given_up(
    ask: Ask, somebody: Callable[..., Somebody], bus: tuple[str, list[str]]
) -> None:
    rider, other, number = somebody(), somebody(), card()
    assert link(ask, rider, number).status_code == 201
    assert link(ask, rider, number).status_code == 201  # again changes nothing
    assert code_of(link(ask, other, number)) == "medium_taken"
    (shown,) = ask(rider.secret, "GET", "/media").json()
    assert number not in str(shown)
    send(ask, buses(number, bus, range(2, 3), (8,)))
    assert ask(other.secret, "DELETE", f"/media/{shown['id']}").status_code == 404
    assert ask(rider.secret, "DELETE", "/media/none").status_code == 404
    assert ask(rider.secret, "DELETE", f"/media/{shown['id']}").status_code == 204
    assert ask(rider.secret, "GET", "/media").json() == []
    send(ask, buses(number, bus, range(2, 3), (14,)))
    assert link(ask, other, number).status_code == 201
    assert (amount(ask, rider), amount(ask, other)) == (150, 150)


def test_a_train_costs_its_whole_line_until_the_tap_out_is_known(
    ask: Ask, somebody: Callable[..., Somebody], train: tuple[str, list[str]], booth: Booth
) -> None:
    rider, number, (route, stops) = somebody(), card(), train
    link(ask, rider, number)
    start = midnight(1) + dt.timedelta(hours=9)
    tap_in = event(number, "in", start, stops[0], route=route)
    tap_out = event(number, "out", start + dt.timedelta(minutes=20), stops[1], mode="rail")
    send(ask, [tap_in])
    (whole,) = (leg for bill in bills_of(ask, rider).values() for leg in bill["legs"])
    assert send(ask, [tap_out])["new"] == 1
    (leg,) = (leg for bill in bills_of(ask, rider).values() for leg in bill["legs"])
    assert whole["metres"] > leg["metres"] > 0
    assert (whole["seconds"], leg["seconds"]) == (0, 1_200)
    network = booth.desk.snapshot.network
    t = network.timetable
    near = []
    for row in np.flatnonzero(t.pattern_stop == network.stop_row[stops[0]])[:50].tolist():
        if row + 1 < len(t.pattern_stop) and t.pattern_stop[row + 1] == network.stop_row[stops[1]]:
            near.append(int(network.pattern_metres[row + 1] - network.pattern_metres[row]))
    assert leg["metres"] == min(m for m in near if m > 0)
    assert amount(ask, rider) == 180 + round(leg["metres"] * 9 / 1000)


def test_one_wrong_event_keeps_none_of_the_others(
    ask: Ask, somebody: Callable[..., Somebody], bus: tuple[str, list[str]]
) -> None:
    rider, number = somebody(), card()
    link(ask, rider, number)
    (good,) = buses(number, bus, range(1, 2), (8,))
    now = dt.datetime.now(UTC)
    ride = {**good, "type": "mobility.ride"}
    wrong: list[tuple[Any, str]] = [
        ({**good, "id": "a", "time": (now + dt.timedelta(hours=1)).isoformat()}, "clock_ahead"),
        ({**good, "id": "b", "time": (now - dt.timedelta(days=46)).isoformat()}, "event_too_old"),
        ({**good, "id": "c", "time": "2027-03-24T08:00:00"}, "event_invalid"),
        ({**good, "id": "d", "type": "mobility.tap.sideways"}, "event_invalid"),
        ({**good, "id": "e", "data": {**good["data"], "route": "none:none"}}, "event_invalid"),
        ({**good, "id": "f", "data": {**good["data"], "mode": "rocket"}}, "event_invalid"),
        ({**good, "id": "g", "data": {"stop": "x", "mode": "bus"}}, "event_invalid"),
        ({**good, "id": 7}, "event_invalid"),
        ({**good, "id": "h", "source": "a\u0000"}, "event_invalid"),
        ({**good, "id": "\ud800"}, "event_invalid"),
        (ride | {"data": {"medium": number, "mode": "bus", "zones": ["a\u0000"]}}, "event_invalid"),
        (ride | {"data": {"medium": number, "mode": "bus", "zones": ["a"] * 101}}, "event_invalid"),
        ({}, "event_invalid"),
    ]
    taken = send(ask, [*(each for each, _ in wrong), good])
    assert (taken["new"], taken["known"]) == (1, 0)
    assert [(r["index"], r["code"]) for r in taken["refused"]] == [
        (index, code) for index, (_, code) in enumerate(wrong)
    ]
    assert amount(ask, rider) == 150
    assert ask("operator", "POST", "/usage", json=[good] * 1_001).status_code == 422
    assert send(ask, []) == {"new": 0, "known": 0, "refused": []}


def test_an_event_is_its_senders_whoever_else_uses_its_name(
    ask: Ask, somebody: Callable[..., Somebody], bus: tuple[str, list[str]]
) -> None:
    rider, number, other = somebody(), card(), somebody(Scope.OPERATOR)
    link(ask, rider, number)
    first, second, third = buses(number, bus, range(1, 2), (6, 9, 12))
    second |= {"source": first["source"], "id": first["id"]}
    third |= {"source": f"{first['source']}/{first['id']}", "id": "x"}
    fourth = third | {"source": first["source"], "id": f"{first['id']}/x"}
    send(ask, [first])
    assert ask(other.secret, "POST", "/usage", json=[second]).json()["new"] == 1
    assert send(ask, [first, third, fourth])["new"] == 2
    assert sum(len(bill["legs"]) for bill in bills_of(ask, rider).values()) == 3


def test_a_tap_far_from_others_leaves_what_was_made_of_them(
    ask: Ask,
    somebody: Callable[..., Somebody],
    train: tuple[str, list[str]],
    engine: Engine,
) -> None:
    rider, number, (route, stops) = somebody(), card(), train
    link(ask, rider, number)
    start = midnight(2) + dt.timedelta(hours=9)
    ride = [
        event(number, "in", start, stops[0], route=route),
        event(number, "out", start + dt.timedelta(minutes=20), stops[1], mode="rail"),
    ]
    send(ask, ride)
    before = bills_of(ask, rider)
    with engine.begin() as connection:  # as it is once the place of the tap out is forgotten
        key = medium_digest(read_quote_key(connection), number)
        connection.execute(
            sa.text("update tap set medium = null, stop = null where medium = :m and kind = 'out'"),
            {"m": key},
        )
    far = start + dt.timedelta(hours=8)
    send(ask, [event(number, "in", far, stops[0], route=route)])
    after = bills_of(ask, rider)
    legs = [leg for bill in after.values() for leg in bill["legs"]]
    assert legs[0] == next(leg for bill in before.values() for leg in bill["legs"])
    assert len(legs) == 2


def test_rides_told_as_a_whole_and_unknown_modes_are_said(
    ask: Ask, somebody: Callable[..., Somebody]
) -> None:
    rider, number = somebody(), card()
    link(ask, rider, number)
    at = midnight(1) + dt.timedelta(hours=10)
    ride = {
        **event(number, "board", at, ""), "type": "mobility.ride",
        "data": {"medium": number, "mode": "ferry", "metres": 3_000, "seconds": 1_500},
    }  # fmt: skip
    assert send(ask, [ride])["new"] == 1
    (bill,) = bills_of(ask, rider).values()
    assert (bill["amount_cents"], bill["lines"]) == (0, [])
    assert bill["legs"][0]["unpriced"] == "no_fare_for_ferry"
    assert months_of(ask, rider)[0]["unpriced_count"] == 1


def test_eight_readers_at_once_bill_what_one_would(
    ask: Ask, somebody: Callable[..., Somebody], bus: tuple[str, list[str]]
) -> None:
    rider, numbers = somebody(), [card(), card()]
    for number in numbers:
        link(ask, rider, number)
    events = [each for n in numbers for each in buses(n, bus, range(3, 9), (6, 9, 12, 15))]
    drawn = random.Random(6)
    batches = [drawn.sample(events, 20) for _ in range(14)] + [events[:24], events[24:]]
    drawn.shuffle(batches)
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda batch: send(ask, batch), batches))
    assert sum(each["new"] for each in taken) == len(events)
    # Two cards of one account: a week for all of it; two accounts would pay two.
    assert amount(ask, rider) == 1_500


def test_the_planner_says_what_a_journey_adds_to_ones_own_bill(
    ask: Ask, somebody: Callable[..., Somebody], bus: tuple[str, list[str]], api: httpx.Client
) -> None:
    rider, number = somebody(), card()
    link(ask, rider, number)
    t_from, t_to = bus[1][0], bus[1][-1]

    def by_bus(who: str) -> list[dict[str, Any]]:
        """Journeys of the next days on which only vehicles of the week's product are used."""
        found = []
        for days in (0, 1, 2):
            day = (dt.datetime.now(ZONE) + dt.timedelta(days=days)).date()
            parameters = {
                "fromPlace": t_from,
                "toPlace": t_to,
                "time": f"{day}T09:00",
                "searchWindow": 7200,
            }
            answer = ask(who, "GET", "/plan", params=parameters).json()
            for it in answer["itineraries"]:
                modes = {leg["mode"] for leg in it["legs"]} - {"WALK"}
                if modes and modes <= {"BUS", "TRAM", "COACH"}:
                    found.append(it["mobility"])
        return found

    before = by_bus(rider.secret)
    assert before
    for own in before:
        assert own["own_price"]["amount_cents"] == own["price"]["amount_cents"] > 0
        assert own["own_price"]["why_fr"] is None
    send(ask, buses(number, bus, range(1, 5), (6, 9, 12)))
    after = by_bus(rider.secret)
    assert [own["price"] for own in after] == [own["price"] for own in before]
    for own in after:
        assert own["own_price"]["amount_cents"] == 0
        assert own["own_price"]["why_fr"] == "Votre plafond « week » est atteint."
        assert own["own_price"]["why_en"] == "Your “week” cap is reached."
        (charge,) = own["own_price"]["charges"]
        assert (charge["rule"], charge["amount_cents"]) == ("week", 1_500)
    # Programs without the scope of a rider, and whoever is not signed in, see list prices alone.
    assert all("own_price" not in own for own in by_bus("app"))
    anonymous = api.get("/api/v6/plan", params={
        "fromPlace": t_from, "toPlace": t_to, "time": f"{dt.datetime.now(ZONE).date()}T09:00"
    }).json()  # fmt: skip
    assert all("own_price" not in it["mobility"] for it in anonymous["itineraries"])


def test_a_carpool_ride_is_billed_once_it_is_over_and_no_dearer_than_quoted(
    booth: Booth, driven: Callable[..., Driven], somebody: Callable[..., Somebody], engine: Engine
) -> None:
    ride, rider = driven(), booth.person("rider")
    quote = booth.quote(ride, *first_pair(ride))
    (booked,) = booth.book(rider, quote)
    at = booked.pickup_from
    start_ride(booth.desk, ride.driver, booked.ride_id, now=at)
    booth.act(ride.driver, Side.DRIVER, booked.id, BookingEvent.BOARD, at=at, code=booked.code)
    over = booked.dropoff_by
    booth.act(ride.driver, Side.DRIVER, booked.id, BookingEvent.COMPLETE, at=over)

    query = sa.text(
        "select amount_cents, leg_count from rider_month join fare_account on id = account_id "
        "where person_id = :person"
    )
    deadline = time.monotonic() + 20
    rows: list[Any] = []
    while not rows and time.monotonic() < deadline:  # the server's upkeep bills it
        time.sleep(0.2)
        with engine.connect() as connection:
            rows = list(connection.execute(query, {"person": rider.person_id}))
    assert [row.leg_count for row in rows] == [1]
    assert booked.price_cents is not None
    assert 50 <= rows[0].amount_cents <= booked.price_cents
    told = sa.text("select content from outbox where booking_id = :booking")
    with engine.connect() as connection:
        forget_riders(connection, over + dt.timedelta(days=365))
        left = list(connection.execute(told, {"booking": booked.id}).scalars())
        connection.rollback()
    assert str(rider.person_id) not in str(left)


def test_a_category_that_is_proved_lowers_what_was_used_since(
    ask: Ask, somebody: Callable[..., Somebody], bus: tuple[str, list[str]]
) -> None:
    rider, number = somebody(), card()
    link(ask, rider, number)
    send(ask, buses(number, bus, range(1, 2), (8,)))
    alias = ask(rider.secret, "GET", "/users/me").json()["alias"]
    since = midnight(3).date()
    proof = {
        "alias": alias, "kind": "category", "name": "jeune", "party": "",
        "valid_from": since.isoformat(),
        "valid_to": (since + dt.timedelta(days=365)).isoformat(), "issuer": "mairie",
    }  # fmt: skip
    assert amount(ask, rider) == 150
    assert ask("operator", "PUT", "/proofs", json=proof).status_code == 204
    assert amount(ask, rider) == 75
    shown = {key: proof[key] for key in ("kind", "name", "party", "valid_from", "valid_to")}
    assert ask(rider.secret, "GET", "/proofs").json() == [shown]
    acts = ask("authority", "GET", "/audit").json()["acts"]
    assert any(a["act"] == "proof_kept" and a["subject"] == alias for a in acts)
    for changes in ({"name": "vieux"}, {"party": "acme"}, {"valid_to": "2020-01-01"}):
        assert ask("operator", "PUT", "/proofs", json=proof | changes).status_code == 422
    nobody = ask("operator", "PUT", "/proofs", json=proof | {"alias": "personne de tel"})
    assert code_of(nobody) == "person_not_found"


def test_what_is_old_leads_to_nobody(engine: Engine, booth: Booth) -> None:
    world, number = World(booth.desk.snapshot), card()
    with engine.connect() as connection:
        medium = medium_digest(read_quote_key(connection), number)
    now = dt.datetime.now(UTC)
    names = {f"old/{uuid.uuid4()}": age for age in (121, 119)}
    for name, age in names.items():
        at = now - dt.timedelta(days=age)
        tap = Tap(name, at, TapKind.BOARD, "valmont:nowhere", "bus")
        ride = FareLeg("bike", at, 5_000, id=f"ride:{name}")
        assert take_usage(engine, world, [Used(medium, tap), Used(medium, ride)], at) == 2

    def rows() -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {"tap": [], "fare_leg": []}
        with engine.connect() as connection:
            account = connection.execute(
                sa.text("select account_id from medium where digest = :medium"), {"medium": medium}
            ).scalar_one()
            for table, kept in found.items():
                for row in connection.execute(sa.text(f"select * from {table}")).mappings():
                    own = {account, medium} & set(map(_hashable, row.values()))
                    if own or any(name in str(row["id"]) for name in names):
                        kept.append(dict(row))
        return found

    assert {table: len(found) for table, found in rows().items()} == {"tap": 2, "fare_leg": 4}
    assert forget_usage(engine, now) >= 4
    left = rows()
    assert [(tap["medium"], tap["stop"]) for tap in left["tap"]] == [(None, None)] * 2
    young = now - RIDERS_KEPT
    assert len(left["fare_leg"]) == 2
    assert all(leg["board_at"] > young for leg in left["fare_leg"])
    assert dt.timedelta(hours=48) == PLACES_KEPT
    # What it was used for is still there, as anybody's.
    with engine.connect() as connection:
        count = sa.text("select count(*) from fare_leg where account_id is null and mode = 'bike'")
        assert connection.execute(count).scalar_one() >= 1


def _hashable(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def mobility(home: Path, *command: str) -> str:
    """Output of a command about the demo."""
    done = subprocess.run(
        [sys.executable, "-m", "mobility.cli", *command], capture_output=True, text=True,
        env={**os.environ, "MOBILITY_HOME": str(home), "COLUMNS": "200"}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_last_month_is_closed_by_command_and_a_late_tap_is_corrected(
    ask: Ask,
    somebody: Callable[..., Somebody],
    bus: tuple[str, list[str]],
    demo_home: Path,
    tmp_path: Path,
) -> None:
    rider, number = somebody(), card()
    link(ask, rider, number)
    today = dt.datetime.now(ZONE).date()
    ago = (today - today.replace(day=1)).days + 2
    send(ask, buses(number, bus, range(ago, ago + 1), (6, 9)))
    last = f"{today.replace(day=1) - dt.timedelta(days=1):%Y-%m}"
    told = json.loads(mobility(demo_home, "fares", "close", last, "--json"))
    assert told["months"] >= 1

    def shown() -> dict[str, Any]:
        found: dict[str, Any] = ask(rider.secret, "GET", f"/bills/{last}").json()
        return found

    bill = shown()
    assert (bill["state"], bill["amount_cents"]) == ("issued", 300)
    assert [(s["kind"], s["amount_cents"]) for s in bill["statements"]] == [("statement", 300)]
    own = bill["statements"][0]["number"]
    page = ask(rider.secret, "GET", f"/statements/{own}?language=en")
    assert page.headers["content-type"].startswith("text/html")
    for said in (own, "For you to pay", "€3.00", "“urban” ride"):
        assert said in page.text
    assert "3,00\xa0€" in ask(rider.secret, "GET", f"/statements/{own}").text
    assert code_of(ask("rider", "GET", f"/statements/{own}")) == "statement_not_found"
    assert json.loads(mobility(demo_home, "fares", "close", last, "--json"))["months"] == 0
    send(ask, buses(number, bus, range(ago, ago + 1), (12,)))
    deadline = time.monotonic() + 20
    while len(shown()["statements"]) < 2 and time.monotonic() < deadline:
        time.sleep(0.2)  # the server's upkeep corrects it
    bill = shown()
    assert [(s["kind"], s["amount_cents"]) for s in bill["statements"]] == [
        ("statement", 300), ("supplement", 120)
    ]  # fmt: skip

    checked = json.loads(mobility(demo_home, "ledger", "check", "--json"))
    assert (checked["wrong"], checked["broken_days"]) == ([], [])
    for form, start in (("csv", "id,group"), ("fec", "JournalCode\t"), ("beancount", "option ")):
        out = tmp_path / f"ledger.{form}"
        mobility(demo_home, "ledger", "export", str(out), "--format", form, "--period", last)
        assert out.read_text(encoding="utf-8").startswith(start)
    program = Path(sys.executable).with_name("bean-check")
    assert subprocess.run([program, tmp_path / "ledger.beancount"], check=False).returncode == 0
    account = [m for m in months_of(ask, rider) if m["month"] == last]
    assert [(m["state"], m["amount_cents"]) for m in account] == [("issued", 420)]
