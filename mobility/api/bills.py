"""What riders owe, and why: months line by line, and their statements."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from core.errors import NotFound
from mobility.actions.forget_usage import RIDERS_KEPT
from mobility.actions.rate_riders import RiderFares, read_fares
from mobility.api.access import Rider, installation_of, now_of
from mobility.api.answers import world_of
from mobility.db.guessed_ends import list_guessed
from mobility.db.statements import (
    MonthState,
    Statement,
    StatementKind,
    find_statement,
    list_statements,
    part_rows,
)
from mobility.db.usage import find_account, list_months
from mobility.mapping.sentences import addition_sentence, charge_label, end_sentence
from mobility.mapping.statement_page import statement_page, statement_pdf
from mobility.users.scopes import Principal
from payments.explaining import RunnerUp, alternatives, arithmetic, runner_up
from payments.many import rate_own_month
from payments.month import MonthBill, month_after, month_before
from payments.own_price import OwnPrices
from payments.payers import add_up, share_out
from payments.taps import End
from payments.versions import Tariffs

router = APIRouter(prefix="/mobility/v1", tags=["fares"])
PDF = "application/pdf"


class NoTariff(NotFound):
    """The territory has no tariff: nothing is billed."""

    code = "no_tariff"


class StatementNotFound(NotFound):
    """Not a statement of whoever asks."""

    code = "statement_not_found"


class MonthFacts(BaseModel):
    """A month, in short."""

    month: str
    """As `2027-03`."""
    state: MonthState
    amount_cents: int
    currency: str
    leg_count: int
    unpriced_count: int
    """Legs that no rule prices: not free, somebody looks at them."""


GuessedEnd = Literal["chosen", "next_boarding", "habit", "line_maximum"]


class LegFacts(BaseModel):
    """One leg: what its price depends on, and no place."""

    board_at: dt.datetime
    mode: str
    metres: int
    seconds: int
    zones: list[str]
    operator: str
    route: str
    unpriced: str | None
    """Why it has no price."""
    ended_by: GuessedEnd | None
    """How its end was guessed, as nobody tapped out; null: it was tapped, or is not needed."""
    end_fr: str | None
    end_en: str | None
    """The same in words."""
    held_pass: str | None
    """Product bought elsewhere by which it is paid already."""


class PartFacts(BaseModel):
    """What somebody else pays."""

    payer: str
    """As the tariff names it."""
    party: str
    """Which one of its kind; empty: it pays for everybody."""
    amount_cents: int


class RunnerUpFacts(BaseModel):
    """What the legs of a line would cost otherwise at least, whatever else is on the bill."""

    products: list[str]
    """That it takes, each once; none: without any."""
    amount_cents: int


class LineFacts(BaseModel):
    """One line of a bill."""

    kind: str
    rule: str
    label_fr: str
    label_en: str
    amount_cents: int
    legs: list[int]
    """Legs of the month that it is for, the first being 0."""
    since: dt.date | None
    """First day of a product."""
    category: str | None
    arithmetic: str
    """How the amount comes about, in cents; of a product what its legs cost without it."""
    runner_up: RunnerUpFacts | None
    """The next best way to pay for its legs; null: there is no other."""
    paid_by: list[PartFacts]
    """What others pay of it."""
    tariff_hash: str


class AlternativeFacts(BaseModel):
    """What the month would cost otherwise."""

    product: str
    is_bought: bool
    """True: without this product, which the bill has; false: with it."""
    amount_cents: int


class NextRideFacts(BaseModel):
    """What one more ride would add now, if it were like the last one of its mode."""

    mode: str
    amount_cents: int | None
    """What the rider pays himself of it; null: it has no price."""
    why_fr: str | None
    why_en: str | None


class StatementFacts(BaseModel):
    """What was issued for a month."""

    number: str
    """As `2027-000012`: without gaps in a year."""
    kind: StatementKind
    amount_cents: int
    """Below 0 for a credit note."""
    to_pay_cents: int
    """By the rider: the rest is paid by others."""
    issued_at: dt.datetime


class BillFacts(BaseModel):
    """A month of a rider: the cheapest lawful way to pay for all of its legs."""

    month: str
    state: MonthState
    currency: str
    amount_cents: int
    paid_by: list[PartFacts]
    """What others pay of it, all lines together."""
    to_pay_cents: int
    """What is left to the rider."""
    lines: list[LineFacts]
    legs: list[LegFacts]
    alternatives: list[AlternativeFacts]
    next_rides: list[NextRideFacts]
    """One of each mode used in this month or the one before; none but in the present month."""
    statements: list[StatementFacts]
    """What was issued, corrections included; none while the month is open."""


MonthText = Annotated[str, Path(pattern=r"^20\d\d-(0[1-9]|1[0-2])$", description="As `2027-03`.")]


StatementNumber = Annotated[str, Path(pattern=r"^20\d\d-\d{6}$", description="As `2027-000012`.")]
Language = Annotated[Literal["fr", "en"], Query()]


@router.get("/bills")
def months(request: Request, rider: Rider) -> list[MonthFacts]:
    """List one's months, the newest first."""
    with installation_of(request).engine.connect() as connection:
        account_id = find_account(connection, rider.person_id)
        found = [] if account_id is None else list_months(connection, account_id)
    return [
        MonthFacts(
            month=f"{m.month:%Y-%m}", state=m.state, amount_cents=m.amount_cents,
            currency=m.currency, leg_count=m.leg_count, unpriced_count=m.unpriced_count,
        )
        for m in found
    ]  # fmt: skip


