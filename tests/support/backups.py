"""Backups that another program might have written."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

from mobility.backup_file import SEAL_BYTE_COUNT, seal


def sealed(path: Path, members: Mapping[str, bytes]) -> Path:
    """Write an archive of any members, with a seal that holds."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.comment = bytes(SEAL_BYTE_COUNT)
        for name, content in members.items():
            archive.writestr(name, content)
    with path.open("r+b") as file:
        seal(file)
    return path
