"""All that is kept of what one rider used: to be handed to him, or erased."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from mobility.db.fare_schema import (
    chosen_itinerary,
    fare_account,
    fare_leg,
    medium,
    pay_invitation,
    proof,
    ride_half,
    rider_month,
    statement,
    tap,
)
from mobility.db.notices import RIDE_COMPLETED
from mobility.db.schema import outbox
from mobility.db.statements import MonthState
from payments.rights import ANOTHER_RIDER

Rows = list[dict[str, Any]]


def read_fare_data(connection: sa.Connection, person_id: uuid.UUID) -> dict[str, Rows]:
    """Every row of every table that leads to a person, by table; but digests of cards."""
    account = sa.select(fare_account.c.id).where(fare_account.c.person_id == person_id)
    payer = sa.select(fare_account.c.id.cast(sa.Text)).where(fare_account.c.person_id == person_id)
    cards = sa.select(medium.c.digest).where(medium.c.account_id.in_(account))
    queries = {
        "accounts": sa.select(fare_account).where(fare_account.c.person_id == person_id),
        "cards": sa.select(medium.c.label, medium.c.linked_at).where(
            medium.c.account_id.in_(account)
        ),
        "proofs": sa.select(proof).where(proof.c.person_id == person_id),
        "paid_for": sa.select(proof.c.valid_from, proof.c.valid_to).where(
            proof.c.name == ANOTHER_RIDER, proof.c.party.in_(payer)
        ),
        "taps": sa.select(*(c for c in tap.c if c.name != "medium"))
        .where(tap.c.medium.in_(cards))
        .order_by(tap.c.at),
        "ride_halves": sa.select(*(c for c in ride_half.c if c.name != "medium"))
        .where(ride_half.c.medium.in_(cards))
        .order_by(ride_half.c.at),
        "chosen_itineraries": sa.select(chosen_itinerary)
        .where(chosen_itinerary.c.account_id.in_(account))
        .order_by(chosen_itinerary.c.noted_at),
        "legs": sa.select(fare_leg)
        .where(fare_leg.c.account_id.in_(account))
        .order_by(fare_leg.c.board_at),
        "months": sa.select(rider_month)
        .where(rider_month.c.account_id.in_(account))
        .order_by(rider_month.c.month),
        "statements": sa.select(statement)
        .where(statement.c.account_id.in_(account))
        .order_by(statement.c.year, statement.c.number),
    }
    return {
        name: [{str(key): row[key] for key in row} for row in connection.execute(query).mappings()]
        for name, query in queries.items()
    }


def ask_erasure(connection: sa.Connection, account_id: uuid.UUID, now: dt.datetime) -> None:
    """Note that an account's person wants it forgotten what it was used for."""
    connection.execute(
        fare_account.update()
        .where(fare_account.c.id == account_id, fare_account.c.erase_since.is_(None))
        .values(erase_since=now)
    )


def open_months(connection: sa.Connection, account_id: uuid.UUID, since: dt.date) -> list[dt.date]:
    """Months of an account from one on that are not issued, or about to be corrected."""
    unissued = rider_month.c.state.in_((MonthState.OPEN, MonthState.PROVISIONAL))
    query = sa.select(rider_month.c.month).where(
        rider_month.c.account_id == account_id,
        rider_month.c.month >= since,
        sa.or_(
            sa.and_(unissued, rider_month.c.leg_count > 0),
            sa.and_(~unissued, rider_month.c.is_stale),
        ),
    )
    return list(connection.execute(query.order_by(rider_month.c.month)).scalars())


def accounts_to_erase(connection: sa.Connection) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """Accounts whose people have asked for it, and those; held until the transaction ends."""
    query = sa.select(fare_account.c.id, fare_account.c.person_id).where(
        fare_account.c.erase_since.is_not(None), fare_account.c.person_id.is_not(None)
    )
    held = query.order_by(fare_account.c.id).with_for_update(skip_locked=True)
    return [(row.id, row.person_id) for row in connection.execute(held)]


def erase_rider(connection: sa.Connection, account_id: uuid.UUID, person_id: uuid.UUID) -> None:
    """
    Part an account from its person, and its legs from the account.

    Amounts stay: months, statements and postings of an account that is nobody's.
    """
    connection.execute(proof.delete().where(proof.c.person_id == person_id))
    connection.execute(pay_invitation.delete().where(pay_invitation.c.account_id == account_id))
    connection.execute(
        fare_leg.update()
        .where(fare_leg.c.account_id == account_id)
        .values(account_id=None, id=sa.func.gen_random_uuid().cast(sa.Text), promised_cents=None)
    )
    connection.execute(
        outbox.update()
        .where(
            outbox.c.kind == RIDE_COMPLETED,
            outbox.c.billed_at.is_not(None),
            outbox.c.content["rider_id"].astext == str(person_id),
        )
        .values(content=sa.literal({}, pg.JSONB))
    )
    connection.execute(
        fare_account.update().where(fare_account.c.id == account_id).values(person_id=None)
    )
