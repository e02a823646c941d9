"""Postings, what they add up to, and the files that others read them from."""

from __future__ import annotations

import csv
import datetime as dt
import io
import itertools
import re
import string
import subprocess
import sys
import uuid
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from payments.ledger import (
    SIDE_OF,
    TEMPLATES,
    Entry,
    Posting,
    PostingInvalid,
    account_name,
    balances,
    chain,
    post,
)
from payments.ledger_export import (
    CHART,
    CSV_COLUMNS,
    FEC_COLUMNS,
    ChartInvalid,
    Dated,
    check_chart,
    write_beancount,
    write_csv,
    write_fec,
)

pytestmark = pytest.mark.unit
some = settings(deadline=None, derandomize=True, max_examples=60)
DAY = dt.date(2027, 3, 31)
NAMES = sorted(
    {name for sides in TEMPLATES.values() for side in sides
     for _, name, _, _ in string.Formatter().parse(side) if name}
)  # fmt: skip

names = st.text(string.ascii_letters + string.digits + "-._", min_size=1, max_size=8)
entries = st.builds(
    Entry,
    st.sampled_from(sorted(TEMPLATES)),
    st.integers(1, 10**9),
    st.fixed_dictionaries({name: st.sampled_from(("a", "b", "0f.1_x")) | names for name in NAMES}),
    st.sampled_from(("", "statement 12", 'a "quoted" thing; é')),
)


@st.composite
def groups(draw: st.DrawFn, most: int = 5) -> list[tuple[Posting, ...]]:
    return [
        post(f"event:{nth}", draw(st.sampled_from(("2027-03", "2027-04"))),
             draw(st.sampled_from(("EUR", "EUR", "BRL"))),
             draw(st.lists(entries, min_size=1, max_size=4)))
        for nth in range(draw(st.integers(0, most)))
    ]  # fmt: skip


def dated(made: list[tuple[Posting, ...]]) -> list[Dated]:
    return [(p, DAY + dt.timedelta(days=nth)) for nth, group in enumerate(made) for p in group]


@some
@given(groups(), st.randoms(use_true_random=False))
def test_every_group_is_in_balance_and_known_by_its_content(
    made: list[tuple[Posting, ...]], shuffled: object
) -> None:
    every = [posting for group in made for posting in group]
    counted = balances(every)
    for currency in ("EUR", "BRL"):
        assert sum(own.net_cents for (_, of), own in counted.items() if of == currency) == 0
    assert len({posting.id for posting in every}) == len(every)
    mixed = list(every)
    shuffled.shuffle(mixed)  # type: ignore[attr-defined]
    assert balances(mixed) == counted
    assert chain(b"", [p.id for p in mixed]) == chain(b"", [p.id for p in every])
    for group in made:
        names = dict.fromkeys(NAMES, "x")
        again = post(group[0].group, group[0].period, group[0].currency, [
            Entry(p.kind, p.amount_cents + 1, names, p.ref) for p in group
        ])  # fmt: skip
        assert not {p.id for p in again} & {p.id for p in every}


@pytest.mark.parametrize(
    ("entry", "period", "word"),
    [
        (Entry("gift", 1, {"rider": "a"}), "2027-03", "kind"),
        (Entry("usage_accrued", 0, {"rider": "a", "operator": "b"}), "2027-03", "amount"),
        (Entry("usage_accrued", -5, {"rider": "a", "operator": "b"}), "2027-03", "amount"),
        (Entry("usage_accrued", True, {"rider": "a", "operator": "b"}), "2027-03", "amount"),
        (Entry("usage_accrued", 1, {"rider": "a"}), "2027-03", "operator"),
        (Entry("usage_accrued", 1, {"rider": "a:b", "operator": "b"}), "2027-03", "rider"),
        (Entry("usage_accrued", 1, {"rider": "a", "operator": "b"}), "2027-13", "period"),
    ],
)
def test_what_no_template_makes_is_refused(entry: Entry, period: str, word: str) -> None:
    with pytest.raises(PostingInvalid, match=word):
        post("event", period, "EUR", [entry])


def test_a_day_depends_on_all_before_it() -> None:
    ids = [uuid.uuid5(uuid.NAMESPACE_URL, str(n)) for n in range(3)]
    first = chain(b"", ids[:2])
    assert chain(first, ids[2:]) != chain(chain(b"", ids[:1]), ids[2:])
    assert len(first) == 32


