"""
Kernels that split a plain table and number the distinct texts of each column.

Plain: rows of equal width; a quoted cell holds no quote and no line end. Of anything else they
say so, and the standard library's reader takes over.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.jit import kernel

NOT_PLAIN = -1
NO_TEXT = -1
COMMA, LINE_FEED, RETURN, QUOTE, SPACE = (ord(c) for c in ',\n\r" ')
COLUMN, START, END, NUMBER = range(4)
"""Columns of a text's row: where it first stood, and its number among its column's texts."""
FIRST_TEXTS = 1 << 12
SLOTS_PER_TEXT = 4
HASH_BASIS, HASH_PRIME = np.uint64(14695981039346656037), np.uint64(1099511628211)  # FNV-1a

Bytes = npt.NDArray[np.uint8]
Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]


@kernel
def number_cells(raw: Bytes, longest: int, code: Int32, line: Int32) -> tuple[int, Int64]:
    """
    Number the cells of each column by their text, in the order of the rows that have it first.

    Parameters
    ----------
    raw
        Rows without the header; the last byte is a line feed.
    longest
        Bytes that a cell may have.
    code
        Shape (column_count, lines), written: number of each cell's text in its column.
    line
        Shape (lines,), written: line on which each row stands, counted from 0.

    Returns
    -------
    row_count, texts
        `NOT_PLAIN` instead of a count where the table is not plain. Distinct texts, shape (n, 4).
    """
    width = len(code)
    texts, hashes = np.empty((FIRST_TEXTS, 4), np.int64), np.empty(FIRST_TEXTS, np.uint64)
    slots = slots_of(hashes[:0], SLOTS_PER_TEXT * FIRST_TEXTS)
    counts = np.zeros(width, np.int64)
    text_count, row, at = 0, 0, 0
    for number in range(len(line)):
        if raw[at] == RETURN and raw[at + 1] == LINE_FEED:
            at += 1
        if raw[at] == LINE_FEED:
            at += 1
            continue
        for column in range(width):
            start, end, at = cell_bounds(raw, at)
            last = column == width - 1
            if end < start or end - start > longest or (raw[at - 1] == LINE_FEED) != last:
                return NOT_PLAIN, texts[:0]
            digest = HASH_BASIS ^ np.uint64(column)
            for i in range(start, end):
                digest = (digest ^ np.uint64(raw[i])) * HASH_PRIME
            slot = find_slot(raw, texts, hashes, slots, digest, column, start, end)
            if slots[slot] == NO_TEXT:
                if text_count == len(texts):
                    texts, hashes = np.concatenate((texts, texts)), np.append(hashes, hashes)
                    slots = slots_of(hashes[:text_count], 2 * len(slots))
                    slot = find_slot(raw, texts, hashes, slots, digest, column, start, end)
                slots[slot], hashes[text_count] = text_count, digest
                texts[text_count, COLUMN], texts[text_count, NUMBER] = column, counts[column]
                texts[text_count, START], texts[text_count, END] = start, end
                counts[column] += 1
                text_count += 1
            code[column, row] = texts[slots[slot], NUMBER]
        line[row] = number
        row += 1
    return row, texts[:text_count]


@kernel
def cell_bounds(raw: Bytes, at: int) -> tuple[int, int, int]:
    """Start and end of the cell at `at` (end first: it is not plain), and what follows it."""
    while raw[at] == SPACE:
        at += 1
    quoted = raw[at] == QUOTE
    if quoted:
        at += 1
    start = at
    if quoted:
        while raw[at] != QUOTE and raw[at] != LINE_FEED and raw[at] != RETURN:
            at += 1
        end = at
        at += 1 if raw[at] == QUOTE else 0
    else:
        while raw[at] != COMMA and raw[at] != LINE_FEED and raw[at] != RETURN:
            at += 1
        end = at
    if quoted and at == end:
        return start, start - 1, at  # the line ends within quotes
    if raw[at] == RETURN:
        at += 1
        if raw[at] != LINE_FEED:
            return start, start - 1, at
    if raw[at] != COMMA and raw[at] != LINE_FEED:
        return start, start - 1, at
    return start, end, at + 1


@kernel
def find_slot(
    raw: Bytes,
    texts: Int64,
    hashes: Hashes,
    slots: Int32,
    digest: np.uint64,
    column: int,
    start: int,
    end: int,
) -> int:
    """Slot of a column's text, or the empty one where it belongs."""
    mask = len(slots) - 1
    slot = int(np.int64(digest & np.uint64(mask)))
    while slots[slot] != NO_TEXT:
        text = slots[slot]
        same = hashes[text] == digest and texts[text, COLUMN] == column
        same = same and texts[text, END] - texts[text, START] == end - start
        k = 0
        while same and k < end - start:
            same = raw[texts[text, START] + k] == raw[start + k]
            k += 1
        if same:
            break
        slot = (slot + 1) & mask
    return slot


@kernel
def slots_of(hashes: Hashes, slot_count: int) -> Int32:
    """Put texts that all differ into slots, a power of two of them."""
    slots = np.full(slot_count, NO_TEXT, np.int32)
    for text in range(len(hashes)):
        slot = int(np.int64(hashes[text] & np.uint64(slot_count - 1)))
        while slots[slot] != NO_TEXT:
            slot = (slot + 1) & (slot_count - 1)
        slots[slot] = text
    return slots
