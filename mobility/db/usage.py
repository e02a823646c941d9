"""What riders used in PostgreSQL: accounts and their cards, taps, legs, proofs, rated months."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.dialects.postgresql import aggregate_order_by

from mobility.db.fare_schema import fare_account, fare_leg, rider_month, tap
from mobility.db.notices import RIDE_COMPLETED
from mobility.db.paid_months import list_settled
from mobility.db.schema import outbox, partner_person, person
from mobility.db.sent_rows import among, sent_rows
from mobility.db.statements import MonthState
from payments.carried_weeks import Carried, CarriedWeek, Choices
from payments.leg_columns import (
    Kind,
    LegColumns,
    Proofs,
    Row,
    as_arrays,
    legs_of_rows,
    row_of,
)
from payments.month import MonthTotal
from payments.rights import Rights
from payments.taps import End, Tap, TapKind
from payments.tariff import FareLeg
from payments.versions import Tariffs

LEG_COLUMNS = (
    "id", "mode", "board_at", "metres", "seconds", "zones", "operator", "route", "promised_cents"
)  # fmt: skip
NO_ENDS: Mapping[str, End] = {}
NO_CHOICES = sa.literal([], pg.JSONB)
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_TAP_TYPES = {
    "medium": sa.LargeBinary,
    "told_ahead_s": sa.Integer,
    **dict.fromkeys(("at", "received_at"), sa.DateTime(timezone=True)),
}
_LEG_TYPES = {
    "account_id": sa.Uuid,
    "ended_by": sa.Text,
    **dict.fromkeys(("zones", "line_zones"), pg.ARRAY(sa.Text)),
    **dict.fromkeys(("metres", "line_metres", "seconds", "promised_cents"), sa.Integer),
    "board_at": sa.DateTime(timezone=True),
}
_MONTH_TYPES = {
    "account_id": sa.Uuid,
    "month": sa.Date,
    "amount_cents": sa.BigInteger,
    **dict.fromkeys(("leg_count", "unpriced_count"), sa.Integer),
    "choices": pg.JSONB,
}
TAP_COLUMNS = ("id", "at", "kind", "stop", "mode", "route", "operator", "told_ahead_s")


def _microsecond(column: sa.Column[Any]) -> sa.Cast[int]:
    return sa.cast(sa.extract("epoch", column) * 1_000_000, sa.BigInteger)


@dataclass(frozen=True, slots=True)
class RatedMonth:
    """What a month costs as it was last rated."""

    month: dt.date
    amount_cents: int
    currency: str
    leg_count: int
    unpriced_count: int
    state: MonthState
    tariff_hash: str
    posted_cents: int


@dataclass(frozen=True, slots=True)
class KeptMonth:
    """What the next month depends on of a month that was rated."""

    is_open: bool
    tariff_hash: str
    choices: Choices

    def is_fixed(self, tariff_hash: str) -> bool:
        """Whether a tariff does not price it any more: another one has posted it."""
        return not self.is_open and self.tariff_hash != tariff_hash


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


def hold_accounts(connection: sa.Connection, account_ids: Iterable[uuid.UUID]) -> None:
    """Let nobody else change what accounts owe until the transaction ends."""
    query = sa.select(fare_account.c.id).where(among(fare_account.c.id, set(account_ids)))
    connection.execute(query.order_by(fare_account.c.id).with_for_update()).all()


def add_taps(
    connection: sa.Connection, taps: Sequence[tuple[bytes, Tap]], now: dt.datetime
) -> set[str]:
    """Store taps that are not there yet; returns the ids of those that are new."""
    if not taps:
        return set()
    rows = sent_rows(
        [
            {name: getattr(each, name) for name in TAP_COLUMNS}
            | {"medium": f"\\x{digest.hex()}", "received_at": now}
            for digest, each in taps
        ],
        _TAP_TYPES,
    )
    insert = pg.insert(tap).from_select(list(rows.c.keys()), sa.select(*rows.c))
    return set(connection.execute(insert.on_conflict_do_nothing().returning(tap.c.id)).scalars())


def list_taps(
    connection: sa.Connection, media: Collection[bytes], since: dt.datetime, until: dt.datetime
) -> dict[bytes, list[Tap]]:
    """Taps of cards between two times of which the place is still known."""
    c = tap.c
    columns = (_microsecond(c.at) if name == "at" else c[name] for name in TAP_COLUMNS)
    heard = sa.case((c.received_at < c.at, _microsecond(c.received_at)))
    rows = sa.func.json_agg(sa.func.json_build_array(*columns, heard)).cast(sa.Text)
    query = (
        sa.select(c.medium, rows)
        .where(among(c.medium, media), c.at.between(since, until), c.stop.is_not(None))
        .group_by(c.medium)
    )
    found: dict[bytes, list[Tap]] = {}
    for digest, told in connection.execute(query):
        found[digest] = [
            Tap(id_, EPOCH + dt.timedelta(microseconds=at), TapKind(kind), stop, mode, route,
                operator, ahead_s, heard and EPOCH + dt.timedelta(microseconds=heard))
            for id_, at, kind, stop, mode, route, operator, ahead_s, heard in orjson.loads(told)
        ]  # fmt: skip
    return found


def add_legs(connection: sa.Connection, legs: Sequence[tuple[uuid.UUID, FareLeg]]) -> set[str]:
    """Store legs of accounts that are not there yet; returns the ids of those that are new."""
    if not legs:
        return set()
    insert = _insert_legs(legs).on_conflict_do_nothing()
    return set(connection.execute(insert.returning(fare_leg.c.id)).scalars())


def put_legs(
    connection: sa.Connection,
    legs: Sequence[tuple[uuid.UUID, FareLeg]],
    ended_by: Mapping[str, End] = NO_ENDS,
) -> dict[str, uuid.UUID]:
    """
    Store legs of accounts, or what is known better of them by now; returns whose each leg is.

    A leg that is there stays with its account, whoever has the card by now.

    Parameters
    ----------
    ended_by
        By id how the ends of some were guessed; of `End.LINE_MAXIMUM` they are as long as their
        line.
    """
    if not legs:
        return {}
    insert = _insert_legs(legs, ended_by)
    names = (*LEG_COLUMNS[1:], "ended_by", "line_metres", "line_zones")
    changed = {name: insert.excluded[name] for name in names}
    upsert = insert.on_conflict_do_update(index_elements=["id"], set_=changed)
    told = connection.execute(upsert.returning(fare_leg.c.id, fare_leg.c.account_id))
    return {row.id: row.account_id for row in told}


def _insert_legs(
    legs: Sequence[tuple[uuid.UUID, FareLeg]], ended_by: Mapping[str, End] = NO_ENDS
) -> pg.Insert:
    unended = {leg_id for leg_id, how in ended_by.items() if how is End.LINE_MAXIMUM}
    rows = sent_rows(
        [
            {name: getattr(leg, name) for name in LEG_COLUMNS}
            | {"account_id": account_id, "ended_by": ended_by.get(leg.id)}
            | {"line_metres": leg.metres if leg.id in unended else None}
            | {"line_zones": leg.zones if leg.id in unended else None}
            for account_id, leg in legs
        ],
        _LEG_TYPES,
    )
    return pg.insert(fare_leg).from_select(list(rows.c.keys()), sa.select(*rows.c))


def drop_legs(connection: sa.Connection, leg_ids: Collection[str]) -> None:
    """Take back legs that never were."""
    if leg_ids:
        connection.execute(fare_leg.delete().where(among(fare_leg.c.id, leg_ids)))


def list_legs(
    connection: sa.Connection,
    account_ids: Collection[uuid.UUID],
    since: dt.datetime,
    until: dt.datetime,
) -> dict[uuid.UUID, list[FareLeg]]:
    """Legs of accounts that were boarded from one time until before another."""
    found: dict[uuid.UUID, list[FareLeg]] = {account_id: [] for account_id in account_ids}
    for account_id, rows in _leg_rows(connection, account_ids, since, until):
        found[account_id] = [
            FareLeg(mode, EPOCH + dt.timedelta(microseconds=at), metres, seconds, tuple(zones),
                    operator, route, id_, promised)
            for id_, mode, at, metres, seconds, zones, operator, route, promised in rows
        ]  # fmt: skip
    return found


def list_leg_columns(
    connection: sa.Connection, rights: Mapping[uuid.UUID, Rights], tariffs: Tariffs,
    since: dt.datetime, until: dt.datetime,
) -> LegColumns:  # fmt: skip
    """The same as columns, a row for each account in order, as its rights make them."""
    kinds: dict[Kind, int] = {}
    profiles: dict[Proofs, int] = {}
    found: dict[uuid.UUID, list[Row]] = {account_id: [] for account_id in rights}
    for account_id, rows in _leg_rows(connection, rights, since, until, LEG_COLUMNS[1:]):
        found[account_id] = [
            (at, kinds.setdefault((mode, operator, route, tuple(zones)), len(kinds)), metres,
             seconds, -1 if promised is None else promised)
            for mode, at, metres, seconds, zones, operator, route, promised in rows
        ]  # fmt: skip
    for account_id, own in rights.items():
        if own.passes:
            legs = own.paid_legs(tariffs, legs_of_rows(found[account_id], list(kinds)))
            found[account_id] = [row_of(leg, kinds) for leg in legs]
    profile = [profiles.setdefault(own.proofs, len(profiles)) for own in rights.values()]
    return LegColumns(as_arrays(list(found.values()), profile), list(kinds), list(profiles))


def _leg_rows(
    connection: sa.Connection,
    account_ids: Collection[uuid.UUID],
    since: dt.datetime,
    until: dt.datetime,
    names: Sequence[str] = LEG_COLUMNS,
) -> Iterator[tuple[uuid.UUID, list[list[Any]]]]:
    """Columns of accounts' legs in order, boarding in epoch microseconds."""
    c = fare_leg.c
    # One value for an account: row by row the driver takes longer than rating them.
    columns = (_microsecond(c.board_at) if name == "board_at" else c[name] for name in names)
    row = sa.func.json_build_array(*columns)
    rows = sa.func.json_agg(aggregate_order_by(row, c.board_at, c.id.collate("C"))).cast(sa.Text)
    query = (
        sa.select(c.account_id, rows)
        .where(among(c.account_id, account_ids), c.board_at >= since, c.board_at < until)
        .group_by(c.account_id)
    )
    for account_id, told in connection.execute(query):
        yield account_id, orjson.loads(told)


