"""Snapshots in a home: the current one, the one before, damage, and what is thrown away."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from gtfs_data.store import MANIFEST, SnapshotInvalid, list_damage, write_snapshot
from mobility.snapshots import (
    KEPT,
    SnapshotUnknown,
    current_snapshot,
    list_snapshots,
    point_at,
    prune,
    roll_back,
    use_snapshot,
)

pytestmark = pytest.mark.unit


def write(snapshots: Path, name: str, minute: int = 0) -> Path:
    """Write a small snapshot with an array and two files, built at a minute of one hour."""

    def more(draft: Path) -> None:
        (draft / "places").mkdir()
        (draft / "places" / "index").write_text(name)
        (draft / "tariff.yaml").write_text("tariff: x")

    folder = snapshots / name
    about = {"id": "x", "built_at": f"2026-01-01T00:{minute:02}:00+00:00"}
    write_snapshot(folder, {"a": np.arange(9)}, about, more)
    return folder


def publish(snapshots: Path, name: str, minute: int = 0) -> Path:
    folder = write(snapshots, name, minute)
    point_at(snapshots, folder)
    return folder


def test_nothing_is_current_in_an_empty_home(tmp_path: Path) -> None:
    with pytest.raises(SnapshotInvalid, match="mobility build"):
        current_snapshot(tmp_path / "none")
    assert list_snapshots(tmp_path / "none") == []


def test_rollback_returns_to_what_was_served_and_back_again(tmp_path: Path) -> None:
    for minute, name in enumerate("abc"):
        publish(tmp_path, name, minute)
    assert roll_back(tmp_path).name == "b"
    assert current_snapshot(tmp_path).name == "b"
    assert roll_back(tmp_path).name == "c"


def test_after_a_rollback_a_new_build_returns_to_the_good_one(tmp_path: Path) -> None:
    publish(tmp_path, "good")
    publish(tmp_path, "bad", 1)
    roll_back(tmp_path)
    publish(tmp_path, "new", 2)
    assert roll_back(tmp_path).name == "good"


def test_first_snapshot_has_nothing_to_go_back_to(tmp_path: Path) -> None:
    publish(tmp_path, "a")
    with pytest.raises(SnapshotUnknown, match="no earlier"):
        roll_back(tmp_path)
    point_at(tmp_path, tmp_path / "a")
    with pytest.raises(SnapshotUnknown, match="no earlier"):
        roll_back(tmp_path)


def test_unknown_name_is_answered_with_those_that_are_there(tmp_path: Path) -> None:
    publish(tmp_path, "a")
    with pytest.raises(SnapshotUnknown, match="there: a"):
        use_snapshot(tmp_path, "../../etc")


@pytest.mark.parametrize("name", ["a.npy", "places/index", "tariff.yaml"])
@pytest.mark.parametrize("how", ["flipped", "absent", "short"])
def test_damage_is_named_and_never_served(tmp_path: Path, name: str, how: str) -> None:
    publish(tmp_path, "good")
    folder = write(tmp_path, "spoilt", 1)
    assert list_damage(folder) == []
    path = folder / name
    content = bytearray(path.read_bytes())
    if how == "absent":
        path.unlink()
    else:
        content[-1] ^= 1
        path.write_bytes(content if how == "flipped" else content[:-1])
    (damage,) = list_damage(folder)
    assert damage.startswith(name)
    with pytest.raises(SnapshotInvalid, match="damaged"):
        use_snapshot(tmp_path, "spoilt")
    assert current_snapshot(tmp_path).name == "good"


def test_newest_stay_and_so_do_those_that_are_pointed_at(tmp_path: Path) -> None:
    names = [f"s{minute}" for minute in range(KEPT + 4)]
    for minute, name in enumerate(names):
        write(tmp_path, name, minute)
    for name in ("s1", "s2"):
        point_at(tmp_path, tmp_path / name)
    assert sorted(prune(tmp_path)) == ["s0", "s3"]
    assert {s.name for s in list_snapshots(tmp_path)} == {*names} - {"s0", "s3"}


def test_drafts_of_dead_builds_go_and_those_of_living_ones_stay(tmp_path: Path) -> None:
    publish(tmp_path, "a")
    for pid in (os.getpid(), 2**22 + 1, "x"):  # no system has a pid above 2^22
        (tmp_path / f"b.tmp-{pid}").mkdir()
    assert sorted(prune(tmp_path)) == [f"b.tmp-{2**22 + 1}", "b.tmp-x"]


def test_unreadable_snapshot_is_listed_as_such(tmp_path: Path) -> None:
    publish(tmp_path, "a")
    (write(tmp_path, "b", 1) / MANIFEST).write_text("{")
    assert [(s.name, s.about is None) for s in list_snapshots(tmp_path)] == [
        ("a", False), ("b", True)
    ]  # fmt: skip
