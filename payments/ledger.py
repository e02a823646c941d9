"""
Double entry: what a posting is, and the templates that are the only way to make one.

A posting moves a positive amount from one account (its credit) to another (its debit), so that no
posting can be out of balance. Postings of one business event are a group, which is posted as a
whole and once: its name and content make the ids of its postings. After TigerBeetle's transfers.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.errors import InvalidInput

TEMPLATES: Mapping[str, tuple[str, str]] = {
    "usage_accrued": ("rider:{rider}", "revenue:{operator}"),
    "usage_corrected": ("revenue:{operator}", "rider:{rider}"),
    "late_usage_lost": ("loss:late_usage", "revenue:{operator}"),
    "late_usage_spared": ("revenue:{operator}", "loss:late_usage"),
    "revenue_shared": ("revenue:network", "revenue:{operator}"),
    "revenue_unshared": ("revenue:{operator}", "revenue:network"),
    "vat_split": ("revenue:{operator}", "vat:{permille}"),
    "payer_charged": ("payer:{payer}", "rider:{rider}"),
    "payer_credited": ("rider:{rider}", "payer:{payer}"),
    "subsidy_granted": ("subsidy:{payer}", "rider:{rider}"),
    "subsidy_returned": ("rider:{rider}", "subsidy:{payer}"),
    "rider_charged": ("rider:{payer}", "rider:{rider}"),
    "rider_credited": ("rider:{rider}", "rider:{payer}"),
    "payment_sent": ("transit:{rail}", "rider:{rider}"),
    "payment_settled": ("bank", "transit:{rail}"),
    "payment_returned": ("rider:{rider}", "transit:{rail}"),
    "payer_paid": ("bank", "payer:{payer}"),
    "fee_charged": ("fees:{rail}", "bank"),
    "refund_sent": ("rider:{rider}", "bank"),
    "dispute_opened": ("disputed:{rail}", "bank"),
    "dispute_won": ("bank", "disputed:{rail}"),
    "dispute_lost": ("rider:{rider}", "disputed:{rail}"),
    "driver_earned": ("revenue:{operator}", "driver:{driver}"),
    "driver_subsidised": ("subsidy:{payer}", "driver:{driver}"),
    "payout_sent": ("driver:{driver}", "payout:{rail}"),
    "payout_settled": ("payout:{rail}", "bank"),
    "payout_failed": ("payout:{rail}", "driver:{driver}"),
    "operator_cleared": ("revenue:{operator}", "operator:{operator}"),
    "operator_paid": ("operator:{operator}", "bank"),
    "written_off": ("loss:bad_debt", "rider:{rider}"),
}
"""Kind of event → the account it debits and the one it credits."""
NEVER_OVERDRAWN = frozenset({"driver", "operator", "payout"})
"""First parts of accounts from which no more is paid than was earned."""
NAME_LIMIT = 64
_NAME = re.compile(rf"[A-Za-z0-9._-]{{1,{NAME_LIMIT}}}")
_ESCAPED = re.compile(r"[^A-Za-z0-9._-]|_(?=[0-9a-f]{2})")
_PERIOD = re.compile(r"20\d\d-(0[1-9]|1[0-2])")


class Side(StrEnum):
    """On which side of the books an account stands."""

    ASSETS = "Assets"
    LIABILITIES = "Liabilities"
    INCOME = "Income"
    EXPENSES = "Expenses"


SIDE_OF: Mapping[str, Side] = {
    "rider": Side.ASSETS,
    "payer": Side.ASSETS,
    "transit": Side.ASSETS,
    "bank": Side.ASSETS,
    "disputed": Side.ASSETS,
    "driver": Side.LIABILITIES,
    "operator": Side.LIABILITIES,
    "payout": Side.LIABILITIES,
    "vat": Side.LIABILITIES,
    "revenue": Side.INCOME,
    "fees": Side.EXPENSES,
    "subsidy": Side.EXPENSES,
    "loss": Side.EXPENSES,
}


class PostingInvalid(InvalidInput):
    """A posting that no template makes."""

    code = "posting_invalid"


@dataclass(frozen=True, slots=True)
class Posting:
    """One amount from `credit` to `debit`; made by `post`."""

    id: uuid.UUID
    """Of its content."""
    group: str
    nth: int
    kind: str
    debit: str
    credit: str
    amount_cents: int
    currency: str
    period: str
    """Calendar month in which it counts, as `2027-03`."""
    ref: str
    """What it is for: a statement, a payment, a run."""


Dated = tuple[Posting, dt.date]
"""A posting, and the day on which it was made."""
CONTENT = tuple(Posting.__dataclass_fields__)[1:]


@dataclass(frozen=True, slots=True)
class Entry:
    """One posting to be made of a group: its kind, amount, and the names of its accounts."""

    kind: str
    amount_cents: int
    names: Mapping[str, str]
    ref: str = ""


@dataclass(frozen=True, slots=True)
class Balance:
    """What went into an account and out of it, since ever."""

    debit_cents: int = 0
    credit_cents: int = 0

    @property
    def net_cents(self) -> int:
        """Debits less credits."""
        return self.debit_cents - self.credit_cents


def post(group: str, period: str, currency: str, entries: Sequence[Entry]) -> tuple[Posting, ...]:
    """
    Make the postings of one business event.

    Parameters
    ----------
    group
        Names the event for good: posted twice, it is there once.
    period
        As `2027-03`.

    Raises
    ------
    PostingInvalid
        A kind, a name or an amount is not one.
    """
    if not _PERIOD.fullmatch(period):
        raise PostingInvalid(f"period {period!r} is not a month: 2027-03")
    if not entries or not group:
        raise PostingInvalid("a group has a name, and at least one entry")
    return tuple(_posting(group, nth, period, currency, e) for nth, e in enumerate(entries))


def _posting(group: str, nth: int, period: str, currency: str, entry: Entry) -> Posting:
    if entry.kind not in TEMPLATES:
        raise PostingInvalid(f"kind {entry.kind!r} is not one of {', '.join(TEMPLATES)}")
    if isinstance(entry.amount_cents, bool) or entry.amount_cents <= 0:
        raise PostingInvalid(f"amount {entry.amount_cents!r} is not a number of cents above 0")
    for name, value in entry.names.items():
        if not _NAME.fullmatch(value):
            raise PostingInvalid(f"{name} {value!r} is not a name: letters, digits, '.', '_', '-'")
    try:
        debit, credit = (side.format(**entry.names) for side in TEMPLATES[entry.kind])
    except KeyError as error:
        raise PostingInvalid(f"{entry.kind}: {error.args[0]} is missing") from error
    content = (
        group, nth, entry.kind, debit, credit, entry.amount_cents, currency, period, entry.ref,
    )  # fmt: skip
    return Posting(_id_of(content), *content)


def _id_of(content: tuple[object, ...]) -> uuid.UUID:
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return uuid.UUID(bytes=hashlib.sha256(text.encode()).digest()[:16], version=5)


def is_genuine(posting: Posting) -> bool:
    """Whether a posting's id is that of its content."""
    content = tuple(getattr(posting, name) for name in CONTENT)
    return posting.id == _id_of(content)


