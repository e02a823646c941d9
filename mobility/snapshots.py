"""Where snapshots lie in a home, and which of them is current."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from gtfs_data.store import MANIFEST, SnapshotInvalid, read_manifest

CURRENT = "current"
"""Symbolic link to the snapshot that processes serve; switched whole."""


def point_at(snapshots: Path, folder: Path) -> None:
    """Make a snapshot the current one, atomically."""
    link = snapshots / CURRENT
    draft = snapshots / f".{CURRENT}-{os.getpid()}"
    draft.unlink(missing_ok=True)
    draft.symlink_to(os.path.relpath(folder, snapshots))
    draft.replace(link)


def current_snapshot(snapshots: Path) -> Path:
    """Folder of the current snapshot; raises `SnapshotInvalid` when there is none."""
    folder = (snapshots / CURRENT).resolve()
    if not (folder / MANIFEST).is_file():
        raise SnapshotInvalid(
            f"no snapshot in {snapshots}: run mobility build TERRITORY.yaml (or make demo) first"
        )
    return folder


def ground_hash(folder: Path) -> str:
    """Hash of what compiled offers rest on: car streets and meeting points of a snapshot."""
    arrays = read_manifest(folder)["arrays"]
    names = ("ground.car.first", "ground.car.head", "ground.car.seconds", "points.car_node")
    digest = hashlib.sha256("".join(arrays[name]["sha256"] for name in names).encode())
    return digest.hexdigest()
