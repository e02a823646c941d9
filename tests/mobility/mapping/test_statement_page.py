"""Statements as pages: amounts as people write them, who pays, nothing that is not escaped."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest

from mobility.db.statements import Statement, StatementKind
from mobility.mapping.statement_page import amount_text, statement_page

pytestmark = pytest.mark.unit
ISSUED = dt.datetime(2027, 4, 3, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("cents", "currency", "french", "english"),
    [
        (0, "EUR", "0,00\xa0€", "€0.00"),
        (-705, "EUR", "−7,05\xa0€", "−€7.05"),
        (123_456_789, "EUR", "1\u202f234\u202f567,89\xa0€", "€1,234,567.89"),
        (250, "CHF", "2,50\xa0CHF", "CHF 2.50"),
    ],
)
def test_amounts(cents: int, currency: str, french: str, english: str) -> None:
    assert amount_text(cents, currency, "fr") == french
    assert amount_text(cents, currency, "en") == english


def line(rule: str, cents: int, since: str | None = None) -> dict[str, object]:
    return {
        "kind": "product" if since else "leg", "rule": rule, "amount_cents": cents, "leg_count": 3,
        "since": since, "category": None, "tariff_hash": "ab" * 32,
    }  # fmt: skip


def test_a_statement_says_what_was_paid_before_and_by_others() -> None:
    own = Statement(
        StatementKind.STATEMENT, uuid.uuid4(), dt.date(2027, 3, 1), 1_600, "EUR",
        [line("week", 1_500, "2027-02-27"), line("<b>bus</b>", 300)], ISSUED,
        {("employer", "atelier-durand"): 600, ("pool", ""): 50}, 2027, 12,
    )  # fmt: skip
    page = statement_page(own, "Valmont", "fr")
    for said in (
        "Relevé du mois", "mars 2027", "N° 2027-000012", "03/04/2027", "Valmont",
        "Forfait « week », depuis le 27/02/2027",
        "15,00\xa0€", "Déjà payé", "−2,00\xa0€", "16,00\xa0€",
        "atelier-durand (employer)", "−6,00\xa0€", "pool", "−0,50\xa0€", "9,50\xa0€", "ababab",
    ):  # fmt: skip
        assert said in page
    assert "<b>bus" not in page
    assert "&lt;b&gt;bus" in page


def test_a_credit_note_has_no_lines() -> None:
    own = Statement(
        StatementKind.CREDIT_NOTE, uuid.uuid4(), dt.date(2027, 3, 1), -300, "EUR", [], ISSUED,
        {}, 2027, 13,
    )  # fmt: skip
    page = statement_page(own, "Valmont", "en")
    for said in ("Credit note", "Corrections of the month", "−€3.00"):
        assert said in page
    assert "no pass" not in page
