"""
Databases beside each other on one server: made, dropped, and switched by their names.

A restore fills a database of its own. Two renames in one transaction put it in the place of the
one that is served, so that there is no moment, and no crash, that leaves neither.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from core.errors import Conflict, NotFound, Unavailable
from mobility.servers.dumps import Address

RESTORE_LOCK = 7_305_002
SWITCH_ATTEMPT_COUNT = 5
"""A client may come back between the end of its connection and the rename."""
NAME_LIMIT = 30
"""Characters of a database's name that others are named after; PostgreSQL cuts names at 63."""


class RestoreRunning(Conflict):
    """Another process restores a backup on this server."""

    code = "restore_running"


class NothingKept(NotFound):
    """No earlier database stands beside the one that is served."""

    code = "nothing_kept"


def address_of(engine: sa.Engine) -> Address:
    """Say where the programs of PostgreSQL find the database of an engine."""
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        info = driver.info
        return Address(info.dsn, info.password, info.server_version // 10_000)


def name_of(engine: sa.Engine) -> str:
    """Name of the database that an engine leads to."""
    with engine.connect() as connection:
        return str(connection.execute(sa.select(sa.func.current_database())).scalar_one())


@contextmanager
def server_of(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Connect to another database of the same server, alone in the work of restoring."""
    other = "template1" if name_of(engine) == "postgres" else "postgres"
    admin = sa.create_engine(
        engine.url.set(database=other), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool
    )
    with admin.connect() as connection:
        if not connection.execute(sa.select(sa.func.pg_try_advisory_lock(RESTORE_LOCK))).scalar():
            raise RestoreRunning("another restore runs on this server: wait until it has ended")
        yield connection


def engine_beside(engine: sa.Engine, name: str) -> sa.Engine:
    """Engine for another database of the same server; it keeps no connection open."""
    return sa.create_engine(engine.url.set(database=name), poolclass=sa.NullPool)


@contextmanager
def scratch_database(server: sa.Connection, engine: sa.Engine) -> Iterator[sa.Engine]:
    """Make an empty database beside that of `engine`; dropped, unless it was renamed."""
    name = f"{name_of(engine)[:NAME_LIMIT]}_scratch"
    drop_database(server, name)  # of a restore that was killed
    quoted = _quoted(server, name)
    try:
        server.execute(sa.text(f"create database {quoted} template template0 encoding 'UTF8'"))
    except sa.exc.DBAPIError as error:
        raise Unavailable(
            f"no database can be made beside the served one: {error.orig}. "
            "The role needs CREATEDB (alter role … createdb)."
        ) from error
    try:
        yield engine_beside(engine, name)
    finally:
        drop_database(server, name)


def drop_database(server: sa.Connection, name: str) -> None:
    """Drop a database with whoever is connected to it; one that is absent is no error."""
    quoted = _quoted(server, name)
    server.execute(sa.text(f"drop database if exists {quoted} with (force)"))


def switch_database(server: sa.Connection, incoming: str, live: str, now: dt.datetime) -> str:
    """
    Put a database in the place of the served one, whose connections end; both happen, or nothing.

    Returns the name under which the served one is kept.
    """
    kept = f"{_kept_prefix(live)}{now:%Y%m%d_%H%M%S_%f}"
    names = [_quoted(server, name) for name in (live, kept, incoming)]
    for attempt in range(1, SWITCH_ATTEMPT_COUNT + 1):
        try:
            _rename(server, (live, incoming), names)
        except sa.exc.DBAPIError as error:
            if attempt == SWITCH_ATTEMPT_COUNT:
                raise Unavailable(
                    f"{live} is in use and was not replaced: stop what is connected to it "
                    f"under another account, then restore again ({error.orig})"
                ) from error
        else:
            break
    return kept


def newest_kept(server: sa.Connection, live: str) -> str:
    """Name of the database that was replaced last; raises `NothingKept` when there is none."""
    every = server.execute(sa.text("select datname from pg_database")).scalars()
    kept = sorted(name for name in every if name.startswith(_kept_prefix(live)))
    if not kept:
        raise NothingKept(f"no earlier database stands beside {live}: nothing was replaced yet")
    return str(kept[-1])


def _rename(server: sa.Connection, busy: tuple[str, str], names: list[str]) -> None:
    live, kept, incoming = names
    engine = server.engine.execution_options(isolation_level="READ COMMITTED")
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = any(:busy)"
            ),
            {"busy": list(busy)},
        )
        # The rename waits 5 s for those to leave; who comes meanwhile waits for its end.
        connection.execute(sa.text(f"alter database {live} rename to {kept}"))
        connection.execute(sa.text(f"alter database {incoming} rename to {live}"))


def _kept_prefix(live: str) -> str:
    return f"{live[:NAME_LIMIT]}_before_"


def _quoted(connection: sa.Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote(name)
