"""Somebody signs in, gives a program a token, or changes his password."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from core.errors import InvalidInput, NotSignedIn
from mobility.actions.register_user import EmailInvalid, normal_email
from mobility.db.audit import record_act
from mobility.db.engine import Connection, Engine
from mobility.db.users import (
    NewSession,
    add_session,
    find_user,
    get_user,
    is_alive,
    lock_user,
    revoke_others,
    set_password,
)
from mobility.live import RateLimits
from mobility.users.bearer import digest, new_secret
from mobility.users.passwords import check_password, hash_password, is_outdated, is_password
from mobility.users.scopes import PRIVILEGED, SIGN_IN, TOKEN, Principal, Scope

SIGNED_IN = dt.timedelta(days=30)
LONGEST_TOKEN_DAYS = 366
TRIES, TRIES_S = 10, 900
"""Passwords that may be tried for one address in a quarter of an hour."""


class WrongPassword(NotSignedIn):
    """No user has this address and this password; which of the two is wrong is not said."""

    code = "wrong_password"


class CurrentPasswordWrong(InvalidInput):
    """Whoever changes a password gives another one as the current one."""

    code = "current_password_wrong"


class TooMuchAsked(InvalidInput):
    """A token is to do more, or live longer, than whoever asks for it may give."""

    code = "too_much_asked"


@dataclass(frozen=True, slots=True)
class Issued:
    """A new session and its secret, which is never shown again."""

    session_id: uuid.UUID
    secret: str
    scopes: frozenset[Scope]
    expires_at: dt.datetime


def sign_in(
    engine: Engine,
    limits: RateLimits,
    *,
    email: str,
    password: str,
    label: str,
    now: dt.datetime,
) -> Issued:
    """
    Open a session with all that the user may do.

    Raises
    ------
    WrongPassword
        Nobody signs in like this.
    TooOften
        After too many tries for one address.
    """
    try:
        email = normal_email(email)
    except EmailInvalid as error:
        raise WrongPassword("no user has this address and this password") from error
    limits.count(f"sign-in:{email}", most=TRIES, per_s=TRIES_S)
    with engine.connect() as connection:
        found = find_user(connection, email)
    hashed = None if found is None else found.password_hash
    if not is_password(hashed, password) or found is None or hashed is None:
        raise WrongPassword("no user has this address and this password")
    limits.forget(f"sign-in:{email}")
    renewed = hash_password(password) if is_outdated(hashed) else None
    with engine.begin() as connection:
        locked = lock_user(connection, found.id)
        if locked.password_hash != hashed:
            raise WrongPassword("no user has this address and this password")  # any more
        if renewed is not None:
            set_password(connection, found.id, renewed)
        return issue(connection, found.id, SIGN_IN, label, locked.scopes, now=now, lives=SIGNED_IN)


def issue_token(
    engine: Engine,
    principal: Principal,
    *,
    label: str,
    scopes: frozenset[Scope],
    days: int,
    now: dt.datetime,
) -> Issued:
    """
    Give a program part of what one may do oneself.

    Raises
    ------
    TooMuchAsked
        A scope that one does not have, none at all, or more than `LONGEST_TOKEN_DAYS`.
    """
    if not 1 <= days <= LONGEST_TOKEN_DAYS:
        raise TooMuchAsked(f"a token lives 1 to {LONGEST_TOKEN_DAYS} days")
    with engine.begin() as connection:
        own = lock_user(connection, principal.user_id).scopes
        if not scopes or not scopes <= own:
            names = ", ".join(sorted(own))
            raise TooMuchAsked(f"a token has some of your own scopes ({names}) and no other")
        if not is_alive(connection, principal.session_id, now):
            raise NotSignedIn("this session was ended just now")
        issued = issue(
            connection, principal.user_id, TOKEN, label, scopes, now=now,
            lives=dt.timedelta(days=days),
        )  # fmt: skip
        if scopes & PRIVILEGED:
            detail = {"scopes": sorted(scopes), "days": days, "label": label}
            record_act(
                connection, principal.user_id, "token_issued", str(issued.session_id), detail
            )
    return issued


def change_password(
    engine: Engine, principal: Principal, *, current: str, new: str, now: dt.datetime
) -> int:
    """
    Replace one's password and end all other sessions and tokens; returns how many.

    Raises
    ------
    CurrentPasswordWrong, PasswordWeak
        The current one is another, or the new one is too easy.
    """
    with engine.connect() as connection:
        own = get_user(connection, principal.user_id)
    if not is_password(own.password_hash, current):
        raise CurrentPasswordWrong("this is not your current password")
    check_password(new, (own.email or "").split("@")[0], own.alias)
    hashed = hash_password(new)
    with engine.begin() as connection:
        if lock_user(connection, own.id).password_hash != own.password_hash:
            raise CurrentPasswordWrong("your password was changed just now")
        set_password(connection, own.id, hashed)
        return revoke_others(connection, own.id, principal.session_id, now)


def issue(
    connection: Connection,
    user_id: uuid.UUID,
    kind: str,
    label: str,
    scopes: frozenset[Scope],
    *,
    now: dt.datetime,
    lives: dt.timedelta,
) -> Issued:
    """Make a session in the running transaction, for whoever has shown who he is."""
    secret, expires_at = new_secret(), now + lives
    new = NewSession(kind, label, digest(secret), scopes, expires_at)
    return Issued(add_session(connection, user_id, new, now), secret, scopes, expires_at)
