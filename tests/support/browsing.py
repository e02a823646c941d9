"""A browser, its pages, and what tests do on them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

from playwright.sync_api import Locator, Page, Route, expect

from tests.support.booked import ZONE

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
Users = dict[str, dict[str, Any]]
Publish = Callable[..., dict[str, Any]]


class Watched:
    """A page, and what it did wrong while we used it."""

    def __init__(self, page: Page, base_url: str) -> None:
        self.page = page
        self.errors: list[str] = []
        self.other_hosts: list[str] = []
        self.answers: list[tuple[str, int]] = []
        """Path and status of every answer."""
        home = urlsplit(base_url).netloc
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on(
            "console",
            lambda message: self.errors.append(message.text) if message.type == "error" else None,
        )
        page.on(
            "response",
            lambda answer: self.answers.append((urlsplit(answer.url).path, answer.status)),
        )
        page.on(
            "request",
            lambda request: (
                self.other_hosts.append(request.url)
                if request.url.startswith(("http", "ws")) and urlsplit(request.url).netloc != home
                else None
            ),
        )


Visit = Callable[..., Watched]


def day_ahead(days: int) -> str:
    return (dt.datetime.now(ZONE).date() + dt.timedelta(days=days)).isoformat()


def search_of(offer: dict[str, Any]) -> str:
    """The address of a search that finds an offer."""
    places = {
        name: f"{word}::{offer[end]['lat']},{offer[end]['lon']}"
        for name, word, end in (("from", "Chez Rosa", "start"), ("to", "Atelier", "end"))
    }
    return "/?" + urlencode({**places, "time": f"{offer['date']}T04:55"})


def sign_in(page: Page, user: dict[str, Any]) -> None:
    """By the masthead, or in the dialog that is open already."""
    dialog = page.get_by_role("dialog")
    if dialog.count() == 0:
        page.get_by_role("button", name="Se connecter").click()
    dialog.get_by_label("Adresse e-mail").fill(user["email"])
    dialog.get_by_label("Mot de passe").fill(user["password"])
    dialog.get_by_role("button", name="Se connecter").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("link", name="Mes trajets")).to_be_visible()


def open_carpool(page: Page) -> Locator:
    """Open the first itinerary by a carpool that can be booked."""
    card = page.locator(".card", has=page.locator(".segment.carpool")).first
    card.locator(".card-head").click()
    return card


def part_of(page: Page, title: str) -> Locator:
    return page.get_by_role("region", name=title, exact=True)


def shows_no_fault(watched: Watched) -> None:
    assert (watched.errors, watched.other_hosts) == ([], [])


def weekly(drive: Publish, days: int, **changes: Any) -> dict[str, Any]:
    """A drive every day for two weeks."""
    return drive(days, valid_to=day_ahead(days + 13), **changes)


def write_down(page: Page, pattern: str, said: list[tuple[str, Any]]) -> None:
    """Keep what the page says, and do not send it on: what it is about is made up."""

    def keep(route: Route) -> None:
        if route.request.method == "GET":
            route.fallback()
            return
        path = route.request.url.split("/mobility/v1/")[1]
        said.append((path.rsplit("/", 1)[1], route.request.post_data_json))
        route.fulfill(json={})

    page.route(re.compile(pattern), keep)