def find_person(connection: sa.Connection, alias: str) -> uuid.UUID | None:
    """The person of a name."""
    return connection.execute(sa.select(person.c.id).where(person.c.alias == alias)).scalar()


def put_months(
    connection: sa.Connection,
    totals: Sequence[tuple[uuid.UUID, MonthTotal]],
    currency: str,
    tariff_hash: str,
) -> None:
    """Keep what months of accounts cost by now, each once."""
    if not totals:
        return
    names = ("month", "amount_cents", "leg_count", "unpriced_count")
    rows = sent_rows(
        [
            {"account_id": account_id, "choices": _choice_rows(total.choices)}
            | {name: getattr(total, name) for name in names}
            for account_id, total in totals
        ],
        _MONTH_TYPES,
    )
    same = {"currency": currency, "tariff_hash": tariff_hash}
    columns = [*rows.c, *(sa.literal(value, sa.Text) for value in same.values()), sa.true()]
    kept = [*rows.c.keys(), *same, "is_stale"]
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


def kept_months(
    connection: sa.Connection, account_ids: Collection[uuid.UUID], since: dt.date
) -> dict[tuple[uuid.UUID, dt.date], KeptMonth]:
    """Months of some accounts as they were last rated, from one on."""
    c = rider_month.c
    query = sa.select(c.account_id, c.month, c.state, c.tariff_hash, c.choices).where(
        c.month >= since, among(c.account_id, account_ids)
    )
    return {
        (account_id, month): KeptMonth(state == MonthState.OPEN, tariff_hash, _read_choices(rows))
        for account_id, month, state, tariff_hash, rows in connection.execute(query)
    }


