"""The recorded MOTIS API: its OpenAPI document, what clients rely on, and real answers."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml


def specs() -> Path:
    """Folder of the recorded specification, or skip the test with a message."""
    data = Path(os.environ.get("MOBILITY_SHARED_DATA", "../shared/data"))
    folder = data.parent / "specs" / "motis"
    if not folder.is_dir():
        pytest.skip(f"the MOTIS document is absent: {folder} (set MOBILITY_SHARED_DATA)")
    return folder


@cache
def _read(path: Path) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return read


def motis_document() -> dict[str, Any]:
    """The recorded OpenAPI document of MOTIS, or skip."""
    return _read(specs() / "openapi.yaml")


def direction_names() -> set[str]:
    """Directions of steps that clients know."""
    return set(motis_document()["components"]["schemas"]["Direction"]["enum"])
