"""
The ledger for others: CSV, the French accounting file (FEC), and text for beancount.

Accounts get their numbers by a chart, which an installation may replace.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from core.errors import InvalidInput
from payments.ledger import SIDE_OF, TEMPLATES, Balance, Dated, Side, balances
from payments.legal_entities import ENTITY

Chart = Mapping[str, tuple[str, str]]
"""First part of an account → its number and its name in the books."""
CHART: Chart = {
    "rider": ("411000", "Usagers"),
    "payer": ("411100", "Tiers payeurs"),
    "transit": ("511000", "Valeurs à l'encaissement"),
    "bank": ("512000", "Banque"),
    "disputed": ("467100", "Paiements contestés"),
    "driver": ("467000", "Conducteurs"),
    "operator": ("401000", "Opérateurs"),
    "payout": ("467200", "Versements en cours"),
    "vat": ("445710", "TVA collectée"),
    "revenue": ("706000", "Recettes tarifaires"),
    "fees": ("627000", "Frais de paiement"),
    "subsidy": ("657000", "Prise en charge par l'autorité"),
    "loss": ("654000", "Pertes sur créances"),
}
"""Numbers of the French general chart of accounts."""
OF_ENTITIES: Chart = {ENTITY: ("467300", "Comptes entre entités")}
"""For accounts that name another entity, where a chart has no number for them."""
CSV_COLUMNS = (
    "id", "group", "nth", "kind", "debit", "credit", "amount_cents", "currency", "period", "ref",
    "posted_on",
)  # fmt: skip
FEC_COLUMNS = (
    "JournalCode", "JournalLib", "EcritureNum", "EcritureDate", "CompteNum", "CompteLib",
    "CompAuxNum", "CompAuxLib", "PieceRef", "PieceDate", "EcritureLib", "Debit", "Credit",
    "EcritureLet", "DateLet", "ValidDate", "Montantdevise", "Idevise",
)  # fmt: skip
"""Article A47 A-1 of the French book of tax procedures."""
JOURNALS = {"payment": ("BQ", "Banque"), "payout": ("BQ", "Banque")}
OTHER_JOURNAL = ("OD", "Opérations diverses")


class ChartInvalid(InvalidInput):
    """A chart of accounts that cannot be used."""

    code = "chart_invalid"


def check_chart(chart: Chart) -> Chart:
    """Give back a chart that names every kind of account; raises `ChartInvalid`."""
    missing = sorted(set(SIDE_OF) - set(chart))
    if missing:
        raise ChartInvalid(f"the chart of accounts has no number for {', '.join(missing)}")
    return chart


def fec_file_name(siren: str, last_day: dt.date) -> str:
    """Name of a legal entity's accounting file, as article A47 A-1 wants it."""
    return f"{siren}FEC{last_day:%Y%m%d}.txt"


def write_csv(postings: Iterable[Dated]) -> Iterator[str]:
    """One row a posting, as they were made."""
    yield _row(CSV_COLUMNS, ",")
    for posting, day in postings:
        values = [getattr(posting, name) for name in CSV_COLUMNS[:-1]]
        yield _row((*values, day.isoformat()), ",")


def write_fec(postings: Iterable[Dated], chart: Chart = CHART) -> Iterator[str]:
    """Two rows a posting, 18 fields with tabs between; entries are numbered without gaps."""
    yield _row(FEC_COLUMNS, "\t")
    numbers = {**OF_ENTITIES, **chart}
    for number, (posting, day) in enumerate(postings, 1):
        amount = f"{posting.amount_cents // 100},{posting.amount_cents % 100:02d}"
        journal = JOURNALS.get(posting.kind.split("_")[0], OTHER_JOURNAL)
        date = f"{day:%Y%m%d}"
        for account, sides in (
            (posting.debit, (amount, "0,00")),
            (posting.credit, ("0,00", amount)),
        ):
            head, _, name = account.partition(":")
            code, label = numbers[head]
            yield _row(
                (
                    *journal, str(number), date, code, label, name, name and account,
                    posting.ref or posting.group, date, f"{posting.kind} {posting.group}", *sides,
                    "", "", date, "", "",
                ),
                "\t",
            )  # fmt: skip


def write_beancount(postings: Iterable[Dated]) -> Iterator[str]:
    """
    Text that `bean-check` accepts: a transaction for each group, a balance for each account.

    The balances are counted here, from the postings; beancount counts them again, to the cent:
    without a tolerance of ours it would let a cent pass.
    """
    every = list(postings)
    if not every:
        return
    counted = balances(posting for posting, _ in every)
    first, last = min(day for _, day in every), max(day for _, day in every)
    currencies = sorted({currency for _, currency in counted})
    for currency in currencies:
        yield f'option "operating_currency" "{currency}"\n'
    for account in sorted({account for account, _ in counted}):
        yield f"{first} open {_bean_account(account)}\n"
    for (group, day), own in groupby(every, lambda dated: (dated[0].group, dated[1])):
        kinds = list(own)
        yield f'{day} * "{kinds[0][0].kind}" "{group}"\n'
        for posting, _ in kinds:
            amount = _decimal(posting.amount_cents)
            yield f"  {_bean_account(posting.debit)}  {amount} {posting.currency}\n"
            yield f"  {_bean_account(posting.credit)}  -{amount} {posting.currency}\n"
    after = last + dt.timedelta(days=1)
    for (account, currency), balance in sorted(counted.items()):
        yield f"{after} balance {_bean_account(account)}  {_net(balance)} ~ 0.001 {currency}\n"


_WORD = re.compile(r"-(?=(?:dash|dot|us)[-._])")


def _bean_account(account: str) -> str:
    """Its side and its parts, each beginning with a capital letter."""
    head, _, name = account.partition(":")
    # What another entity owes, or is owed: on one side, whichever it is.
    side = Side.ASSETS if head == ENTITY else SIDE_OF[head]
    # A name that has such a word itself is not taken for the one that it stands for.
    plain = _WORD.sub("-dash-", name).replace(".", "-dot-").replace("_", "-us-")
    return ":".join((side, head.capitalize(), *((f"N{plain}",) if plain else ())))


def _net(balance: Balance) -> str:
    net = balance.net_cents
    return f"-{_decimal(-net)}" if net < 0 else _decimal(net)


def _decimal(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def _row(values: Iterable[object], delimiter: str) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerow(values)
    return text.getvalue()


assert {side.split(":")[0] for sides in TEMPLATES.values() for side in sides} == set(SIDE_OF)