@router.get("/bills/{month}")
def bill(request: Request, rider: Rider, month: MonthText) -> BillFacts:
    """Show one month, line by line, with what it would have cost otherwise.

    Of months so old that it is forgotten whose legs were whose, and of those that were posted by
    another tariff, amounts and statements are left.
    """
    tariffs = tariffs_of(request)
    first = dt.date.fromisoformat(f"{month}-01")
    of = tariffs.of_month(first)
    with installation_of(request).engine.connect() as connection:
        account_id = find_account(connection, rider.person_id)
        if account_id is None:
            return _bill_facts(tariffs, rate_own_month(of.versions, (), first), RiderFares(), {})
        fares = read_fares(connection, tariffs, [account_id], first, first)[account_id]
        span = tariffs.month_start(first), tariffs.month_start(month_after(first))
        guessed = list_guessed(connection, account_id, *span)
        issued = list_statements(connection, account_id, first)
        known = {m.month: m for m in list_months(connection, account_id)}.get(first)
    left = fares.left_before(first)
    rated = rate_own_month(of.versions, fares.legs, first, fares.rights.proofs, left)
    facts = _bill_facts(tariffs, rated, fares, guessed)
    if tariffs.fare_day(now_of(request)).replace(day=1) == first:
        facts.next_rides = _next_rides(tariffs, fares, now_of(request))
    facts.statements = [
        StatementFacts(
            number=f"{s.year}-{s.number:06d}", kind=s.kind, amount_cents=s.amount_cents,
            to_pay_cents=s.amount_cents - sum(s.parts.values()), issued_at=s.issued_at,
        )
        for s in issued
    ]  # fmt: skip
    if known is not None:
        facts.state = known.state
        is_open = known.state is MonthState.OPEN
        forgotten = month_before(first) < (now_of(request) - RIDERS_KEPT).date()
        # What was posted stays as it was, whatever tariff there is by now.
        if forgotten or (not is_open and known.tariff_hash != of.content_hash):
            facts.lines, facts.legs, facts.alternatives = [], [], []
            facts.amount_cents, facts.paid_by = known.amount_cents, []
            facts.to_pay_cents = known.amount_cents
        if not is_open:
            posted = fares.parts.get(first, {})
            rows = [PartFacts(**row) for row in part_rows(posted)]
            if rows != facts.paid_by:
                for line in facts.lines:
                    line.paid_by = []
            facts.amount_cents, facts.paid_by = known.posted_cents, rows
            facts.to_pay_cents = known.posted_cents - sum(posted.values())
    return facts


# Before the page, which would take "2027-000012.pdf" for a number.
@router.get(
    "/statements/{number}.pdf", response_class=Response, responses={200: {"content": {PDF: {}}}}
)
def statement_as_pdf(
    request: Request, rider: Rider, number: StatementNumber, language: Language = "fr"
) -> Response:
    """Show the same as a PDF to keep, made when it is asked for."""
    found, territory = _statement(request, rider, number)
    return Response(statement_pdf(found, territory, language), media_type=PDF)


