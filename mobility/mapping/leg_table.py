"""CSV files of legs ↔ fare legs: what people try a tariff with."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from core.errors import InvalidInput
from payments.tariff import MODES, FareLeg

COLUMNS = ("mode", "board_at", "metres", "minutes", "zones", "operator", "route")
NEEDED = COLUMNS[:2]
EXAMPLE, EXPECTED = "example", "expected_cents"


class LegTableInvalid(InvalidInput):
    """A CSV of legs that cannot be read."""

    code = "leg_table_invalid"


@dataclass(frozen=True, slots=True)
class Example:
    """One rider's legs and what they should cost."""

    name: str
    legs: tuple[FareLeg, ...]
    expected_cents: int


def leg_row(leg: FareLeg, timezone: str) -> dict[str, str]:
    """A leg as a row of such a file."""
    local = leg.board_at.astimezone(ZoneInfo(timezone)).replace(tzinfo=None)
    return {
        "mode": leg.mode,
        "board_at": local.isoformat(sep=" ", timespec="minutes"),
        "metres": str(leg.metres),
        "minutes": str(leg.seconds // 60),
        "zones": " ".join(leg.zones),
        "operator": leg.operator,
        "route": leg.route,
    }


def read_legs(path: Path, timezone: str) -> list[FareLeg]:
    """
    Read one rider's legs: columns `mode` and `board_at`, on the clock of the territory.

    Where the tariff asks for them also `metres`, `minutes`, `zones` (from the first to the last,
    with spaces between), `operator` and `route`.

    Raises
    ------
    LegTableInvalid
        A row cannot be read; the message names it.
    """
    return [_leg(path, line, row, timezone) for line, row in _rows(path, NEEDED)]


def read_examples(path: Path, timezone: str) -> list[Example]:
    """Examples of a file as `read_legs` reads it, with columns `example` and `expected_cents`."""
    legs: dict[str, list[FareLeg]] = {}
    expected: dict[str, int] = {}
    for line, row in _rows(path, (EXAMPLE, EXPECTED, *NEEDED)):
        name = row[EXAMPLE]
        legs.setdefault(name, []).append(_leg(path, line, row, timezone))
        if row[EXPECTED]:
            cents = _whole(path, line, row, EXPECTED)
            if expected.setdefault(name, cents) != cents:
                raise LegTableInvalid(f"{path} line {line}: {name} has two expected_cents")
    for name in legs:
        if name not in expected:
            raise LegTableInvalid(f"{path}: {name} has no expected_cents")
    return [Example(name, tuple(own), expected[name]) for name, own in legs.items()]


def _rows(path: Path, needed: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            start = file.read(4_096)
            file.seek(0)
            reader = csv.DictReader(
                file, delimiter=";" if start.count(";") > start.count(",") else ","
            )
            header = [name.strip() for name in reader.fieldnames or ()]
            missing = [name for name in needed if name not in header]
            if missing:
                raise LegTableInvalid(f"{path}: column {missing[0]} is missing")
            reader.fieldnames = header
            for row in reader:
                yield reader.line_num, {k: (v or "").strip() for k, v in row.items() if k}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise LegTableInvalid(f"cannot read {path}: {error}") from error


def _leg(path: Path, line: int, row: dict[str, str], timezone: str) -> FareLeg:
    mode = row["mode"]
    if mode not in MODES:
        raise LegTableInvalid(f"{path} line {line}: mode {mode!r} is not one of {', '.join(MODES)}")
    try:
        local = dt.datetime.fromisoformat(row["board_at"])
    except ValueError as error:
        raise LegTableInvalid(
            f"{path} line {line}: board_at {row['board_at']!r} is not a time: 2027-03-24 08:00"
        ) from error
    at = local if local.tzinfo is not None else local.replace(tzinfo=ZoneInfo(timezone))
    return FareLeg(
        mode,
        at.astimezone(dt.UTC),
        _whole(path, line, row, "metres"),
        _whole(path, line, row, "minutes") * 60,
        tuple(row.get("zones", "").split()),
        row.get("operator", ""),
        row.get("route", ""),
        f"line {line}",
    )


def _whole(path: Path, line: int, row: dict[str, str], name: str) -> int:
    text = row.get(name, "") or "0"
    if not text.isdecimal():
        raise LegTableInvalid(f"{path} line {line}: {name} {text!r} is not a whole number")
    return int(text)
