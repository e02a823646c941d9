"""What a database holds: its territory, its schema and its row counts, at one moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from mobility.db.schema import compiled_offer, follower, installation

RECOMPUTED = (compiled_offer.name,)
"""Tables whose rows any process makes again from the others (`mobility/world_keeper.py`)."""
VERSION_TABLE = "alembic_version"
BOOKKEEPING = (installation.name, follower.name, VERSION_TABLE)
"""Tables with rows before anybody has entered anything."""
SYSTEM_SCHEMA = "information_schema"


@dataclass(frozen=True, slots=True)
class Contents:
    """What a database holds; territory and schema are None where nothing was set up yet."""

    territory_id: str | None
    schema_revision: str | None
    rows: Mapping[str, int]
    """Row count of each table but the recomputed ones; with its schema where that is not public."""

    @property
    def is_empty(self) -> bool:
        """Whether nobody has entered anything."""
        return not any(count for name, count in self.rows.items() if name not in BOOKKEEPING)


@contextmanager
def one_moment(engine: sa.Engine) -> Iterator[tuple[sa.Connection, str]]:
    """
    Hold one moment of a database while others go on writing.

    Gives a connection that sees that moment, and the moment's name for other connections.
    """
    with engine.connect().execution_options(
        isolation_level="REPEATABLE READ", postgresql_readonly=True
    ) as connection:
        yield connection, connection.execute(sa.select(sa.func.pg_export_snapshot())).scalar_one()


def read_contents(connection: sa.Connection) -> Contents:
    """Count every row: as long as reading the tables once."""
    inspector = sa.inspect(connection)
    rows: dict[str, int] = {}
    for schema in inspector.get_schema_names():
        if schema == SYSTEM_SCHEMA:
            continue
        for name in inspector.get_table_names(schema):
            table = sa.table(name, schema=schema)
            count = connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            rows[name if schema == "public" else f"{schema}.{name}"] = count
    territory_id = schema_revision = None
    if installation.name in rows:
        territory_id = connection.execute(sa.select(installation.c.territory_id)).scalar()
    if VERSION_TABLE in rows:
        version = sa.table(VERSION_TABLE, sa.column("version_num"))
        schema_revision = connection.execute(sa.select(version.c.version_num)).scalar()
    kept = {name: rows[name] for name in sorted(rows) if name not in RECOMPUTED}
    return Contents(territory_id, schema_revision, kept)
