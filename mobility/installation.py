"""Servers and folders of one data directory: embedded by default, external by URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gtfs_data.store import read_manifest
from mobility.db.engine import Engine, open_engine, ordinary_engine, upgrade
from mobility.live import Cars, RateLimits, Wakeups
from mobility.servers.postgres import ensure_postgres, stop_postgres
from mobility.servers.valkey import ensure_valkey, stop_valkey
from mobility.settings import Settings
from mobility.snapshots import current_snapshot

if TYPE_CHECKING:  # loaded only where an issuer is set
    from mobility.users.oidc import OpenIdIssuer


@dataclass(frozen=True, slots=True)
class Installation:
    """What a process works with; made by `open_installation`."""

    snapshot_folder: Path
    snapshots: Path | None
    """Folder whose current snapshot is followed; None when one was named by hand."""
    engine: Engine
    wakeups: Wakeups
    limits: RateLimits
    cars: Cars
    redis_url: str
    issuer: OpenIdIssuer | None
    settings: Settings

    def revive(self) -> None:
        """
        Start embedded servers that died; those of `mobility stop` stay down.

        Any process that misses them may call this: a lock in the home lets one at a time start.
        """
        if _stop_mark(self.settings).exists():
            return
        if self.settings.database_url is None:
            ensure_postgres(self.settings.home)
        if self.settings.redis_url is None:
            ensure_valkey(self.settings.home)

    def close(self) -> None:
        """Let connections go; embedded servers stay up for the other processes."""
        self.wakeups.close()
        self.limits.close()
        self.cars.close()
        self.engine.dispose()


def open_installation(settings: Settings) -> Installation:
    """
    Find the snapshot, start embedded servers that are not up, bring the schema up to date.

    Raises
    ------
    Unavailable
        There is no snapshot, or a server cannot be started or reached.
    WrongTerritory
        The data directory belongs to another territory.
    """
    folder = settings.snapshot or current_snapshot(settings.snapshots)
    territory_id = str(read_manifest(folder)["id"])
    owner = _open_database(settings)
    redis_url = settings.redis_url or ensure_valkey(settings.home).url
    upgrade(owner, territory_id)
    engine = ordinary_engine(owner)
    followed = None if settings.snapshot else settings.snapshots
    wakeups, limits = Wakeups(redis_url), RateLimits(redis_url)
    issuer = open_issuer(settings)
    cars = Cars(redis_url)
    return Installation(
        folder, followed, engine, wakeups, limits, cars, redis_url, issuer, settings
    )


def open_issuer(settings: Settings) -> OpenIdIssuer | None:
    """Issuer by which people may sign in, if there is one; it is asked only once somebody does."""
    if settings.oidc_issuer is None:
        return None
    from mobility.users.oidc import OpenIdIssuer  # noqa: PLC0415 — most have no issuer

    secret = settings.oidc_client_secret
    told = None if secret is None else secret.get_secret_value()
    return OpenIdIssuer(settings.oidc_issuer, settings.oidc_client_id, told)


@contextmanager
def opened_database(settings: Settings) -> Iterator[Engine]:
    """Reach the database as it is, without a snapshot; the embedded server is started for it."""
    engine = ordinary_engine(_open_database(settings))
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def opened_as_owner(settings: Settings) -> Iterator[Engine]:
    """Reach the database as whoever owns its tables: to save, restore and migrate it."""
    engine = _open_database(settings)
    try:
        yield engine
    finally:
        engine.dispose()


def _open_database(settings: Settings) -> Engine:
    _stop_mark(settings).unlink(missing_ok=True)
    return open_engine(settings.database_url or ensure_postgres(settings.home).url)


def stop_servers(settings: Settings) -> list[str]:
    """Stop the embedded servers of a home, until a command needs them; returns which ran."""
    if settings.home.is_dir():
        _stop_mark(settings).touch()
    return [
        name
        for name, stop in (("postgres", stop_postgres), ("valkey", stop_valkey))
        if stop(settings.home)
    ]


def _stop_mark(settings: Settings) -> Path:
    """File that says that the embedded servers were stopped on purpose."""
    return settings.home / ".stopped"
