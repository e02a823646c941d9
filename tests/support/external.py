"""A PostgreSQL as a database administrator starts one: over TCP, with a password."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mobility.servers.account import Account, account_for, run_as
from tests.conftest import free_port

PASSWORD = "a-pass:word/of@theirs"
ESCAPED = "a-pass%3Aword%2Fof%40theirs"


@dataclass(frozen=True, slots=True)
class OwnFolder:
    """A folder of the account that may run servers."""

    path: Path
    account: Account

    def run(self, *command: str | Path) -> None:
        """Run a program there as that account; its output is the failure's message."""
        words = [str(word) for word in command]
        done = run_as(self.account, words, folder=self.path, timeout_s=60)
        assert done.returncode == 0, done.stdout


@contextmanager
def own_folder() -> Iterator[OwnFolder]:
    """Make such a folder; it is removed at the end."""
    path = Path(tempfile.mkdtemp(prefix="mobility-external-"))
    path.chmod(0o755)
    account = account_for(path)
    os.chown(path, account.uid, account.gid)
    yield OwnFolder(path, account)
    shutil.rmtree(path, ignore_errors=True)


def start_postgres(folder: OwnFolder, programs: Path, name: str) -> tuple[str, list[str | Path]]:
    """Start a server on TCP with a password; gives its URL and the command that stops it."""
    data, secret, port = folder.path / name, folder.path / f"{name}.secret", free_port()
    secret.write_text(PASSWORD)
    secret.chmod(0o644)
    folder.run(
        programs / "initdb", "-D", data, "-U", "them", "-A", "scram-sha-256",
        f"--pwfile={secret}", "--encoding=UTF8", "--locale=C",
    )  # fmt: skip
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories="
    log = folder.path / f"{name}.log"
    folder.run(programs / "pg_ctl", "start", "-w", "-D", data, "-l", log, "-o", options)
    url = f"postgresql://them:{ESCAPED}@127.0.0.1:{port}/postgres"
    return url, [programs / "pg_ctl", "stop", "-w", "-m", "fast", "-D", data]
