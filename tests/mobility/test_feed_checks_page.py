"""docs/feed-checks.md says what the code does."""

from __future__ import annotations

from tests.support.feed_checks_page import PAGE, filled


def test_page_of_rules_and_differences_is_up_to_date() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert filled(page) == page, "run python -m tests.support.feed_checks_page"
