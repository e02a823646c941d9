"""Servers that others run: backed up and restored, under roles that may do more or less."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from mobility.actions.examine_installation import (
    Level,
)
from mobility.backup_file import read_backup
from mobility.installation import (
    open_installation,
    opened_database,
)
from mobility.servers import dumps
from mobility.servers.cluster import MAJOR
from tests.features.test_backup import change_posting, ledger_of, opened_home
from tests.support.external import ESCAPED, PASSWORD, OwnFolder, own_folder, start_postgres


@pytest.fixture(scope="module")
def folder() -> Iterator[OwnFolder]:
    with own_folder() as made:
        yield made


def admin_of(url: str) -> sa.Engine:
    """The server as its administrator reaches it."""
    driven = url.replace("postgresql:", "postgresql+psycopg:")
    return sa.create_engine(driven, isolation_level="AUTOCOMMIT")


@pytest.mark.parametrize("major", [16, MAJOR])
def test_external_server_is_backed_up_and_restored_with_its_password_hidden(
    folder: OwnFolder, demo_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, major: int
) -> None:
    url, stop = start_postgres(folder, dumps.program(major, "initdb").parent, f"major{major}")
    real, log = dumps.program, tmp_path / "command_lines"
    log.touch()

    def logged(server_major: int, name: str) -> Path:
        script = tmp_path / name
        script.write_text(
            f"#!/bin/sh\ntr '\\0' ' ' </proc/$$/cmdline >>{log}\n"
            f'exec {real(server_major, name)} "$@"\n'
        )
        script.chmod(0o755)
        return script

    monkeypatch.setattr(dumps, "program", logged)
    try:
        with opened_home(demo_home, url=url) as home:
            ids = home.publish(0, 1, 2)
            path = home.back_up(tmp_path)
            assert read_backup(path).postgres == major
            stored = home.stored()
            home.end(ids[0])
            home.run("restore", "--check", path)
            home.run("restore", path, "--replace", "--yes")
            assert home.stored() == stored
            assert not (home.settings.home / "postgres").exists()
    finally:
        folder.run(*stop)
    lines = log.read_text()
    assert "pg_dump" in lines
    assert "host=127.0.0.1" in lines
    assert PASSWORD not in lines
    assert ESCAPED not in lines


def test_role_that_may_not_create_databases_is_told_so(
    folder: OwnFolder, demo_home: Path, tmp_path: Path
) -> None:
    url, stop = start_postgres(folder, dumps.program(MAJOR, "initdb").parent, "limited")
    try:
        admin = admin_of(url)
        with admin.connect() as connection:
            connection.execute(sa.text("create role limited login password 'x'"))
            connection.execute(sa.text("create database theirs owner limited"))
        own = url.replace(f"them:{ESCAPED}", "limited:x").replace("/postgres", "/theirs")
        with opened_home(demo_home, url=own) as home:
            home.publish(0)
            path = home.back_up(tmp_path)
            assert "CREATEDB" in str(home.refuse(path))
            # It may not make roles either: triggers keep the ledger until somebody else makes it.
            assert "insert-only" in change_posting(home.installation.engine)
            check = ledger_of(home.settings)
            assert (check.level, "by triggers only" in check.message) == (Level.WARNING, True)
            made = 'create role "limited_app" nologin; grant "limited_app" to "limited"'
            assert made in check.advice
            with admin.connect() as connection:
                for statement in made.split("; "):
                    connection.execute(sa.text(statement))
            assert ledger_of(home.settings).advice == "mobility db upgrade"
            open_installation(home.settings).close()
            assert ledger_of(home.settings).level is Level.OK
            with opened_database(home.settings) as engine:
                assert "permission denied" in change_posting(engine)
            home.publish(1)
            with admin.connect() as connection:  # a login is nothing to work under
                connection.execute(sa.text("alter role limited_app login"))
            open_installation(home.settings).close()
            assert 'alter role "limited_app" nologin' in ledger_of(home.settings).advice
        admin.dispose()
    finally:
        folder.run(*stop)


def test_role_that_may_create_roles_makes_its_own(folder: OwnFolder, demo_home: Path) -> None:
    url, stop = start_postgres(folder, dumps.program(MAJOR, "initdb").parent, "maker")
    try:
        admin = admin_of(url)
        with admin.connect() as connection:
            connection.execute(sa.text("create role \"a maker\" login createrole password 'x'"))
            connection.execute(sa.text('create database theirs owner "a maker"'))
        admin.dispose()
        own = url.replace(f"them:{ESCAPED}", "a%20maker:x").replace("/postgres", "/theirs")
        with opened_home(demo_home, url=f"{own}?options=-c%20statement_timeout%3D54321") as home:
            home.publish(0)
            assert ledger_of(home.settings).level is Level.OK
            engine = home.installation.engine
            assert "permission denied" in change_posting(engine)
            with engine.connect() as connection:
                shown = [
                    connection.execute(sa.text(f"show {name}")).scalar_one()
                    for name in ("role", "statement_timeout")
                ]
            assert shown == ["a maker_app", "54321ms"]
    finally:
        folder.run(*stop)
