"""Somebody registers: a login, and the person that travels by it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from core.errors import InvalidInput
from mobility.db.engine import Connection, Engine
from mobility.db.users import AliasTaken, User, add_user
from mobility.users.passwords import check_password, hash_password
from mobility.users.scopes import EVERYBODYS, Scope

EMAIL_LENGTH, ALIAS_LENGTH = 254, 40
NAMES_TRIED = 1_000
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


class EmailInvalid(InvalidInput):
    """Not an address that mail could be sent to."""

    code = "email_invalid"


class AliasInvalid(InvalidInput):
    """Not a name to show to others."""

    code = "alias_invalid"


@dataclass(frozen=True, slots=True)
class Registration:
    """What somebody enters."""

    email: str
    password: str
    alias: str


def register_user(
    engine: Engine,
    given: Registration,
    now: dt.datetime,
    scopes: Iterable[Scope] = EVERYBODYS,
) -> User:
    """
    Check, hash and store.

    Raises
    ------
    EmailInvalid, AliasInvalid, PasswordWeak
        Something entered will not do.
    EmailTaken, AliasTaken
        Somebody else has it.
    """
    email, alias = normal_email(given.email), normal_alias(given.alias)
    check_password(given.password, email.split("@")[0], alias)
    hashed = hash_password(given.password)  # before the transaction: it takes its time
    with engine.begin() as connection:
        return add_user(
            connection, alias=alias, email=email, password_hash=hashed, scopes=scopes, now=now
        )


def add_named_user(
    connection: Connection, wanted: str, scopes: Iterable[Scope], now: dt.datetime
) -> User:
    """Store a user who cannot be asked for another name: if it is taken, it gets a number."""
    for number in range(1, NAMES_TRIED):
        end = "" if number == 1 else f" {number}"
        alias = wanted[: ALIAS_LENGTH - len(end)] + end
        with suppress(AliasTaken):
            return add_user(
                connection, alias=alias, email=None, password_hash=None, scopes=scopes, now=now
            )
    raise AliasTaken(f"too many people go by {wanted!r}: choose another name")


def normal_alias(text: str) -> str:
    """Name as others see it; raises `AliasInvalid`."""
    alias = " ".join(text.split())
    if not 2 <= len(alias) <= ALIAS_LENGTH or "@" in alias or not alias.isprintable():
        raise AliasInvalid(f"a name to show has 2 to {ALIAS_LENGTH} characters and is no address")
    return alias


def normal_email(text: str) -> str:
    """Address as it is compared; raises `EmailInvalid`."""
    email = text.strip().casefold()
    if len(email) > EMAIL_LENGTH or not _EMAIL.fullmatch(email) or not email.isprintable():
        raise EmailInvalid("this is no e-mail address")
    return email
