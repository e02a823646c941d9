"""Signing in and booking by the page, in a real browser: nothing secret stays in it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import httpx
from playwright.sync_api import Route, expect

from tests.support.browsing import (
    Publish,
    Users,
    Visit,
    day_ahead,
    open_carpool,
    part_of,
    search_of,
    shows_no_fault,
    sign_in,
    weekly,
)


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
    visit: Visit,
    drive: Publish,
    users: Users,
    as_driver: Callable[..., httpx.Response],
    ends: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    offer = drive(55)
    drive(55, depart_from="05:30", depart_to="05:35")
    drive(55, start=ends[1], end=ends[0], depart_from="20:00", depart_to="20:10")
    watched = visit(search_of(offer))
    page = watched.page
    sign_in(page, users["rider"])
    card = open_carpool(page)
    card.get_by_role("button", name="Réserver le covoiturage").click()
    expect(
        card.get_by_text(re.compile("Si le conducteur ne vient pas : arrivée à"))
    ).to_be_visible()
    expect(card.get_by_text(re.compile("Dernier retour : départ à"))).to_be_visible()
    day = card.locator(".booking-day").inner_text()
    for ride in as_driver("GET", "/rides", params={"since": offer["date"]}).json():
        if ride["offer_id"] == offer["id"]:
            as_driver("POST", f"/rides/{ride['id']}/cancel")
    page.get_by_role("link", name="Mes trajets").click()
    booked = part_of(page, "Mes réservations").locator(".own-card", has_text=day)
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


def test_driver_reads_the_address_once_he_has_accepted_its_rider(
    visit: Visit, drive: Publish, users: Users
) -> None:
    rider = visit(search_of(drive(144, acceptance="ask", door=True)))
    sign_in(rider.page, users["rider"])
    card = open_carpool(rider.page)
    card.get_by_role("button", name="Réserver le covoiturage").click()
    expect(card.get_by_text("à l’adresse exacte").first).to_be_visible()

    driver = visit("/?trips=1")
    sign_in(driver.page, users["driver"])
    ride = part_of(driver.page, "Je conduis").locator(".own-card", has_text="demo:Rosa")
    expect(ride.get_by_text("l’adresse exacte est donnée une fois").first).to_be_visible()
    expect(ride.get_by_role("link", name="à l’adresse exacte")).to_have_count(0)
    ride.get_by_role("button", name="Accepter").click()
    address = ride.get_by_role("link", name="à l’adresse exacte").first
    expect(address).to_have_attribute("href", re.compile(r"^geo:\d+\.\d+,\d+\.\d+$"))
    shows_no_fault(rider)
    shows_no_fault(driver)


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
