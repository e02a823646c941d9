"""
The one door to numba: typed decorators of kernels and their compile cache.

numba keeps a compiled caller even after a callee in another file was edited. The cache directory
is therefore named by a hash of the sources of all kernels: an edit of any of them starts a new
one. Kernels are never passed as arguments and never made by factories: both defeat the cache.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, ParamSpec, TypeVar

import numba
from numba.experimental import structref

P = ParamSpec("P")
R = TypeVar("R")
V = TypeVar("V")

_ROOT = Path(__file__).resolve().parent.parent
_PACKAGES = ("core", "gtfs_data", "routing", "carpool", "payments")


def kernel_sources(root: Path = _ROOT) -> list[Path]:
    """Files below the domain packages that define kernels, in a fixed order."""
    files = (path for package in _PACKAGES for path in sorted((root / package).rglob("*.py")))
    return [path for path in files if b"\n@kernel" in path.read_bytes()]


def kernel_sources_hash(root: Path = _ROOT) -> str:
    """Hash of the sources of all kernels and of numba's version."""
    digest = hashlib.sha256(numba.__version__.encode())
    for path in kernel_sources(root):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _cache_dir() -> Path:
    for base in (Path.home() / ".cache" / "mobility", Path(tempfile.gettempdir()) / "mobility"):
        folder = base / "kernels" / kernel_sources_hash()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    return Path(tempfile.mkdtemp(prefix="mobility-kernels-"))


numba.config.CACHE_DIR = str(_cache_dir())


_OPTIONS = {"cache": True, "nogil": True, "error_model": "numpy"}


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """
    Compile a function of arrays and numbers to machine code that releases the GIL.

    The signature that mypy sees is the function's own; tests may call ``function.py_func``. Arrays
    are copied value by value: an array given to a slice brings the texts of its errors along, four
    seconds to compile.
    """
    compiled: Callable[P, R] = numba.njit(**_OPTIONS)(function)
    return compiled


def kernel_part(function: Callable[P, R]) -> Callable[P, R]:
    """
    Compile a function into each kernel that calls it.

    A kernel that calls another counts each array that it was passed in and out again; that takes
    longer than a short kernel itself.
    """
    compiled: Callable[P, R] = numba.njit(**_OPTIONS, inline="always")(function)
    return compiled


@structref.register
class _HeldType(numba.types.StructRef):  # type: ignore[misc]
    """What numba knows of `Held`."""

    def preprocess_fields(self, fields: Any) -> Any:  # noqa: ANN401 — numba has no types
        return tuple((name, numba.types.unliteral(kind)) for name, kind in fields)


class Held(structref.StructRefProxy, Generic[V]):  # type: ignore[misc]
    """
    A tuple of arrays that a kernel takes as one.

    Each array that Python hands to a kernel costs a third of a microsecond, whatever the kernel
    does; what many calls have in common is held instead, and handed over at once.
    """

    value: V


structref.define_proxy(Held, _HeldType, ["value"])


@kernel
def hold(value: V) -> Held[V]:
    """Hold a tuple for kernels; it is theirs as it is now, and its arrays stay alive with it."""
    return Held(value)
