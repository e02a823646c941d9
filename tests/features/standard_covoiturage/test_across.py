"""Rides of our riders with other operators, and messages, on the running demo."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable

from joserfc import jwt
from joserfc.jwk import RSAKey

from mobility.actions.hear_partner import hear_booking_event
from mobility.db.engine import Engine
from mobility.db.identities import add_identity
from mobility.users.oidc import OpenIdIssuer, Vouched
from mobility.users.scopes import TOKEN, Principal, Scope
from tests.features.test_oidc import Issuer
from tests.support.answering import answering
from tests.support.booked import told
from tests.support.bookings import Booth
from tests.support.standard_covoiturage import (
    THEIRS,
    Ask,
    Json,
    found,
    request_for,
    status_of,
    told_booking,
)
from tests.support.users import Somebody


def test_another_operators_driver_asks_and_our_rider_answers(
    partner: Ask, ask: Ask, wish: Callable[..., Json], somebody: Callable[..., Somebody]
) -> None:
    asked = wish(62)["asked"]
    (journey,) = partner("GET", "/passenger_journeys", params=asked).json()
    driver = {"id": "d1", "operator": THEIRS, "alias": "Dédé"}
    price = {"type": "PAYING", "amount": 1.5, "currency": "EUR"}
    changes = {"driver": driver, "price": price, "driverJourneyId": None}
    parts = {"passenger": journey["passenger"], "passengerJourneyId": journey["id"]}
    booking = request_for({**journey, "driver": driver, "price": price}, **changes, **parts)
    assert partner("POST", "/bookings", json=booking).status_code == 201
    assert partner("POST", "/bookings", json=booking).status_code == 400
    path = f"/bookings/{booking['id']}"
    early = partner("PATCH", path, params={"status": "CONFIRMED"})
    assert (early.status_code, early.json()["code"]) == (409, "booking_state")
    kept = ask("rider", "GET", "/partner-bookings").json()[0]
    assert (kept["driver"], kept["operator"], kept["kind"]) == ("Dédé", THEIRS, "asked")
    assert told(ask, "rider", "partner_booking", partner_booking_id=kept["id"]) is not None
    own = f"/partner-bookings/{kept['id']}"
    assert ask(somebody(Scope.RIDER).secret, "POST", f"{own}/confirm").status_code == 404
    assert ask("rider", "POST", f"{own}/confirm").json()["status"] == "CONFIRMED"
    assert status_of(partner, booking["id"]) == "CONFIRMED"
    assert partner("PATCH", path, params={"status": "VALIDATED"}).status_code == 200
    late = ask("rider", "POST", f"{own}/cancel")
    assert (late.status_code, late.json()["code"]) == (409, "booking_state")
    gone = {**booking, "id": str(uuid.uuid4()), "passengerJourneyId": f"{uuid.uuid4()}:out"}
    refused = partner("POST", "/bookings", json=gone)
    assert (refused.status_code, refused.json()["code"]) == (400, "missing_journey")


def test_events_of_bookings_elsewhere_are_kept_in_their_order(partner: Ask) -> None:
    for first in ("WAITING_CONFIRMATION", "CONFIRMED"):
        event = told_booking(status=first)
        steps = [(first, 200), (first, 400)]
        steps += [("CONFIRMED", 200)] if first != "CONFIRMED" else []
        steps += [("CONFIRMED", 400), ("CANCELLED", 200), ("CONFIRMED", 400)]
        status = first
        for wanted, code in steps:
            event["data"]["status"] = wanted
            answer = partner("POST", "/booking_events", json=event)
            assert answer.status_code == code, (wanted, answer.text)
            status = wanted if code == 200 else status
            assert status_of(partner, event["data"]["id"]) == status
    passenger = {"id": "p", "operator": THEIRS, "alias": "P"}
    both = told_booking(passenger=passenger)
    assert partner("POST", "/booking_events", json=both).status_code == 400
    of_driver = told_booking(passenger=passenger)
    del of_driver["data"]["driver"]
    assert partner("POST", "/booking_events", json=of_driver).status_code == 200


def test_whoever_a_token_names_is_told_of_his_booking_elsewhere(
    booth: Booth, engine: Engine, ask: Ask, somebody: Callable[..., Somebody]
) -> None:
    rider, program, subject = somebody(), somebody(Scope.APP), uuid.uuid4().hex

    class Issuer:
        """Knows one token."""

        def find_named(self, token: str) -> Vouched | None:
            return Vouched("https://issuer.example", subject, None) if token == "good" else None

    with engine.begin() as connection:
        add_identity(connection, "https://issuer.example", subject, rider.id)
    owner = Principal(program.id, program.person_id, uuid.uuid4(), frozenset({Scope.APP}), TOKEN)
    for token in ("good", "bad"):
        event = {**told_booking(), "idToken": token}
        hear_booking_event(booth.desk, owner, Issuer(), event, now=dt.datetime.now(dt.UTC))  # type: ignore[arg-type] # what is asked of it
    (booking,) = ask(rider.secret, "GET", "/partner-bookings").json()
    assert (booking["kind"], booking["driver"]) == ("told", "Dédé")
    (notice,) = ask(rider.secret, "GET", "/notices").json()
    assert notice["content"]["partner_booking_id"] == booking["id"]
    refused = ask(rider.secret, "POST", f"/partner-bookings/{booking['id']}/cancel")
    assert (refused.status_code, refused.json()["code"]) == (409, "booking_state")


def test_messages_reach_drivers_and_riders_who_are_shown(
    partner: Ask, ask: Ask, drive: Callable[..., Json], wish: Callable[..., Json]
) -> None:
    journey, text = found(partner, drive(59)), f"Bonjour {uuid.uuid4().hex}"
    asked = wish(63)["asked"]
    (wanted,) = partner("GET", "/passenger_journeys", params=asked).json()
    stranger = {"id": uuid.uuid4().hex, "operator": THEIRS, "alias": "Zoé"}
    for who, to, kind in (
        ("driver", journey["driver"], "DRIVER"), ("rider", wanted["passenger"], "PASSENGER"),
    ):  # fmt: skip
        message = {"from": stranger, "to": to, "message": text, "recipientCarpoolerType": kind}
        assert partner("POST", "/messages", json=message).status_code == 201
        assert told(ask, who, "partner_message", message=text) is not None
        for wrong in ({"id": uuid.uuid4().hex}, {"operator": "elsewhere.example.org"}):
            unknown = partner("POST", "/messages", json={**message, "to": {**to, **wrong}})
            assert unknown.status_code == 404
    long = {**message, "message": "x" * 501}
    assert partner("POST", "/messages", json=long).status_code == 400


def test_an_issuers_token_names_somebody_and_others_nobody() -> None:
    with answering(Issuer()) as server:
        issuer = OpenIdIssuer(server.url, "client", None)
        header = {"alg": "RS256", "kid": "first"}
        claims = {"iss": server.url, "aud": "another operator", "sub": "42", "exp": 1_000_000_000}
        named = issuer.find_named(jwt.encode(header, claims, server.key))
        assert named == Vouched(server.url, "42", None)
        stranger = RSAKey.generate_key(2048, parameters={"kid": "first"})
        for wrong in (
            jwt.encode(header, claims, stranger),
            jwt.encode(header, {**claims, "iss": "https://else.example"}, server.key),
            jwt.encode(header, {"iss": server.url}, server.key),
            "a.b.c", "",
        ):  # fmt: skip
            assert issuer.find_named(wrong) is None
