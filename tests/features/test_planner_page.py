"""Every request in docs/planner.md gets the answer that stands there."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from tests.support.answer_lines import answer_lines

PAGE = Path(__file__).parents[2] / "docs" / "planner.md"
BLOCK = re.compile(
    r"^### (?P<title>.+?)\n.*?```\nGET (?P<path>\S+)\n(?P<answer>.*?)```",
    re.MULTILINE | re.DOTALL,
)


def blocks() -> list[tuple[str, str, list[str]]]:
    """Title, path and answer of each example."""
    text = PAGE.read_text(encoding="utf-8")
    return [(m["title"], m["path"], m["answer"].splitlines()) for m in BLOCK.finditer(text)]


@pytest.mark.parametrize(("path", "shown"), [pytest.param(p, a, id=t) for t, p, a in blocks()])
def test_example_gets_the_answer_that_is_shown(
    api: httpx.Client, path: str, shown: list[str]
) -> None:
    answer = api.get(path)
    assert answer.status_code == 200, answer.text
    lines = answer_lines(answer.json())
    shown = [line for line in shown if line != "…"]
    assert lines[: len(shown)] == shown


def test_page_shows_examples() -> None:
    assert len(blocks()) >= 12
