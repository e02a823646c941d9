"""What riders have paid, by the ledger, and which of their months are settled by it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict

import sqlalchemy as sa

from mobility.db.fare_schema import ledger_balance, rider_month, statement
from mobility.db.paying_riders import list_paid_riders
from mobility.db.statements import read_parts
from payments.settling import settled


def read_owed(connection: sa.Connection, account_id: uuid.UUID) -> dict[str, int]:
    """Cents that a rider owes, by currency; below 0 if more was paid."""
    owed_cents = (ledger_balance.c.debit_cents - ledger_balance.c.credit_cents).label("owed_cents")
    query = sa.select(ledger_balance.c.currency, owed_cents).where(
        ledger_balance.c.account == f"rider:{account_id}"
    )
    return {row.currency: row.owed_cents for row in connection.execute(query)}


def list_settled(connection: sa.Connection, account_id: uuid.UUID) -> set[dt.date]:
    """Months of which a rider owes nothing any more, nor for others whom he pays for."""
    due: dict[str, dict[dt.date, int]] = defaultdict(lambda: defaultdict(int))
    columns = rider_month.c.month, rider_month.c.currency, rider_month.c.posted_cents
    query = sa.select(*columns, rider_month.c.parts).where(rider_month.c.account_id == account_id)
    for month, currency, posted_cents, parts in connection.execute(query):
        due[currency][month] += posted_cents - sum(read_parts(parts).values())
    for other in list_paid_riders(connection, account_id):
        for month, (cents, currency) in other.months.items():
            due[currency][month] += cents
    owed = read_owed(connection, account_id)
    unpaid = {
        month
        for currency, of in due.items()
        for month in of.keys() - settled(of, owed.get(currency, 0))
    }
    return {month for of in due.values() for month in of} - unpaid


def find_debtor(connection: sa.Connection, year: int, number: int) -> tuple[uuid.UUID, str] | None:
    """Account and currency of a statement."""
    query = sa.select(statement.c.account_id, statement.c.currency).where(
        statement.c.year == year, statement.c.number == number
    )
    row = connection.execute(query).first()
    return None if row is None else (row.account_id, row.currency)
