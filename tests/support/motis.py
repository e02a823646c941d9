"""The recorded MOTIS API (its document, what clients rely on), and questions to the demo."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

TIME = "2026-11-24T06:00:00Z"
ENDS = {"fromPlace": "46.460909,1.038042", "toPlace": "46.58883,1.177209"}
HOSPITAL = "46.58883,1.177209"
STATION = "urbain:S002"
BOX = {"min": "46.55,1.20", "max": "46.60,1.15"}
"""As the API has it: the lower right and the upper left corner."""


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


def read(api: httpx.Client, path: str, **params: Any) -> Any:
    answer = api.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def planned(api: httpx.Client, version: int = 6, **params: Any) -> Any:
    return read(api, f"/api/v{version}/plan", **{**ENDS, "time": TIME, **params})


def board(api: httpx.Client, version: int = 6, **params: Any) -> Any:
    return read(
        api, f"/api/v{version}/stoptimes", **{"stopId": STATION, "time": TIME, "n": 10, **params}
    )


def legs_of(answer: Any) -> list[Any]:
    return [leg for it in answer["itineraries"] + answer["direct"] for leg in it["legs"]]
