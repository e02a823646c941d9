"""What riders used becomes their bill, and the price that the planner tells them."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa
from pypdf import PdfReader

from carpool.bookings import BookingEvent
from mobility.actions.change_booking import Side
from mobility.actions.run_ride import start_ride
from mobility.db.engine import Engine
from mobility.db.usage import forget_riders
from tests.support.booked import ZONE, Ask
from tests.support.bookings import Booth, Driven, first_pair
from tests.support.usage import (
    CUTOVER,
    amount,
    bills_of,
    buses,
    card,
    linked_card,
    midnight,
    months_of,
    send,
)
from tests.support.users import Somebody, code_of


def test_the_planner_says_what_a_journey_adds_to_ones_own_bill(
    ask: Ask,
    engine: Engine,
    somebody: Callable[..., Somebody],
    bus: tuple[str, list[str]],
    api: httpx.Client,
) -> None:
    rider, number = somebody(), card()
    linked_card(engine, rider, number)
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
        # Of a week that began in the month before it says what it adds to this one.
        begun_before = charge["since"] < own["own_price"]["month"]
        assert charge["rule"] == "week"
        assert charge["amount_cents"] == 1_500 or begun_before
    assert sum(bill["amount_cents"] for bill in bills_of(ask, rider).values()) == 1_500
    # So does the month: the next bus, like the last one, costs nothing.
    now = f"{(dt.datetime.now(ZONE) - CUTOVER).date():%Y-%m}"
    assert ask(rider.secret, "GET", f"/bills/{now}").json()["next_rides"] == [
        {"mode": "bus", "amount_cents": 0, "why_fr": "Votre plafond « week » est atteint.",
         "why_en": "Your “week” cap is reached."}
    ]  # fmt: skip
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
    ask: Ask, engine: Engine, somebody: Callable[..., Somebody], bus: tuple[str, list[str]]
) -> None:
    rider, number = somebody(), card()
    linked_card(engine, rider, number)
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
    (act,) = (a for a in acts if a["subject"] == str(rider.person_id))
    assert act["act"] == "proof_kept"
    assert "jeune" not in json.dumps(act)  # the log outlives what was proved
    for changes in ({"name": "vieux"}, {"party": "acme"}, {"valid_to": "2020-01-01"}):
        assert ask("operator", "PUT", "/proofs", json=proof | changes).status_code == 422
    nobody = ask("operator", "PUT", "/proofs", json=proof | {"alias": "personne de tel"})
    assert code_of(nobody) == "person_not_found"


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
    engine: Engine,
    somebody: Callable[..., Somebody],
    bus: tuple[str, list[str]],
    demo_home: Path,
    tmp_path: Path,
) -> None:
    rider, number = somebody(), card()
    linked_card(engine, rider, number)
    today = dt.datetime.now(ZONE).date()
    first = (dt.datetime.now(ZONE) - CUTOVER).date().replace(day=1)
    ago = (today - first).days + 2
    send(ask, buses(number, bus, range(ago, ago + 1), (6, 9)))
    last = f"{first - dt.timedelta(days=1):%Y-%m}"
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
    paper = ask(rider.secret, "GET", f"/statements/{own}.pdf")
    assert paper.headers["content-type"] == "application/pdf"
    text = PdfReader(BytesIO(paper.content)).pages[0].extract_text()
    for said in (own, "À payer par vous", "3,00\xa0€", "Trajet « urban »"):
        assert said in text
    assert ask(rider.secret, "GET", f"/statements/{own}.pdf").content == paper.content
    assert ask(rider.secret, "GET", f"/statements/{own}.pdf?language=de").status_code == 422
    for form in ("", ".pdf"):
        assert code_of(ask("rider", "GET", f"/statements/{own}{form}")) == "statement_not_found"
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

    def state() -> list[tuple[str, int]]:
        return [
            (m["state"], m["amount_cents"]) for m in months_of(ask, rider) if m["month"] == last
        ]

    assert state() == [("issued", 420)]
    transfer = "--reference", f"VIR-{uuid.uuid4().hex[:8]}", "--json"
    for is_new in (True, False):
        told = json.loads(mobility(demo_home, "fares", "paid", own, "4,20", *transfer))
        assert told == {"is_new": is_new, "owed_cents": 0, "settled": [last]}
    assert state() == [("settled", 420)]
    assert shown()["state"] == "settled"

    chart = tmp_path / "chart.yaml"
    chart.write_text(
        'entities: {city: {name: Ville, siren: "200046977", accounts: ["*"]},'
        " buses: {name: Bus, accounts: [revenue]}}",
        encoding="utf-8",
    )
    told = mobility(
        demo_home, "ledger", "export", str(tmp_path), "--format", "fec", "--chart", str(chart),
        "--entity", "city", "--period", last[:4],
    )  # fmt: skip
    out = tmp_path / f"200046977FEC{last[:4]}1231.txt"
    assert f"{out} written: books of Ville." in " ".join(told.split())
    assert "entity:buses" in out.read_text(encoding="utf-8")
    assert "Recettes" not in out.read_text(encoding="utf-8")
