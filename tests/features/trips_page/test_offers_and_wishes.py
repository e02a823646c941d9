"""What is offered, wished and proposed by the page, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx
from playwright.sync_api import expect

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
    write_down,
)


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
    card.get_by_label("Je viens chercher (ou dépose) à l’adresse exacte").check()
    card.get_by_role("button", name="Enregistrer").click()
    card = offers.locator(".own-card", has_text="Arrivée entre 06:20 et 06:40")
    expect(
        card.get_by_text("à l’adresse exacte · entre femmes · grands bagages · vélo")
    ).to_be_visible()
    stored = as_driver("GET", f"/offers/{own['id']}").json()
    assert (stored["version"], stored["audience"], stored["depart_from"]) == (2, "women", None)
    assert stored["vehicle"]["energy"] == "electric"
    assert stored["door"] is True
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
    said = circles.get_by_label("Je suis une femme")
    expect(said).to_be_checked()
    said.click()  # what it shows comes a moment later: it is kept by the server
    expect(said).not_to_be_checked()
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
