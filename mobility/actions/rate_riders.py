"""What riders owe, from the legs that are stored: rated anew whenever something of it changes."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from mobility.db.engine import Connection
from mobility.db.usage import (
    accounts_with_month,
    find_account,
    list_legs,
    list_proofs,
    put_month,
)
from payments.bill import Proof
from payments.many import total_month
from payments.month import month_after, month_before
from payments.tariff import ONE_DAY, FareLeg, Tariff

NEAR = dt.timedelta(days=3)
"""Itineraries found for a time are not farther from it."""


@dataclass(frozen=True, slots=True)
class RiderFares:
    """What of a rider the price of one journey more depends on."""

    legs: tuple[FareLeg, ...]
    proofs: tuple[Proof, ...]


def read_fares(
    connection: Connection,
    tariff: Tariff,
    account_ids: Collection[uuid.UUID],
    first: dt.date,
    last: dt.date,
) -> Mapping[uuid.UUID, RiderFares]:
    """What is needed to rate the months from one to another: also the legs of the month before."""
    zone = ZoneInfo(tariff.timezone)
    since = dt.datetime.combine(month_before(first), dt.time(), zone)
    until = dt.datetime.combine(month_after(last), dt.time(), zone) + ONE_DAY
    legs = list_legs(connection, account_ids, since, until)
    proofs = list_proofs(connection, account_ids)
    return {
        account_id: RiderFares(tuple(legs[account_id]), tuple(proofs[account_id]))
        for account_id in account_ids
    }


def read_own_fares(
    connection: Connection, tariff: Tariff, person_id: uuid.UUID, at: dt.datetime
) -> RiderFares:
    """What a person has used in the month of a time, and around it; nothing yet is also known."""
    account_id = find_account(connection, person_id)
    if account_id is None:
        return RiderFares((), ())
    day = at.astimezone(ZoneInfo(tariff.timezone)).date()
    first, last = (day + shift for shift in (-NEAR, NEAR))
    fares = read_fares(connection, tariff, [account_id], first.replace(day=1), last.replace(day=1))
    return fares[account_id]


def renew_months(
    connection: Connection,
    tariff: Tariff,
    account_ids: Collection[uuid.UUID],
    months: Iterable[dt.date],
    now: dt.datetime,
) -> None:
    """Rate months of accounts, and those after them, which a week may reach into."""
    wanted = sorted({each for month in months for each in (month, month_after(month))})
    if not wanted or not account_ids:
        return
    fares = read_fares(connection, tariff, account_ids, wanted[0], wanted[-1])
    known = {month: accounts_with_month(connection, account_ids, month) for month in wanted}
    for account_id, own in fares.items():
        for month in wanted:
            total = total_month(tariff, own.legs, month, own.proofs)
            if total.leg_count or account_id in known[month]:
                put_month(connection, account_id, total, tariff.currency, tariff.content_hash, now)
