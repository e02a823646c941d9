"""Users and their sessions in PostgreSQL, on one connection; whoever opened it commits."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from core.errors import Conflict, NotFound
from mobility.db.schema import person, session, user
from mobility.users.scopes import TOKEN, Principal, Scope

SCOPES_LOCK = 7_305_003
"""Key of the advisory lock: two authorities must not take each other's scope away at once."""
USED_STEP = dt.timedelta(minutes=5)
"""When a session was last used is kept to this: most requests write nothing."""


KEPT = dt.timedelta(days=30)
"""How long sessions that are over are kept, to look into what happened."""


class UserNotFound(NotFound):
    """No user has this id or address."""

    code = "user_not_found"


class SessionNotFound(NotFound):
    """The user has no session of this id."""

    code = "session_not_found"


class EmailTaken(Conflict):
    """Another user signs in with this address."""

    code = "email_taken"


class AliasTaken(Conflict):
    """Another person goes by this name."""

    code = "alias_taken"


@dataclass(frozen=True, slots=True)
class User:
    """A login and the person it belongs to."""

    id: uuid.UUID
    person_id: uuid.UUID
    alias: str
    """By what others know the person."""
    email: str | None
    password_hash: str | None
    scopes: frozenset[Scope]
    created_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Session:
    """One place where a user is signed in, or one token given to a program."""

    id: uuid.UUID
    kind: str
    label: str
    scopes: frozenset[Scope]
    created_at: dt.datetime
    used_at: dt.datetime
    expires_at: dt.datetime


@dataclass(frozen=True, slots=True)
class NewSession:
    """What is stored of a session when it begins."""

    kind: str
    label: str
    digest: bytes
    scopes: frozenset[Scope]
    expires_at: dt.datetime


def aliases_of(
    connection: sa.Connection, person_ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, str]:
    """Names by which others know people."""
    query = sa.select(person.c.id, person.c.alias).where(person.c.id.in_(person_ids))
    return {row.id: row.alias for row in connection.execute(query)}


def add_user(
    connection: sa.Connection,
    *,
    alias: str,
    email: str | None,
    password_hash: str | None,
    scopes: Iterable[Scope],
    now: dt.datetime,
) -> User:
    """
    Store a new user and its person.

    Raises
    ------
    AliasTaken, EmailTaken
        Somebody has this name or signs in with this address.
    """
    person_id, user_id = uuid.uuid4(), uuid.uuid4()
    made = connection.execute(
        pg.insert(person)
        .values(id=person_id, alias=alias, created_at=now)
        .on_conflict_do_nothing(index_elements=["alias"])
        .returning(person.c.id)
    )
    if made.scalar() is None:
        raise AliasTaken(f"somebody goes by {alias!r} already: choose another name")
    made = connection.execute(
        pg.insert(user)
        .values(
            id=user_id, person_id=person_id, email=email, password_hash=password_hash,
            scopes=sorted(scopes), created_at=now,
        )
        .on_conflict_do_nothing(index_elements=["email"])
        .returning(user.c.id)
    )  # fmt: skip
    if made.scalar() is None:
        raise EmailTaken(f"somebody signs in with {email} already")
    return get_user(connection, user_id)


def find_user(connection: sa.Connection, email: str) -> User | None:
    """User who signs in with an address."""
    return next(iter(_users(connection, user.c.email == email)), None)


def get_user(connection: sa.Connection, user_id: uuid.UUID) -> User:
    """User of an id; raises `UserNotFound`."""
    for found in _users(connection, user.c.id == user_id):
        return found
    raise UserNotFound(f"no user {user_id}")


def lock_user(connection: sa.Connection, user_id: uuid.UUID) -> User:
    """User of an id, whom nobody else changes, and signs in as, until the transaction ends."""
    connection.execute(sa.select(user.c.id).where(user.c.id == user_id).with_for_update())
    return get_user(connection, user_id)


def is_alive(connection: sa.Connection, session_id: uuid.UUID, now: dt.datetime) -> bool:
    """Whether a session may still be used."""
    query = sa.select(session.c.id).where(session.c.id == session_id, _lives(now))
    return connection.execute(query).scalar() is not None


def end_all_sessions(connection: sa.Connection, now: dt.datetime) -> None:
    """End every session and token of everybody."""
    connection.execute(session.update().where(_lives(now)).values(revoked_at=now))


def list_users(connection: sa.Connection, scope: Scope | None = None) -> list[User]:
    """All users, or those with a scope, by address."""
    return _users(connection, sa.true() if scope is None else user.c.scopes.contains([scope]))


def _users(connection: sa.Connection, which: sa.ColumnElement[bool]) -> list[User]:
    query = (
        sa.select(user, person.c.alias)
        .join(person, person.c.id == user.c.person_id)
        .where(which)
        .order_by(user.c.email, user.c.id)
    )
    rows = connection.execute(query).mappings()
    return [User(**{**row, "scopes": _scopes(row["scopes"])}) for row in rows]


