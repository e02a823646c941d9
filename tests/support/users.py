"""Users made for tests, and what tests of users share."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from mobility.actions.register_user import Registration, register_user
from mobility.actions.sign_in import issue
from mobility.db.engine import Engine
from mobility.users.scopes import EVERYBODYS, SIGN_IN, Scope

PASSWORD = "trois poules et un tracteur"
NOW = dt.datetime.now(dt.UTC)


@dataclass(frozen=True)
class Somebody:
    """A user made for one test."""

    id: uuid.UUID
    person_id: uuid.UUID
    email: str
    secret: str

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.secret}"}


def make_somebody(engine: Engine) -> Callable[..., Somebody]:
    """Make users of a database without the limits of the API, each signed in."""

    def make(*scopes: Scope, at: dt.datetime = NOW, days: int = 5) -> Somebody:
        number = uuid.uuid4().hex[:12]
        registration = Registration(f"{number}@example.org", PASSWORD, f"Personne {number}")
        user = register_user(engine, registration, NOW, scopes or EVERYBODYS)
        with engine.begin() as connection:
            session = issue(
                connection, user.id, SIGN_IN, "test", user.scopes, now=at,
                lives=dt.timedelta(days=days),
            )  # fmt: skip
        return Somebody(user.id, user.person_id, registration.email, session.secret)

    return make


def code_of(answer: httpx.Response) -> str:
    """Stable code of a refusal."""
    found: str = answer.json()["code"]
    return found
