"""Whom an issuer vouches for, and sign-ins under way; on one connection."""

from __future__ import annotations

import datetime as dt
import uuid

import sqlalchemy as sa

from mobility.db.schema import identity, sign_in_begun

LONGEST = dt.timedelta(minutes=10)
"""From being sent to the issuer to coming back."""


def begin_sign_in(
    connection: sa.Connection, state: bytes, nonce: str, verifier: str, now: dt.datetime
) -> None:
    """Remember a sign-in by the digest of its state; forget those that never came back."""
    connection.execute(sign_in_begun.delete().where(sign_in_begun.c.at < now - LONGEST))
    connection.execute(
        sign_in_begun.insert().values(state_digest=state, nonce=nonce, verifier=verifier, at=now)
    )


def take_sign_in(
    connection: sa.Connection, state: bytes, now: dt.datetime
) -> tuple[str, str] | None:
    """Nonce and verifier of a sign-in, once: whoever comes after finds none."""
    row = connection.execute(
        sign_in_begun.delete()
        .where(sign_in_begun.c.state_digest == state, sign_in_begun.c.at >= now - LONGEST)
        .returning(sign_in_begun.c.nonce, sign_in_begun.c.verifier)
    ).one_or_none()
    return None if row is None else (row.nonce, row.verifier)


def find_identity(connection: sa.Connection, issuer: str, subject: str) -> uuid.UUID | None:
    """User whom an issuer knows by a subject; nobody adds one until the commit."""
    key = sa.func.hashtextextended(f"{issuer} {subject}", 0)
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))
    found: uuid.UUID | None = connection.execute(
        sa.select(identity.c.user_id).where(
            identity.c.issuer == issuer, identity.c.subject == subject
        )
    ).scalar()
    return found


def add_identity(connection: sa.Connection, issuer: str, subject: str, user_id: uuid.UUID) -> None:
    """Keep whom an issuer vouches for."""
    connection.execute(identity.insert().values(issuer=issuer, subject=subject, user_id=user_id))
