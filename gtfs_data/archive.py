"""
The zip around a feed: which members may be trusted, and by which name each table is found.

Nothing is ever unpacked to disk. An archive that would unpack to far more than it weighs, or that
names files outside of itself, is refused before anything of it is read.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path, PurePosixPath, PureWindowsPath

from core.errors import InvalidInput

FILE_LIMIT_BYTES = 2_000_000_000
"""One unpacked table; larger ones are refused before they fill the memory."""
TOTAL_LIMIT_BYTES = 4_000_000_000
"""All unpacked files: many tables, each just below its own limit, fill the memory as well."""
RATIO_LIMIT = 500
"""Unpacked size over packed size; honest tables stay below 50."""
RATIO_FREE_BYTES = 10_000_000
"""Below, nobody minds the ratio."""
SPOILT_ARCHIVE = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    NotImplementedError,
    RuntimeError,
    EOFError,
    ValueError,
)
"""What the standard library raises on damaged archives."""
NTFS_ONLY = frozenset({"lines.txt", "commercial_modes.txt", "physical_modes.txt"})
"""Files that Navitia's format has and GTFS has not."""


class UnreadableFeed(InvalidInput):
    """The archive is not a GTFS feed that can be read at all."""

    code = "unreadable_feed"


def open_archive(path: Path) -> tuple[bytes, zipfile.ZipFile]:
    """Bytes of a file and the archive in them; raises `UnreadableFeed` when it is none."""
    try:
        content = path.read_bytes()
        return content, zipfile.ZipFile(io.BytesIO(content))
    except OSError as error:
        raise UnreadableFeed(f"cannot read {path}: {error}") from error
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise UnreadableFeed(f"{path} is not a zip archive: {error}") from error


def list_members(archive: zipfile.ZipFile, path: Path) -> dict[str, zipfile.ZipInfo]:
    """
    File name → member, from the top or, as some publishers do, from one folder.

    Raises
    ------
    UnreadableFeed
        A member lies outside of the archive, or unpacks to more than an honest table.
    """
    infos = [info for info in archive.infolist() if not info.is_dir()]
    for info in infos:
        ratio = info.file_size / max(info.compress_size, 1)
        if info.file_size > FILE_LIMIT_BYTES or (
            ratio > RATIO_LIMIT and info.file_size > RATIO_FREE_BYTES
        ):
            raise UnreadableFeed(f"{path}: {info.filename} unpacks to {info.file_size:,} bytes")
        if _leads_outside(info.filename):
            raise UnreadableFeed(
                f"{path}: its member {info.filename!r} lies outside of the archive, as no feed's "
                "does: zip the .txt files again, without folders"
            )
    total_bytes = sum(info.file_size for info in infos)
    if total_bytes > TOTAL_LIMIT_BYTES:
        raise UnreadableFeed(f"{path} unpacks to {total_bytes:,} bytes")
    found = {}
    for info in sorted(infos, key=lambda i: -_inside(i.filename).count("/")):
        found[PurePosixPath(_inside(info.filename)).name] = info
    return found


def without_tables(path: Path, members: Collection[str], name: str) -> UnreadableFeed:
    """Say why an archive that lacks the table `name` is no feed, and what to do."""
    if len(NTFS_ONLY.intersection(members)) > 1:
        return UnreadableFeed(
            f"{path} is an NTFS feed (Navitia's own format), not GTFS: ask its publisher for the "
            "GTFS export, or convert it with ntfs2gtfs of the transit_model project"
        )
    inner = next((member for member in sorted(members) if member.endswith(".zip")), None)
    if inner is not None:
        return UnreadableFeed(f"{path} holds another archive: unpack it and give {inner}")
    return UnreadableFeed(f"{path} has no {name}.txt: it is not a GTFS feed")


def _inside(name: str) -> str:
    """Name with the slashes that the zip format demands; some programs write the other ones."""
    return name.replace("\\", "/")


def _leads_outside(name: str) -> bool:
    inside = PurePosixPath(_inside(name))
    return inside.is_absolute() or ".." in inside.parts or bool(PureWindowsPath(name).drive)
