"""An agent books for somebody who has only a telephone, until he takes the account over."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import httpx
import sqlalchemy as sa

from mobility.db.audit import list_acts
from mobility.db.engine import Engine
from mobility.db.schema import assisted
from mobility.users.scopes import Scope
from tests.support.booked import Ask, book, found
from tests.support.users import PASSWORD, Somebody, code_of

NUMBER = "05 55 12 34 56"


def for_whom(person: dict[str, Any]) -> dict[str, str]:
    return {"On-Behalf-Of": person["id"]}


def register(ask: Ask, alias: str = "Mme Morel", telephone: str = NUMBER) -> dict[str, Any]:
    made = ask("operator", "POST", "/agents/people", json={"alias": alias, "telephone": telephone})
    assert made.status_code == 201, made.text
    facts: dict[str, Any] = made.json()
    return facts


def book_for(ask: Ask, person: dict[str, Any], leg: dict[str, Any]) -> dict[str, Any]:
    wanted = {"quotes": [leg["mobility"]["quote"]], "confirm": True}
    made = ask("operator", "POST", "/bookings", json=wanted, headers=for_whom(person))
    assert made.status_code == 201, made.text
    facts: dict[str, Any] = made.json()[0]
    return facts


def acts_about(engine: Engine, user_id: str) -> list[str]:
    with engine.connect() as connection:
        found = [a for a in list_acts(connection, None, 1_000) if a.subject == user_id]
    return [str(a.detail.get("asked", a.act)) for a in reversed(found)]


def test_an_agent_books_the_driver_reaches_the_rider_and_lets_her_in_by_the_code(
    api: httpx.Client, ask: Ask, drive: Callable[..., dict[str, Any]], engine: Engine
) -> None:
    person = register(ask)
    assert person["telephone"] == "0555123456"
    offer = drive(46)
    booked = book_for(ask, person, found(api, offer))
    assert (booked["state"], len(booked["code"])) == ("confirmed", 4)

    rides = ask("driver", "GET", "/rides", params={"since": offer["date"]}).json()
    (ride,) = [r for r in rides if r["offer_id"] == offer["id"]]
    (passenger,) = ride["passengers"]
    assert (passenger["rider"], passenger["by_agent"]) == (person["alias"], True)
    assert "0555" not in str(rides)
    path = f"/rides/{ride['id']}/passengers/{booked['id']}"
    say = {"json": {"text": "Je serai devant la mairie."}}
    assert ask("driver", "POST", f"{path}/tell", **say).status_code == 204
    other = ask("driver", "POST", f"/rides/{uuid.uuid4()}/passengers/{booked['id']}/tell", **say)
    assert (other.status_code, code_of(other)) == (404, "booking_not_found")

    ask("driver", "POST", f"/rides/{ride['id']}/cancel")
    to_call = ask("operator", "GET", "/agents/notices").json()
    own = [n for n in to_call if n["person"]["id"] == person["id"]]
    assert [n["kind"] for n in own] == ["driver_says", "booking_cancel_driver"]
    assert own[0]["content"]["text"] == "Je serai devant la mairie."
    assert own[0]["person"]["telephone"] == "0555123456"
    done = ask("operator", "POST", f"/agents/notices/{own[-1]['id']}/read")
    assert done.status_code == 204
    left = ask("operator", "GET", "/agents/notices").json()
    assert [n for n in left if n["person"]["id"] == person["id"]] == []
    over = ask("driver", "POST", f"{path}/tell", **say)
    assert (over.status_code, code_of(over)) == (409, "booking_state")
    assert acts_about(engine, person["id"]) == [
        "assisted_registered", "POST /mobility/v1/bookings", "assisted_called",
    ]  # fmt: skip


def test_an_agent_acts_only_for_people_of_agents_and_only_as_a_rider(
    api: httpx.Client,
    ask: Ask,
    engine: Engine,
    somebody: Callable[..., Somebody],
    drive: Callable[..., dict[str, Any]],
) -> None:
    person, user = register(ask), somebody()
    for whose in (str(user.id), str(uuid.uuid4())):
        refused = ask("operator", "GET", "/bookings", headers={"On-Behalf-Of": whose})
        assert (refused.status_code, code_of(refused)) == (404, "assisted_not_found")
    for who in ("rider", "driver", "authority", "app"):
        refused = ask(who, "GET", "/bookings", headers=for_whom(person))
        assert (refused.status_code, code_of(refused)) == (403, "not_allowed"), who
    without = ask(somebody(Scope.OPERATOR).secret, "GET", "/bookings")
    assert (without.status_code, code_of(without)) == (403, "not_allowed")
    agent = somebody(Scope.OPERATOR).secret
    assert ask(agent, "GET", "/rides", headers=for_whom(person)).status_code == 403
    assert ask(agent, "GET", "/offers", headers=for_whom(person)).status_code == 403
    myself = ask(agent, "GET", "/users/me", headers=for_whom(person)).json()
    assert myself["id"] != person["id"]
    bad = ask("operator", "GET", "/bookings", headers={"On-Behalf-Of": "x"})
    assert bad.status_code == 422
    # What is denied on behalf of others leaves no entry; what is done does.
    assert acts_about(engine, str(user.id)) == []
    assert ask("operator", "GET", "/bookings", headers=for_whom(person)).json()["bookings"] == []
    assert acts_about(engine, person["id"])[-1] == "GET /mobility/v1/bookings"
    # Who reads his notices himself is not called by anybody.
    offer = drive(47)
    (booked,) = book(ask, found(api, offer), confirm=True).json()
    path = f"/rides/{booked['ride_id']}/passengers/{booked['id']}/tell"
    refused = ask("driver", "POST", path, json={"text": "…"})
    assert (refused.status_code, code_of(refused)) == (409, "not_by_agent")
    assert ask("operator", "POST", "/agents/notices/0/read").json()["code"] == "notice_not_found"


def test_names_get_a_number_and_numbers_are_found_however_they_are_written(ask: Ask) -> None:
    telephone = f"+33 5 55 {uuid.uuid4().int % 10**6:06d}"
    first, second = (register(ask, "Jeannot", telephone) for _ in range(2))
    assert second["alias"] != first["alias"]
    assert second["alias"].startswith("Jeannot ")
    written = telephone.replace("+", "00").replace(" ", ".")
    listed = ask("operator", "GET", "/agents/people", params={"telephone": written}).json()
    assert {person["id"] for person in listed} == {first["id"], second["id"]}
    for given, code in (
        ({"alias": "x", "telephone": NUMBER}, "alias_invalid"),
        ({"alias": "Léa", "telephone": "12345"}, "telephone_invalid"),
        ({"alias": "Léa", "telephone": "call me"}, "telephone_invalid"),
    ):
        refused = ask("operator", "POST", "/agents/people", json=given)
        assert (refused.status_code, code_of(refused)) == (422, code)


def test_a_person_takes_the_account_over_once_and_agents_let_it_go(
    api: httpx.Client,
    ask: Ask,
    drive: Callable[..., dict[str, Any]],
    engine: Engine,
    somebody: Callable[..., Somebody],
) -> None:
    person = register(ask)
    booked = book_for(ask, person, found(api, drive(48)))
    path = f"/agents/people/{person['id']}/claim-code"
    void, code = (ask("operator", "POST", path).json()["code"] for _ in range(2))
    email = f"{uuid.uuid4().hex}@example.org"

    def claim(code: str, email: str = email, password: str = PASSWORD) -> httpx.Response:
        given = {"code": code, "email": email, "password": password}
        return api.post("/mobility/v1/users/claim", json=given)

    assert code_of(claim(void)) == "claim_invalid"
    assert code_of(claim(code, password="court")) == "password_weak"
    assert code_of(claim(code, email=somebody().email)) == "email_taken"
    taken = claim(code.lower().replace("-", " "))
    assert taken.status_code == 201, taken.text
    assert taken.json()["id"] == person["id"]
    assert set(taken.json()["scopes"]) == {Scope.RIDER, Scope.DRIVER}
    assert code_of(claim(code, email="x" + email)) == "claim_invalid"

    signs_in = {"email": email, "password": PASSWORD}
    secret = api.post("/mobility/v1/sessions", json=signs_in).json()["secret"]
    own = ask(secret, "GET", "/bookings").json()["bookings"]
    assert [b["id"] for b in own] == [booked["id"]]
    refused = ask("operator", "GET", "/bookings", headers=for_whom(person))
    assert (refused.status_code, code_of(refused)) == (404, "assisted_not_found")
    assert code_of(ask("operator", "POST", path)) == "assisted_not_found"
    with engine.connect() as connection:
        kept = sa.select(assisted).where(assisted.c.user_id == uuid.UUID(person["id"]))
        assert connection.execute(kept).first() is None
