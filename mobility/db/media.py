"""Cards in PostgreSQL: each of an account, which is a person's once he links it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from core.errors import Conflict, NotFound
from mobility.db.fare_schema import fare_account, fare_leg, medium, rider_month, tap
from mobility.db.sent_rows import among
from mobility.db.usage import hold_accounts, open_account
from payments.month import month_after


class MediumTaken(Conflict):
    """A card that is linked to somebody."""

    code = "medium_taken"


class MediumNotFound(NotFound):
    """Not a card of whoever asks."""

    code = "medium_not_found"


@dataclass(frozen=True, slots=True)
class Card:
    """A card, phone or bank card that is linked to a rider's account."""

    digest: bytes
    label: str
    linked_at: dt.datetime


def hold_media(
    connection: sa.Connection, digests: Collection[bytes], now: dt.datetime
) -> dict[bytes, uuid.UUID]:
    """
    Accounts of cards, held with them until the transaction ends.

    A card that is seen for the first time gets an account of its own: nobody has to be known to
    pay no more than anybody else.
    """
    wanted = sorted(set(digests))
    known = sa.select(medium.c.digest).where(among(medium.c.digest, wanted))
    missing = sorted(set(wanted) - set(connection.execute(known).scalars()))
    if missing:
        made = {digest: uuid.uuid4() for digest in missing}
        connection.execute(
            fare_account.insert(), [{"id": each, "created_at": now} for each in made.values()]
        )
        rows = [{"digest": d, "account_id": account, "label": ""} for d, account in made.items()]
        added = connection.execute(
            pg.insert(medium).values(rows).on_conflict_do_nothing().returning(medium.c.digest)
        ).scalars()
        others = [made[digest] for digest in set(missing) - set(added)]
        if others:
            connection.execute(fare_account.delete().where(among(fare_account.c.id, others)))
    query = sa.select(medium.c.digest, medium.c.account_id).where(among(medium.c.digest, wanted))
    found = connection.execute(query.order_by(medium.c.digest).with_for_update())
    accounts = {row.digest: row.account_id for row in found}
    hold_accounts(connection, accounts.values())
    return accounts


def link_medium(
    connection: sa.Connection,
    digest: bytes,
    person_id: uuid.UUID,
    label: str,
    now: dt.datetime,
    month_start: Callable[[dt.date], dt.datetime],
) -> tuple[uuid.UUID, set[dt.date]]:
    """
    Link a card to a person, with all that was used by it and is not on a bill yet.

    Returns his account, and the months that have to be rated anew.

    Parameters
    ----------
    month_start
        When a month begins, by the tariff's fare days.

    Raises
    ------
    MediumTaken
        It is linked to somebody else.
    """
    old = hold_media(connection, [digest], now)[digest]
    account_id = open_account(connection, person_id, now)
    if old != account_id:
        owner = sa.select(fare_account.c.person_id).where(fare_account.c.id == old)
        if connection.execute(owner).scalar_one() is not None:
            raise MediumTaken("this card is linked to an account already")
    connection.execute(
        medium.update()
        .where(medium.c.digest == digest)
        .values(account_id=account_id, label=label, linked_at=now)
    )
    if old == account_id:
        return account_id, set()
    return account_id, _take_over(connection, old, account_id, month_start)


def _take_over(
    connection: sa.Connection,
    old: uuid.UUID,
    account_id: uuid.UUID,
    month_start: Callable[[dt.date], dt.datetime],
) -> set[dt.date]:
    """Move what was used by a card to an account, but for months that were posted."""
    of = rider_month.c.account_id == old
    rows = connection.execute(
        sa.select(rider_month.c.month, rider_month.c.state).where(of).with_for_update()
    ).all()
    last = max((row.month for row in rows if row.state != "open"), default=None)
    moved = fare_leg.update().where(fare_leg.c.account_id == old)
    gone = rider_month.delete().where(of)
    if last is not None:
        after = month_after(last)
        moved = moved.where(fare_leg.c.board_at >= month_start(after))
        gone = gone.where(rider_month.c.month >= after)
    connection.execute(moved.values(account_id=account_id))
    months = set(connection.execute(gone.returning(rider_month.c.month)).scalars())
    if last is None:
        connection.execute(fare_account.delete().where(fare_account.c.id == old))
    return months


def list_media(connection: sa.Connection, person_id: uuid.UUID) -> list[Card]:
    """Cards of a person, in the order in which he linked them."""
    query = (
        sa.select(medium.c.digest, medium.c.label, medium.c.linked_at)
        .join(fare_account)
        .where(fare_account.c.person_id == person_id)
        .order_by(medium.c.linked_at, medium.c.digest)
    )
    return [Card(*row) for row in connection.execute(query)]


def unlink_medium(
    connection: sa.Connection, digest: bytes, person_id: uuid.UUID, now: dt.datetime
) -> None:
    """
    Part a card from a person: what it is used for from now on is no longer his.

    Raises
    ------
    MediumNotFound
        It is not his.
    """
    owned = sa.select(fare_account.c.id).where(fare_account.c.person_id == person_id)
    own = sa.select(medium.c.digest).where(
        medium.c.digest == digest, medium.c.account_id.in_(owned)
    )
    if connection.execute(own.with_for_update()).first() is None:
        raise MediumNotFound("you have no such card")
    account_id = uuid.uuid4()
    connection.execute(fare_account.insert().values(id=account_id, created_at=now))
    connection.execute(
        medium.update()
        .where(medium.c.digest == digest)
        .values(account_id=account_id, label="", linked_at=None)
    )
    # What it has been used for stays his; a tap that follows must not be paired with it.
    connection.execute(tap.update().where(tap.c.medium == digest).values(medium=None, stop=None))
