"""One rider pays for another: by a code, until either ends it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from mobility.db.engine import Engine
from tests.support.booked import ZONE, Ask
from tests.support.usage import CUTOVER, bills_of, buses, card, linked_card, send
from tests.support.users import Somebody, code_of


def fare_day() -> dt.date:
    return (dt.datetime.now(ZONE) - CUTOVER).date()


UNTIL = {"until": (fare_day() + dt.timedelta(days=300)).isoformat()}


def invited(ask: Ask, payer: Somebody) -> str:
    answer = ask(payer.secret, "POST", "/paid-for", json=UNTIL)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["code"])


def test_whoever_takes_the_code_is_paid_for_until_either_ends_it(
    ask: Ask, somebody: Callable[..., Somebody]
) -> None:
    child, parent = somebody(), somebody()
    assert ask(parent.secret, "GET", "/paid-for").json() == []
    code = invited(ask, parent)
    before = fare_day()
    assert ask(child.secret, "PUT", "/paid-by", json={"code": code}).status_code == 204
    after = fare_day()
    assert (
        code_of(ask(child.secret, "PUT", "/paid-by", json={"code": code})) == "invitation_unknown"
    )
    (paid,) = ask(parent.secret, "GET", "/paid-for").json()
    assert (paid["id"], paid["valid_to"]) == (str(child.person_id), UNTIL["until"])
    assert paid["valid_from"] in {before.isoformat(), after.isoformat()}
    assert paid["months"] == []
    assert ask(child.secret, "GET", "/paid-for").json() == []
    payer = ask(child.secret, "GET", "/paid-by").json()
    asked = ask(parent.secret, "GET", "/users/me").json()
    assert (payer["alias"], payer["valid_to"]) == (asked["alias"], UNTIL["until"])
    assert ask(parent.secret, "GET", "/paid-by").json() is None
    (proof,) = ask(child.secret, "GET", "/proofs").json()
    assert (proof["kind"], proof["name"]) == ("payer", "rider")
    # Another one takes over, and the rider pays himself again in the end.
    other = somebody()
    assert (
        ask(child.secret, "PUT", "/paid-by", json={"code": invited(ask, other)}).status_code == 204
    )
    assert code_of(ask(parent.secret, "DELETE", f"/paid-for/{paid['id']}")) == "invitation_unknown"
    assert ask(other.secret, "DELETE", f"/paid-for/{paid['id']}").status_code == 204
    assert code_of(ask(child.secret, "DELETE", "/paid-by")) == "invitation_unknown"
    assert ask(child.secret, "GET", "/paid-by").json() is None
    assert (
        ask(child.secret, "PUT", "/paid-by", json={"code": invited(ask, other)}).status_code == 204
    )
    assert ask(child.secret, "DELETE", "/paid-by").status_code == 204


def test_the_payer_is_on_the_bill_and_sees_no_rides(
    ask: Ask, engine: Engine, somebody: Callable[..., Somebody], bus: tuple[str, list[str]]
) -> None:
    child, parent, number = somebody(), somebody(), card()
    linked_card(engine, child, number)
    assert (
        ask(child.secret, "PUT", "/paid-by", json={"code": invited(ask, parent)}).status_code == 204
    )
    now = dt.datetime.now(dt.UTC)
    (tap,) = buses(number, bus, range(1), (8,))
    send(ask, [{**tap, "time": now.isoformat()}])
    (bill,) = bills_of(ask, child).values()
    assert bill["to_pay_cents"] == 0
    (part,) = bill["paid_by"]
    assert (part["payer"], part["amount_cents"]) == ("rider", bill["amount_cents"])
    assert bills_of(ask, parent) == {}


def test_nobody_pays_for_himself_or_by_a_code_that_is_none(
    ask: Ask, somebody: Callable[..., Somebody]
) -> None:
    rider = somebody()
    own = {"code": invited(ask, rider)}
    assert code_of(ask(rider.secret, "PUT", "/paid-by", json=own)) == "pays_himself"
    assert (
        code_of(ask(rider.secret, "PUT", "/paid-by", json={"code": "mob_x"}))
        == "invitation_unknown"
    )
    for until in (fare_day() - dt.timedelta(days=1), fare_day() + dt.timedelta(days=4_000)):
        given = {"until": until.isoformat()}
        assert ask(rider.secret, "POST", "/paid-for", json=given).status_code == 422
