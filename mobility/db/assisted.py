"""People who have only a telephone, for whom agents book; on one connection."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from core.errors import NotFound
from mobility.db.notices import Notice
from mobility.db.schema import assisted, notice, person, user


class AssistedNotFound(NotFound):
    """Agents book for nobody of this id, or not any more: he signs in himself."""

    code = "assisted_not_found"


@dataclass(frozen=True, slots=True)
class Assisted:
    """Somebody for whom agents book."""

    user_id: uuid.UUID
    person_id: uuid.UUID
    alias: str
    """By what drivers know the person."""
    telephone: str
    created_at: dt.datetime


@dataclass(frozen=True, slots=True)
class ToCall:
    """Something that a person is to be told by telephone."""

    notice: Notice
    person: Assisted


def add_assisted(
    connection: sa.Connection, user_id: uuid.UUID, telephone: str, now: dt.datetime
) -> None:
    """Store how a user without an address is reached."""
    values = {"user_id": user_id, "telephone": telephone, "created_at": now}
    connection.execute(assisted.insert().values(**values))


def get_assisted(connection: sa.Connection, user_id: uuid.UUID) -> Assisted:
    """Somebody for whom agents book; raises `AssistedNotFound`."""
    row = connection.execute(_people().where(user.c.id == user_id)).mappings().one_or_none()
    if row is None:
        raise AssistedNotFound(f"agents book for nobody {user_id}")
    return Assisted(**row)


def list_by_telephone(connection: sa.Connection, telephone: str, count: int) -> list[Assisted]:
    """Whoever is reached by a telephone: a household may share one."""
    query = _people().where(assisted.c.telephone == telephone).order_by(person.c.alias)
    return [Assisted(**row) for row in connection.execute(query.limit(count)).mappings()]


def are_assisted(connection: sa.Connection, person_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Those of some people for whom agents book."""
    query = sa.select(user.c.person_id).join(assisted, assisted.c.user_id == user.c.id)
    found = connection.execute(query.where(user.c.person_id.in_(list(person_ids))))
    return set(found.scalars())


def set_claim(
    connection: sa.Connection, user_id: uuid.UUID, digest: bytes, until: dt.datetime
) -> None:
    """Let whoever has a code take an account over, until a moment; one given before is void."""
    connection.execute(
        assisted.update()
        .where(assisted.c.user_id == user_id)
        .values(claim_digest=digest, claim_until=until)
    )


def take_claim(connection: sa.Connection, digest: bytes, now: dt.datetime) -> uuid.UUID | None:
    """Whose account a code opens, once: nobody books for him any more, nor has his telephone."""
    return connection.execute(
        assisted.delete()
        .where(assisted.c.claim_digest == digest, assisted.c.claim_until > now)
        .returning(assisted.c.user_id)
    ).scalar()


def list_to_call(connection: sa.Connection, *, after: int, count: int) -> list[ToCall]:
    """What such people have not been told yet, in order, from behind a notice on."""
    own = _people().subquery()
    query = (
        sa.select(notice.c.id, notice.c.kind, notice.c.content, notice.c.at, notice.c.read_at, own)
        .join(own, own.c.person_id == notice.c.person_id)
        .where(notice.c.id > after, notice.c.read_at.is_(None))
        .order_by(notice.c.id)
        .limit(count)
    )
    kept, whose = Notice.__dataclass_fields__, Assisted.__dataclass_fields__
    return [
        ToCall(
            Notice(**{name: row[name] for name in kept}),
            Assisted(**{name: row[name] for name in whose}),
        )
        for row in connection.execute(query).mappings()
    ]


def find_told(connection: sa.Connection, notice_id: int) -> Assisted | None:
    """Whom a notice is for, if agents book for him."""
    query = _people().join(notice, notice.c.person_id == person.c.id)
    row = connection.execute(query.where(notice.c.id == notice_id)).mappings().one_or_none()
    return None if row is None else Assisted(**row)


def _people() -> sa.Select[Any]:
    return (
        sa.select(
            assisted.c.user_id, user.c.person_id, person.c.alias, assisted.c.telephone,
            assisted.c.created_at,
        )
        .select_from(assisted)
        .join(user, user.c.id == assisted.c.user_id)
        .join(person, person.c.id == user.c.person_id)
    )  # fmt: skip
