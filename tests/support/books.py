"""Databases of their own, and riders whose months are closed there."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from mobility.actions.rate_riders import renew_months
from mobility.db.databases import name_of
from mobility.db.engine import Engine, open_engine, ordinary_engine, upgrade
from mobility.db.fare_schema import fare_account
from mobility.db.schema import person
from mobility.db.usage import add_legs, hold_accounts, open_account
from mobility.servers.postgres import ensure_postgres
from payments.month import month_of
from payments.tariff import FareLeg
from payments.versions import Tariffs


@contextmanager
def empty_books(home: Path) -> Iterator[Engine]:
    """An empty database of its own as the application works with it, dropped at the end."""
    url = ensure_postgres(home).url
    name = f"books_{uuid.uuid4().hex[:8]}"
    server = open_engine(url).execution_options(isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(sa.text(f"create database {name}"))
    own = open_engine(sa.make_url(url).set(database=name).render_as_string(hide_password=False))
    upgrade(own, "books")
    own = ordinary_engine(own)
    yield own
    own.dispose()
    with server.connect() as connection:
        connection.execute(sa.text(f"drop database {name} with (force)"))
    server.dispose()


@contextmanager
def owned(home: Path, books: Engine) -> Iterator[Engine]:
    """The same database as the owner of its tables reaches it."""
    url = sa.make_url(ensure_postgres(home).url).set(database=name_of(books))
    owner = open_engine(url.render_as_string(hide_password=False))
    yield owner
    owner.dispose()


def new_accounts(
    engine: Engine, count: int, now: dt.datetime, ids: list[uuid.UUID] | None = None
) -> list[uuid.UUID]:
    """Accounts of nobody, perhaps with the ids of others elsewhere."""
    ids = ids or [uuid.uuid4() for _ in range(count)]
    with engine.begin() as connection:
        connection.execute(fare_account.insert(), [{"id": own, "created_at": now} for own in ids])
    return ids


def new_person(engine: Engine, now: dt.datetime) -> tuple[uuid.UUID, uuid.UUID]:
    """A person and his account."""
    person_id = uuid.uuid4()
    with engine.begin() as connection:
        connection.execute(
            person.insert().values(id=person_id, alias=str(person_id), created_at=now)
        )
        return person_id, open_account(connection, person_id, now)


def ride(
    engine: Engine, tariffs: Tariffs, legs: list[tuple[uuid.UUID, FareLeg]], now: dt.datetime
) -> None:
    """Let legs become known, as readers tell them."""
    with engine.begin() as connection:
        hold_accounts(connection, {account for account, _ in legs})
        add_legs(connection, legs)
        for account in {account for account, _ in legs}:
            months = {month_of(tariffs.versions[0], leg) for of, leg in legs if of == account}
            renew_months(connection, tariffs, [account], months)
