"""Connections: the engine, migrations and the territory that a database belongs to."""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import psycopg
import sqlalchemy as sa
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError as DatabaseAway
from sqlalchemy.exc import SQLAlchemyError as DatabaseError
from sqlalchemy.exc import TimeoutError as DatabaseBusy

from core.errors import Conflict, Unavailable
from mobility.db.application_role import find_settled_role, settle_rights
from mobility.db.schema import installation

__all__ = [
    "LATER",
    "Connection",
    "DatabaseAway",
    "DatabaseBusy",
    "DatabaseError",
    "Engine",
    "WrongTerritory",
    "again_after_deadlock",
    "begin_in_trips",
    "is_known_schema",
    "open_engine",
    "ordinary_engine",
    "read_quote_key",
    "upgrade",
]

P = ParamSpec("P")
T = TypeVar("T")
DEADLOCK = "40P01"
"""SQLSTATE of a transaction that was given up so that another could go on."""
DEADLOCK_TRIES = 4
POOL_SIZE = 10
CONNECT_TIMEOUT_S = 10
MINIMUM_VERSION = 160_000
"""PostgreSQL 16: the oldest that the migrations are meant for."""
LATER = {"later": True}
"""Execution options of a statement of which nothing is read, see `begin_in_trips`."""
_PIPELINE = "pipeline"
MIGRATIONS = Path(__file__).parent / "migrations"


class WrongTerritory(Conflict):
    """The data directory belongs to another territory."""

    code = "wrong_territory"


def open_engine(url: str) -> sa.Engine:
    """Engine for a database; raises `Unavailable` when it cannot be reached or is too old."""
    if url.startswith("postgresql://"):
        url = url.replace("postgresql://", "postgresql+psycopg://", 1)
    engine = _engine(sa.make_url(url))
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


def ordinary_engine(owner: sa.Engine) -> sa.Engine:
    """
    Replace an owner's engine by one that may add to the ledger and change nothing of it.

    Its connections are made under the application's role, which costs no question more. Where the
    rights are not settled here, or something between refuses the option, it is the owner's engine.
    """
    with owner.connect() as connection:
        role = find_settled_role(connection)
        driver: Any = connection.connection.driver_connection
        options = driver.info.get_parameters().get("options", "")
    if role is None:
        return owner
    escaped = re.sub(r"([\\\s])", r"\\\1", role)
    ours = _engine(owner.url.update_query_dict({"options": f"{options} -c role={escaped}".strip()}))
    try:
        ours.connect().close()
    except sa.exc.OperationalError:
        ours.dispose()
        owner.connect().close()  # a server that is away is told of, not worked around
        return owner
    owner.dispose()
    return ours


def _engine(url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(
        url,
        pool_size=POOL_SIZE,
        pool_pre_ping=True,
        hide_parameters=True,  # errors end in logs, parameters are people's
        connect_args={"connect_timeout": CONNECT_TIMEOUT_S},
    )
    sa.event.listen(engine, "after_cursor_execute", _wait)
    sa.event.listen(engine, "handle_error", _forget_rest)
    return engine


def upgrade(engine: sa.Engine, territory_id: str) -> None:
    """Bring schema and rights up to date, and bind the database to a territory; as its owner."""
    with engine.begin() as connection:
        # One process migrates; others wait here and then find nothing to do.
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(7_305_000)))
        if _schema_of(connection) != known_schemas()[-1]:
            _migrate(connection)
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
        settle_rights(connection)


def again_after_deadlock(act: Callable[P, T]) -> Callable[P, T]:
    """Do what makes a transaction of its own once more if the database has given it up."""

    @functools.wraps(act)
    def tried(*args: P.args, **more: P.kwargs) -> T:
        for _ in range(DEADLOCK_TRIES - 1):
            try:
                return act(*args, **more)
            except DatabaseAway as error:
                if getattr(error.orig, "sqlstate", None) != DEADLOCK:
                    raise
        return act(*args, **more)

    return tried


@contextmanager
def begin_in_trips(engine: sa.Engine) -> Iterator[sa.Connection]:
    """
    Begin a transaction in which the server is waited for only where something is read.

    Statements with `LATER` are sent along with the next one without, or with the commit. What one
    of them raises is raised there, and none of those after it is done.
    """
    with engine.connect() as connection:
        info, driver = connection.info, _driver_of(connection)
        with driver.pipeline() as info[_PIPELINE]:
            try:
                with connection.begin():
                    try:
                        yield connection
                    except BaseException:
                        _drain(info[_PIPELINE], driver)
                        raise
            finally:
                del info[_PIPELINE]


def _driver_of(connection: sa.Connection) -> psycopg.Connection:
    driver: psycopg.Connection | None = connection.connection.driver_connection
    assert driver is not None
    return driver


def _wait(
    connection: sa.Connection,
    _cursor: object,
    _statement: str,
    _parameters: object,
    context: Any,  # noqa: ANN401 — of the driver
    _many: bool,  # noqa: FBT001 — as the listener is called
) -> None:
    """In a transaction in trips, wait for what a statement gives unless it is for later."""
    pipeline = connection.info.get(_PIPELINE)
    if pipeline is not None and not context.execution_options.get("later"):
        pipeline.sync()


def _forget_rest(context: sa.engine.ExceptionContext) -> None:
    """In a transaction in trips, have nothing left of the statements behind one that failed."""
    connection = context.connection
    if connection is None or connection.invalidated or _PIPELINE not in connection.info:
        return
    _drain(connection.info[_PIPELINE], _driver_of(connection))


def _drain(pipeline: psycopg.Pipeline, driver: psycopg.Connection) -> None:
    """Take what the server says of all that was sent, so that it listens to a rollback."""
    while not driver.closed:
        with suppress(psycopg.Error):
            pipeline.sync()
            return


def read_quote_key(connection: sa.Connection) -> bytes:
    """Key by which quotes are signed: drawn by the database that it belongs to."""
    return bytes(connection.execute(sa.select(installation.c.quote_key)).scalar_one())


def is_known_schema(revision: str) -> bool:
    """Say whether this program has the migration: a newer program's database it has not."""
    return revision in known_schemas()


def known_schemas() -> list[str]:
    """Revisions of all migrations, the first one first: their files are named by date."""
    files = sorted((MIGRATIONS / "versions").glob("*.py"))
    found = (
        re.search(r'^revision = "(.+)"$', file.read_text("utf-8"), re.MULTILINE) for file in files
    )
    return [match[1] for match in found if match]


def _schema_of(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("select version_num from alembic_version")).scalar()


def _migrate(connection: sa.Connection) -> None:
    from alembic import command  # noqa: PLC0415 — loaded once a schema is out of date
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
