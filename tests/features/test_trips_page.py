"""Signing in, booking and answering by the page, in a real browser: nothing secret stays in it."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from mobility.actions.run_demo import RunningServer, users_file
from mobility.actions.seed_demo_users import read_users
from mobility.settings import Settings
from tests.features.test_page import WAIT_MS, Watched, browser

__all__ = ["browser"]
USUAL_WAIT_MS = 5_000
ZONE = ZoneInfo("Europe/Paris")
Users = dict[str, dict[str, Any]]
Publish = Callable[..., dict[str, Any]]
Visit = Callable[..., Watched]


@pytest.fixture(scope="module")
def users(demo_home: Path) -> Users:
    """The demo's users by the first part of their addresses."""
    found = read_users(users_file(Settings(home=demo_home)))
    return {user["email"].split("@")[0]: user for user in found}


@pytest.fixture(scope="module")
def as_driver(api: httpx.Client, users: Users) -> Callable[..., httpx.Response]:
    """Requests of the demo's driver."""
    headers = {"authorization": f"Bearer {users['driver']['token']}"}

    def ask(method: str, path: str, **more: Any) -> httpx.Response:
        return api.request(method, f"/mobility/v1{path}", headers=headers, **more)

    return ask


@pytest.fixture(scope="module")
def ends(demo_home: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two public places with a road between them."""
    first = json.loads((demo_home / "demo" / "offers.json").read_text(encoding="utf-8"))[0]
    start, end = ({"lat": first[n]["lat"], "lon": first[n]["lon"]} for n in ("start", "end"))
    return {**start, "public": True}, {**end, "public": True}


@pytest.fixture
def drive(
    as_driver: Callable[..., httpx.Response], ends: tuple[dict[str, Any], dict[str, Any]]
) -> Iterator[Publish]:
    """Publishes a drive at five in the morning of a day ahead, with what is said beside."""

    def publish(days: int, **changes: Any) -> dict[str, Any]:
        date = day_ahead(days)
        content = {
            "start": ends[0], "end": ends[1], "depart_from": "05:00", "depart_to": "05:10",
            "valid_from": date, "valid_to": date, "seats": 2, "detour_budget_s": 600, **changes,
        }  # fmt: skip
        answer = as_driver("POST", "/offers", json=content)
        assert answer.status_code == 201, answer.text
        return {**answer.json(), "date": date}

    yield publish
    for ride in as_driver("GET", "/rides").json():
        if ride["state"] in ("scheduled", "en_route"):
            as_driver("POST", f"/rides/{ride['id']}/cancel")
    for offer in as_driver("GET", "/offers").json()["offers"]:
        if offer["state"] != "ended":
            as_driver("DELETE", f"/offers/{offer['id']}")


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


def test_rider_signs_in_books_sees_the_code_and_gives_the_seat_back(
    visit: Visit, drive: Publish, users: Users
) -> None:
    watched = visit(search_of(drive(50)))
    page = watched.page
    card = open_carpool(page)
    said = re.compile("onducteur (encore peu connu|vient|a parfois)")
    expect(card.locator(".carpool-facts").get_by_text(said)).to_be_visible()
    reserve = card.get_by_role("button", name="Réserver le covoiturage")
    reserve.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    sign_in(page, users["rider"])
    reserve.click()

    expect(card.get_by_text("Réservé", exact=True)).to_be_visible()
    expect(card.get_by_text(re.compile("Prise en charge entre 05:"))).to_be_visible()
    code = card.locator(".code strong").inner_text()
    assert re.fullmatch(r"\w{4}", code)

    page.get_by_role("link", name="Mes trajets").click()
    assert "trips=1" in page.url
    booked = part_of(page, "Mes réservations").locator(".own-card", has_text=code)
    expect(booked).to_be_visible()
    booked.get_by_role("button", name="Annuler ma place").click()
    booked.get_by_role("button", name="Oui").click()
    expect(booked).to_have_count(0)

    page.go_back()
    expect(page.locator(".card").first).to_be_visible()
    kept = page.evaluate("JSON.stringify(localStorage) + document.cookie")
    assert "mob_" not in kept
    shows_no_fault(watched)


def test_rider_whose_driver_cancels_takes_plan_b(
    visit: Visit, drive: Publish, users: Users, as_driver: Callable[..., httpx.Response]
) -> None:
    offer = drive(55)
    drive(55, depart_from="05:30", depart_to="05:35")
    watched = visit(search_of(offer))
    page = watched.page
    sign_in(page, users["rider"])
    card = open_carpool(page)
    card.get_by_role("button", name="Réserver le covoiturage").click()
    expect(
        card.get_by_text(re.compile("Si le conducteur ne vient pas : arrivée à"))
    ).to_be_visible()
    expect(card.get_by_text(re.compile("Dernier retour : départ à"))).to_be_visible()
    for ride in as_driver("GET", "/rides", params={"since": offer["date"]}).json():
        if ride["offer_id"] == offer["id"]:
            as_driver("POST", f"/rides/{ride['id']}/cancel")
    page.get_by_role("link", name="Mes trajets").click()
    booked = part_of(page, "Mes réservations")
    booked.get_by_role("button", name="Prendre le plan B").click()
    plan_b = page.get_by_role("status", name="Votre plan B")
    expect(plan_b.get_by_text("Une place est réservée.")).to_be_visible()
    expect(plan_b.locator(".leg.ridden")).not_to_have_count(0)
    expect(booked.get_by_role("button", name="Prendre le plan B")).to_have_count(0)
    shows_no_fault(watched)


def test_second_try_after_a_lost_answer_books_once(
    visit: Visit, drive: Publish, users: Users
) -> None:
    page = visit(search_of(drive(54))).page
    sign_in(page, users["rider"])
    keys: list[str | None] = []

    def lose_the_first(route: Route) -> None:
        if route.request.method != "POST":
            route.continue_()
            return
        keys.append(route.request.header_value("idempotency-key"))
        if len(keys) == 1:
            assert route.fetch().status == 201
            route.abort()
        else:
            route.continue_()

    page.route("**/mobility/v1/bookings", lose_the_first)
    card = open_carpool(page)
    card.get_by_role("button", name="Réserver le covoiturage").click()
    expect(card.get_by_text("Le serveur ne répond pas.")).to_be_visible()
    card.get_by_role("button", name="Réserver le covoiturage").click()
    expect(card.get_by_text("Réservé", exact=True)).to_be_visible()
    assert len(keys) == 2
    assert keys[0] == keys[1] != ""

    page.get_by_role("link", name="Mes trajets").click()
    booked = part_of(page, "Mes réservations")
    expect(booked.locator(".code strong")).to_have_count(1)


def test_driver_accepts_a_request_and_the_rider_sees_it(
    visit: Visit, drive: Publish, users: Users
) -> None:
    rider = visit(search_of(drive(51, acceptance="ask")))
    sign_in(rider.page, users["rider"])
    card = open_carpool(rider.page)
    card.get_by_role("button", name="Réserver le covoiturage").click()
    expect(card.get_by_text("Demande envoyée au conducteur")).to_be_visible()

    driver = visit("/?trips=1")
    sign_in(driver.page, users["driver"])
    ride = part_of(driver.page, "Je conduis").locator(".own-card", has_text="demo:Rosa")
    expect(ride.get_by_text("demo:Rosa monte")).to_be_visible()
    ride.get_by_role("button", name="Accepter").click()
    expect(ride.get_by_text("réservé", exact=True)).to_be_visible()

    rider.page.get_by_role("link", name="Mes trajets").click()
    booked = part_of(rider.page, "Mes réservations").locator(".own-card").first
    expect(booked.get_by_text("Réservé", exact=True)).to_be_visible()
    expect(booked.locator(".code strong")).to_have_text(re.compile(r"^\w{4}$"))

    ride.get_by_role("button", name="Annuler ce trajet").click()
    ride.get_by_role("button", name="Oui").click()
    expect(ride).to_have_count(0)
    rider.page.reload()
    part_of(rider.page, "Mes réservations").get_by_text(re.compile("annulé")).click()
    expect(rider.page.get_by_text("Annulé par le conducteur").first).to_be_visible()
    shows_no_fault(rider)
    shows_no_fault(driver)


def test_driver_lets_in_by_the_code_on_the_day_of_the_ride(
    visit: Visit, drive: Publish, users: Users
) -> None:
    offer = drive(53)
    rider = visit(search_of(offer))
    sign_in(rider.page, users["rider"])
    card = open_carpool(rider.page)
    card.get_by_role("button", name="Réserver le covoiturage").click()
    code = card.locator(".code strong").inner_text()

    watched = visit("/")
    page = watched.page
    sign_in(page, users["driver"])
    page.get_by_role("link", name="Mes trajets").click()
    ride = part_of(page, "Je conduis").locator(".own-card", has_text="demo:Rosa")
    expect(ride).to_be_visible()
    expect(ride.get_by_label("Code du passager")).to_have_count(0)
    # It is not that day: what the page says is written down here, and not sent on.
    said: list[tuple[str, Any]] = []

    def write_down(route: Route) -> None:
        request = route.request
        said.append((request.url.rsplit("/", 1)[1], request.post_data_json))
        route.fulfill(json={})

    page.route(re.compile(r"/rides/[^/]+/"), write_down)
    page.clock.set_fixed_time(f"{offer['date']}T05:01:00+01:00")
    page.reload()
    ride.get_by_role("button", name="J’ai 10 minutes de retard").click()
    ride.get_by_label("Code du passager").fill(code)
    ride.get_by_role("button", name="À bord").click()
    with page.expect_response("**/absent"):
        ride.get_by_role("button", name="Absent").click()
    assert said == [("late", {"late_s": 600}), ("board", {"code": code}), ("absent", None)]
    shows_no_fault(watched)


def test_rider_sees_when_the_car_comes_and_where_it_is(
    visit: Visit, drive: Publish, users: Users
) -> None:
    """The day is not here yet: the page's clock is put forward, and the stream is written here."""
    offer = drive(54)
    watched = visit(search_of(offer))
    page = watched.page
    sign_in(page, users["rider"])
    open_carpool(page).get_by_role("button", name="Réserver le covoiturage").click()
    expect(page.locator(".code strong")).to_be_visible()
    times = {"expected_at": f"{offer['date']}T05:09:00+01:00", "reached_at": None}
    content = {
        "state": "confirmed", "pickup": times, "dropoff": times,
        "seen_at": f"{offer['date']}T05:04:50+01:00",
        "car": {name: offer["start"][name] for name in ("lat", "lon")},
    }  # fmt: skip
    body = f": still there\n\nevent: live\ndata: {json.dumps(content)}\n\n"
    page.route(
        re.compile("/live/stream$"),
        lambda route: route.fulfill(body=body, content_type="text/event-stream"),
    )
    page.clock.set_fixed_time(f"{offer['date']}T05:05:00+01:00")
    page.goto(page.url.split("/?")[0] + "/?trips=1")
    expect(page.get_by_text("La voiture arrive dans 4 min")).to_be_visible()
    expect(page.get_by_role("img", name="Votre voiture")).to_be_visible()
    shows_no_fault(watched)


def test_driver_shares_his_position_while_the_switch_is_on(
    visit: Visit, drive: Publish, users: Users
) -> None:
    offer = drive(55)
    rider = visit(search_of(offer))
    sign_in(rider.page, users["rider"])
    open_carpool(rider.page).get_by_role("button", name="Réserver le covoiturage").click()
    expect(rider.page.locator(".code strong")).to_be_visible()

    where = {"latitude": offer["start"]["lat"], "longitude": offer["start"]["lon"]}
    watched = visit("/", permissions=["geolocation"], geolocation={**where, "accuracy": 7})
    page = watched.page
    sign_in(page, users["driver"])
    page.clock.install(time=f"{offer['date']}T05:00:00+01:00")
    page.goto(page.url.split("/?")[0].rstrip("/") + "/?trips=1")
    ride = part_of(page, "Je conduis").locator(".own-card", has_text="demo:Rosa")
    ride.get_by_label("Partager ma position").check()
    expect(ride.get_by_text("Vos passagers voient quand vous arrivez")).to_be_visible()
    with page.expect_request(re.compile("/positions$")) as sent:
        page.clock.run_for(11_000)
    (position,) = sent.value.post_data_json["positions"]
    assert (position["lat"], position["lon"]) == (where["latitude"], where["longitude"])
    assert position["accuracy_m"] == 7
    # The server's clock is not there yet, and it says so.
    expect(ride.get_by_text("La position n’est pas prise")).to_be_visible()
    ride.get_by_label("Partager ma position").uncheck()
    expect(ride.get_by_text("La position n’est pas prise")).to_have_count(0)


def test_driver_publishes_pauses_and_ends_an_offer(
    visit: Visit, drive: Publish, users: Users, ends: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    watched = visit("/?trips=1")
    page = watched.page
    sign_in(page, users["driver"])
    page.get_by_text("Proposer un trajet").click()
    for label, end in zip(("Je pars de", "Je vais à"), ends, strict=True):
        page.get_by_role("combobox", name=label).press_sequentially(f"{end['lat']}, {end['lon']}")
        page.get_by_role("option").first.click()
    page.get_by_label("Le départ est un lieu public").check()
    page.get_by_label("L’arrivée est un lieu public").check()
    page.get_by_label("Partir entre").fill("05:20")
    page.get_by_label("et", exact=True).fill("05:30")
    cost = page.get_by_role("region", name="Ce que coûte ce trajet")
    expect(cost.get_by_text(re.compile(r"énergie [\d,]+"))).to_be_visible()
    expect(cost.get_by_text(re.compile(r"avec \d passagers? : "))).to_have_count(3)
    page.get_by_role("button", name="Publier l’offre").click()
    expect(page.get_by_text(re.compile(r"Offre publiée\. Durée du trajet : \d"))).to_be_visible()

    offer = part_of(page, "Mes offres").locator(".own-card", has_text="Départ entre 05:20 et 05:30")
    offer.get_by_role("button", name="Mettre en pause").click()
    expect(offer.get_by_text("En pause", exact=True)).to_be_visible()
    offer.get_by_role("button", name="Reprendre").click()
    expect(offer.get_by_text("Publiée", exact=True)).to_be_visible()
    offer.get_by_role("button", name="Terminer l’offre").click()
    offer.get_by_role("button", name="Oui").click()
    expect(offer).to_have_count(0)
    shows_no_fault(watched)


def test_driver_edits_an_offer_and_overwrites_nobody(
    visit: Visit, drive: Publish, users: Users, as_driver: Callable[..., httpx.Response]
) -> None:
    struck = {"struck_points": ["somewhere"], "except_dates": [day_ahead(400)]}
    own = drive(58, depart_from="05:40", depart_to="05:50", **struck)
    watched = visit("/?trips=1")
    page = watched.page
    sign_in(page, users["driver"])
    offers = part_of(page, "Mes offres")
    card = offers.locator(".own-card", has_text="Départ entre 05:40 et 05:50")
    card.get_by_role("button", name="Modifier").click()
    card.get_by_label("je dois arriver").check()
    card.get_by_label("Arriver entre").fill("06:20")
    card.get_by_label("et", exact=True).fill("06:40")
    card.get_by_label("Offre ouverte").select_option("entre femmes")
    expect(card.get_by_text("c’est déclarer être une femme")).to_be_visible()
    card.get_by_label("Bagages").select_option("grands bagages")
    card.get_by_label("vélo").check()
    card.get_by_text("Ma voiture").click()
    card.get_by_label("Marque et modèle").fill("Renault Zoé")
    card.get_by_label("Énergie").select_option("électrique")
    card.get_by_role("button", name="Enregistrer").click()
    card = offers.locator(".own-card", has_text="Arrivée entre 06:20 et 06:40")
    expect(card.get_by_text("entre femmes · grands bagages · vélo")).to_be_visible()
    stored = as_driver("GET", f"/offers/{own['id']}").json()
    assert (stored["version"], stored["audience"], stored["depart_from"]) == (2, "women", None)
    assert stored["vehicle"]["energy"] == "electric"
    assert {name: stored[name] for name in struck} == struck, "what the form does not show stays"
    # Somebody else changes it while the form is open.
    card.get_by_role("button", name="Modifier").click()
    content = {
        name: value
        for name, value in stored.items()
        if name not in {"id", "state", "driver", "drive_s", "point_count"}
    }
    assert as_driver("PUT", f"/offers/{own['id']}", json={**content, "seats": 4}).is_success
    card.get_by_label("Places").fill("1")
    card.get_by_role("button", name="Enregistrer").click()
    expect(card.get_by_text("modifiée ailleurs entre-temps")).to_be_visible()
    assert as_driver("GET", f"/offers/{own['id']}").json()["seats"] == 4
    circles = part_of(page, "Avec qui je voyage")
    expect(circles.get_by_label("Je suis une femme")).to_be_checked()
    circles.get_by_label("Je suis une femme").uncheck()
    expect(card.get_by_text("En pause", exact=True)).to_be_visible()
    watched.errors[:] = [error for error in watched.errors if "409" not in error]
    shows_no_fault(watched)


def test_rider_says_what_he_brings_and_it_is_in_the_address(
    visit: Visit, drive: Publish, users: Users
) -> None:
    offer = drive(59, takes=["bike"])
    watched = visit(search_of(offer) + "&needs=bike")
    page = watched.page
    expect(page.get_by_label("vélo")).to_be_checked()
    card = open_carpool(page)
    expect(card.get_by_text("vélo", exact=True)).to_be_visible()
    page.get_by_label("siège enfant").check()
    page.get_by_role("button", name="Rechercher", exact=True).click()
    expect(page).to_have_url(re.compile("needs=bike,child_seat"))
    expect(page.locator(".segment.carpool")).to_have_count(0)
    shows_no_fault(watched)


def test_rider_asks_to_be_told_of_a_carpool(visit: Visit, drive: Publish, users: Users) -> None:
    watched = visit(search_of(drive(52)))
    page = watched.page
    sign_in(page, users["rider"])
    page.get_by_role("button", name="Prévenez-moi d’un covoiturage").click()
    expect(page.get_by_text("Alerte enregistrée")).to_be_visible()

    page.get_by_role("link", name="Mes trajets").click()
    wish = part_of(page, "Mes alertes").locator(".own-card").first
    expect(wish.get_by_text(re.compile("Une offre le .*, de 05:"))).to_be_visible()
    wish.get_by_role("button", name="Supprimer l’alerte").click()
    expect(wish).to_have_count(0)
    shows_no_fault(watched)


def test_somebody_registers_and_signs_out_by_the_keyboard(visit: Visit) -> None:
    watched = visit("/")
    page = watched.page
    page.get_by_role("button", name="Se connecter").focus()
    page.keyboard.press("Enter")
    page.get_by_role("tab", name="Se connecter").focus()
    page.keyboard.press("ArrowRight")
    name = f"Nina{dt.datetime.now(dt.UTC).timestamp():.0f}"
    for given in (f"{name}@example.org", "quatre mots au hasard", name):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") != "INPUT":
            page.keyboard.press("Tab")  # a panel of a tab may be a stop of its own
        page.keyboard.type(given)
    page.keyboard.press("Enter")
    # The focus is on what took the place of the button.
    expect(page.get_by_role("link", name="Mes trajets")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text(f"Connecté : {name}")).to_be_visible()
    # What is still being read when the session ends is given up, not refused.
    held: list[Route] = []
    page.route("**/mobility/v1/bookings*", lambda route: held.append(route))  # noqa: PLW0108
    page.reload()
    page.get_by_role("button", name="Se déconnecter").click()
    expect(page.get_by_role("button", name="Se connecter")).to_be_visible()
    assert held
    for route in held:
        route.continue_()
    expect(page.get_by_text("Connectez-vous pour voir vos trajets.")).to_be_visible()
    page.wait_for_timeout(1_000)  # a refusal would be here
    shows_no_fault(watched)


def test_own_trips_are_also_english(visit: Visit) -> None:
    watched = visit("/?trips=1&lang=en")
    expect(watched.page.get_by_role("heading", name="My trips")).to_be_visible()
    expect(watched.page.get_by_text("Sign in to see your trips.")).to_be_visible()
    watched.page.locator("button.language").click()
    assert "trips=1" in watched.page.url
    expect(watched.page.get_by_role("heading", name="Mes trajets")).to_be_visible()
    shows_no_fault(watched)


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


def test_rider_books_a_week_with_the_way_back_drops_a_date_and_gives_the_rest_back(
    visit: Visit, drive: Publish, users: Users, ends: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    offer = weekly(drive, 60, seats=1)
    weekly(
        drive, 60, start=ends[1], end=ends[0], depart_from="22:10", depart_to="22:20",
        except_dates=[day_ahead(61)],
    )  # fmt: skip
    watched = visit(search_of(offer))
    page = watched.page
    sign_in(page, users["rider"])
    card = open_carpool(page)
    card.get_by_text("Toutes les semaines").click()
    for day in ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"):
        card.get_by_label(day).check()
    card.get_by_label("Jusqu’au").fill(day_ahead(62))
    card.get_by_label("Avec le retour").check()
    book = card.get_by_role("button", name="Réserver toutes ces dates")
    expect(book).to_be_disabled()
    card.get_by_label("Rentrer à partir de").fill("22:05")
    card.get_by_role("radio").first.check()
    book.click()
    expect(card.get_by_text("5 trajets réservés ou demandés sur 6.")).to_be_visible()
    expect(card.get_by_text("le conducteur ne roule pas à cette date")).to_be_visible()

    page.get_by_role("link", name="Mes trajets").click()
    series = part_of(page, "Mes séries").locator(".own-card").first
    series.get_by_text("Toutes les dates").click()
    first = series.locator(".series-dates li").first
    first.get_by_role("button", name="Annuler cette date").click()
    first.get_by_role("button", name="Oui").click()
    expect(first.get_by_text("Annulé par vous")).to_be_visible()
    # Dates that are far ahead do not fill the list of bookings.
    expect(part_of(page, "Mes réservations").locator(".own-card .code")).to_have_count(0)
    series.get_by_role("button", name="Annuler la série").click()
    series.get_by_role("button", name="Oui").click()
    expect(part_of(page, "Mes séries").get_by_text("Aucune série.")).to_be_visible()
    shows_no_fault(watched)

    driver = visit("/?trips=1")
    sign_in(driver.page, users["driver"])
    news = part_of(driver.page, "Nouvelles")
    expect(news.get_by_text("Un passager a rendu toute sa série.").first).to_be_visible()
    expect(driver.page.locator("a.account .unread")).to_have_text(re.compile(r"^\d+$"))
    news.get_by_role("button", name="Marquer comme lues").click()
    expect(news.get_by_text("Rien de nouveau.")).to_be_visible()
    expect(driver.page.locator("a.account .unread")).to_have_count(0)
    shows_no_fault(driver)


def test_driver_accepts_a_series_in_one_act(visit: Visit, drive: Publish, users: Users) -> None:
    offer = weekly(drive, 75, acceptance="ask")
    rider = visit(search_of(offer))
    sign_in(rider.page, users["rider"])
    card = open_carpool(rider.page)
    card.get_by_text("Toutes les semaines").click()
    card.get_by_label("Jusqu’au").fill(day_ahead(75 + 13))
    card.get_by_role("button", name="Réserver toutes ces dates").click()
    expect(card.get_by_text("2 trajets réservés ou demandés sur 2.")).to_be_visible()

    driver = visit("/?trips=1")
    sign_in(driver.page, users["driver"])
    series = part_of(driver.page, "Passagers réguliers").locator(".own-card").first
    expect(series.get_by_text("demo:Rosa")).to_be_visible()
    series.get_by_role("button", name="Accepter les 2 dates").click()
    series.get_by_text("Toutes les dates").click()
    expect(series.get_by_text("réservé", exact=True)).to_have_count(2)
    series.get_by_role("button", name="Ne plus emmener ce passager").click()
    series.get_by_role("button", name="Oui").click()
    expect(part_of(driver.page, "Passagers réguliers")).to_have_count(0)
    shows_no_fault(driver)


def test_who_has_booked_is_led_to_the_way_back(visit: Visit, drive: Publish, users: Users) -> None:
    offer = drive(56)
    watched = visit(search_of(offer))
    sign_in(watched.page, users["rider"])
    card = open_carpool(watched.page)
    card.get_by_role("button", name="Réserver le covoiturage").click()
    card.get_by_role("link", name="Chercher le retour ce jour-là").click()
    expect(watched.page.get_by_role("combobox", name="Départ")).to_have_value("Atelier")
    expect(watched.page.get_by_role("combobox", name="Arrivée")).to_have_value("Chez Rosa")
    assert f"time={offer['date']}T17:00" in watched.page.url
    shows_no_fault(watched)


def test_rider_says_that_the_driver_did_not_come_and_complains(
    visit: Visit, drive: Publish, users: Users
) -> None:
    offer = drive(58)
    watched = visit(search_of(offer))
    page = watched.page
    sign_in(page, users["rider"])
    open_carpool(page).get_by_role("button", name="Réserver le covoiturage").click()
    expect(page.locator(".card .code")).to_be_visible()
    made_up = {"state": "confirmed"}

    def tell(route: Route) -> None:
        answer = route.fetch()
        page_of = answer.json()
        for booking in page_of["bookings"]:
            if booking["pickup_from"].startswith(offer["date"]):
                booking.update(made_up)
        route.fulfill(response=answer, json=page_of)

    page.route("**/mobility/v1/bookings*", tell)
    said: list[tuple[str, Any]] = []
    write_down(page, r"/bookings/[^/]+/", said)
    page.clock.set_fixed_time(f"{offer['date']}T05:15:00+01:00")
    page.get_by_role("link", name="Mes trajets").click()
    ahead = part_of(page, "Mes réservations").locator(":scope > ul > .own-card")
    booked = ahead.filter(has_text=re.compile("charge entre 05:")).first
    expect(booked.get_by_role("button", name="Annuler ma place")).to_be_visible()
    expect(booked.get_by_role("button", name="Le conducteur n’est pas venu")).to_have_count(0)
    page.clock.set_fixed_time(f"{offer['date']}T05:45:00+01:00")
    page.reload()
    booked.get_by_role("button", name="Le conducteur n’est pas venu").click()
    booked.get_by_role("button", name="Oui").click()
    made_up["state"] = "completed"
    page.reload()
    part_of(page, "Mes réservations").get_by_text(re.compile("passé|annulé")).click()
    cards = part_of(page, "Mes réservations").locator(".over .own-card")
    over = cards.filter(has_text="Trajet effectué").first
    over.get_by_role("button", name="Faire une réclamation").click()
    with page.expect_response("**/complain"):
        over.get_by_role("button", name="Oui").click()
    assert said == [("driver-absent", None), ("complain", None)]
    shows_no_fault(watched)


def test_driver_rates_a_rider_whose_ride_is_over(visit: Visit, users: Users) -> None:
    watched = visit("/")
    page = watched.page
    passenger = {"booking_id": "b", "rider": "Rosa", "state": "completed", "stars_given": None}
    ride = {
        "id": "r", "date": day_ahead(-1), "state": "completed", "late_s": 0, "stops": [],
        "passengers": [], "done": [passenger],
    }  # fmt: skip
    asked: list[str] = []

    def tell(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(json=[ride])

    page.route("**/mobility/v1/rides?*", tell)
    said: list[tuple[str, Any]] = []
    write_down(page, r"/rides/[^/?]+/", said)
    sign_in(page, users["driver"])
    page.get_by_role("link", name="Mes trajets").click()
    rides = part_of(page, "Je conduis")
    rides.get_by_text(re.compile("passé")).click()
    rides.get_by_role("button", name="4 étoiles").click()
    expect(rides.get_by_role("group", name="Comment était le trajet avec Rosa ?")).to_be_visible()
    assert said == [("rate", {"stars": 4})]
    assert f"since={day_ahead(-7)}" in asked[0]
    passenger["stars_given"] = 4
    page.reload()
    rides.get_by_text(re.compile("passé")).click()
    expect(rides.get_by_text("Vous avez donné 4 étoiles")).to_be_visible()
    shows_no_fault(watched)


def test_rider_and_driver_answer_proposals_of_the_night(visit: Visit, users: Users) -> None:
    watched = visit("/")
    page = watched.page
    way = {
        "pickup_name": "Mairie", "dropoff_name": "Gare", "pickup_at": "07:10:00",
        "dropoff_at": "07:40:00", "arrival_at": None,
    }  # fmt: skip
    proposal = {
        "id": "p", "role": "rider", "state": "open", "weekdays": ["mon", "thu"], "out": way,
        "back": None,
    }  # fmt: skip
    page.route("**/mobility/v1/proposals", lambda route: route.fulfill(json=[proposal]))
    said: list[tuple[str, Any]] = []
    write_down(page, r"/proposals/[^/]+/", said)
    sign_in(page, users["rider"])
    page.get_by_role("link", name="Mes trajets").click()
    card = part_of(page, "Covoiturages réguliers proposés").locator(".own-card")
    expect(card.get_by_text("Mairie 07:10 → Gare 07:40")).to_be_visible()
    expect(card.get_by_text("lundi, jeudi")).to_be_visible()
    with page.expect_response("**/proposals"):
        card.get_by_role("button", name="Cela m’intéresse").click()
    with page.expect_response("**/proposals"):
        card.get_by_role("button", name="Non merci").click()
    assert said == [("interested", None), ("decline", None)]
    proposal.update(role="driver", state="interested")
    page.reload()
    expect(card.get_by_role("button", name="Cela m’intéresse")).to_have_count(0)
    expect(card.get_by_role("button", name="Non merci")).to_be_visible()
    shows_no_fault(watched)


def test_rider_shares_a_wish_with_other_operators_and_reads_what_they_see(
    visit: Visit, drive: Publish, users: Users
) -> None:
    watched = visit(search_of(drive(59)))
    page = watched.page
    sign_in(page, users["rider"])
    share = page.get_by_label("Montrer aussi aux autres opérateurs de covoiturage")
    expect(share).not_to_be_checked()
    expect(page.get_by_text("ni votre adresse, ni votre nom")).to_be_visible()
    share.check()
    page.get_by_role("button", name="Prévenez-moi d’un covoiturage").click()
    expect(page.get_by_text("Alerte enregistrée")).to_be_visible()
    page.get_by_role("link", name="Mes trajets").click()
    wish = part_of(page, "Mes alertes").locator(".own-card", has_text="Montrée aussi").first
    wish.get_by_role("button", name="Supprimer l’alerte").click()
    expect(part_of(page, "Mes alertes").get_by_text("Montrée aussi")).to_have_count(0)
    shows_no_fault(watched)
