"""The compile cache: keyed by the sources of all kernels."""

from __future__ import annotations

from pathlib import Path

import numba
import numpy as np
import pytest

from core.jit import kernel, kernel_sources, kernel_sources_hash

pytestmark = pytest.mark.unit

CALLEE = "from core.jit import kernel\n\n\n@kernel\ndef twice(x: int) -> int:\n    return 2 * x\n"
CALLER = CALLEE.replace("twice", "search").replace("2 * x", "twice(x)")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for file, text in (
        ("routing/raptor/kernels.py", CALLER),
        ("gtfs_data/kernels.py", CALLEE),
        ("gtfs_data/reader.py", "LIMIT = 1\n"),
    ):
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_editing_a_callee_in_another_file_starts_a_new_cache(tree: Path) -> None:
    before = kernel_sources_hash(tree)
    (tree / "gtfs_data/kernels.py").write_text(CALLEE.replace("2 * x", "3 * x"))
    assert kernel_sources_hash(tree) != before


def test_editing_a_file_without_kernels_keeps_the_cache(tree: Path) -> None:
    before = kernel_sources_hash(tree)
    (tree / "gtfs_data/reader.py").write_text("LIMIT = 2\n")
    assert kernel_sources_hash(tree) == before


def test_same_sources_have_the_same_hash_wherever_they_lie(tree: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    for path in kernel_sources(tree):
        target = copy / path.relative_to(tree)
        target.parent.mkdir(parents=True)
        target.write_bytes(path.read_bytes())
    assert kernel_sources_hash(copy) == kernel_sources_hash(tree)


def test_every_module_of_this_tree_that_uses_the_decorator_is_hashed() -> None:
    root = Path(__file__).resolve().parents[2]
    packages = ("core", "gtfs_data", "routing", "carpool", "payments", "mobility")
    users = {
        path.relative_to(root)
        for package in packages
        for path in (root / package).rglob("*.py")
        if any(line.lstrip().startswith("@kernel") for line in path.read_text().splitlines())
    }
    assert {path.relative_to(root) for path in kernel_sources()} == users
    assert Path("routing/street/kernels.py") in users


def test_cache_directory_is_named_by_the_hash() -> None:
    assert Path(numba.config.CACHE_DIR).name == kernel_sources_hash()


def test_division_by_zero_in_a_kernel_is_infinite_as_in_numpy() -> None:
    assert np.isinf(divide(1.0, 0.0))


@kernel
def divide(a: float, b: float) -> float:
    return a / b
