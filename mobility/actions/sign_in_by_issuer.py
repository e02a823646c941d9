"""Somebody signs in by an OpenID Connect issuer instead of a password."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from core.errors import NotSignedIn
from mobility.actions.register_user import ALIAS_LENGTH, add_named_user
from mobility.actions.sign_in import SIGNED_IN, Issued, issue
from mobility.db.engine import Connection, Engine
from mobility.db.identities import add_identity, begin_sign_in, find_identity, take_sign_in
from mobility.db.users import User, get_user
from mobility.users.bearer import digest
from mobility.users.scopes import EVERYBODYS, SIGN_IN

if TYPE_CHECKING:  # loaded only where an issuer is set
    from mobility.users.oidc import OpenIdIssuer, Vouched


class SignInUnknown(NotSignedIn):
    """A return from the issuer that this server did not send there, or long ago, or twice."""

    code = "sign_in_unknown"


def begin_by_issuer(
    engine: Engine, issuer: OpenIdIssuer, redirect_uri: str, now: dt.datetime
) -> tuple[str, str]:
    """Begin; returns the state, for the browser to bring back, and where it is sent."""
    started, address = issuer.begin(redirect_uri)
    with engine.begin() as connection:
        begin_sign_in(connection, digest(started.state), started.nonce, started.verifier, now)
    return started.state, address


def finish_by_issuer(
    engine: Engine, issuer: OpenIdIssuer, redirect_uri: str, state: str, code: str, now: dt.datetime
) -> Issued:
    """
    Open a session for whom the issuer vouches; the first time he becomes a user.

    He is known by issuer and subject alone: an address that the issuer tells opens no account.

    Raises
    ------
    SignInUnknown, OidcRefused, Unavailable
        Nothing was begun, the issuer's token does not hold, or it does not answer.
    """
    from mobility.users.oidc import Started  # noqa: PLC0415 — loaded only where an issuer is set

    with engine.begin() as connection:
        begun = take_sign_in(connection, digest(state), now)
    if begun is None:
        raise SignInUnknown("this sign-in was not begun here, or is over: begin again")
    vouched = issuer.finish(code, redirect_uri, Started(state, *begun))
    with engine.begin() as connection:
        user_id = find_identity(connection, vouched.issuer, vouched.subject)
        user = get_user(connection, user_id) if user_id else _first_time(connection, vouched, now)
        return issue(
            connection, user.id, SIGN_IN, "OpenID Connect", user.scopes, now=now, lives=SIGNED_IN
        )


def _first_time(connection: Connection, vouched: Vouched, now: dt.datetime) -> User:
    wanted = "".join(c for c in vouched.name or "" if c.isprintable() and c != "@")
    wanted = " ".join(wanted.split())[:ALIAS_LENGTH] or "Personne"
    user = add_named_user(connection, wanted, EVERYBODYS, now)
    add_identity(connection, vouched.issuer, vouched.subject, user.id)
    return user
