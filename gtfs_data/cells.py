"""
Text of one table → columns of distinct texts: what the reader types.

A column of a feed has few distinct values for its length (ids, times, flags): each is kept once,
and the rows name it by its number. A table of three million rows then fits in little memory.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from gtfs_data.archive import UnreadableFeed
from gtfs_data.checks import Findings

FIELD_LIMIT_CHARS = 1_000_000
CHUNK_ROWS = 50_000
"""Rows that are held as lists of cells at a time."""


@dataclass(frozen=True, slots=True)
class Column:
    """Cells of one column."""

    texts: list[str]
    """Distinct cells, in the order of their first row."""
    code: npt.NDArray[np.int32]
    """Shape (row_count,): row in `texts`."""


@dataclass(frozen=True, slots=True)
class Cells:
    """A table as text."""

    header: list[str]
    columns: dict[str, Column]
    """Empty when there are no rows; of two columns of one name, the last."""
    line: npt.NDArray[np.int32]
    """Shape (row_count,): line of the file on which the row ends, the header's being 1."""


class _Numbers(dict[str, int]):
    """Text → its number; a new text gets the next."""

    def __missing__(self, text: str) -> int:
        number = self[text] = len(self)
        return number


@dataclass(slots=True)
class _Growing:
    """A column that is being read."""

    number: _Numbers = field(default_factory=_Numbers)
    codes: list[npt.NDArray[np.int32]] = field(default_factory=list)

    def add(self, cells: Sequence[str]) -> None:
        self.codes.append(np.fromiter(map(self.number.__getitem__, cells), np.int32, len(cells)))


def read_cells(text: str, file: str, findings: Findings) -> Cells:
    """Split a table; raises `UnreadableFeed` when it cannot be."""
    csv.field_size_limit(FIELD_LIMIT_CHARS)
    lines = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True)
    numbers: list[int] = []
    try:
        header = [cell.strip() for cell in next(lines, [])]
        growing = [_Growing() for _ in header]
        chunk: list[list[str]] = []
        for row in lines:
            if len(row) != len(header) or len(row) == 1:
                if not "".join(row).strip():
                    continue
                row = _fitted(row, len(header), lines.line_num, file, findings)  # noqa: PLW2901 — made to fit
            chunk.append(row)
            numbers.append(lines.line_num)
            if len(chunk) == CHUNK_ROWS:
                _add(growing, chunk)
                chunk = []
        _add(growing, chunk)
    except csv.Error as error:
        raise UnreadableFeed(f"{file}, line {lines.line_num}: {error}") from error
    if len(set(header)) != len(header):
        findings.error("duplicate_column", file, 1, "a column stands twice: the last one counts")
    columns = {
        name: Column(list(column.number), np.concatenate(column.codes))
        for name, column in zip(header, growing, strict=True)
        if column.codes
    }
    return Cells(header, columns, np.array(numbers, np.int32))


def _add(growing: list[_Growing], chunk: list[list[str]]) -> None:
    if chunk:
        for column, cells in zip(growing, zip(*chunk, strict=True), strict=True):
            column.add(cells)


def _fitted(row: list[str], width: int, line: int, file: str, findings: Findings) -> list[str]:
    """Make a row as long as the header."""
    if len(row) > width and any(cell.strip() for cell in row[width:]):
        message = f"{len(row)} fields under a header of {width}: the rest is ignored"
        findings.warning("row_length", file, line, message)
    return (row + [""] * width)[:width]
