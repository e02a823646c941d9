"""Where snapshots lie in a home, which of them is current, and which one was before."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import NotFound
from gtfs_data.store import MANIFEST, SnapshotInvalid, list_damage, read_manifest

CURRENT = "current"
"""Symbolic link to the snapshot that processes serve; switched whole."""
PREVIOUS = "previous"
"""Symbolic link to the one that was served before: where a rollback goes."""
KEPT = 5
"""Newest snapshots that a build leaves, beside the current and the previous one."""
DRAFT = ".tmp-"
TURN_LIMIT_S = 5.0
TURN_POLL_S = 0.02


class SnapshotUnknown(NotFound):
    """No snapshot has this name."""

    code = "snapshot_unknown"


@dataclass(frozen=True, slots=True)
class KeptSnapshot:
    """One snapshot folder and what its manifest says; `about` is None when it cannot be read."""

    folder: Path
    about: dict[str, Any] | None
    current: bool
    previous: bool

    @property
    def name(self) -> str:
        """Name for commands and answers."""
        return self.folder.name


def point_at(snapshots: Path, folder: Path) -> None:
    """Make a snapshot the current one, atomically, and remember the one before."""
    with _locked(snapshots):
        before = _target(snapshots, CURRENT)
        if before is not None and before != folder.resolve():
            _link(snapshots, PREVIOUS, before)
        _link(snapshots, CURRENT, folder)


def current_snapshot(snapshots: Path) -> Path:
    """Folder of the current snapshot; raises `SnapshotInvalid` when there is none."""
    folder = _target(snapshots, CURRENT)
    if folder is None:
        raise SnapshotInvalid(
            f"no snapshot in {snapshots}: run mobility build TERRITORY.yaml (or make demo) first"
        )
    return folder


def list_snapshots(snapshots: Path) -> list[KeptSnapshot]:
    """All snapshots, the newest first; unreadable ones last."""
    current, previous = (_target(snapshots, name) for name in (CURRENT, PREVIOUS))
    kept = []
    for folder in snapshots.iterdir() if snapshots.is_dir() else ():
        if folder.is_symlink() or not folder.is_dir() or DRAFT in folder.name:
            continue
        try:
            about = read_manifest(folder)
        except SnapshotInvalid:
            about = None
        path = folder.resolve()
        kept.append(KeptSnapshot(path, about, path == current, path == previous))
    return sorted(kept, key=lambda s: ((s.about or {}).get("built_at", ""), s.name), reverse=True)


def use_snapshot(snapshots: Path, name: str) -> Path:
    """
    Make a named snapshot the current one, after reading every byte of it.

    Raises
    ------
    SnapshotUnknown
        There is no such snapshot.
    SnapshotInvalid
        It is damaged, or of another version of the program.
    """
    folder = find_snapshot(snapshots, name).folder
    damage = list_damage(folder)
    if damage:
        raise SnapshotInvalid(f"snapshot {name} is damaged, not used: {'; '.join(damage[:3])}")
    point_at(snapshots, folder)
    return folder


def find_snapshot(snapshots: Path, name: str) -> KeptSnapshot:
    """Snapshot of this name; raises `SnapshotUnknown` and lists those that are there."""
    kept = {s.name: s for s in list_snapshots(snapshots)}
    if name not in kept:
        there = ", ".join(kept) or "none"
        raise SnapshotUnknown(f"no snapshot {name} in {snapshots}; there: {there}")
    return kept[name]


def roll_back(snapshots: Path) -> Path:
    """Go back to the snapshot that was served before; doing it twice returns."""
    previous, current = (_target(snapshots, name) for name in (PREVIOUS, CURRENT))
    if previous is None or previous == current:
        raise SnapshotUnknown("there is no earlier snapshot to go back to: mobility snapshots list")
    return use_snapshot(snapshots, previous.name)


def prune(snapshots: Path) -> list[str]:
    """Remove old snapshots and drafts of builds that died; returns their names."""
    with _locked(snapshots):
        every = list_snapshots(snapshots)
        readable = [s for s in every if s.about is not None]
        doomed = [s.folder for s in readable[KEPT:] if not (s.current or s.previous)]
        doomed += [p for p in snapshots.glob(f"*{DRAFT}*") if _is_orphan(p)]
        for folder in doomed:
            shutil.rmtree(folder, ignore_errors=True)
        return [folder.name for folder in doomed]


def ground_hash(folder: Path) -> str:
    """Hash of what compiled offers rest on: car streets and meeting points of a snapshot."""
    arrays = read_manifest(folder)["arrays"]
    names = ("ground.car.first", "ground.car.head", "ground.car.seconds", "points.car_node")
    digest = hashlib.sha256("".join(arrays[name]["sha256"] for name in names).encode())
    return digest.hexdigest()


def _target(snapshots: Path, link: str) -> Path | None:
    """Folder that a link names, when a snapshot lies there."""
    folder = (snapshots / link).resolve()
    return folder if (folder / MANIFEST).is_file() else None


def _link(snapshots: Path, name: str, folder: Path) -> None:
    draft = snapshots / f".{name}-{os.getpid()}"
    draft.unlink(missing_ok=True)
    draft.symlink_to(os.path.relpath(folder.resolve(), snapshots.resolve()))
    draft.replace(snapshots / name)


def _is_orphan(draft: Path) -> bool:
    """Say whether the build that writes this draft no longer runs."""
    pid = draft.name.rpartition(DRAFT)[2]
    try:
        os.kill(int(pid), 0)
    except (ValueError, ProcessLookupError):
        return True
    except PermissionError:
        return False
    return False


@contextmanager
def taking_turns(snapshots: Path) -> Iterator[None]:
    """
    Let the processes of a machine take a snapshot over one after the other.

    All at once they would hold up every request. Who waits too long for one that hangs goes on.
    """
    descriptor = os.open(snapshots, os.O_RDONLY)
    try:
        until = time.monotonic() + TURN_LIMIT_S
        while not _try_lock(descriptor) and time.monotonic() < until:
            time.sleep(TURN_POLL_S)
        yield
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _locked(snapshots: Path) -> Iterator[None]:
    """One process at a time moves the links and removes folders."""
    with (snapshots / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
