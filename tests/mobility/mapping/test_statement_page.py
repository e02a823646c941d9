"""Statements as pages and PDFs: amounts as people write them, who pays, text that is no markup."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import replace
from io import BytesIO

import pytest
from pypdf import PdfReader

from mobility.db.statements import Statement, StatementKind
from mobility.mapping.statement_page import amount_text, statement_page, statement_pdf

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


SHARED = Statement(
    StatementKind.STATEMENT, uuid.uuid4(), dt.date(2027, 3, 1), 1_600, "EUR",
    [line("week", 1_500, "2027-02-27"), line("<b>bus</b> *#1*", 300)], ISSUED,
    {("employer", "atelier-durand"): 600, ("pool", ""): 50}, 2027, 12,
)  # fmt: skip
CREDIT = Statement(
    StatementKind.CREDIT_NOTE, uuid.uuid4(), dt.date(2027, 3, 1), -300, "EUR", [], ISSUED,
    {}, 2027, 13,
)  # fmt: skip
FRENCH = (
    "Relevé du mois", "mars 2027", "N° 2027-000012", "03/04/2027", "Valmont",
    "Forfait « week », depuis le 27/02/2027",
    "15,00\xa0€", "Déjà payé", "−2,00\xa0€", "16,00\xa0€",
    "atelier-durand (employer)", "−6,00\xa0€", "pool", "−0,50\xa0€", "9,50\xa0€", "ababab",
)  # fmt: skip
ENGLISH = ("Credit note", "March 2027", "2027-000013", "Corrections of the month", "−€3.00")


def test_a_statement_says_what_was_paid_before_and_by_others() -> None:
    page = statement_page(SHARED, "Valmont", "fr")
    for said in FRENCH:
        assert said in page
    assert "<b>bus" not in page
    assert "&lt;b&gt;bus" in page
    assert 'href="2027-000012.pdf?language=fr"' in page


def test_a_statement_says_how_many_ends_were_guessed_and_how() -> None:
    guessed = replace(SHARED, guessed={"chosen": 2, "line_maximum": 1})
    said = "2 from the itinerary you had chosen, 1 unknown, so the farthest along the line"
    assert f"Arrivals estimated, as nobody tapped out: {said}." in statement_page(
        guessed, "Valmont", "en"
    )
    shown = " ".join(text_of(statement_pdf(guessed, "Valmont", "en")).split())
    assert "2 from the itinerary you had chosen" in shown
    assert "estimées" not in statement_page(SHARED, "Valmont", "fr")


def test_a_credit_note_has_no_lines() -> None:
    page = statement_page(CREDIT, "Valmont", "en")
    for said in ENGLISH:
        assert said in page
    assert "no pass" not in page


def opened(pdf: bytes) -> PdfReader:
    return PdfReader(BytesIO(pdf))


def text_of(pdf: bytes) -> str:
    """What a PDF says, page by page."""
    return "\n".join(page.extract_text() for page in opened(pdf).pages)


@pytest.mark.parametrize(
    ("statement", "language", "title", "told"),
    [
        (SHARED, "fr", "Relevé du mois 2027-000012", (*FRENCH, "Trajet « <b>bus</b> *#1* »")),
        (CREDIT, "en", "Credit note 2027-000013", ENGLISH),
    ],
)
def test_a_pdf_says_the_same_and_can_be_read_aloud(
    statement: Statement, language: str, title: str, told: tuple[str, ...]
) -> None:
    pdf = statement_pdf(statement, "Valmont", language)
    text = text_of(pdf)
    for said in told:
        assert said in text
    reader = opened(pdf)
    root = reader.root_object
    assert reader.metadata is not None
    assert (reader.metadata.title, root["/Lang"]) == (title, language)
    assert root["/MarkInfo"]["/Marked"]
    kept = root["/Metadata"].get_data()
    assert b"<pdfuaid:part>1</pdfuaid:part>" in kept
    assert b"<pdfaid:part>2</pdfaid:part>" in kept


def test_a_pdf_is_the_same_whenever_it_is_made_and_dated_when_it_was_issued() -> None:
    pdf = statement_pdf(SHARED, "Valmont", "fr")
    assert pdf == statement_pdf(SHARED, "Valmont", "fr")
    metadata = opened(pdf).metadata
    assert metadata is not None
    assert metadata.creation_date == metadata.modification_date == ISSUED


def test_many_lines_go_over_pages_under_the_same_head() -> None:
    lines = [line(f"ligne-{nth}", 100) for nth in range(300)]
    own = replace(SHARED, lines=lines, amount_cents=30_000, parts={})
    pages = [page.extract_text() for page in opened(statement_pdf(own, "Valmont", "fr")).pages]
    assert len(pages) > 3
    assert [page.count("Montant") for page in pages] == [1] * len(pages)
    assert all(f"Page {nth} / {len(pages)}" in page for nth, page in enumerate(pages, 1))
    text = "\n".join(pages)
    assert [text.count(f"« ligne-{nth} »") for nth in range(300)] == [1] * 300
    assert [page.count("300,00\xa0€") for page in pages] == [0] * (len(pages) - 1) + [2]


def test_letters_that_no_font_has_and_names_without_spaces_keep_no_pdf_back() -> None:
    own = replace(SHARED, lines=[line("市🚲", 1_600), line("x" * 200, 0)], parts={})
    text = text_of(statement_pdf(own, "Valmont", "fr"))
    assert "16,00\xa0€" in text
    assert text.replace("\n", "").replace("\u200b", "").count("x" * 200) == 1
