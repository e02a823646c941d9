"""The page in a real browser: what a rider sees, by mouse and by keyboard, no third party."""

import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Protocol

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.answering import answering
from tests.support.browsing import WAIT_MS, Watched


class Server(Protocol):
    base_url: str


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
    expect(field).to_have_value(name[:4])
    # On a busy machine suggestions of fewer letters come first, and the last take their place.
    expect(page.locator(".suggestions.pending")).to_have_count(0, timeout=WAIT_MS)
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


def test_map_of_search_zoom_and_dark_mode_comes_from_the_own_server_by_ranges(
    opened: Watched, tmp_path: Path
) -> None:
    page = opened.page
    pick_first_example(page)
    page.locator(".map canvas").hover()
    with page.expect_response("**/tiles/basemap.pmtiles"):
        for _ in range(8):
            page.mouse.wheel(0, -300)
    with page.expect_response("**/tiles/style-dark.json"):
        page.emulate_media(color_scheme="dark")
    page.wait_for_load_state("networkidle")
    page.screenshot(path=tmp_path / "dark.png")

    asked = [status for path, status in opened.answers if path == "/tiles/basemap.pmtiles"]
    assert set(asked) == {206}
    assert ("/tiles/style-light.json", 200) in opened.answers
    assert (opened.errors, opened.other_hosts) == ([], [])


def test_api_page_tries_a_request_out_without_a_third_party(
    opened: Watched, tmp_path: Path
) -> None:
    page = opened.page
    page.goto(page.url.split("?")[0].rstrip("/") + "/docs")
    page.locator("#operations-tag-operations").click()
    page.locator("#operations-operations-healthz_healthz_get").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table").get_by_text('"status": "ok"')).to_be_visible()
    page.screenshot(path=tmp_path / "api.png")
    assert (opened.errors, opened.other_hosts) == ([], [])


class Stranger(ThreadingHTTPServer):
    """Another origin, which allows everyone and counts who comes."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _StrangerHandler)
        self.visits: list[str] = []


class _StrangerHandler(BaseHTTPRequestHandler):
    server: Stranger

    def do_GET(self) -> None:
        self.server.visits.append(self.path)
        self.send_response(200)
        self.send_header("access-control-allow-origin", "*")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_given: object) -> None:
        pass


@pytest.fixture
def stranger() -> Iterator[Stranger]:
    with answering(Stranger()) as server:
        yield server


ASK_STRANGER = """
async (address) => {
  const refused = [];
  addEventListener("securitypolicyviolation", (e) => refused.push(e.effectiveDirective));
  const tried = (make) => new Promise((done) => {
    const element = make();
    element.onload = element.onerror = done;
    document.head.append(element);
  });
  const said = await fetch(address + "/fetch").then(() => "answered", () => "refused");
  await tried(() => Object.assign(new Image(), { src: address + "/img" }));
  await tried(() => Object.assign(document.createElement("script"), { src: address + "/script" }));
  await tried(() => Object.assign(document.createElement("link"),
                                  { rel: "stylesheet", href: address + "/style" }));
  const worker = new Worker(URL.createObjectURL(new Blob(["postMessage(0)"])));
  await new Promise((done) => { worker.onerror = worker.onmessage = done; });
  return [said, ...refused.sort()];
}
"""


def test_page_cannot_reach_another_origin(opened: Watched, stranger: Stranger) -> None:
    address = f"http://127.0.0.1:{stranger.server_port}"
    told = opened.page.evaluate(ASK_STRANGER, address)
    assert told == [
        "refused", "connect-src", "img-src", "script-src-elem", "style-src-elem", "worker-src",
    ]  # fmt: skip
    assert stranger.visits == []


def test_it_is_the_policy_that_keeps_the_page_from_another_origin(
    browser: Browser, demo_server: Server, stranger: Stranger
) -> None:
    context = browser.new_context(bypass_csp=True)
    page = context.new_page()
    page.goto(demo_server.base_url + "/")
    told = page.evaluate(ASK_STRANGER, f"http://127.0.0.1:{stranger.server_port}")
    context.close()
    assert told == ["answered"]
    assert set(stranger.visits) == {"/fetch", "/img", "/script", "/style"}
