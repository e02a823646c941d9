"""A statement as one page to read or print: rules and amounts, no place and no time of day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from mobility.db.statements import Statement, StatementKind
from mobility.mapping.sentences import LANGUAGES, charge_label
from payments.bill import Charge
from payments.rights import ANOTHER_RIDER

if TYPE_CHECKING:
    import jinja2

TEMPLATE = "statement.html.j2"
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
SYMBOLS = {"EUR": "€"}
DATES = "%d/%m/%Y", "%Y-%m-%d"
HASH_DIGITS = 12


def statement_page(statement: Statement, territory: str, language: str) -> str:
    """Fill the page's template, in French or English."""
    index = LANGUAGES.index(language)

    def money(cents: int) -> str:
        return amount_text(cents, statement.currency, language)

    before = sum(line["amount_cents"] for line in statement.lines) - statement.amount_cents
    hashes = dict.fromkeys(line["tariff_hash"][:HASH_DIGITS] for line in statement.lines)
    return _template().render(
        language=language,
        say=lambda english, french: (french, english)[index],
        title=TITLES[statement.kind][index],
        number=f"{statement.year}-{statement.number:06d}",
        month=f"{MONTHS[statement.month.month - 1][index]} {statement.month.year}",
        issued=f"{statement.issued_at:{DATES[index]}}",
        territory=territory,
        lines=[
            {"label": _label(line, language), "leg_count": line["leg_count"],
             "since": line["since"] and f"{dt.date.fromisoformat(line['since']):{DATES[index]}}",
             "amount": money(line["amount_cents"])}
            for line in statement.lines
        ],
        before=money(-before) if statement.lines and before else "",
        total=money(statement.amount_cents),
        parts=[
            {"who": _who(payer, party, index), "amount": money(-cents)}
            for (payer, party), cents in statement.parts.items()
        ],
        due=money(statement.amount_cents - sum(statement.parts.values())),
        hashes=", ".join(hashes),
    )  # fmt: skip


def amount_text(cents: int, currency: str, language: str) -> str:
    """An amount as people write it, without a float."""
    sign = "−" if cents < 0 else ""
    units, rest = divmod(abs(cents), 100)
    symbol = SYMBOLS.get(currency, currency)
    if language == "fr":
        grouped = f"{units:,}".replace(",", "\u202f")
        return f"{sign}{grouped},{rest:02d}\u00a0{symbol}"
    return f"{sign}{symbol}{'' if len(symbol) == 1 else ' '}{units:,}.{rest:02d}"


def _label(line: Mapping[str, Any], language: str) -> str:
    charge = Charge(line["rule"], line["kind"], (), line["amount_cents"])
    return charge_label(charge, language)


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
    return environment.get_template(TEMPLATE)
