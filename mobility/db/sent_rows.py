"""Rows and lists that are sent as one value, so that no statement grows with the batch."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg


def sent_rows(
    rows: Sequence[Mapping[str, object]], types: Mapping[str, Any]
) -> sa.TableValuedAlias:
    """
    Make a table of some rows, at least one, to select from.

    Parameters
    ----------
    types
        Of columns that are not text.
    """
    columns: list[sa.ColumnClause[Any]] = [
        sa.column(name, types.get(name, sa.Text)) for name in rows[0]
    ]
    sent = sa.cast(sa.literal(orjson.dumps(rows).decode()), pg.JSON)
    table = sa.func.json_to_recordset(sent).table_valued(*columns)
    return table.render_derived(name="given", with_types=True)


def among(column: sa.Column[Any], values: Collection[object]) -> sa.ColumnElement[bool]:
    """Whether a column's value is one of some."""
    return column == sa.any_(sa.literal(list(values), pg.ARRAY(column.type)))
