"""What tests of the served product share."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from carpool.offers import Offer, parse_offer
from core.ids import OfferId
from core.modes import Mode, mode_of_route_type
from mobility.actions.run_demo import RunningServer, users_file
from mobility.actions.seed_demo_users import read_users
from mobility.db.engine import Engine
from mobility.installation import open_installation, opened_database
from mobility.settings import Settings
from mobility.world import World, open_snapshot
from tests.support.booked import ZONE, Ask
from tests.support.bookings import Booth, Driven, soon
from tests.support.browsing import BROWSERS, FLAGS, WAIT_MS, Users, Visit, Watched
from tests.support.usage import line_of
from tests.support.users import Somebody, make_somebody

USUAL_WAIT_MS = 5_000


@pytest.fixture(scope="module")
def api(demo_server: RunningServer) -> Iterator[httpx.Client]:
    """A client of the demo."""
    with httpx.Client(base_url=demo_server.base_url, timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def ask(
    api: httpx.Client, demo_home: Path, demo_server: RunningServer
) -> Callable[..., httpx.Response]:
    """Requests of one of the demo's users, or of whoever has a secret: who, method, path."""
    users = read_users(users_file(Settings(home=demo_home)))
    tokens = {user["email"].split("@")[0]: user["token"] for user in users}

    def request(who: str, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {tokens.get(who, who)}", **more.pop("headers", {})}
        return api.request(method, f"/mobility/v1{path}", headers=headers, **more)

    return request


@pytest.fixture(scope="module")
def engine(demo_home: Path) -> Iterator[Engine]:
    """The demo's database."""
    with opened_database(Settings(home=demo_home)) as opened:
        yield opened


@pytest.fixture
def somebody(engine: Engine, demo_server: RunningServer) -> Callable[..., Somebody]:
    """Makes users without the limits of the API, each signed in."""
    return make_somebody(engine)


@pytest.fixture(scope="module")
def booth(demo_home: Path, demo_server: RunningServer) -> Iterator[Booth]:
    """Books on the demo as its API does."""
    here = open_installation(Settings(home=demo_home))
    yield Booth.of(here, open_snapshot(here.snapshot_folder))
    here.close()


@pytest.fixture(scope="module")
def like(demo_home: Path) -> Offer:
    """The drive of one of the demo's offers."""
    offers = json.loads((demo_home / "demo" / "offers.json").read_text(encoding="utf-8"))
    values = {**offers[0], "seats": 3, "detour_budget_s": 600}
    return parse_offer(values, OfferId(str(uuid.uuid4())))


@pytest.fixture
def driven(booth: Booth, like: Offer) -> Callable[..., Driven]:
    """Publishes an offer for a date that no other test uses."""

    def publish(**changes: Any) -> Driven:
        date = changes.pop("date", None) or soon()
        return booth.offer(like, date=date, **changes)

    return publish


@pytest.fixture
def drive(ask: Ask, demo_home: Path) -> Iterator[Callable[..., dict[str, Any]]]:
    """Publishes a drive at five in the morning of a day ahead, with what is said beside."""
    offers = json.loads((demo_home / "demo" / "offers.json").read_text(encoding="utf-8"))
    ends = {
        name: {"lat": offers[0][name]["lat"], "lon": offers[0][name]["lon"], "public": True}
        for name in ("start", "end")
    }
    own: list[str] = []

    def publish(days: int, **changes: Any) -> dict[str, Any]:
        date = (dt.datetime.now(ZONE).date() + dt.timedelta(days=days)).isoformat()
        content = {
            **ends, "depart_from": "05:00", "depart_to": "05:10", "valid_from": date,
            "valid_to": date, "seats": 2, "detour_budget_s": 600, **changes,
        }  # fmt: skip
        answer = ask("driver", "POST", "/offers", json=content)
        assert answer.status_code == 201, answer.text
        own.append(answer.json()["id"])
        return {**answer.json(), "date": date}

    yield publish
    for ride in ask("driver", "GET", "/rides").json():
        if ride["state"] in ("scheduled", "en_route"):
            ask("driver", "POST", f"/rides/{ride['id']}/cancel")
    for offer_id in own:
        ask("driver", "DELETE", f"/offers/{offer_id}")


@pytest.fixture(scope="module")
def bus(booth: Booth) -> tuple[str, list[str]]:
    """A bus line of the demo, and the stops of one of its ways."""
    return line_of(World(booth.desk.snapshot), Mode.BUS)


@pytest.fixture(scope="module")
def train(booth: Booth) -> tuple[str, list[str]]:
    """A railway line of the demo, and the stops of one of its ways."""
    world = World(booth.desk.snapshot)
    t = world.network.timetable
    kinds = {mode_of_route_type(int(kind)) for kind in t.route_type.tolist()}
    return line_of(world, next(kind for kind in kinds if kind and "RAIL" in kind.name))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        pytest.skip(f"no browser to open the page with: install one of {', '.join(BROWSERS)}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def users(demo_home: Path) -> Users:
    """The demo's users by the first part of their addresses."""
    found = read_users(users_file(Settings(home=demo_home)))
    return {user["email"].split("@")[0]: user for user in found}


@pytest.fixture
def visit(browser: Browser, demo_server: RunningServer) -> Iterator[Visit]:
    """Opens pages, each with cookies of its own; at the end none has complained."""
    opened: list[Watched] = []

    def open_page(address: str = "/", **more: Any) -> Watched:
        size = {"width": 1280, "height": 800}
        context = browser.new_context(**{"viewport": size, "locale": "fr-FR", **more})
        context.set_default_timeout(WAIT_MS)
        watched = Watched(context.new_page(), demo_server.base_url)
        opened.append(watched)
        answer = watched.page.goto(demo_server.base_url + address)
        if answer is None or "text/html" not in answer.headers.get("content-type", ""):
            pytest.skip("the server has no page: run `npm ci && npm run build` in web/")
        return watched

    # The page asks again every 15 seconds: what others did may take as long to show.
    expect.set_options(timeout=WAIT_MS)
    yield open_page
    expect.set_options(timeout=USUAL_WAIT_MS)
    for watched in opened:
        watched.page.unroute_all(behavior="ignoreErrors")  # one may be answering just now
        watched.page.context.close()