def account_name(text: str) -> str:
    """
    Write a name so that it can be part of an account's: no two become one.

    Other characters become an underscore and the hex digits of each of their bytes; what gets too
    long ends with its hash.
    """
    name = _ESCAPED.sub(_hex, text)
    if len(name) <= NAME_LIMIT:
        return name
    ending = "_h" + hashlib.sha256(text.encode()).hexdigest()[:16]
    return name[: NAME_LIMIT - len(ending)] + ending


def is_account(text: str) -> bool:
    """Whether it is written like an account of a name."""
    head, _, name = text.partition(":")
    return all(_NAME.fullmatch(part) for part in (head, name))


def _hex(found: re.Match[str]) -> str:
    return "".join(f"_{byte:02x}" for byte in found.group().encode())


def balances(postings: Iterable[Posting]) -> dict[tuple[str, str], Balance]:
    """Balances by account and currency, counted from postings."""
    found: dict[tuple[str, str], list[int]] = {}
    for posting in postings:
        for side, account in enumerate((posting.debit, posting.credit)):
            found.setdefault((account, posting.currency), [0, 0])[side] += posting.amount_cents
    return {key: Balance(*own) for key, own in found.items()}


def chain(previous: bytes, ids: Iterable[uuid.UUID]) -> bytes:
    """Hash of a day: of the day before and of all that was posted, in order of ids."""
    digest = hashlib.sha256(previous)
    for posting_id in sorted(ids):
        digest.update(posting_id.bytes)
    return digest.digest()
