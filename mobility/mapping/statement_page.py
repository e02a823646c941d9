"""A statement to read, print or keep: rules and amounts, no place and no time of day."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from mobility.db.statements import Statement, StatementKind
from mobility.mapping.sentences import LANGUAGES, charge_label, end_words
from payments.bill import Charge
from payments.rights import ANOTHER_RIDER
from payments.taps import End

if TYPE_CHECKING:
    import jinja2
    import typst

PAGE, PAPER = "statement.html.j2", "statement.typ"
PAPER_STANDARDS: list[typst.PDFStandard] = ["a-2a", "ua-1"]
"""To keep for years, and for who has it read aloud."""
TITLES: Mapping[StatementKind, tuple[str, str]] = {
    StatementKind.STATEMENT: ("Relevé du mois", "Statement of the month"),
    StatementKind.CREDIT_NOTE: ("Avoir", "Credit note"),
    StatementKind.SUPPLEMENT: ("Complément de facture", "Supplement"),
}
MONTHS = (
    ("janvier", "January"), ("février", "February"), ("mars", "March"), ("avril", "April"),
    ("mai", "May"), ("juin", "June"), ("juillet", "July"), ("août", "August"),
    ("septembre", "September"), ("octobre", "October"), ("novembre", "November"),
    ("décembre", "December"),
)  # fmt: skip
WORDS: Mapping[str, tuple[str, str]] = {
    "number": ("N°", "No."),
    "lines": ("Ce qui est facturé", "What it is for"),
    "line": ("Ligne", "Line"),
    "legs": ("Trajets", "Rides"),
    "amount": ("Montant", "Amount"),
    "since": ("depuis le", "since"),
    "corrections": ("Corrections du mois", "Corrections of the month"),
    "before": ("Déjà payé avec le mois d’avant", "Paid with the month before"),
    "total": ("Total", "Total"),
    "paid_by": ("Payé par", "Paid by"),
    "due": ("À payer par vous", "For you to pay"),
    "cheapest": (
        (
            "La façon la moins chère de payer tous vos trajets, mois après mois : "
            "aucun forfait n’aurait coûté moins."
        ),
        (
            "The cheapest way to pay for all your rides, month after month: "
            "no pass would have cost less."
        ),
    ),
    "tariff": ("Tarif", "Tariff"),
    "guessed": (
        "Arrivées estimées, faute de validation à la descente\N{NO-BREAK SPACE}:",
        "Arrivals estimated, as nobody tapped out:",
    ),
    "page": ("Page", "Page"),
}
SYMBOLS = {"EUR": "€"}
DATES = "%d/%m/%Y", "%Y-%m-%d"
HASH_DIGITS = 12


def statement_page(statement: Statement, territory: str, language: str) -> str:
    """Fill the page's template, in French or English."""
    return _template().render(_facts(statement, territory, language))


def statement_pdf(statement: Statement, territory: str, language: str) -> bytes:
    """
    Set the same on paper, as a tagged PDF: the same bytes whenever it is asked for.

    Where a name has letters that the library's own fonts lack, the machine's fonts help out, and no
    standard is promised: these want each letter shown.
    """
    import typst  # noqa: PLC0415 — nobody waits for it when a process starts

    template = (files("mobility") / "templates" / PAPER).read_bytes()
    facts = json.dumps(_facts(statement, territory, language))

    def pdf(standards: list[typst.PDFStandard], fonts: typst.Fonts) -> bytes:
        return typst.compile(
            template, format="pdf", pdf_standards=standards, font_paths=fonts,
            sys_inputs={"facts": facts}, timestamp=int(statement.issued_at.timestamp()),
        )  # fmt: skip

    try:
        return pdf(PAPER_STANDARDS, _fonts(of_machine=False))
    except typst.TypstError:
        return pdf([], _fonts(of_machine=True))


def _facts(statement: Statement, territory: str, language: str) -> dict[str, Any]:
    """What both templates say, all of it text."""
    index = LANGUAGES.index(language)
    words = {name: word[index] for name, word in WORDS.items()}

    def row(label: str, cents: int, leg_count: str = "") -> dict[str, str]:
        amount = amount_text(cents, statement.currency, language)
        return {"label": label, "leg_count": leg_count, "amount": amount}

    def label(line: Mapping[str, Any]) -> str:
        charge = Charge(line["rule"], line["kind"], (), line["amount_cents"])
        since = line["since"] and f"{dt.date.fromisoformat(line['since']):{DATES[index]}}"
        return charge_label(charge, language) + (f", {words['since']} {since}" if since else "")

    lines, whole = statement.lines, statement.amount_cents
    # Lines of older statements are of two months, of which the first had paid a part.
    before = sum(line["amount_cents"] for line in lines) - whole
    hashes = dict.fromkeys(line["tariff_hash"][:HASH_DIGITS] for line in lines)
    return {
        "language": language,
        "words": words,
        "title": TITLES[statement.kind][index],
        "number": f"{statement.year}-{statement.number:06d}",
        "month": f"{MONTHS[statement.month.month - 1][index]} {statement.month.year}",
        "issued": f"{statement.issued_at:{DATES[index]}}",
        "territory": territory,
        "lines": [
            row(label(line), line["amount_cents"], str(line["leg_count"])) for line in lines
        ] or [row(words["corrections"], whole)],
        "sums": [
            *([row(words["before"], -before)] if lines and before else []),
            row(words["total"], whole),
            *(
                row(f"{words['paid_by']} {_who(payer, party, index)}", -cents)
                for (payer, party), cents in statement.parts.items()
            ),
            row(words["due"], whole - sum(statement.parts.values())),
        ],
        "hashes": ", ".join(hashes),
        "guessed": ", ".join(
            f"{count} {end_words(End(how), language)}"
            for how, count in (statement.guessed or {}).items()
        ),
    }  # fmt: skip


def amount_text(cents: int, currency: str, language: str) -> str:
    """An amount as people write it, without a float."""
    sign = "−" if cents < 0 else ""
    units, rest = divmod(abs(cents), 100)
    symbol = SYMBOLS.get(currency, currency)
    if language == "fr":
        grouped = f"{units:,}".replace(",", "\u202f")
        return f"{sign}{grouped},{rest:02d}\u00a0{symbol}"
    return f"{sign}{symbol}{'' if len(symbol) == 1 else ' '}{units:,}.{rest:02d}"


def _who(payer: str, party: str, index: int) -> str:
    if payer == ANOTHER_RIDER:
        return ("une autre personne", "another person")[index]
    return f"{party} ({payer})" if party else payer


@cache
def _template() -> jinja2.Template:
    import jinja2  # noqa: PLC0415 — nobody waits for it when a process starts

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("mobility"), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template(PAGE)


@cache
def _fonts(*, of_machine: bool) -> typst.Fonts:
    import typst  # noqa: PLC0415 — nobody waits for it when a process starts

    return typst.Fonts(include_system_fonts=of_machine)
