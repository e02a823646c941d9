"""A feed's report in a real browser: it asks nobody for anything, and fits a phone."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from mobility.actions.check_feed import check_feed
from mobility.commands.feed_page import feed_page
from tests.gtfs_data.small_feeds import zip_feed
from tests.support.browsing import BROWSERS, FLAGS
from tests.support.spoilt_feed import FINE


@pytest.mark.parametrize("width", [360, 1280])
def test_page_loads_nothing_and_never_scrolls_sideways(tmp_path: Path, width: int) -> None:
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        pytest.skip(f"no browser to open the page with: install one of {', '.join(BROWSERS)}")
    long = f"{'x' * 300},<img src=http://a.example/x onerror=alert(1)>,43.64,3.90,0,\n"
    path = zip_feed(tmp_path / "f.zip", **{**FINE, "stops": FINE["stops"] + long})
    page_file = tmp_path / "report.html"
    page_file.write_text(feed_page(check_feed(path, today=dt.date(2026, 11, 20))))
    asked: list[str] = []
    wrong: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        page = browser.new_page(viewport={"width": width, "height": 800})
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: wrong.append(message.text))
        page.goto(page_file.as_uri())
        across = page.evaluate("document.documentElement.scrollWidth")
        heading = page.inner_text("h1")
        browser.close()
    assert asked == [page_file.as_uri()]
    assert wrong == []
    assert across <= width
    assert heading == "f.zip"
