"""The story of a day is told on a demo of its own, and docs/apps.md lists its calls."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from mobility.actions.run_demo import prepare_demo
from mobility.actions.tell_story import Story, StoryClock
from mobility.installation import stop_servers
from mobility.rehearsal import served
from mobility.settings import Settings
from tests.conftest import free_port

PAGE = Path(__file__).resolve().parents[2] / "docs" / "apps.md"


@pytest.fixture(scope="module")
def told() -> Iterator[tuple[Story, list[str]]]:
    home = Path(tempfile.mkdtemp(prefix="mobility-story-"))
    home.chmod(0o711)
    settings, clock, said = Settings(home=home), StoryClock(), list[str]()
    prepare_demo(settings, on_step=lambda _: None)
    with served(settings, clock, free_port()) as address, httpx.Client(base_url=address) as http:
        story = Story(settings, clock, http, said.append)
        story.tell()
        yield story, said
    stop_servers(settings)
    shutil.rmtree(home, ignore_errors=True)


def test_the_story_tells_what_happened(told: tuple[Story, list[str]]) -> None:
    _, said = told
    text = "\n".join(said)
    for part in (
        "Rosa is told: picked up at", "Denis is told that", "then the tram at", "State confirmed",
        "change_proposed", "Plan B: ", "She takes it in one tap", "and out: completed",
        "rates, and Denis does not see it until", "one event ride_completed",
    ):  # fmt: skip
        assert part in text, text


def test_the_page_for_apps_lists_the_calls_of_the_story(told: tuple[Story, list[str]]) -> None:
    story, _ = told
    listed = re.findall(r"^(GET|POST|PUT|DELETE) (/\S+)", PAGE.read_text(), re.MULTILINE)
    assert [(method, re.sub(r"\{\w+\}", "{}", path)) for method, path in listed] == story.calls
