"""Readers that sign and number what they tell; a month waits for what they may still hold."""

from __future__ import annotations

import datetime as dt
import json
import secrets
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jws
from joserfc.jwk import OKPKey

from mobility.actions.close_month import DevicesOwe, close_month
from mobility.actions.note_numbers import note_numbers
from mobility.db.devices import list_devices, put_device
from mobility.db.engine import Engine
from mobility.db.schema import user
from tests.features.test_close_month import ISSUED, MARCH, TARIFF, bus
from tests.support.booked import Ask
from tests.support.books import empty_books, new_accounts, new_person, ride
from tests.support.users import code_of

UTC = dt.UTC


@pytest.fixture
def books(home: Path) -> Iterator[Engine]:
    with empty_books(home) as engine:
        yield engine


def test_a_month_waits_for_its_devices(books: Engine) -> None:
    (account,) = new_accounts(books, 1, ISSUED)
    ride(books, TARIFF, [(account, bus(2, 8))], ISSUED)
    person_id, _ = new_person(books, ISSUED)
    owner = uuid.uuid4()
    with books.begin() as connection:
        connection.execute(
            user.insert().values(
                id=owner, person_id=person_id, email=f"{owner}@example.org", created_at=ISSUED,
                scopes=["operator"],
            )
        )  # fmt: skip
        put_device(connection, owner, "/readers/1", {}, ISSUED)

    def tell(*numbers: tuple[int, dt.datetime]) -> None:
        note_numbers(books, owner, ["/readers/1"], numbers)

    def close(**more: bool) -> int:
        return close_month(books, TARIFF, MARCH, now=ISSUED, **more).months

    for told in ((), ((1, dt.datetime(2027, 3, 5, tzinfo=UTC)),), ((3, ISSUED),)):
        tell(*told)
        with pytest.raises(DevicesOwe, match="/readers/1"):
            close()
    assert close(is_final=False) == 1
    tell((2, dt.datetime(2027, 3, 20, tzinfo=UTC)))
    with books.connect() as connection:
        (own,) = list_devices(connection)
    assert own.told.gaps == ()
    assert close() == 1


def test_a_month_can_be_issued_despite_gaps(books: Engine) -> None:
    (account,) = new_accounts(books, 1, ISSUED)
    ride(books, TARIFF, [(account, bus(2, 8))], ISSUED)
    person_id, _ = new_person(books, ISSUED)
    with books.begin() as connection:
        connection.execute(
            user.insert().values(
                id=person_id, person_id=person_id, email="a@example.org", created_at=ISSUED,
                scopes=["operator"],
            )
        )  # fmt: skip
        put_device(connection, person_id, "/readers/1", {}, ISSUED)
    assert close_month(books, TARIFF, MARCH, now=ISSUED, despite_gaps=True).months == 1


def event(source: str, number: int, **more: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0", "id": str(number), "source": source, "sequence": str(number),
        "type": "mobility.ride", "time": dt.datetime.now(UTC).isoformat(),
        "data": {"medium": f"card {secrets.token_hex(8)}", "mode": "bike", "metres": 1_000},
        **more,
    }  # fmt: skip


def test_what_a_device_tells_is_taken_if_it_has_signed_and_numbered_it(ask: Ask) -> None:
    key, source = OKPKey.generate_key("Ed25519"), f"/readers/{uuid.uuid4()}"
    public = {name: str(key.as_dict(private=False)[name]) for name in ("kty", "crv", "x")}

    def send(*events: dict[str, Any], by: OKPKey | None = key, body: str = "") -> httpx.Response:
        text = body or json.dumps(events)
        headers = {"content-type": "application/json"}
        if by is not None:
            made = jws.serialize_compact({"alg": "Ed25519"}, text, by, algorithms=["Ed25519"])
            headers["mobility-signature"] = str(jws.detach_content(made))
        return ask("operator", "POST", "/usage", content=text, headers=headers)

    given = {"source": source, "public_key": public}
    assert code_of(send(event(source, 1))) == "signature_invalid"  # it is not registered yet
    assert ask("operator", "PUT", "/devices", json=given).status_code == 204
    try:
        first = [event(source, 1), event(source, 4)]
        assert send(*first).json() == {"new": 2, "known": 0, "refused": [], "held": 0}
        assert send(*first).json()["known"] == 2
        unsigned = send(event(source, 2), by=None).json()
        assert [each["code"] for each in unsigned["refused"]] == ["event_invalid"]
        other = OKPKey.generate_key("Ed25519")
        assert code_of(send(event(source, 2), by=other)) == "signature_invalid"
        assert code_of(send(event(source, 2), event("/readers/other", 1))) == "signature_invalid"
        headers = {"mobility-signature": "a..b", "content-type": "application/json"}
        forged = ask("operator", "POST", "/usage", content=json.dumps(first), headers=headers)
        assert code_of(forged) == "signature_invalid"
        for wrong in ({"sequence": "0"}, {"sequence": 2}, {"time": "2099-01-01T00:00:00Z"}):
            answer = send(event(source, 2) | wrong).json()
            assert (answer["new"], len(answer["refused"])) == (0, 1)

        def shown() -> dict[str, Any]:
            found = ask("operator", "GET", "/devices").json()
            return next(own for own in found if own["source"] == source)

        assert [(gap["first"], gap["last"]) for gap in shown()["gaps"]] == [(2, 3)]
        odd = send(event(source, 2) | {"source": ["a"]}, by=None).json()
        assert [each["code"] for each in odd["refused"]] == ["event_invalid"]
        beat = event(source, 5, type="mobility.device.heartbeat")
        # Of what is refused it is known by now what it was.
        strange = event(source, 3, type="mobility.unknown")
        answer = send(event(source, 2), strange, beat).json()
        assert (answer["new"], [each["index"] for each in answer["refused"]]) == (1, [1])
        assert shown()["gaps"] == []
        assert shown()["next_number"] == 6
    finally:
        assert ask("operator", "DELETE", f"/devices?source={source}").status_code == 204
    assert code_of(ask("operator", "DELETE", f"/devices?source={source}")) == "device_unknown"
    for wrong in ({"x": "AA"}, {"crv": "X25519"}, {"d": "secret"}):
        bad = {"source": source, "public_key": public | wrong}
        assert ask("operator", "PUT", "/devices", json=bad).status_code == 422
