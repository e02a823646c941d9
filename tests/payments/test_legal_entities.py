"""Books of legal entities: each in balance, and all together the ledger."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.ledger import SIDE_OF, Entry, Posting, balances, post
from payments.ledger_export import (
    CHART,
    FEC_COLUMNS,
    fec_file_name,
    write_beancount,
    write_csv,
    write_fec,
)
from payments.legal_entities import Entities, EntitiesInvalid, EntityUnknown, parse_entities
from tests.payments.test_ledger import DAY, bean_check, dated, groups, some

pytestmark = pytest.mark.unit
PLACES = ("*", *sorted(SIDE_OF), *(f"{head}:{name}" for head in SIDE_OF for name in "ab"))
THREE = parse_entities(
    {
        "metropole": {"name": "Métropole", "siren": "200 046 977", "accounts": ["*"]},
        "tcl": {"name": "TCL", "operators": ["AM_TCL"]},
        "porto": {"name": "STCP", "operators": ["porto:STCP", 12], "accounts": ["driver"]},
    }
)


@st.composite
def entities(draw: st.DrawFn) -> Entities:
    """Up to four entities, among whom accounts and kinds of accounts are given away."""
    ids = draw(st.lists(st.sampled_from("wxyz"), min_size=1, max_size=4, unique=True))
    own: dict[str, list[str]] = {entity_id: [] for entity_id in ids}
    for place in ["*", *draw(st.lists(st.sampled_from(PLACES[1:]), unique=True))]:
        own[draw(st.sampled_from(ids))].append(place)
    return parse_entities({i: {"name": i, "accounts": accounts} for i, accounts in own.items()})


@some
@given(groups(), entities())
def test_books_are_in_balance_and_all_together_are_the_ledger(
    made: list[tuple[Posting, ...]], whose: Entities
) -> None:
    every = dated(made)
    together: dict[tuple[str, str], int] = defaultdict(int)
    between: dict[tuple[str, str, str], int] = defaultdict(int)
    for own in whose.by_id:
        seen = list(whose.seen_from(own, every))
        counted = {key: of.net_cents for key, of in balances(p for p, _ in seen).items()}
        for currency in ("EUR", "BRL"):
            assert sum(cents for (_, of), cents in counted.items() if of == currency) == 0
        for (account, currency), cents in counted.items():
            head, _, name = account.partition(":")
            if head == "entity":
                assert name != own
                between[own, name, currency] += cents
            else:
                assert whose.owner(account) == own
                together[account, currency] += cents
        ids = {posting.id for group in made for posting in group}
        assert {posting.id for posting, _ in seen} <= ids
    assert together == {k: of.net_cents for k, of in balances(p for p, _ in every).items()}
    # What one is owed by another, the other owes.
    for (own, other, currency), cents in between.items():
        assert between[other, own, currency] == -cents


def closed_month() -> list[tuple[Posting, ...]]:
    """A rider owes 900, of which an authority pays 200; two operators have earned 800 of it."""
    rider = {"rider": "r", "operator": "network", "payer": "pool"}
    shared = [("AM_TCL", 500), ("porto_3aSTCP", 300)]
    return [
        post("month:r", "2027-03", "EUR", [
            Entry("usage_accrued", 900, rider), Entry("subsidy_granted", 200, rider),
        ]),
        post("shares:r", "2027-03", "EUR", [
            Entry("revenue_shared", cents, {"operator": name}) for name, cents in shared
        ]),
        post("shares:s", "2027-03", "EUR", [
            Entry("revenue_unshared", 50, {"operator": "AM_TCL"})
        ]),
        post("earned", "2027-03", "EUR", [
            Entry("driver_earned", 10, {"operator": "AM_TCL", "driver": "d"})
        ]),
    ]  # fmt: skip


def nets(entity_id: str) -> dict[str, int]:
    seen = THREE.seen_from(entity_id, dated(closed_month()))
    return {a: of.net_cents for (a, _), of in balances(p for p, _ in seen).items()}


def test_an_authority_owes_operators_what_they_have_earned() -> None:
    assert nets("metropole") == {
        "rider:r": 700, "subsidy:pool": 200, "revenue:network": -150,
        "entity:tcl": -450, "entity:porto": -300,
    }  # fmt: skip
    # What a driver of the one has earned is owed to him by the other, whose drivers they are.
    assert nets("tcl") == {"entity:metropole": 450, "revenue:AM_TCL": -440, "entity:porto": -10}
    assert nets("porto") == {
        "entity:metropole": 300, "revenue:porto_3aSTCP": -300, "entity:tcl": 10, "driver:d": -10,
    }  # fmt: skip


@pytest.mark.parametrize("entity_id", list(THREE.by_id))
def test_others_read_the_books_of_an_entity(tmp_path: Path, entity_id: str) -> None:
    seen = list(THREE.seen_from(entity_id, dated(closed_month())))
    fine = bean_check("".join(write_beancount(seen)), tmp_path)
    assert (fine.returncode, fine.stdout + fine.stderr) == (0, "")
    assert len(list(csv.DictReader(io.StringIO("".join(write_csv(seen)))))) == len(seen)
    lines = list(csv.reader(io.StringIO("".join(write_fec(seen))), delimiter="\t"))
    assert tuple(lines[0]) == FEC_COLUMNS
    assert {len(line) for line in lines} == {18}
    numbers, rows = [], [dict(zip(FEC_COLUMNS, line, strict=True)) for line in lines[1:]]
    cents = {
        side: sum(int(row[side].replace(",", "")) for row in rows) for side in ("Debit", "Credit")
    }
    assert cents["Debit"] == cents["Credit"] == sum(posting.amount_cents for posting, _ in seen)
    for row in rows:
        numbers.append(int(row["EcritureNum"]))
        kind = row["CompAuxLib"].partition(":")[0]
        assert row["CompteNum"] == ("467300" if kind == "entity" else CHART[kind][0])
    assert numbers == sorted([*range(1, len(seen) + 1)] * 2)
    own = {**CHART, "entity": ("451000", "Groupe")}
    assert "\t451000\tGroupe\t" in "".join(write_fec(seen, own))


def test_a_file_for_the_french_state_is_named_by_number_and_last_day() -> None:
    siren = THREE.get("metropole").siren
    assert fec_file_name(siren, DAY) == "200046977FEC20270331.txt"
    with pytest.raises(EntityUnknown, match="metropole, tcl, porto"):
        THREE.get("stcp")


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ([], "id"),
        ({}, "id"),
        ({"a": {"name": "A"}}, "all other"),
        ({"a": {"accounts": ["*"]}}, "name"),
        ({"a": {"name": "A", "account": ["*"]}}, "name"),
        ({"a": {"name": "A", "accounts": "*"}}, "list"),
        ({"a b": {"name": "A", "accounts": ["*"]}}, "not an id"),
        ({"a": {"name": "A", "accounts": ["*", "gifts"]}}, "'gifts'"),
        ({"a": {"name": "A", "accounts": ["*", "rider:a b"]}}, "'rider:a b'"),
        ({"a": {"name": "A", "accounts": ["*", "entity:b"]}}, "'entity:b'"),
        ({"a": {"name": "A", "accounts": ["*"]}, "b": {"name": "B", "accounts": ["*"]}}, "whose"),
        ({"a": {"name": "A", "accounts": ["*"], "operators": ["bus"]},
          "b": {"name": "B", "accounts": ["revenue:bus"]}}, "revenue:bus"),
        ({"a": {"name": "A", "accounts": ["*"], "siren": "200046978"}}, "siren"),
        ({"a": {"name": "A", "accounts": ["*"], "siren": "20004697"}}, "siren"),
    ],
)  # fmt: skip
def test_entities_of_which_it_is_not_clear_what_is_whose_are_refused(
    content: Any, word: str
) -> None:
    with pytest.raises(EntitiesInvalid, match=word):
        parse_entities(content)
