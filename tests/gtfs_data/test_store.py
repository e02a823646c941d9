"""Snapshots: whole or not at all, and never opened when they are not what they say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtfs_data.store import (
    MANIFEST,
    SnapshotInvalid,
    Texts,
    from_arrays,
    open_arrays,
    read_manifest,
    to_arrays,
    write_snapshot,
)
from gtfs_data.timetable import Timetable
from tests.gtfs_data.small_feeds import small_timetable

if TYPE_CHECKING:
    from gtfs_data.store import Array

pytestmark = pytest.mark.unit


@pytest.fixture
def arrays() -> dict[str, Array]:
    return {
        "a.seconds": np.arange(5000, dtype=np.int32),
        "a.table": np.arange(12, dtype=np.float64).reshape(3, 4),
        "a.empty": np.zeros((0, 3), np.uint8),
    }


@pytest.fixture
def snapshot(tmp_path: Path, arrays: dict[str, Array]) -> Path:
    folder = tmp_path / "snapshot"
    write_snapshot(folder, arrays, {"territory": "Valmont-sur-Lère"})
    return folder


def opened(folder: Path) -> dict[str, Array]:
    return open_arrays(folder, read_manifest(folder))


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
@settings(deadline=None, derandomize=True)
def test_texts_are_the_strings_they_were_made_of(texts: list[str]) -> None:
    packed = Texts.of(texts)
    assert list(packed) == texts
    assert [packed[i] for i in range(len(packed))] == texts
    for outside in (-1, len(texts)):
        with pytest.raises(IndexError):
            packed[outside]


def test_arrays_come_back_as_they_were(snapshot: Path, arrays: dict[str, Array]) -> None:
    found = opened(snapshot)
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        assert np.array_equal(found[name], array)
        assert type(found[name]) is np.ndarray
        assert not found[name].flags.writeable
    assert read_manifest(snapshot)["territory"] == "Valmont-sur-Lère"


def test_timetable_comes_back_as_it_was(tmp_path: Path) -> None:
    timetable, _ = small_timetable(tmp_path)
    write_snapshot(tmp_path / "s", to_arrays(timetable, "timetable"), {})
    again = from_arrays(Timetable, opened(tmp_path / "s"), "timetable")
    before, after = to_arrays(timetable, "t"), to_arrays(again, "t")
    assert before.keys() == after.keys()
    assert all(np.array_equal(before[name], after[name], equal_nan=True) for name in before)
    assert list(again.stop_name) == ["Mairie", "Gare", "Lycée"]


def test_more_files_are_published_with_the_snapshot(tmp_path: Path) -> None:
    def write_more(draft: Path) -> None:
        (draft / "places").mkdir()
        (draft / "places" / "index").write_text("x")

    write_snapshot(tmp_path / "s", {}, {}, write_more)
    assert (tmp_path / "s" / "places" / "index").read_text() == "x"


@pytest.mark.parametrize("size", [0, 1, 60, 128, 129, 5000])
def test_array_file_cut_short_is_refused_by_its_name(snapshot: Path, size: int) -> None:
    path = snapshot / "a.seconds.npy"
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(SnapshotInvalid, match=r"a\.seconds\.npy"):
        opened(snapshot)


def test_absent_array_is_refused_by_its_name(snapshot: Path) -> None:
    (snapshot / "a.table.npy").unlink()
    with pytest.raises(SnapshotInvalid, match=r"a\.table\.npy"):
        opened(snapshot)


@pytest.mark.parametrize("other", [np.arange(5000.0), np.arange(4999, dtype=np.int32)])
def test_array_of_another_shape_or_type_is_refused(snapshot: Path, other: Array) -> None:
    np.save(snapshot / "a.seconds.npy", other)
    with pytest.raises(SnapshotInvalid, match="not what its manifest says"):
        opened(snapshot)


def test_directory_without_a_snapshot_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SnapshotInvalid, match="run mobility build"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"schema_version": 1}', "\udcff"])
def test_spoilt_manifest_is_refused(snapshot: Path, text: str) -> None:
    (snapshot / MANIFEST).write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(SnapshotInvalid):
        opened(snapshot)


def test_snapshot_of_another_version_says_what_to_do(snapshot: Path) -> None:
    manifest = json.loads((snapshot / MANIFEST).read_text())
    (snapshot / MANIFEST).write_text(json.dumps({**manifest, "schema_version": 99}))
    with pytest.raises(SnapshotInvalid, match=r"schema 99.*run mobility build again"):
        read_manifest(snapshot)


def broken(draft: Path) -> None:
    (draft / "half").write_text("half")
    raise OSError("no space left on device")


def test_failure_while_writing_leaves_nothing_behind(
    tmp_path: Path, arrays: dict[str, Array]
) -> None:
    with pytest.raises(OSError, match="no space left"):
        write_snapshot(tmp_path / "s", arrays, {}, broken)
    with pytest.raises(TypeError):
        write_snapshot(tmp_path / "s", arrays, {"territory": object()})
    with pytest.raises(ValueError, match="allow_pickle"):
        write_snapshot(tmp_path / "s", {"x": np.array([object()])}, {})
    assert list(tmp_path.iterdir()) == []


def test_interruption_while_writing_leaves_nothing_behind(tmp_path: Path) -> None:
    def interrupted(_: Path) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_snapshot(tmp_path / "s", {}, {}, interrupted)
    assert list(tmp_path.iterdir()) == []


def test_existing_snapshot_is_never_overwritten(snapshot: Path, arrays: dict[str, Array]) -> None:
    with pytest.raises(OSError):  # noqa: PT011 — the number differs between systems
        write_snapshot(snapshot, {}, {"territory": "other"})
    assert read_manifest(snapshot)["territory"] == "Valmont-sur-Lère"
    assert opened(snapshot).keys() == arrays.keys()
    assert [path.name for path in snapshot.parent.iterdir()] == ["snapshot"]
