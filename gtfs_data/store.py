"""
Snapshot store: named arrays and one manifest in a directory, opened as read-only memory maps.

Raw ``.npy`` files, so that every process that opens a snapshot shares one page-cache copy. A
snapshot is written into a temporary directory, synced, and renamed: it exists whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np
import numpy.typing as npt

from core.errors import Unavailable

SCHEMA_VERSION = 7
MANIFEST = "manifest.json"
ARRAY_SUFFIX = ".npy"

Array = npt.NDArray[Any]
Int32 = npt.NDArray[np.int32]


class SnapshotInvalid(Unavailable):
    """The directory holds no snapshot that this version can open."""

    code = "snapshot_invalid"


@dataclass(frozen=True, slots=True)
class Texts(Sequence[str]):
    """Many strings as two arrays: UTF-8 bytes end to end, and where each begins."""

    offset: Array
    """Shape (count + 1,), int64."""
    utf8: Array
    """Shape (offset[-1],), uint8."""

    @classmethod
    def of(cls, texts: Sequence[str]) -> Self:
        """Pack strings."""
        encoded = [text.encode() for text in texts]
        offset = np.zeros(len(encoded) + 1, dtype=np.int64)
        np.cumsum([len(e) for e in encoded], out=offset[1:])
        return cls(offset, np.frombuffer(b"".join(encoded), dtype=np.uint8))

    def __len__(self) -> int:
        return len(self.offset) - 1

    def __getitem__(self, index: Any) -> Any:  # noqa: ANN401 — int in, str out; slices are not used
        i = int(index)
        if not 0 <= i < len(self):
            raise IndexError(i)
        return self.utf8[self.offset[i] : self.offset[i + 1]].tobytes().decode()

    def __iter__(self) -> Iterator[str]:
        return (self[i] for i in range(len(self)))


T = TypeVar("T")


def to_arrays(value: Any, prefix: str) -> dict[str, Array]:  # noqa: ANN401 — any struct of arrays
    """Flatten a dataclass or named tuple of arrays, `Texts` and such structs to ``prefix.name``."""
    names = value._fields if hasattr(value, "_fields") else [f.name for f in fields(value)]
    arrays: dict[str, Array] = {}
    for name in names:
        part, key = getattr(value, name), f"{prefix}.{name}"
        if isinstance(part, np.ndarray):
            arrays[key] = part
        else:
            arrays |= to_arrays(part, key)
    return arrays


def from_arrays(kind: type[T], arrays: Mapping[str, Array], prefix: str) -> T:
    """Undo `to_arrays`: build a `kind` whose fields are arrays, `Texts` or such structs."""
    hints = {
        name: hint
        for cls in reversed(kind.__mro__)
        for name, hint in getattr(cls, "__annotations__", {}).items()
    }
    parts: dict[str, Any] = {}
    for name, hint in hints.items():
        key = f"{prefix}.{name}"
        parts[name] = from_arrays(Texts, arrays, key) if hint == "Texts" else arrays[key]
    return kind(**parts)


def write_snapshot(
    folder: Path,
    arrays: Mapping[str, Array],
    about: Mapping[str, Any],
    write_more: Callable[[Path], None] = lambda _: None,
) -> None:
    """
    Write a snapshot to `folder`, which must not exist; nothing is left behind on failure.

    Parameters
    ----------
    about
        What the manifest says beside the arrays: territory, feeds, validity, build report.
    write_more
        Writes files that are no arrays into the snapshot's folder before it is published.
    """
    draft = folder.with_name(f"{folder.name}.tmp-{os.getpid()}")
    draft.mkdir(parents=True)
    try:
        described = {}
        for name, array in arrays.items():
            contiguous = np.ascontiguousarray(array)
            np.save(draft / f"{name}{ARRAY_SUFFIX}", contiguous, allow_pickle=False)
            described[name] = {
                "dtype": contiguous.dtype.str,
                "shape": list(contiguous.shape),
                "sha256": _array_sha256(contiguous),
            }
        write_more(draft)
        files = {name: _describe(path) for name, path in _other_files(draft).items()}
        manifest = {
            "schema_version": SCHEMA_VERSION, **about, "files": files, "arrays": described
        }  # fmt: skip
        (draft / MANIFEST).write_text(json.dumps(manifest, indent=1, ensure_ascii=False))
        for path in draft.rglob("*"):
            _sync(path)
        draft.rename(folder)
        _sync(folder.parent)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _other_files(folder: Path) -> dict[str, Path]:
    """Files of a snapshot that are no arrays, by relative path; locks and the manifest left out."""
    paths = {p.relative_to(folder).as_posix(): p for p in sorted(folder.rglob("*")) if p.is_file()}
    return {
        name: path
        for name, path in paths.items()
        if name != MANIFEST and not (path.parent == folder and path.suffix == ARRAY_SUFFIX)
        and not path.name.startswith(".")
    }  # fmt: skip


def _describe(path: Path) -> dict[str, Any]:
    return {"bytes": path.stat().st_size, "sha256": file_sha256(path)}


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    """Make sure that a file or a folder's list of names is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def list_damage(folder: Path) -> list[str]:
    """Read every byte of a snapshot again; says which files are absent or not as written."""
    manifest = read_manifest(folder)
    damage = []
    for name, described in manifest["arrays"].items():
        try:
            array = np.load(folder / f"{name}{ARRAY_SUFFIX}", mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            damage.append(f"{name}{ARRAY_SUFFIX}: {error}")
            continue
        if _array_sha256(array) != described["sha256"]:
            damage.append(f"{name}{ARRAY_SUFFIX}: not the bytes that were written")
    for name, described in manifest["files"].items():
        path = folder / name
        if not path.is_file():
            damage.append(f"{name}: absent")
        elif _describe(path) != described:
            damage.append(f"{name}: not the bytes that were written")
    return damage


def _array_sha256(array: Array) -> str:
    return hashlib.sha256(array.reshape(-1).view(np.uint8).data).hexdigest()


def read_manifest(folder: Path) -> dict[str, Any]:
    """Manifest of a snapshot; raises `SnapshotInvalid` when there is none to be opened."""
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
    except (OSError, ValueError) as error:
        raise SnapshotInvalid(f"no snapshot in {folder}: run mobility build first") from error
    if not (isinstance(manifest, dict) and isinstance(manifest.get("arrays"), dict)):
        raise SnapshotInvalid(f"{folder / MANIFEST} is no manifest: run mobility build again")
    if manifest.get("schema_version") != SCHEMA_VERSION:
        raise SnapshotInvalid(
            f"snapshot {folder} has schema {manifest.get('schema_version')}, this program reads "
            f"{SCHEMA_VERSION}: run mobility build again"
        )
    return manifest


def open_arrays(folder: Path, manifest: Mapping[str, Any]) -> dict[str, Array]:
    """
    Map every array of a snapshot, read-only.

    Each comes as a plain `numpy.ndarray` view of its map, checked against the manifest's shape
    and type (its bytes are checked where a snapshot is received, not at each opening).
    """
    arrays = {}
    for name, described in manifest["arrays"].items():
        path = folder / f"{name}{ARRAY_SUFFIX}"
        try:
            mapped = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise SnapshotInvalid(f"snapshot array {path} cannot be opened: {error}") from error
        if mapped.dtype.str != described["dtype"] or list(mapped.shape) != described["shape"]:
            raise SnapshotInvalid(f"snapshot array {path} is not what its manifest says")
        arrays[name] = frozen(mapped.view(np.ndarray))
    return arrays


def frozen(array: Array) -> Array:
    """
    Make an array read-only and return it.

    Kernels compile once for read-only and once for writable arrays: everything that comes from a
    snapshot or is shared between requests is frozen, in tests too.
    """
    array.flags.writeable = False
    return array
