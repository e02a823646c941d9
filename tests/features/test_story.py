"""The story of a day is told by its command, and docs/apps.md lists the calls that it makes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.conftest import free_port

PAGE = Path(__file__).resolve().parents[2] / "docs" / "apps.md"
CALL = re.compile(r"^(GET|POST|PUT|DELETE) (/\S+)", re.MULTILINE)


@pytest.fixture(scope="module")
def told() -> str:
    """What `mobility story --calls` prints on a data directory of its own."""
    home = Path(tempfile.mkdtemp(prefix="mobility-story-"))
    home.chmod(0o711)
    command = [sys.executable, "-m", "mobility.cli", "story", "--calls", "--port", str(free_port())]
    environment = {**os.environ, "MOBILITY_HOME": str(home)}
    story = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    shutil.rmtree(home, ignore_errors=True)
    assert story.returncode == 0, story.stdout + story.stderr
    return story.stdout


def test_the_story_tells_what_happened(told: str) -> None:
    for part in (
        "Rosa is told: picked up at", "Denis is told that", "then the tram at", "State confirmed",
        "change_proposed", "Plan B: ", "She takes it in one tap", "and out: completed",
        "rates, and Denis does not see it until", "one event ride_completed", "except_date",
        "Denis accepts 3 dates in one act",
    ):  # fmt: skip
        assert part in told, told


def test_the_page_for_apps_lists_the_calls_of_the_story(told: str) -> None:
    listed = CALL.findall(PAGE.read_text(encoding="utf-8"))
    assert len(listed) > 30
    assert [(method, re.sub(r"\{\w+\}", "{}", path)) for method, path in listed] == CALL.findall(
        told
    )
