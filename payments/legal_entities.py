"""
Books of legal entities: the one ledger as each of them sees it.

Each account is one entity's. What moves from an account of one to an account of another stands in
the books of both, in each against an account that names the other: `entity:{id}`. So the books of
each are in balance, and of all together nothing is left of these accounts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from core.errors import InvalidInput, NotFound
from payments.ledger import SIDE_OF, Dated, account_name, is_account

ENTITY = "entity"
"""First part of accounts that name another entity."""
ALL_OTHERS = "*"
"""Stands for the accounts that are nobody else's."""
SIREN_LENGTH = 9


class EntitiesInvalid(InvalidInput):
    """It is not clear which account is whose."""

    code = "entities_invalid"


class EntityUnknown(NotFound):
    """No legal entity of this id."""

    code = "entity_unknown"


@dataclass(frozen=True, slots=True)
class LegalEntity:
    """Who keeps books of its own, and of which accounts."""

    id: str
    name: str
    accounts: frozenset[str]
    """Accounts, first parts of accounts, or `ALL_OTHERS`; what says more goes first."""
    siren: str = ""
    """Its French number, by which the accounting file is named."""


class Entities:
    """
    All legal entities of a ledger; each of its accounts is one of theirs.

    Raises
    ------
    EntitiesInvalid
        Some account would be nobody's, or that of two.
    """

    def __init__(self, entities: Iterable[LegalEntity]) -> None:
        self.by_id: Mapping[str, LegalEntity] = {own.id: own for own in entities}
        self._owner: dict[str, str] = {}
        for own in self.by_id.values():
            for account in sorted(own.accounts):
                other = self._owner.setdefault(account, own.id)
                if other != own.id:
                    raise EntitiesInvalid(f"{account} is {other}'s and {own.id}'s: whose is it?")
        if ALL_OTHERS not in self._owner:
            raise EntitiesInvalid('one entity keeps all other accounts: accounts: ["*"]')

    def get(self, entity_id: str) -> LegalEntity:
        """An entity by its id; raises `EntityUnknown`."""
        if entity_id not in self.by_id:
            known = ", ".join(self.by_id)
            raise EntityUnknown(f"there is no entity {entity_id!r}: one of {known}")
        return self.by_id[entity_id]

    def owner(self, account: str) -> str:
        """Id of the entity whose account it is."""
        head = account.partition(":")[0]
        return self._owner.get(account) or self._owner.get(head) or self._owner[ALL_OTHERS]

    def seen_from(self, entity_id: str, postings: Iterable[Dated]) -> Iterator[Dated]:
        """Postings that touch an entity's accounts, the other side named by whose it is."""
        for posting, day in postings:
            debtor, creditor = self.owner(posting.debit), self.owner(posting.credit)
            if debtor == creditor == entity_id:
                yield posting, day
            elif debtor == entity_id:
                yield replace(posting, credit=f"{ENTITY}:{creditor}"), day
            elif creditor == entity_id:
                yield replace(posting, debit=f"{ENTITY}:{debtor}"), day


def parse_entities(content: Any) -> Entities:  # noqa: ANN401
    """
    Read entities as they are written: id → `name`, `siren`, `accounts`, `operators`.

    `operators` stands for what these have earned: their accounts of revenue.

    Raises
    ------
    EntitiesInvalid
        They are not written so, or it is not clear which account is whose.
    """
    if not isinstance(content, Mapping) or not content:
        raise EntitiesInvalid("entities: id → name, siren, accounts, operators")
    return Entities(_entity(str(entity_id), own) for entity_id, own in content.items())


def _entity(entity_id: str, content: Any) -> LegalEntity:  # noqa: ANN401
    known = ("name", "siren", "accounts", "operators")
    if not isinstance(content, Mapping) or set(content) - set(known) or "name" not in content:
        raise EntitiesInvalid(
            f"entity {entity_id!r} has a name, and of {', '.join(known[1:])} some"
        )
    if not is_account(f"{ENTITY}:{entity_id}"):
        raise EntitiesInvalid(f"{entity_id!r} is not an id: letters, digits, '.', '_', '-'")
    accounts = _texts(content, "accounts")
    for account in accounts:
        is_kind = account in SIDE_OF or account == ALL_OTHERS
        if not is_kind and not (is_account(account) and account.partition(":")[0] in SIDE_OF):
            raise EntitiesInvalid(f"{account!r} of {entity_id} is not an account")
    earned = [f"revenue:{account_name(name)}" for name in _texts(content, "operators")]
    return LegalEntity(
        entity_id, str(content["name"]), frozenset((*accounts, *earned)), _siren(content, entity_id)
    )


def _texts(content: Mapping[str, Any], key: str) -> list[str]:
    values = content.get(key, [])
    if not isinstance(values, list) or not all(isinstance(own, (str, int)) for own in values):
        raise EntitiesInvalid(f"{key} is a list of names")
    return [str(own) for own in values]


def _siren(content: Mapping[str, Any], entity_id: str) -> str:
    """Nine digits, the last of which checks the others (Luhn)."""
    siren = str(content.get("siren", "")).replace(" ", "")
    if not siren:
        return ""
    if len(siren) == SIREN_LENGTH and siren.isascii() and siren.isdecimal():
        doubled = [int(digit) * (1 + nth % 2) for nth, digit in enumerate(siren)]
        if sum(own // 10 + own % 10 for own in doubled) % 10 == 0:
            return siren
    raise EntitiesInvalid(f"siren {siren!r} of {entity_id} is not one: nine digits, in quotes")