@some
@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1) | names, min_size=2, max_size=9))
@example(["a:b", "a_3ab", "a_b", "é", "_c3_a9", "x" * 65, "x" * 64, "porto:STCP"])
def test_any_name_becomes_an_account_and_no_two_the_same(told: list[str]) -> None:
    made = {name: account_name(name) for name in told}
    assert len(set(made.values())) == len(made)
    for name, account in made.items():
        entry = Entry("revenue_shared", 1, {"operator": account})
        assert post("x", "2027-03", "EUR", [entry])[0].credit == f"revenue:{account}"
        if set(name) <= set(string.ascii_letters + string.digits + ".-") and len(name) <= 64:
            assert account == name


@some
@given(groups())
def test_csv_says_each_posting(made: list[tuple[Posting, ...]]) -> None:
    rows = list(csv.DictReader(io.StringIO("".join(write_csv(dated(made))))))
    assert len(rows) == sum(map(len, made))
    for row, (posting, day) in zip(rows, dated(made), strict=True):
        assert [row[name] for name in CSV_COLUMNS] == [
            *(str(getattr(posting, name)) for name in CSV_COLUMNS[:-1]), day.isoformat()
        ]  # fmt: skip


@some
@given(groups())
def test_fec_has_18_fields_and_each_entry_is_in_balance(made: list[tuple[Posting, ...]]) -> None:
    lines = list(csv.reader(io.StringIO("".join(write_fec(dated(made)))), delimiter="\t"))
    assert tuple(lines[0]) == FEC_COLUMNS
    assert len(FEC_COLUMNS) == 18
    cents: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for line in lines[1:]:
        row = dict(zip(FEC_COLUMNS, line, strict=True))
        for side, name in enumerate(("Debit", "Credit")):
            whole, part = row[name].split(",")
            cents[int(row["EcritureNum"])][side] += int(whole) * 100 + int(part)
        assert row["CompteNum"] in {number for number, _ in CHART.values()}
        assert row["EcritureDate"] == row["ValidDate"]
    assert list(cents) == list(range(1, len(cents) + 1))
    for (debit, credit), (posting, _) in zip(cents.values(), dated(made), strict=True):
        assert debit == credit == posting.amount_cents


def test_a_chart_without_a_number_is_refused() -> None:
    assert check_chart(CHART) is CHART
    with pytest.raises(ChartInvalid, match="driver"):
        check_chart({head: own for head, own in CHART.items() if head != "driver"})
    assert set(CHART) == set(SIDE_OF)


pieces = st.lists(st.sampled_from((*"ab.-_", "dot", "us", "dash")), min_size=1, max_size=7)


@some
@given(pieces.map("".join))
@example("a-dot-b")
@example("a-dot.b")
@example("a.dot-b")
@example("a-us-dash-b")
def test_no_two_names_are_one_account_of_beancount(name: str) -> None:
    entry = Entry("payer_paid", 1, {"payer": name})
    text = "".join(write_beancount(dated([post("x", "2027-03", "EUR", [entry])])))
    (written,) = set(re.findall(r":N([A-Za-z0-9-]+)", text))
    meant = {"-dot-": ".", "-us-": "_", "-dash-": "-"}
    assert re.sub("-(?:dot|us|dash)-", lambda found: meant[found.group()], written) == name


def bean_check(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = folder / "ledger.beancount"
    path.write_text(text, encoding="utf-8")
    program = Path(sys.executable).with_name("bean-check")
    return subprocess.run([program, path], capture_output=True, text=True, check=False)


def test_beancount_accepts_the_text_and_agrees_on_every_balance(tmp_path: Path) -> None:
    made = []
    for nth, kind in enumerate(itertools.chain(TEMPLATES, TEMPLATES)):
        own = dict.fromkeys(NAMES, f"{nth % 3}a.b_c")
        entry = Entry(kind, 100 + 7 * nth, own, 'a "quoted" ref')
        made.append(post(f"event:{nth}", "2027-03", "EUR" if nth % 5 else "BRL", [entry, entry]))
    text = "".join(write_beancount(dated(made)))
    fine = bean_check(text, tmp_path)
    assert (fine.returncode, fine.stdout + fine.stderr) == (0, "")
    # It does look: one cent more in one posting, and a balance is wrong.
    (first, *others), *rest = made
    wrong = [(replace(first, amount_cents=first.amount_cents + 1), *others), *rest]
    text = "".join(write_beancount(dated(made)))
    balances_at = text.index(" balance ") - len("2027-03-31")
    other = "".join(write_beancount(dated(wrong)))
    other = other[: other.index(" balance ") - len("2027-03-31")]
    assert bean_check(other + text[balances_at:], tmp_path).returncode != 0
    assert list(write_beancount([])) == []
