"""Tables of places for studies: CSV files as spreadsheets write them, read row by row."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from core.errors import InvalidInput
from core.geo import Coordinate
from mobility.endpoints import find_stop
from routing.network import Network
from routing.query import Endpoint

ROW_LIMIT = 100_000
"""Places of one table: what a matrix of a few hundred columns can still take."""
MATCHING_M = 250.0


@dataclass(frozen=True, slots=True)
class PlaceTable:
    """Places that could be read, and one sentence for each row that is wrong."""

    places: tuple[Endpoint, ...]
    problems: tuple[str, ...]


def read_place_table(file: Path, network: Network) -> PlaceTable:
    """
    Read places from columns ``lat`` and ``lon``, or ``stop_id``; ``id`` names them if there.

    Columns are parted by commas, semicolons (decimal commas are understood then) or tabs. A row
    that is wrong is left out and told; so is one far from any street, which stays.

    Raises
    ------
    InvalidInput
        The file cannot be read, has none of these columns, or no row that is right.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file}: cannot be read as UTF-8 text: {error}") from error
    header, _, _ = text.partition("\n")
    delimiter = next((d for d in (";", "\t") if d in header), ",")
    rows = csv.reader(text.replace("\0", "\ufffd").splitlines(), delimiter=delimiter)
    names = [name.strip().lower() for name in next(rows, [])]
    if not ("stop_id" in names or {"lat", "lon"} <= set(names)):
        raise InvalidInput(
            f"{file}: columns lat and lon, or stop_id, are expected in its first row"
        )
    places: dict[str, Endpoint] = {}
    problems = []
    for row in rows:
        where = f"{file} row {rows.line_num}"
        if rows.line_num > ROW_LIMIT + 1:
            problems.append(f"{where}: left out with all that follow; {ROW_LIMIT:,} rows are read")
            break
        if not any(cell.strip() for cell in row):
            continue
        cells = dict(zip(names, (cell.strip() for cell in row), strict=False))
        name = cells.get("id") or cells.get("stop_id") or str(rows.line_num)
        try:
            place = _place(cells, name, network, decimal_comma=delimiter != ",")
        except InvalidInput as error:
            problems.append(f"{where}: {error}; left out")
            continue
        if name in places:
            problems.append(f"{where}: id {name!r} stands above already; left out")
            continue
        if place.stop_id is None:
            snapped = network.find_snapped("foot", place.coordinate, MATCHING_M)
            if snapped is None:
                problems.append(f"{where}: no street within {MATCHING_M:.0f} m; never reached")
        places[name] = place
    if not places:
        raise InvalidInput("; ".join([f"{file}: no row can be used", *problems[:3]]))
    return PlaceTable(tuple(places.values()), tuple(problems))


def _place(cells: dict[str, str], name: str, network: Network, *, decimal_comma: bool) -> Endpoint:
    stop_id = cells.get("stop_id")
    if stop_id:
        stop = find_stop(network, stop_id)
        if stop is None:
            raise InvalidInput(f"stop_id {stop_id!r} is none of this territory")
        return Endpoint(stop.coordinate, stop.stop_id, name)
    degrees = []
    for column in ("lat", "lon"):
        text = cells.get(column, "")
        try:
            degrees.append(float(text.replace(",", ".") if decimal_comma else text))
        except ValueError as error:
            raise InvalidInput(f"{column} is {text!r}: degrees are expected") from error
    return Endpoint(Coordinate(lat=degrees[0], lon=degrees[1]), None, name)
