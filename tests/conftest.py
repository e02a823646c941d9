"""Fixtures that several folders share: real data, the demo, a running server."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from mobility.actions.run_demo import RunningServer, prepare_demo, start_server
from mobility.installation import stop_servers
from mobility.settings import Settings
from tests.support.territories import TestedTerritory, open_porto, shared_data

# A kernel's first call compiles: a deadline would fail it on a fresh clone.
settings.register_profile("mobility", deadline=None, derandomize=True)
settings.load_profile("mobility")


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture(scope="session")
def home() -> Iterator[Path]:
    """A data directory that the servers' account may enter; its servers are stopped at the end."""
    folder = Path(tempfile.mkdtemp(prefix="mobility-test-"))
    folder.chmod(0o711)
    yield folder
    stop_servers(Settings(home=folder))
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def demo_home(home: Path) -> Path:
    """The demo, generated, built and seeded."""
    prepare_demo(Settings(home=home), on_step=lambda _: None)
    return home


@pytest.fixture(scope="session")
def demo_server(demo_home: Path) -> Iterator[RunningServer]:
    """The demo, served."""
    server = start_server(Settings(home=demo_home), free_port())
    yield server
    server.process.terminate()
    server.process.wait(timeout=30)


@pytest.fixture(scope="session")
def porto() -> TestedTerritory:
    """Porto with 1,000 generated offers; skipped where the data is absent."""
    return open_porto(shared_data("porto"))


@pytest.fixture(autouse=True)
def _no_home_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the data directory of whoever runs it."""
    for name in [name for name in os.environ if name.startswith("MOBILITY_")]:
        if name != "MOBILITY_SHARED_DATA":
            monkeypatch.delenv(name)


_without_data: dict[str, list[str]] = {}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember the tests that were skipped for want of data."""
    if report.skipped and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        if "MOBILITY_SHARED_DATA" in reason:
            _without_data.setdefault(reason, []).append(report.nodeid)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Count and name them, so that a green run without data is not taken for a full one."""
    if not _without_data:
        return
    count = sum(map(len, _without_data.values()))
    terminalreporter.section(f"{count} tests skipped for missing data: make data fetches it")
    for reason, tests in sorted(_without_data.items()):
        terminalreporter.line(reason)
        for test in tests:
            terminalreporter.line(f"  {test}")