def _choice_rows(choices: Choices) -> list[list[Any]]:
    return [
        [own.cents, *([week.product, week.category, str(week.since)] for week in own.weeks)]
        for own in choices
    ]


def _read_choices(rows: Iterable[Sequence[Any]]) -> Choices:
    return tuple(
        Carried(
            cents,
            tuple(
                CarriedWeek(product, category, dt.date.fromisoformat(since))
                for product, category, since in weeks
            ),
        )
        for cents, *weeks in rows
    )


def list_months(connection: sa.Connection, account_id: uuid.UUID) -> list[RatedMonth]:
    """Months of an account, the newest first; what was issued and paid is settled."""
    columns = [rider_month.c[name] for name in RatedMonth.__dataclass_fields__]
    query = sa.select(*columns).where(rider_month.c.account_id == account_id)
    found = connection.execute(query.order_by(rider_month.c.month.desc())).mappings().all()
    paid = list_settled(connection, account_id)
    months = []
    for row in found:
        state = MonthState(row["state"])
        if row["month"] in paid:
            state = MonthState.SETTLED
        months.append(RatedMonth(**dict(row) | {"state": state}))
    return months


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
    query = sa.select(partner_person.c.person_id).where(
        among(partner_person.c.person_id, person_ids)
    )
    return set(connection.execute(query).scalars())


def mark_billed(connection: sa.Connection, event_ids: Collection[int], now: dt.datetime) -> None:
    """Note that events of the outbox have become legs."""
    connection.execute(outbox.update().where(among(outbox.c.id, event_ids)).values(billed_at=now))


def forget_places(connection: sa.Connection, before: dt.datetime) -> int:
    """
    Forget whose taps received before a time were, and where; returns how many.

    When they were received is forgotten, too: an account may have been opened by that batch.
    """
    return connection.execute(
        tap.update()
        .where(tap.c.medium.is_not(None), tap.c.received_at < before)
        .values(medium=None, stop=None, received_at=tap.c.at)
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
    # A month that is about to be forgotten needs no more what the one before has left to it.
    last = before.date().replace(day=1) - dt.timedelta(days=1)
    connection.execute(
        rider_month.update()
        .where(rider_month.c.month < last.replace(day=1), rider_month.c.choices != NO_CHOICES)
        .values(choices=NO_CHOICES)
    )
    return connection.execute(
        fare_leg.update()
        .where(
            fare_leg.c.account_id.is_not(None),
            sa.func.timezone("UTC", fare_leg.c.board_at)
            < before.astimezone(dt.UTC).replace(tzinfo=None),
        )
        .values(account_id=None, id=sa.func.gen_random_uuid().cast(sa.Text), promised_cents=None)
    ).rowcount
