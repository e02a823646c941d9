from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mobility.servers.postgres import stop_postgres
from mobility.servers.valkey import stop_valkey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def homes_made_and_stopped() -> Iterator[Callable[..., Path]]:
    """
    Makes home folders, and stops whatever runs in them at the end.

    Not under `tmp_path`: pytest keeps that closed (0700) to the account that servers run as
    when the tests run as root.
    """
    homes: list[Path] = []
    parents: list[Path] = []

    def make(name: str = "home") -> Path:
        parent = Path(tempfile.mkdtemp(prefix="mobility-test-"))
        parent.chmod(0o711)
        parents.append(parent)
        homes.append(parent / name)
        return homes[-1]

    try:
        yield make
    finally:
        for home in homes:
            if home.is_dir():
                stop_postgres(home)
                stop_valkey(home)
        for parent in parents:
            shutil.rmtree(parent)


@pytest.fixture
def new_home() -> Iterator[Callable[..., Path]]:
    with homes_made_and_stopped() as make:
        yield make


@pytest.fixture
def home(new_home: Callable[..., Path]) -> Path:
    return new_home()


@pytest.fixture(scope="module")
def used_home() -> Iterator[Path]:
    """Saves the second that a new cluster takes; a test must cope with what another one left."""
    with homes_made_and_stopped() as make:
        yield make()
