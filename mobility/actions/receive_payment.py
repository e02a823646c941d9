"""A rider has paid outside: by transfer, or at a counter; what it pays for is settled."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from core.errors import InvalidInput, NotFound
from mobility.db.audit import record_act
from mobility.db.engine import Engine
from mobility.db.ledger import add_postings
from mobility.db.paid_months import find_debtor, list_settled, read_owed
from mobility.db.statements import open_period
from payments.ledger import Entry, post

_NUMBER = re.compile(r"(20\d\d)-(\d{6})")


class StatementUnknown(NotFound):
    """No statement of this number was issued."""

    code = "statement_unknown"


@dataclass(frozen=True, slots=True)
class Received:
    """What a payment has done."""

    is_new: bool
    """False: it was there already, and is not there twice."""
    owed_cents: int
    """What the rider owes now; below 0 if he has paid more."""
    currency: str
    settled: tuple[dt.date, ...]
    """All months of his that are paid, the oldest first."""


def receive_payment(
    engine: Engine, number: str, cents: int, *, rail: str, reference: str, now: dt.datetime
) -> Received:
    """
    Post what a rider has paid of his statements; it pays for his oldest months first.

    Parameters
    ----------
    number
        Of a statement of his, as `2027-000012`: it tells whose payment it is.
    rail
        How it came, such as `transfer` or `counter`; it names accounts of the ledger.
    reference
        What the bank or the counter calls it: told twice, it is posted once.

    Raises
    ------
    StatementUnknown
        No statement has this number.
    GroupChanged
        Something else was paid under this reference, or in another month.
    """
    matched = _NUMBER.fullmatch(number)
    if matched is None:
        raise InvalidInput(f"{number!r} is not the number of a statement: 2027-000012")
    with engine.begin() as connection:
        found = find_debtor(connection, int(matched[1]), int(matched[2]))
        if found is None:
            raise StatementUnknown(f"no statement {number} was issued")
        account_id, currency = found
        names = {"rider": str(account_id), "rail": rail}
        entries = [
            Entry(kind, cents, names, number) for kind in ("payment_sent", "payment_settled")
        ]
        period = open_period(connection, now.date().replace(day=1), now.date())
        group = post(f"payment:{rail}:{reference}", period, currency, entries)
        is_new = add_postings(connection, [group], now.date()) > 0
        if is_new:
            told = {"amount_cents": cents, "rail": rail, "reference": reference}
            record_act(connection, None, "payment_received", number, told)
        owed = read_owed(connection, account_id).get(currency, 0)
        months = tuple(sorted(list_settled(connection, account_id)))
    return Received(is_new, owed, currency, months)
