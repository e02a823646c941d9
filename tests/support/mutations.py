"""
Published feeds, spoilt: bytes flipped, columns dropped, rows swapped, cells filled with nonsense.

A seed decides everything: `python -m tests.support.mutations 17 18` spoils and builds feed 17
again, and prints what happened as a line of JSON.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import random
import resource
import shutil
import sys
import tempfile
import time
import traceback
import zipfile
from collections.abc import Callable
from pathlib import Path

import yaml

from core.errors import MobilityError
from mobility.actions.build_territory import build_territory
from mobility.actions.check_feed import check_feed
from mobility.territory import read_territory
from tests.support.memory import peak_bytes

TODAY = dt.date(2026, 11, 20)
SOURCE_LIMIT_BYTES = 600_000
"""Archives larger than this take too long to spoil five hundred times."""
ADDRESS_SPACE_BYTES = 8 * 2**30
"""Far above what is allowed: memory that runs away fails here and not on the machine."""
NONSENSE = (
    "", " ", "0", "-1", "999999999999999999999", "1e308", "-0.0001", "NaN", "inf", "null", "None",
    "25:61:61", "999:99:99", "335:59:59", "-1:00:00", "99999999", "00000000", "20260230", "é" * 300,
    "x" * 30_000, "\x00", "a\nb", 'a"b', "=1+1", "<script>", "[red]", "\u202e", "\ud7ff", "90",
    "-180", "1", "2", "4", "1970-01-01", "Europe/Atlantis",
)  # fmt: skip
Tables = dict[str, bytes]


def sources(data: Path) -> list[Path]:
    """Archives that are spoilt, in a fixed order."""
    found = sorted([*data.glob("broken/**/*.zip"), *data.glob("feeds/*.zip")])
    return [path for path in found if path.stat().st_size <= SOURCE_LIMIT_BYTES]


def spoilt(path: Path, seed: int) -> bytes:
    """Spoil an archive in one to four ways."""
    chance = random.Random(seed)
    tables = _unpacked(path)
    for _ in range(chance.randint(1, 4)):
        chance.choice(WAYS)(tables, chance)
    content = _packed(tables)
    return _flipped(content, chance) if chance.random() < 0.1 else content


def _unpacked(path: Path) -> Tables:
    try:
        with zipfile.ZipFile(path) as archive:
            return {info.filename: archive.read(info) for info in archive.infolist()}
    except (zipfile.BadZipFile, RuntimeError):
        return {"stops.txt": path.read_bytes()}


def _packed(tables: Tables) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in tables.items():
            archive.writestr(name, content)
    return out.getvalue()


def _flipped(content: bytes, chance: random.Random) -> bytes:
    spoilt = bytearray(content)
    for _ in range(chance.randint(1, 20)):
        if spoilt:
            spoilt[chance.randrange(len(spoilt))] ^= 1 << chance.randrange(8)
    return bytes(spoilt)


def _one(tables: Tables, chance: random.Random) -> str | None:
    return chance.choice(sorted(tables)) if tables else None


def _edit(tables: Tables, chance: random.Random, change: Callable[[list[list[str]]], None]) -> None:
    name = _one(tables, chance)
    if name is None:
        return
    text = tables[name].decode("utf-8", errors="replace").replace("\0", "")
    try:
        rows = list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error:
        return  # spoilt enough
    if rows and rows[0]:
        change(rows)
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    tables[name] = out.getvalue().encode("utf-8", errors="replace")


def flip_bytes(tables: Tables, chance: random.Random) -> None:
    """Flip bits of one table."""
    name = _one(tables, chance)
    if name is not None:
        tables[name] = _flipped(tables[name], chance)


def drop_table(tables: Tables, chance: random.Random) -> None:
    """Leave a table out."""
    name = _one(tables, chance)
    if name is not None:
        del tables[name]


def empty_table(tables: Tables, chance: random.Random) -> None:
    """Leave nothing, or the header, of a table."""
    name = _one(tables, chance)
    if name is not None:
        tables[name] = tables[name].partition(b"\n")[0] if chance.random() < 0.5 else b""


def cut_table(tables: Tables, chance: random.Random) -> None:
    """Cut a table short, in the middle of whatever."""
    name = _one(tables, chance)
    if name is not None:
        tables[name] = tables[name][: chance.randrange(len(tables[name]) + 1)]


def recode_table(tables: Tables, chance: random.Random) -> None:
    """Write a table in another encoding, or with other line ends."""
    name = _one(tables, chance)
    if name is None:
        return
    text = tables[name].decode("utf-8", errors="replace")
    coding = chance.choice(["utf-8-sig", "utf-16", "utf-16-le", "latin-1", "cp1252", "utf-7"])
    ends = chance.choice(["\n", "\r\n", "\r", "\n\n"])
    tables[name] = text.replace("\n", ends).encode(coding, errors="replace")


def drop_column(tables: Tables, chance: random.Random) -> None:
    """Leave a column out."""

    def change(rows: list[list[str]]) -> None:
        column = chance.randrange(len(rows[0]))
        for row in rows:
            del row[column : column + 1]

    _edit(tables, chance, change)


def rename_column(tables: Tables, chance: random.Random) -> None:
    """Give a column the name of another, or of none."""

    def change(rows: list[list[str]]) -> None:
        name = chance.choice([*rows[0], "", "what", "stop_id ", "\ufefftrip_id"])
        rows[0][chance.randrange(len(rows[0]))] = name

    _edit(tables, chance, change)


def swap_columns(tables: Tables, chance: random.Random) -> None:
    """Put the values of one column into another and back, under the old names."""

    def change(rows: list[list[str]]) -> None:
        a, b = (chance.randrange(len(rows[0])) for _ in range(2))
        for row in rows[1:]:
            if max(a, b) < len(row):
                row[a], row[b] = row[b], row[a]

    _edit(tables, chance, change)


def swap_rows(tables: Tables, chance: random.Random) -> None:
    """Shuffle the rows, perhaps the header with them."""

    def change(rows: list[list[str]]) -> None:
        first = chance.choice([0, 1, 1, 1])
        body = rows[first:]
        chance.shuffle(body)
        rows[first:] = body

    _edit(tables, chance, change)


def drop_rows(tables: Tables, chance: random.Random) -> None:
    """Leave out a third of the rows."""

    def change(rows: list[list[str]]) -> None:
        rows[1:] = [row for row in rows[1:] if chance.random() < 0.67]

    _edit(tables, chance, change)


def repeat_rows(tables: Tables, chance: random.Random) -> None:
    """Say everything again."""

    def change(rows: list[list[str]]) -> None:
        rows += [list(row) for row in rows[1:]]

    _edit(tables, chance, change)


def fill_cells(tables: Tables, chance: random.Random) -> None:
    """Put nonsense into a few cells."""

    def change(rows: list[list[str]]) -> None:
        for _ in range(chance.randint(1, 10)):
            row = chance.choice(rows)
            if row:
                row[chance.randrange(len(row))] = chance.choice(NONSENSE)

    _edit(tables, chance, change)


def fill_column(tables: Tables, chance: random.Random) -> None:
    """Put the same nonsense into a whole column."""

    def change(rows: list[list[str]]) -> None:
        column, value = chance.randrange(len(rows[0])), chance.choice(NONSENSE)
        for row in rows[1:]:
            if column < len(row):
                row[column] = value

    _edit(tables, chance, change)


def lengthen_rows(tables: Tables, chance: random.Random) -> None:
    """Add or remove fields at the end of rows."""

    def change(rows: list[list[str]]) -> None:
        for row in rows[1:]:
            if chance.random() < 0.3:
                row.extend(["x"] * chance.choice([0, 0, 1, 2, 3]))
                del row[len(row) - chance.randrange(len(row) + 1) :]

    _edit(tables, chance, change)


WAYS = (
    flip_bytes, drop_table, empty_table, cut_table, recode_table, drop_column, rename_column,
    swap_columns, swap_rows, drop_rows, repeat_rows, fill_cells, fill_cells, fill_column,
    fill_column, lengthen_rows,
)  # fmt: skip


def run(archive: Path, folder: Path) -> str:
    """Check and build a feed as an operator does: `built`, or the error that refused it."""
    try:
        check_feed(archive, today=TODAY)
    except MobilityError as error:
        refused = error.code
    else:
        refused = ""
    content = {
        "id": "spoilt",
        "name": "Spoilt",
        "timezone": "Europe/Paris",
        "feeds": [{"id": "f", "path": str(archive)}],
    }
    (folder / "territory.yaml").write_text(yaml.safe_dump(content))
    snapshots = folder / "snapshots"
    try:
        build_territory(read_territory(folder / "territory.yaml"), snapshots)
    except MobilityError as error:
        assert not [p for p in snapshots.glob("*") if p.is_dir()], "a half-written snapshot"
        return error.code
    assert not refused, f"checked as {refused}, yet built"
    return "built"


def main(first: int, last: int, data: Path) -> None:
    """Spoil and run feeds `first` to before `last`."""
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE_BYTES, ADDRESS_SPACE_BYTES))
    every = sources(data)
    for seed in range(first, last):
        source = every[seed % len(every)]
        folder = Path(tempfile.mkdtemp(prefix="mobility-spoilt-"))
        archive = folder / "spoilt.zip"
        archive.write_bytes(spoilt(source, seed))
        begun = time.monotonic()
        try:
            outcome, trace = run(archive, folder), ""
        except Exception as error:  # noqa: BLE001 — whatever it is, it is what we look for
            outcome, trace = repr(error)[:200], traceback.format_exc()
        told = {
            "seed": seed,
            "source": source.name,
            "outcome": outcome,
            "seconds": round(time.monotonic() - begun, 2),
            "peak_mb": peak_bytes() // 2**20,
            "trace": trace,
        }
        print(json.dumps(told), flush=True)
        shutil.rmtree(folder)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
