"""Tables as text: the fast reader of plain tables says what the standard library's does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtfs_data import cells
from gtfs_data.checks import Findings

pytestmark = pytest.mark.unit
fixed_seed = settings(derandomize=True, deadline=None, database=None, max_examples=500)

PIECES = ("a", "bc", "é", "7", "", " ", "  x", '"', '""', '"q"', '"q, r"', "\r", "\t")
ENDS = ("\n", "\n", "\r\n", "\n\n")
cell = st.sampled_from(PIECES) | st.tuples(*[st.sampled_from(PIECES)] * 2).map("".join)
row = st.tuples(st.lists(cell, min_size=1, max_size=4).map(",".join), st.sampled_from(ENDS))
plain_row = st.tuples(
    st.lists(st.sampled_from(("a", "bc", " é", '"q, r"', "")), min_size=3, max_size=3)
    .map(",".join),
    st.sampled_from(ENDS),
)  # fmt: skip


def same(text: str) -> bool:
    """Whether the table is plain; then both readers must agree."""
    plain = cells._read_plain(text.encode())
    if plain is None:
        return False
    other = cells._read_any(text, "t.txt", Findings())
    assert plain.header == other.header
    assert plain.line.tolist() == other.line.tolist()
    assert list(plain.columns) == list(other.columns)
    for name, column in other.columns.items():
        assert plain.columns[name].texts == column.texts
        assert np.array_equal(plain.columns[name].code, column.code)
    return True


@given(head=row, rows=st.lists(row, max_size=6), tail=st.sampled_from(("", "a,b", '"a,b')))
@fixed_seed
def test_what_is_taken_for_plain_reads_as_with_the_standard_library(
    head: tuple[str, str], rows: list[tuple[str, str]], tail: str
) -> None:
    text = "".join("".join(r) for r in [head, *rows]) + tail
    if not same(text):  # nothing is lost: the other reader takes it
        assert cells._read_plain(text.encode()) is None


@given(rows=st.lists(plain_row, max_size=8), tail=st.sampled_from(("", "x,y,z")))
@fixed_seed
def test_rows_of_equal_width_are_plain_with_quotes_and_blank_lines(
    rows: list[tuple[str, str]], tail: str
) -> None:
    assert same("one,two,three\n" + "".join("".join(r) for r in rows) + tail)


def test_more_texts_than_there_is_room_for_at_first_keep_their_numbers() -> None:
    rows = [f"{i % 7},{i},{i % 5000}" for i in range(20_000)]
    assert same("\n".join(["a,b,c", *rows]) + "\n")


def test_cell_beyond_the_limit_is_left_to_the_standard_library() -> None:
    assert not same("a,b\n1," + "x" * (cells.FIELD_LIMIT_CHARS + 1) + "\n2,3\n")
