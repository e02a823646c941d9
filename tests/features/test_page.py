"""The page in a real browser: what a rider sees, by mouse and by keyboard, no third party."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WAIT_MS = 20_000  # software rendering is slow on a small machine


class Server(Protocol):
    base_url: str


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        pytest.skip(f"no browser to open the page with: install one of {', '.join(BROWSERS)}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


class Watched:
    """A page, and what it did wrong while we used it."""

    def __init__(self, page: Page, base_url: str) -> None:
        self.page = page
        self.errors: list[str] = []
        self.other_hosts: list[str] = []
        home = urlsplit(base_url).netloc
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on(
            "console",
            lambda message: self.errors.append(message.text) if message.type == "error" else None,
        )
        page.on(
            "request",
            lambda request: (
                self.other_hosts.append(request.url)
                if request.url.startswith(("http", "ws")) and urlsplit(request.url).netloc != home
                else None
            ),
        )


@pytest.fixture
def opened(browser: Browser, demo_server: Server) -> Iterator[Watched]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="fr-FR")
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    watched = Watched(page, demo_server.base_url)
    answer = page.goto(demo_server.base_url + "/")
    if answer is None or "text/html" not in answer.headers.get("content-type", ""):
        pytest.skip("the server has no page: run `npm ci && npm run build` in web/")
    yield watched
    context.close()


def pick_first_example(page: Page) -> None:
    page.locator(".chip").first.click()
    expect(page.locator(".card").first).to_be_visible(timeout=WAIT_MS)


def test_rider_sees_itineraries_with_times_prices_and_carpool(
    opened: Watched, tmp_path: Path
) -> None:
    page = opened.page
    pick_first_example(page)

    expect(page.locator(".card .times time").first).to_have_text(re.compile(r"^\d\d:\d\d$"))
    expect(page.locator(".card .price").first).to_have_text(re.compile(r"\d,\d\d\s€|prix inconnu"))
    expect(page.locator(".card .strip .segment.carpool").first).to_be_visible()

    page.locator(".card-head").first.click()
    expect(page.locator(".card .legs .leg").first).to_be_visible()
    page.wait_for_load_state("networkidle")
    page.screenshot(path=tmp_path / "results.png", full_page=True)
    assert (opened.errors, opened.other_hosts) == ([], [])


def test_page_is_french_first_and_english_by_a_switch(opened: Watched) -> None:
    page = opened.page
    expect(page.get_by_role("combobox", name="Départ")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "fr")

    page.locator("button.language").click()

    expect(page.get_by_role("combobox", name="From")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    assert "lang=en" in page.url
    assert (opened.errors, opened.other_hosts) == ([], [])


def test_place_is_chosen_by_keyboard_alone(opened: Watched) -> None:
    page = opened.page
    # The example's own place name is one that the territory's search surely knows.
    name = page.locator(".chip-ends").first.inner_text().split(" → ")[0]
    field = page.get_by_role("combobox", name="Départ")

    field.focus()
    page.keyboard.type(name[:4], delay=30)
    expect(page.get_by_role("option").first).to_be_visible(timeout=WAIT_MS)
    page.keyboard.press("ArrowDown")
    chosen = page.locator('[role="option"][data-focused] .suggestion-name').inner_text()
    page.keyboard.press("Enter")

    expect(field).to_have_value(chosen)
    expect(page.get_by_role("option")).to_have_count(0)
    assert (opened.errors, opened.other_hosts) == ([], [])


def test_reload_restores_the_search_from_its_address(opened: Watched) -> None:
    page = opened.page
    pick_first_example(page)
    times = page.locator(".card .times").all_inner_texts()

    page.reload()

    expect(page.locator(".card .times").first).to_be_visible(timeout=WAIT_MS)
    assert page.locator(".card .times").all_inner_texts() == times
    assert (opened.errors, opened.other_hosts) == ([], [])
