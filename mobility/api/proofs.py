"""What riders have proved: categories, passes bought elsewhere, who pays for them."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from core.errors import InvalidInput, NotFound
from mobility.actions.forget_usage import RIDERS_KEPT
from mobility.actions.rate_riders import renew_months
from mobility.api.access import Rider, Staff, installation_of, now_of
from mobility.api.bills import tariffs_of
from mobility.api.cards import PRINTED
from mobility.db.audit import record_act
from mobility.db.rights import Right, RightKind, list_rights, put_right, right_key
from mobility.db.statements import mark_stale
from mobility.db.usage import find_account, find_person, open_account
from payments.bill import Proof
from payments.month import month_before
from payments.rights import HeldPass, PaidFor
from payments.versions import Tariffs

router = APIRouter(prefix="/mobility/v1", tags=["fares"])
PROOF_DAYS = 3_660


class PersonNotFound(NotFound):
    """Nobody has this name."""

    code = "person_not_found"


class ProofGiven(BaseModel):
    """That somebody has proved something; of the document nothing is kept."""

    model_config = ConfigDict(extra="forbid")

    alias: Annotated[str, Field(max_length=100, pattern=PRINTED)]
    kind: RightKind = RightKind.CATEGORY
    name: Annotated[str, Field(max_length=100)]
    """A category of the tariff, a product bought elsewhere, or a payer."""
    party: Annotated[str, Field(max_length=40, pattern=r"^[A-Za-z0-9._-]*$")] = ""
    """Of a payer which one it is, such as an employer's name in the books."""
    valid_from: dt.date
    valid_to: dt.date
    issuer: Annotated[str, Field(min_length=1, max_length=100, pattern=PRINTED)]


class ProofFacts(BaseModel):
    """What a rider has proved, and when it holds."""

    kind: RightKind
    name: str
    party: str
    valid_from: dt.date
    valid_to: dt.date


@router.get("/proofs")
def own_proofs(request: Request, rider: Rider) -> list[ProofFacts]:
    """List what one has proved: categories, passes bought elsewhere, who pays for one."""
    with installation_of(request).engine.connect() as connection:
        account_id = find_account(connection, rider.person_id)
        if account_id is None:
            return []
        own = list_rights(connection, [account_id])[account_id]
    rights: tuple[Right, ...] = *own.proofs, *own.passes, *own.paid_for
    return [
        ProofFacts(
            **dict(zip(("kind", "name", "party"), right_key(right), strict=True)),
            valid_from=right.valid_from, valid_to=right.valid_to,
        )
        for right in rights
    ]  # fmt: skip


@router.put("/proofs", status_code=204)
def prove(request: Request, staff: Staff, given: ProofGiven) -> Response:
    """Keep a rider's category, a pass bought elsewhere, or who pays for him; rate him anew."""
    here, now, tariffs = installation_of(request), now_of(request), tariffs_of(request)
    right = _right(tariffs, given)
    if not 0 <= (given.valid_to - given.valid_from).days <= PROOF_DAYS:
        raise InvalidInput(f"valid_to is before valid_from, or {PROOF_DAYS} days after it")
    with here.engine.begin() as connection:
        person_id = find_person(connection, given.alias)
        if person_id is None:
            raise PersonNotFound(f"nobody is called {given.alias!r}")
        account_id = open_account(connection, person_id, now)
        put_right(connection, person_id, right, given.issuer, now)
        # Not what was proved: the log outlives it.
        detail = {"kind": given.kind, "valid_to": given.valid_to.isoformat()}
        record_act(connection, staff.user_id, "proof_kept", str(person_id), detail)
        mark_stale(connection, [account_id], given.valid_from.replace(day=1))
        months = [now.date().replace(day=1)]
        oldest = (now - RIDERS_KEPT).date()
        while (
            months[-1] > given.valid_from.replace(day=1)
            and month_before(month_before(months[-1])) >= oldest
        ):
            months.append(month_before(months[-1]))
        renew_months(connection, tariffs, [account_id], months)
    return Response(status_code=204)


def _right(tariffs: Tariffs, given: ProofGiven) -> Right:
    """What is proved, if some version of the tariff knows it."""
    versions = tariffs.versions
    known = {
        RightKind.CATEGORY: {of.id for own in versions for of in own.categories},
        RightKind.HELD_PASS: {of.id for own in versions for of in own.products},
        RightKind.PAYER: {
            of.id for own in versions for of in own.payers if not of.is_for_everybody
        },
    }[given.kind]
    if given.name not in known:
        names = ", ".join(sorted(known)) or "it has none"
        raise InvalidInput(f"{given.kind} {given.name!r} is not in the tariff: {names}")
    if (given.kind is RightKind.PAYER) != bool(given.party):
        raise InvalidInput("a payer has a party, such as an employer's name; nothing else has one")
    days = given.valid_from, given.valid_to
    if given.kind is RightKind.PAYER:
        return PaidFor(given.name, given.party, *days)
    return (Proof if given.kind is RightKind.CATEGORY else HeldPass)(given.name, *days)