def lock_scopes(connection: sa.Connection) -> None:
    """Let nobody else change scopes until the transaction ends."""
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(SCOPES_LOCK)))


def set_scopes(connection: sa.Connection, user_id: uuid.UUID, scopes: Iterable[Scope]) -> None:
    """Replace what a user may do; what is taken from his tokens does not come back to them."""
    connection.execute(user.update().where(user.c.id == user_id).values(scopes=sorted(scopes)))
    own = sa.func.unnest(session.c.scopes).column_valued("own")
    left = sa.select(own).where(own.in_(sorted(scopes)))
    connection.execute(
        session.update()
        .where(session.c.user_id == user_id, session.c.kind == TOKEN)
        .values(scopes=sa.func.array(left.scalar_subquery()))
    )


def set_email(connection: sa.Connection, user_id: uuid.UUID, email: str) -> None:
    """Let a user sign in with an address; raises `EmailTaken`."""
    try:
        with connection.begin_nested():
            connection.execute(user.update().where(user.c.id == user_id).values(email=email))
    except sa.exc.IntegrityError as error:
        raise EmailTaken(f"somebody signs in with {email} already") from error


def set_password(connection: sa.Connection, user_id: uuid.UUID, password_hash: str) -> None:
    """Replace a password."""
    connection.execute(
        user.update().where(user.c.id == user_id).values(password_hash=password_hash)
    )


def add_session(
    connection: sa.Connection, user_id: uuid.UUID, new: NewSession, now: dt.datetime
) -> uuid.UUID:
    """Store a session; returns its id. What of the user is long over is forgotten."""
    over = sa.func.least(session.c.expires_at, session.c.revoked_at) < now - KEPT
    connection.execute(session.delete().where(session.c.user_id == user_id, over))
    session_id = uuid.uuid4()
    connection.execute(
        session.insert().values(
            id=session_id, user_id=user_id, kind=new.kind, label=new.label, digest=new.digest,
            scopes=sorted(new.scopes), created_at=now, used_at=now, expires_at=new.expires_at,
        )
    )  # fmt: skip
    return session_id


def find_principal(connection: sa.Connection, digest: bytes, now: dt.datetime) -> Principal | None:
    """Whose secret has this digest, if the session is neither revoked nor over."""
    query = (
        sa.select(
            session.c.id, session.c.user_id, session.c.kind, session.c.used_at, session.c.scopes,
            user.c.person_id, user.c.scopes.label("user_scopes"),
        )
        .join(user, user.c.id == session.c.user_id)
        .where(session.c.digest == digest, _lives(now))
    )  # fmt: skip
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        return None
    if now - row["used_at"] > USED_STEP:
        connection.execute(session.update().where(session.c.id == row["id"]).values(used_at=now))
    return Principal(row["user_id"], row["person_id"], row["id"], _allowed(row), row["kind"])


def list_sessions(connection: sa.Connection, user_id: uuid.UUID, now: dt.datetime) -> list[Session]:
    """Sessions and tokens of a user that may be used, the last used first."""
    query = (
        sa.select(session, user.c.scopes.label("user_scopes"))
        .join(user, user.c.id == session.c.user_id)
        .where(session.c.user_id == user_id, _lives(now))
        .order_by(session.c.used_at.desc(), session.c.id)
    )
    rows = connection.execute(query).mappings()
    return [
        Session(**{name: row[name] for name in Session.__slots__} | {"scopes": _allowed(row)})
        for row in rows
    ]


def revoke_session(
    connection: sa.Connection, user_id: uuid.UUID, session_id: uuid.UUID, now: dt.datetime
) -> None:
    """End one session of a user; raises `SessionNotFound`."""
    ended = connection.execute(
        session.update()
        .where(session.c.id == session_id, session.c.user_id == user_id, _lives(now))
        .values(revoked_at=now)
    )
    if ended.rowcount == 0:
        raise SessionNotFound(f"you have no session {session_id}")


def revoke_others(
    connection: sa.Connection, user_id: uuid.UUID, kept: uuid.UUID | None, now: dt.datetime
) -> int:
    """End all sessions and tokens of a user but one; returns how many."""
    where = [session.c.user_id == user_id, _lives(now)]
    if kept is not None:
        where.append(session.c.id != kept)
    ended = connection.execute(session.update().where(*where).values(revoked_at=now))
    return int(ended.rowcount)


def _lives(now: dt.datetime) -> sa.ColumnElement[bool]:
    return sa.and_(session.c.revoked_at.is_(None), session.c.expires_at > now)


def _allowed(row: Any) -> frozenset[Scope]:  # noqa: ANN401 — a row of session and user
    """All that the user may do; by a token, of that what it was given."""
    scopes = _scopes(row["user_scopes"])
    return scopes & _scopes(row["scopes"]) if row["kind"] == TOKEN else scopes


def _scopes(names: Any) -> frozenset[Scope]:  # noqa: ANN401 — a row's array
    return frozenset(map(Scope, names))
