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
from gtfs_data.split import COLUMN, END, NOT_PLAIN, START, number_cells

FIELD_LIMIT_CHARS = 1_000_000
LEAST_COLUMNS = 2
"""Of plain tables: a row of one blank cell looks like a blank line."""
FIRST_ROW_LINE = 2
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


def read_cells(raw: bytes, file: str, findings: Findings) -> Cells:
    """Split a table of UTF-8; raises `UnreadableFeed` when it cannot be."""
    csv.field_size_limit(FIELD_LIMIT_CHARS)
    cells = _read_plain(raw) or _read_any(raw.decode(), file, findings)
    if len(set(cells.header)) != len(cells.header):
        findings.error("duplicate_column", file, 1, "a column stands twice: the last one counts")
    return cells


def _read_plain(raw: bytes) -> Cells | None:
    """Split a table without oddities, many times faster than another; None for others."""
    head, _, rows = raw.partition(b"\n")
    head = head.removesuffix(b"\r")
    try:
        strict = csv.reader([head.decode()], skipinitialspace=True, strict=True)
        header = _stripped(next(strict, []))
    except csv.Error:
        return None  # it may go on after the line
    if b"\r" in head or len(header) < LEAST_COLUMNS:
        return None
    if not rows.endswith(b"\n"):
        rows += b"\n"
    lines = rows.count(b"\n")
    code, line = np.empty((len(header), lines), np.int32), np.empty(lines, np.int32)
    bytes_ = np.frombuffer(rows, np.uint8)
    row_count, texts = number_cells(bytes_, FIELD_LIMIT_CHARS, code, line)
    if row_count == NOT_PLAIN:
        return None
    columns = {}
    for number, name in enumerate(header if row_count else []):
        own = texts[texts[:, COLUMN] == number]
        spans = zip(own[:, START].tolist(), own[:, END].tolist(), strict=True)
        columns[name] = Column([rows[a:b].decode() for a, b in spans], code[number, :row_count])
    return Cells(header, columns, line[:row_count] + FIRST_ROW_LINE)


def _stripped(header: list[str]) -> list[str]:
    return [cell.strip() for cell in header]


def _read_any(text: str, file: str, findings: Findings) -> Cells:
    """Split a table cell by cell as the standard library does, rows of wrong lengths included."""
    lines = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True)
    numbers: list[int] = []
    try:
        header = _stripped(next(lines, []))
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
