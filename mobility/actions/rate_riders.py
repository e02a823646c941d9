"""What riders owe, from the legs that are stored: rated anew whenever something of it changes."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from mobility.db.engine import Connection
from mobility.db.rights import list_rights
from mobility.db.statements import list_parts, read_budgets
from mobility.db.usage import find_account, kept_months, list_leg_columns, list_legs, put_months
from payments.carried_weeks import Choices
from payments.many import rate_months, total_months
from payments.month import MonthBill, month_after, month_before
from payments.payers import PartKey, Spent
from payments.rights import NO_RIGHTS, Rights
from payments.tariff import FareLeg
from payments.versions import Tariffs

NEAR = dt.timedelta(days=3)
"""Itineraries found for a time are not farther from it."""


@dataclass(frozen=True, slots=True)
class RiderFares:
    """What of a rider the price of one journey more depends on."""

    legs: tuple[FareLeg, ...] = ()
    """Those that a pass of his covers are promised for nothing."""
    rights: Rights = NO_RIGHTS
    parts: Mapping[dt.date, Mapping[PartKey, int]] = field(default_factory=dict)
    """What others were charged for his months."""
    budgets: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    """What payers have paid for anybody, by year."""
    choices: Mapping[dt.date, Choices] = field(default_factory=dict)
    """What months have left to the next."""

    def left_before(self, month: dt.date) -> Choices:
        """What the month before one has left."""
        return self.choices.get(month_before(month), ())

    def spent(self, month: dt.date) -> Spent:
        """What limits the parts that others pay of a month."""
        others = {m: own for m, own in self.parts.items() if m.year == month.year and m != month}
        in_year: dict[PartKey, int] = defaultdict(int)
        for key, cents in (item for own in others.values() for item in own.items()):
            in_year[key] += cents
        from_budget = dict(self.budgets.get(month.year, {}))
        for (payer, _), cents in self.parts.get(month, {}).items():
            if payer in from_budget:
                from_budget[payer] -= cents
        return Spent(in_year, from_budget)


def read_fares(
    connection: Connection,
    tariffs: Tariffs,
    account_ids: Collection[uuid.UUID],
    first: dt.date,
    last: dt.date,
) -> Mapping[uuid.UUID, RiderFares]:
    """What is needed to rate the months from one to another, and the legs of the month before."""
    legs = list_legs(connection, account_ids, *_span(tariffs, month_before(first), last))
    rights = list_rights(connection, account_ids)
    paid = {own: tuple(rights[own].paid_legs(tariffs, legs[own])) for own in account_ids}
    return _fares_of(connection, tariffs, rights, paid, (first, last))


def rate_accounts(
    connection: Connection, tariffs: Tariffs, account_ids: Collection[uuid.UUID], month: dt.date
) -> Mapping[uuid.UUID, tuple[MonthBill, RiderFares]]:
    """A month of many accounts, by the tariff of its days, and what is known beside their legs."""
    rights = list_rights(connection, account_ids)
    legs = list_leg_columns(connection, rights, tariffs, *_span(tariffs, month, month))
    fares = _fares_of(connection, tariffs, rights, {}, (month, month))
    left = [fares[own].left_before(month) for own in rights]
    bills = rate_months(tariffs.of_month(month).versions, legs, month, left)
    return {own: (bill, fares[own]) for own, bill in zip(rights, bills, strict=True)}


def _fares_of(
    connection: Connection,
    tariffs: Tariffs,
    rights: Mapping[uuid.UUID, Rights],
    legs: Mapping[uuid.UUID, tuple[FareLeg, ...]],
    months: tuple[dt.date, dt.date],
) -> Mapping[uuid.UUID, RiderFares]:
    first, last = months
    years = dt.date(first.year, 1, 1), dt.date(last.year + 1, 1, 1)
    parts = list_parts(connection, rights, *years)
    budgets: dict[int, Mapping[str, int]] = {}
    if tariffs.has_payers:
        budgets = {y: read_budgets(connection, y) for y in range(first.year, last.year + 1)}
    choices: dict[uuid.UUID, dict[dt.date, Choices]] = {own: {} for own in rights}
    for (own, month), kept in kept_months(connection, rights, month_before(first)).items():
        choices[own][month] = kept.choices
    return {
        own: RiderFares(legs.get(own, ()), of, parts.get(own, {}), budgets, choices[own])
        for own, of in rights.items()
    }


def _span(tariffs: Tariffs, first: dt.date, last: dt.date) -> tuple[dt.datetime, dt.datetime]:
    """From the beginning of the fare days of one month until the end of those of another."""
    return tariffs.month_start(first), tariffs.month_start(month_after(last))


def read_own_fares(
    connection: Connection, tariffs: Tariffs, person_id: uuid.UUID, at: dt.datetime
) -> RiderFares:
    """What a person has used in the month of a time, and around it; nothing yet is also known."""
    account_id = find_account(connection, person_id)
    if account_id is None:
        return RiderFares()
    day = at.astimezone(ZoneInfo(tariffs.timezone)).date()
    first, last = (day + shift for shift in (-NEAR, NEAR))
    fares = read_fares(connection, tariffs, [account_id], first.replace(day=1), last.replace(day=1))
    return fares[account_id]


def renew_months(
    connection: Connection,
    tariffs: Tariffs,
    account_ids: Collection[uuid.UUID],
    months: Iterable[dt.date],
) -> None:
    """Rate months of accounts, and those after them, which weeks may reach into."""
    given = set(months)
    if not given or not account_ids:
        return
    first = min(given)
    rights = list_rights(connection, account_ids)
    known = kept_months(connection, account_ids, month_before(first))
    wanted = sorted(given | {month for _, month in known if month > first})
    legs = list_leg_columns(connection, rights, tariffs, *_span(tariffs, first, wanted[-1]))
    choices = {key: kept.choices for key, kept in known.items()}
    for month in wanted:
        of = tariffs.of_month(month)
        left = [choices.get((own, month_before(month)), ()) for own in rights]
        rated = zip(rights, total_months(of.versions, legs, month, left), strict=True)
        totals = []
        for own, total in rated:
            kept = known.get((own, month))
            if total.leg_count if kept is None else not kept.is_fixed(of.content_hash):
                totals.append((own, total))
                choices[own, month] = total.choices
        put_months(connection, totals, of.currency, of.content_hash)
