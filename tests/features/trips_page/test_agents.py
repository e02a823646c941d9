"""An agent serves somebody who has only a telephone by the page, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx
from playwright.sync_api import Page, expect

from tests.support.browsing import (
    Publish,
    Users,
    Visit,
    open_carpool,
    part_of,
    search_of,
    shows_no_fault,
    sign_in,
)

NUMBER = "05 55 77 88 99"


def register(page: Page, name: str) -> str:
    """By the desk; gives the name by which drivers know the person, which may have a number."""
    page.get_by_role("link", name="Guichet").click()
    page.get_by_label("Numéro de téléphone").fill(NUMBER)
    page.get_by_role("button", name="Chercher ce numéro").click()
    page.get_by_label("Nom", exact=True).fill(name)
    people = part_of(page, "Trouver ou enregistrer quelqu’un").locator(".own-card")
    expect(page.get_by_text(re.compile("à ce numéro.$")).first).to_be_visible()
    known = people.count()
    page.get_by_role("button", name="Enregistrer", exact=True).click()
    expect(people).to_have_count(known + 1)
    return people.first.locator("strong").first.inner_text()


def ride_of(as_driver: Callable[..., httpx.Response], offer: dict[str, Any]) -> dict[str, Any]:
    rides = as_driver("GET", "/rides", params={"since": offer["date"]}).json()
    found: dict[str, Any] = next(r for r in rides if r["offer_id"] == offer["id"])
    return found


def test_agent_registers_books_tells_and_cancels_for_somebody(
    visit: Visit, drive: Publish, users: Users, as_driver: Callable[..., httpx.Response]
) -> None:
    offer = drive(66)
    watched = visit("/")
    page = watched.page
    sign_in(page, users["operator"])
    name = register(page, "Mme Morel")
    page.get_by_role("button", name=f"Agir pour {name}").click()
    acting = page.get_by_text(f"Vous agissez pour {name}.")
    expect(acting).to_be_visible()
    page.goto(page.url.split("/?")[0].rstrip("/") + search_of(offer))
    expect(acting).to_be_visible()
    card = open_carpool(page)
    card.get_by_role("button", name="Réserver le covoiturage").click()
    expect(card.get_by_text("Réservé", exact=True)).to_be_visible()
    expect(card.get_by_text(f"Code que {name} dira au conducteur")).to_be_visible()
    code = card.locator(".code strong").inner_text()
    ride = ride_of(as_driver, offer)
    (passenger,) = ride["passengers"]
    assert (passenger["rider"], passenger["by_agent"]) == (name, True)

    # Whose trips these are is said; the agent's own are not among them.
    page.get_by_role("link", name=f"Trajets de {name}").click()
    expect(page.get_by_role("heading", name=f"Trajets de {name}")).to_be_visible()
    booked = part_of(page, "Réservations").locator(".own-card")
    expect(booked).to_have_count(1)
    expect(booked.locator(".code strong")).to_have_text(code)
    expect(part_of(page, "Je conduis")).to_have_count(0)

    # The driver has something told: somebody calls, and says so.
    say = {"text": "Je serai devant la mairie."}
    path = f"/rides/{ride['id']}/passengers/{passenger['booking_id']}/tell"
    assert as_driver("POST", path, json=say).status_code == 204
    page.get_by_role("link", name="Guichet").click()
    call = part_of(page, "À appeler").locator(".own-card", has_text=name)
    expect(call.get_by_text("Je serai devant la mairie.")).to_be_visible()
    expect(call.get_by_role("link", name="0555778899")).to_be_visible()
    call.get_by_role("button", name="C’est dit").click()
    expect(call).to_have_count(0)

    page.get_by_role("link", name=f"Trajets de {name}").click()
    booked.get_by_role("button", name="Annuler la place").click()
    booked.get_by_role("button", name="Oui").click()
    expect(page.get_by_text("Aucune réservation à venir.")).to_be_visible()
    assert ride_of(as_driver, offer)["passengers"] == []

    page.get_by_role("button", name="Terminer").click()
    expect(acting).to_have_count(0)
    page.get_by_role("link", name="Mes trajets").click()
    expect(page.get_by_text("Connecté : demo:Odile")).to_be_visible()
    asked = [path for path, _ in watched.answers if path.startswith("/mobility/v1/")]
    assert {f"/mobility/v1/{own}" for own in ("bookings", "series", "wishes")} <= set(asked)
    shows_no_fault(watched)


def test_somebody_takes_the_account_over_with_the_code_of_an_agent(
    visit: Visit, users: Users
) -> None:
    agent = visit("/")
    sign_in(agent.page, users["operator"])
    name = register(agent.page, "M. Petit")
    found = part_of(agent.page, "Trouver ou enregistrer quelqu’un").locator(".own-card")
    person = found.filter(has=agent.page.get_by_text(name, exact=True))
    person.get_by_role("button", name="Code de prise en main").click()
    person.get_by_role("button", name="Oui").click()
    code = person.locator(".code strong").inner_text()

    own = visit("/")
    own.page.get_by_role("button", name="Se connecter").click()
    own.page.get_by_role("tab", name="J’ai un code").click()
    own.page.get_by_label("Code", exact=True).fill(code)
    own.page.get_by_label("Adresse e-mail").fill(f"{code.lower()}@example.org")
    own.page.get_by_label("Mot de passe").fill("quatre mots au hasard")
    own.page.get_by_role("dialog").get_by_role("button", name="J’ai un code").click()
    own.page.get_by_role("link", name="Mes trajets").click()
    expect(own.page.get_by_text(f"Connecté : {name}")).to_be_visible()
    expect(own.page.get_by_role("link", name="Guichet")).to_have_count(0)

    # From now on no agent acts for this person.
    agent.page.get_by_role("button", name=f"Agir pour {name}").click()
    agent.page.get_by_role("link", name=f"Trajets de {name}").click()
    refused = "Cette personne gère maintenant son compte elle-même."
    expect(agent.page.get_by_text(refused).first).to_be_visible()
    agent.errors[:] = [error for error in agent.errors if "404" not in error]
    shows_no_fault(agent)
    shows_no_fault(own)


def test_the_desk_is_for_agents_alone(visit: Visit, users: Users) -> None:
    watched = visit("/?agent=1&lang=en")
    expect(watched.page.get_by_role("heading", name="Telephone desk")).to_be_visible()
    watched.page.locator("button.language").click()
    assert "agent=1" in watched.page.url
    sign_in(watched.page, users["rider"])
    expect(watched.page.get_by_text("Votre compte ne le permet pas.")).to_be_visible()
    expect(watched.page.get_by_role("link", name="Guichet")).to_have_count(0)
    shows_no_fault(watched)
