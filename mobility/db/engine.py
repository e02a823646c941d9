"""Connections: the engine, migrations and the territory that a database belongs to."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError as DatabaseAway
from sqlalchemy.exc import SQLAlchemyError as DatabaseError

from core.errors import Conflict, Unavailable
from mobility.db.schema import installation

__all__ = [
    "DatabaseAway",
    "DatabaseError",
    "Engine",
    "WrongTerritory",
    "is_known_schema",
    "open_engine",
    "upgrade",
]

POOL_SIZE = 10
CONNECT_TIMEOUT_S = 10
MINIMUM_VERSION = 160_000
"""PostgreSQL 16: the oldest that the migrations are meant for."""


class WrongTerritory(Conflict):
    """The data directory belongs to another territory."""

    code = "wrong_territory"


def open_engine(url: str) -> sa.Engine:
    """Engine for a database; raises `Unavailable` when it cannot be reached or is too old."""
    if url.startswith("postgresql://"):
        url = url.replace("postgresql://", "postgresql+psycopg://", 1)
    engine = sa.create_engine(
        url,
        pool_size=POOL_SIZE,
        pool_pre_ping=True,
        connect_args={"connect_timeout": CONNECT_TIMEOUT_S},
    )
    try:
        with engine.connect() as connection:
            version = int(connection.execute(sa.text("show server_version_num")).scalar_one())
    except sa.exc.OperationalError as error:
        engine.dispose()
        raise Unavailable(f"PostgreSQL cannot be reached: {error.orig}") from error
    if version < MINIMUM_VERSION:
        engine.dispose()
        raise Unavailable(f"PostgreSQL {version // 10_000} is too old: 16 or later is needed")
    return engine


def upgrade(engine: sa.Engine, territory_id: str) -> None:
    """Bring the schema up to date and bind the database to a territory."""
    config = _config()
    with engine.begin() as connection:
        # One process migrates; others wait here and then find nothing to do.
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(7_305_000)))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        owner = connection.execute(sa.select(installation.c.territory_id)).scalar()
        if owner is None:
            connection.execute(
                installation.insert().values(
                    territory_id=territory_id, created_at=dt.datetime.now(dt.UTC)
                )
            )
        elif owner != territory_id:
            raise WrongTerritory(
                f"this data directory belongs to territory {owner!r}, not {territory_id!r}: "
                "set MOBILITY_HOME to another one"
            )


def is_known_schema(revision: str) -> bool:
    """Say whether this program has the migration: a newer program's database it has not."""
    every = ScriptDirectory.from_config(_config()).walk_revisions()
    return revision in {script.revision for script in every}


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
