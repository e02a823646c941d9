"""What riders used in PostgreSQL: accounts and their cards, taps, legs, proofs, rated months."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.dialects.postgresql import aggregate_order_by

from core.errors import Conflict, NotFound
from mobility.db.notices import RIDE_COMPLETED
from mobility.db.schema import (
    fare_account,
    fare_leg,
    medium,
    outbox,
    partner_person,
    person,
    proof,
    rider_month,
    tap,
)
from mobility.db.sent_rows import sent_rows
from mobility.db.statements import MonthState
from payments.bill import Proof
from payments.month import MonthTotal, month_after
from payments.rights import HeldPass, PaidFor, Rights
from payments.taps import Tap, TapKind
from payments.tariff import FareLeg

Right = Proof | HeldPass | PaidFor
LEG_COLUMNS = (
    "id", "mode", "board_at", "metres", "seconds", "zones", "operator", "route", "promised_cents"
)  # fmt: skip
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = sa.cast(sa.extract("epoch", fare_leg.c.board_at) * 1_000_000, sa.BigInteger)
AT_ONCE = 1_000
"""Rows of one statement, of which the parameters are counted in two bytes."""
RIGHT_COLUMNS = ("kind", "name", "party", "valid_from", "valid_to")
_MONTH_TYPES = {
    "account_id": sa.Uuid,
    "month": sa.Date,
    "amount_cents": sa.BigInteger,
    **dict.fromkeys(("leg_count", "unpriced_count"), sa.Integer),
}
TAP_COLUMNS = ("id", "at", "kind", "stop", "mode", "route", "operator")


class RightKind(StrEnum):
    """What somebody can prove, in the order of `Rights`."""

    CATEGORY = "category"
    HELD_PASS = "held_pass"  # noqa: S105 — no password
    PAYER = "payer"


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


@dataclass(frozen=True, slots=True)
class RatedMonth:
    """What a month costs as it was last rated."""

    month: dt.date
    amount_cents: int
    currency: str
    leg_count: int
    unpriced_count: int
    rated_at: dt.datetime
    state: MonthState
    tariff_hash: str


@dataclass(frozen=True, slots=True)
class Completed:
    """A ride that is over, as carpool has left it in the outbox."""

    event_id: int
    booking_id: uuid.UUID
    content: Mapping[str, object]


def find_account(connection: sa.Connection, person_id: uuid.UUID) -> uuid.UUID | None:
    """Fare account of a person, if he has used anything or linked a card."""
    query = sa.select(fare_account.c.id).where(fare_account.c.person_id == person_id)
    return connection.execute(query).scalar_one_or_none()


def open_account(connection: sa.Connection, person_id: uuid.UUID, now: dt.datetime) -> uuid.UUID:
    """Fare account of a person, made if need be, and held until the transaction ends."""
    made = pg.insert(fare_account).values(id=uuid.uuid4(), person_id=person_id, created_at=now)
    connection.execute(made.on_conflict_do_nothing())
    query = sa.select(fare_account.c.id).where(fare_account.c.person_id == person_id)
    account_id: uuid.UUID = connection.execute(query.with_for_update()).scalar_one()
    return account_id


def hold_media(
    connection: sa.Connection, digests: Collection[bytes], now: dt.datetime
) -> dict[bytes, uuid.UUID]:
    """
    Accounts of cards, held with them until the transaction ends.

    A card that is seen for the first time gets an account of its own: nobody has to be known to
    pay no more than anybody else.
    """
    wanted = sorted(set(digests))
    known = sa.select(medium.c.digest).where(medium.c.digest.in_(wanted))
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
            connection.execute(fare_account.delete().where(fare_account.c.id.in_(others)))
    query = sa.select(medium.c.digest, medium.c.account_id).where(medium.c.digest.in_(wanted))
    found = connection.execute(query.order_by(medium.c.digest).with_for_update())
    accounts = {row.digest: row.account_id for row in found}
    hold_accounts(connection, accounts.values())
    return accounts


def hold_accounts(connection: sa.Connection, account_ids: Iterable[uuid.UUID]) -> None:
    """Let nobody else change what accounts owe until the transaction ends."""
    query = sa.select(fare_account.c.id).where(fare_account.c.id.in_(set(account_ids)))
    connection.execute(query.order_by(fare_account.c.id).with_for_update()).all()


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


def add_taps(
    connection: sa.Connection, taps: Sequence[tuple[bytes, Tap]], now: dt.datetime
) -> set[str]:
    """Store taps that are not there yet; returns the ids of those that are new."""
    if not taps:
        return set()
    rows = [
        {name: getattr(each, name) for name in TAP_COLUMNS} | {"medium": digest, "received_at": now}
        for digest, each in taps
    ]
    insert = pg.insert(tap).values(rows).on_conflict_do_nothing().returning(tap.c.id)
    return set(connection.execute(insert).scalars())


def list_taps(
    connection: sa.Connection, media: Collection[bytes], since: dt.datetime, until: dt.datetime
) -> dict[bytes, list[Tap]]:
    """Taps of cards between two times of which the place is still known."""
    query = sa.select(tap.c.medium, *(tap.c[name] for name in TAP_COLUMNS)).where(
        tap.c.medium.in_(media), tap.c.at.between(since, until), tap.c.stop.is_not(None)
    )
    found: dict[bytes, list[Tap]] = {}
    for digest, id_, at, kind, *place in connection.execute(query):
        found.setdefault(digest, []).append(Tap(id_, at, TapKind(kind), *place))
    return found


def add_legs(
    connection: sa.Connection, legs: Sequence[tuple[uuid.UUID, FareLeg]], now: dt.datetime
) -> set[str]:
    """Store legs of accounts that are not there yet; returns the ids of those that are new."""
    new: set[str] = set()
    for rows in _leg_rows(legs, now):
        insert = pg.insert(fare_leg).values(rows).on_conflict_do_nothing()
        new |= set(connection.execute(insert.returning(fare_leg.c.id)).scalars())
    return new


def put_legs(
    connection: sa.Connection, legs: Sequence[tuple[uuid.UUID, FareLeg]], now: dt.datetime
) -> dict[str, uuid.UUID]:
    """
    Store legs of accounts, or what is known better of them by now; returns whose each leg is.

    A leg that is there stays with its account, whoever has the card by now.
    """
    owners: dict[str, uuid.UUID] = {}
    for rows in _leg_rows(legs, now):
        insert = pg.insert(fare_leg).values(rows)
        changed = {name: insert.excluded[name] for name in LEG_COLUMNS if name != "id"}
        upsert = insert.on_conflict_do_update(index_elements=["id"], set_=changed)
        told = connection.execute(upsert.returning(fare_leg.c.id, fare_leg.c.account_id))
        owners |= {row.id: row.account_id for row in told}
    return owners


def _leg_rows(
    legs: Sequence[tuple[uuid.UUID, FareLeg]], now: dt.datetime
) -> Iterator[list[dict[str, object]]]:
    """Rows in parts of which none has too many parameters for one statement."""
    for first in range(0, len(legs), AT_ONCE):
        yield [
            {name: getattr(leg, name) for name in LEG_COLUMNS}
            | {"account_id": account_id, "zones": list(leg.zones), "received_at": now}
            for account_id, leg in legs[first : first + AT_ONCE]
        ]


def drop_legs(connection: sa.Connection, leg_ids: Collection[str]) -> None:
    """Take back legs that never were."""
    if leg_ids:
        connection.execute(fare_leg.delete().where(fare_leg.c.id.in_(leg_ids)))


def list_legs(
    connection: sa.Connection,
    account_ids: Collection[uuid.UUID],
    since: dt.datetime,
    until: dt.datetime,
) -> dict[uuid.UUID, list[FareLeg]]:
    """Legs of accounts that were boarded from one time until before another."""
    c = fare_leg.c
    # One value for an account: row by row the driver takes longer than rating them.
    columns = (_MICROSECOND if name == "board_at" else c[name] for name in LEG_COLUMNS)
    row = sa.func.json_build_array(*columns)
    rows = sa.func.json_agg(aggregate_order_by(row, c.board_at, c.id)).cast(sa.Text)
    query = (
        sa.select(c.account_id, rows)
        .where(c.account_id.in_(account_ids), c.board_at >= since, c.board_at < until)
        .group_by(c.account_id)
    )
    found: dict[uuid.UUID, list[FareLeg]] = {account_id: [] for account_id in account_ids}
    for account_id, told in connection.execute(query):
        found[account_id] = [
            FareLeg(mode, EPOCH + dt.timedelta(microseconds=at), metres, seconds, tuple(zones),
                    operator, route, id_, promised)
            for id_, mode, at, metres, seconds, zones, operator, route, promised in orjson.loads(
                told
            )
        ]  # fmt: skip
    return found


def list_rights(
    connection: sa.Connection, account_ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, Rights]:
    """What the people have proved whose accounts these are."""
    query = (
        sa.select(fare_account.c.id, *(proof.c[name] for name in RIGHT_COLUMNS))
        .join(proof, proof.c.person_id == fare_account.c.person_id)
        .where(fare_account.c.id.in_(account_ids))
        .order_by(proof.c.name, proof.c.party, proof.c.valid_from)
    )
    proved: dict[uuid.UUID, dict[str, list[Any]]] = {}
    for account_id, kind, name, party, *days in connection.execute(query):
        own = proved.setdefault(account_id, {right: [] for right in RightKind})
        if kind == RightKind.PAYER:
            own[kind].append(PaidFor(name, party, *days))
        else:
            own[kind].append((Proof if kind == RightKind.CATEGORY else HeldPass)(name, *days))
    return {
        account_id: Rights(*(tuple(given) for given in proved.get(account_id, {}).values()))
        for account_id in account_ids
    }


def find_person(connection: sa.Connection, alias: str) -> uuid.UUID | None:
    """The person of a name."""
    return connection.execute(sa.select(person.c.id).where(person.c.alias == alias)).scalar()


def put_right(
    connection: sa.Connection, person_id: uuid.UUID, given: Right, issuer: str, now: dt.datetime
) -> None:
    """Keep that somebody has proved something: what, who says so, and on which days."""
    kind, name, party = right_key(given)
    values = {"valid_to": given.valid_to, "issuer": issuer, "at": now}
    insert = pg.insert(proof).values(
        person_id=person_id, kind=kind, name=name, party=party, valid_from=given.valid_from,
        **values,
    )  # fmt: skip
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=["person_id", "kind", "name", "party", "valid_from"], set_=values
        )
    )


def right_key(right: Right) -> tuple[RightKind, str, str]:
    """Kind, name and party of what somebody has proved."""
    match right:
        case Proof():
            return RightKind.CATEGORY, right.category, ""
        case HeldPass():
            return RightKind.HELD_PASS, right.product, ""
        case PaidFor():
            return RightKind.PAYER, right.payer, right.party


def put_months(
    connection: sa.Connection,
    totals: Sequence[tuple[uuid.UUID, MonthTotal]],
    currency: str,
    tariff_hash: str,
    now: dt.datetime,
) -> None:
    """Keep what months of accounts cost by now, each once."""
    if not totals:
        return
    names = ("month", "amount_cents", "leg_count", "unpriced_count")
    rows = sent_rows(
        [
            {"account_id": account_id} | {name: getattr(total, name) for name in names}
            for account_id, total in totals
        ],
        _MONTH_TYPES,
    )
    same = {"currency": currency, "tariff_hash": tariff_hash}
    columns = [
        *rows.c, *(sa.literal(value, sa.Text) for value in same.values()),
        sa.literal(now, sa.DateTime(timezone=True)), sa.true(),
    ]  # fmt: skip
    kept = [*rows.c.keys(), *same, "rated_at", "is_stale"]
    insert = pg.insert(rider_month).from_select(kept, sa.select(*columns))
    changed = {name: insert.excluded[name] for name in kept if name not in ("account_id", "month")}
    # What was posted is not priced by another tariff afterwards.
    is_ours = rider_month.c.tariff_hash == tariff_hash
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=["account_id", "month"],
            set_=changed,
            where=sa.or_(rider_month.c.state == "open", is_ours),
        )
    )


def accounts_with_month(
    connection: sa.Connection, account_ids: Collection[uuid.UUID], month: dt.date
) -> set[uuid.UUID]:
    """Those of some accounts whose month was rated before."""
    query = sa.select(rider_month.c.account_id).where(
        rider_month.c.month == month, rider_month.c.account_id.in_(account_ids)
    )
    return set(connection.execute(query).scalars())


def list_months(connection: sa.Connection, account_id: uuid.UUID) -> list[RatedMonth]:
    """Months of an account, the newest first."""
    columns = [rider_month.c[name] for name in RatedMonth.__dataclass_fields__]
    query = sa.select(*columns).where(rider_month.c.account_id == account_id)
    found = connection.execute(query.order_by(rider_month.c.month.desc())).mappings()
    return [RatedMonth(**dict(row) | {"state": MonthState(row["state"])}) for row in found]


def take_completed(connection: sa.Connection, most: int) -> list[Completed]:
    """Rides that are over and not billed yet, for this transaction alone."""
    query = (
        sa.select(outbox.c.id, outbox.c.booking_id, outbox.c.content)
        .where(outbox.c.kind == RIDE_COMPLETED, outbox.c.billed_at.is_(None))
        .order_by(outbox.c.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    return [Completed(*row) for row in connection.execute(query)]


def riders_of_partners(
    connection: sa.Connection, person_ids: Collection[uuid.UUID]
) -> set[uuid.UUID]:
    """Those of some people who are riders of other operators, which bill them."""
    query = sa.select(partner_person.c.person_id).where(partner_person.c.person_id.in_(person_ids))
    return set(connection.execute(query).scalars())


def mark_billed(connection: sa.Connection, event_ids: Collection[int], now: dt.datetime) -> None:
    """Note that events of the outbox have become legs."""
    connection.execute(outbox.update().where(outbox.c.id.in_(event_ids)).values(billed_at=now))


def forget_places(connection: sa.Connection, before: dt.datetime) -> int:
    """Forget whose taps received before a time were, and where; returns how many."""
    return connection.execute(
        tap.update()
        .where(tap.c.medium.is_not(None), tap.c.received_at < before)
        .values(medium=None, stop=None)
    ).rowcount


def forget_riders(connection: sa.Connection, before: dt.datetime) -> int:
    """
    Forget whose legs boarded before a time were; returns how many.

    They get ids that say nothing, so that no card, device or booking leads back to the rider; what
    the outbox told of his rides goes, too.
    """
    connection.execute(
        outbox.update()
        .where(
            outbox.c.at < before,
            sa.or_(outbox.c.kind != RIDE_COMPLETED, outbox.c.billed_at.is_not(None)),
            outbox.c.content != sa.literal({}, pg.JSONB),
        )
        .values(content={})
    )
    return connection.execute(
        fare_leg.update()
        .where(fare_leg.c.account_id.is_not(None), fare_leg.c.board_at < before)
        .values(account_id=None, id=sa.func.gen_random_uuid().cast(sa.Text), promised_cents=None)
    ).rowcount