@router.get(
    "/statements/{number}",
    response_class=HTMLResponse,
    responses={200: {"content": {"text/html": {}}}},
)
def statement(
    request: Request, rider: Rider, number: StatementNumber, language: Language = "fr"
) -> HTMLResponse:
    """Show a statement as a page to read or print: rules and amounts, as it was issued."""
    found, territory = _statement(request, rider, number)
    return HTMLResponse(statement_page(found, territory, language))


def _statement(request: Request, rider: Principal, number: str) -> tuple[Statement, str]:
    """A statement of the rider, and the territory's name; raises `StatementNotFound`."""
    year, nth = map(int, number.split("-"))
    with installation_of(request).engine.connect() as connection:
        account_id = find_account(connection, rider.person_id)
        found = None
        if account_id is not None:
            found = find_statement(connection, account_id, year, nth)
    if found is None:
        raise StatementNotFound(f"you have no statement {number}")
    return found, str(world_of(request).snapshot.about["name"])


def tariffs_of(request: Request) -> Tariffs:
    """Tariff of the territory; raises `NoTariff`."""
    tariffs = world_of(request).tariffs
    if tariffs is None:
        raise NoTariff("this territory has no tariff")
    return tariffs


def _next_rides(tariffs: Tariffs, fares: RiderFares, now: dt.datetime) -> list[NextRideFacts]:
    last = {leg.mode: leg for leg in sorted(fares.legs, key=lambda leg: leg.board_at)}
    own = OwnPrices(tariffs, fares.legs, fares.rights, fares.spent, fares.choices)
    found = []
    for mode, leg in sorted(last.items()):
        added = own.price([replace(leg, board_at=max(now, leg.board_at), promised_cents=None)])
        found.append(
            NextRideFacts(
                mode=mode, amount_cents=added.amount_cents,
                why_fr=addition_sentence(added, "fr"), why_en=addition_sentence(added, "en"),
            )
        )  # fmt: skip
    return found


def _bill_facts(
    tariffs: Tariffs, month: MonthBill, fares: RiderFares, guessed: Mapping[str, End]
) -> BillFacts:
    bill, proofs, left = month.bill, fares.rights.proofs, fares.left_before(month.month)
    unpriced, versions = dict(bill.unpriced), tariffs.of_month(month.month).versions
    parts = share_out(tariffs, month, fares.rights.paid_for, fares.spent(month.month))
    return BillFacts(
        month=f"{month.month:%Y-%m}",
        state=MonthState.OPEN,
        currency=tariffs.currency,
        amount_cents=month.amount_cents,
        paid_by=[PartFacts(**row) for row in part_rows(add_up(parts))],
        to_pay_cents=month.amount_cents - sum(part.amount_cents for part in parts),
        lines=[
            LineFacts(
                kind=c.kind, rule=c.rule, label_fr=charge_label(c, "fr"),
                label_en=charge_label(c, "en"), amount_cents=c.amount_cents,
                legs=list(c.legs), since=c.since, category=c.category,
                arithmetic=arithmetic(versions, bill, c, proofs),
                runner_up=_runner_up(runner_up(versions, bill, c, proofs)),
                paid_by=[
                    PartFacts(payer=p.payer, party=p.party, amount_cents=p.amount_cents)
                    for p in parts
                    if p.charge == row
                ],
                tariff_hash=c.tariff_hash,
            )
            for row, c in enumerate(month.charges)
        ],
        legs=[
            LegFacts(
                board_at=leg.board_at, mode=leg.mode, metres=leg.metres, seconds=leg.seconds,
                zones=list(leg.zones), operator=leg.operator, route=leg.route,
                unpriced=unpriced.get(row), held_pass=fares.rights.pass_of(tariffs, leg),
                **_end_facts(guessed.get(leg.id)),
            )
            for row, leg in enumerate(bill.legs)
        ],
        alternatives=[
            AlternativeFacts(
                product=a.product, is_bought=a.is_bought, amount_cents=a.amount_cents
            )
            for a in alternatives(versions, bill, proofs, left)
        ],
        next_rides=[],
        statements=[],
    )  # fmt: skip


def _runner_up(other: RunnerUp | None) -> RunnerUpFacts | None:
    if other is None:
        return None
    return RunnerUpFacts(products=list(other.products), amount_cents=other.amount_cents)


def _end_facts(how: End | None) -> dict[str, Any]:
    if how is None:
        return dict.fromkeys(("ended_by", "end_fr", "end_en"))
    said = {f"end_{language}": end_sentence(how, language) for language in ("fr", "en")}
    return {"ended_by": how.value, **said}
