"""What riders have paid, by the ledger, and which of their months are settled by it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict

import sqlalchemy as sa

from mobility.db.fare_schema import ledger_balance, rider_month, statement
from mobility.db.paying_riders import list_paid_riders
from mobility.db.statements import MonthState, read_parts
from payments.settling import settled


def read_owed(connection: sa.Connection, account_id: uuid.UUID) -> dict[str, int]:
    """Cents that a rider owes, by currency; below 0 if more was paid."""
    owed_cents = (ledger_balance.c.debit_cents - ledger_balance.c.credit_cents).label("owed_cents")
    query = sa.select(ledger_balance.c.currency, owed_cents).where(
        ledger_balance.c.account == f"rider:{account_id}"
    )
    return {row.currency: row.owed_cents for row in connection.execute(query)}


def list_settled(connection: sa.Connection, account_id: uuid.UUID) -> set[dt.date]:
    """Months that were issued of which a rider owes nothing any more, nor for whom he pays."""
    issued: set[dt.date] = set()
    due: dict[str, dict[dt.date, int]] = defaultdict(lambda: defaultdict(int))
    names = "month", "currency", "posted_cents", "parts", "state"
    columns = [rider_month.c[name] for name in names]
    query = sa.select(*columns).where(rider_month.c.account_id == account_id)
    for month, currency, posted_cents, parts, state in connection.execute(query):
        if state == MonthState.ISSUED:
            issued.add(month)
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
    return issued - unpaid


def find_debtor(connection: sa.Connection, year: int, number: int) -> tuple[uuid.UUID, str] | None:
    """Account and currency of a statement."""
    query = sa.select(statement.c.account_id, statement.c.currency).where(
        statement.c.year == year, statement.c.number == number
    )
    row = connection.execute(query).first()
    return None if row is None else (row.account_id, row.currency)
