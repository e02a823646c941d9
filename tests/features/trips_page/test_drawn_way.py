"""A driver draws his way on the map, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx
from playwright.sync_api import Page, expect

from core.geo import Coordinate, distance_m
from routing.network import Network
from tests.support.bookings import Booth
from tests.support.browsing import Publish, Users, Visit, part_of, shows_no_fault, sign_in

Place = dict[str, float]
Ends = tuple[dict[str, Any], dict[str, Any]]
AROUND = Coordinate(46.511607, 0.945273)
"""A place of the demo that is not on the way between the two ends."""
CORNER_EVERY_M = 250.0
MOVED_MS = 1_000
"""The map moves by itself for 0.6 seconds."""


def enter(page: Page, ends: Ends) -> None:
    page.get_by_text("Proposer un trajet").click()
    for label, end in zip(("Je pars de", "Je vais à"), ends, strict=True):
        page.get_by_role("combobox", name=label).press_sequentially(f"{end['lat']}, {end['lon']}")
        page.get_by_role("option").first.click()
    page.get_by_label("Le départ est un lieu public").check()
    page.get_by_label("L’arrivée est un lieu public").check()


def draw(page: Page) -> None:
    page.get_by_role("button", name="Dessiner mon trajet").click()
    expect(page.locator(".map canvas")).to_be_focused()
    page.wait_for_timeout(MOVED_MS)


def middle_of(page: Page, marker: str) -> tuple[float, float]:
    box = page.locator(f".end-marker.{marker}").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def click_along(page: Page, ends: Ends, line: list[Coordinate]) -> None:
    """Click on places of the map; where its pixels are is told by what marks the two ends."""
    (x, y), (x_end, y_end) = middle_of(page, "from"), middle_of(page, "to")
    start, end = ends
    x_per_degree = (x_end - x) / (end["lon"] - start["lon"])
    y_per_degree = (y_end - y) / (end["lat"] - start["lat"])  # so few degrees are even ones
    for place in line:
        page.mouse.click(
            x + (place.lon - start["lon"]) * x_per_degree,
            y + (place.lat - start["lat"]) * y_per_degree,
        )


def way_around(network: Network, ends: Ends) -> list[Coordinate]:
    """Corners of a drive by `AROUND`."""
    start, end = (Coordinate(place["lat"], place["lon"]) for place in ends)
    corners = [start]
    for a, b in ((start, AROUND), (AROUND, end)):
        snapped = [network.find_snapped("car", place, 500) for place in (a, b)]
        route = network.find_route("car", *snapped, 7_200)  # type: ignore[arg-type]
        assert route is not None
        for place in map(Coordinate, route.lat.tolist(), route.lon.tolist()):
            if distance_m(corners[-1], place) >= CORNER_EVERY_M:
                corners.append(place)
    return corners


def test_driver_draws_his_way_and_finds_it_as_stops(
    visit: Visit,
    drive: Publish,
    users: Users,
    ends: Ends,
    booth: Booth,
    as_driver: Callable[..., httpx.Response],
) -> None:
    fastest_s = drive(63)["drive_s"]
    watched = visit("/?trips=1")
    page = watched.page
    sign_in(page, users["driver"])
    enter(page, ends)
    page.get_by_label("Partir entre").fill("05:22")
    page.get_by_label("et", exact=True).fill("05:32")
    draw(page)
    page.get_by_role("button", name="Réduire").click()
    page.wait_for_timeout(MOVED_MS)
    corners = way_around(booth.desk.snapshot.network, ends)
    click_along(page, ends, corners)
    bar = page.get_by_role("group", name="Tracé sur la carte")
    expect(bar.get_by_text(f"{len(corners)} points", exact=True)).to_be_visible()
    bar.get_by_role("button", name="Terminer le tracé").click()
    expect(bar).to_have_count(0)
    expect(page.get_by_role("button", name="Continuer le tracé")).to_be_focused()
    expect(page.get_by_role("button", name="Ajouter une étape")).to_have_count(0)
    cost = page.get_by_role("region", name="Ce que coûte ce trajet")
    expect(cost.get_by_text(re.compile(r"énergie [\d,]+"))).to_be_visible()
    page.get_by_role("button", name="Publier l’offre").click()
    expect(page.get_by_text("Offre publiée.")).to_be_visible()
    expect(page.get_by_role("button", name="Dessiner mon trajet")).to_be_visible()

    (own,) = [
        offer
        for offer in as_driver("GET", "/offers").json()["offers"]
        if (offer["state"], offer["depart_from"]) == ("published", "05:22:00")
    ]
    assert own["vias"]
    found = [place for via in own["vias"] for place in corners if near(via, place, 500)]
    assert found, "the stops are on what was drawn"

    # Read again it consists of stops; another drawing stands for them.
    card = part_of(page, "Mes offres").locator(".own-card", has_text="Départ entre 05:22")
    card.get_by_role("button", name="Modifier").click()
    expect(card.get_by_role("combobox", name=re.compile("^Étape"))).to_have_count(len(own["vias"]))
    expect(card.get_by_text("Un tracé remplace les étapes")).to_be_visible()
    card.get_by_role("button", name="Dessiner mon trajet").click()
    page.wait_for_timeout(MOVED_MS)
    start = Coordinate(ends[0]["lat"], ends[0]["lon"])
    click_along(page, ends, [start, start])
    expect(card.get_by_role("combobox", name=re.compile("^Étape"))).to_have_count(0)
    bar.get_by_role("button", name="Terminer le tracé").click()
    card.get_by_role("button", name="Enregistrer").click()
    expect(card.get_by_role("button", name="Enregistrer")).to_have_count(0)
    after = as_driver("GET", f"/offers/{own['id']}").json()
    assert after["vias"] == []
    again = as_driver("PUT", f"/offers/{own['id']}", json=changed(after)).json()
    assert again["drive_s"] == fastest_s
    shows_no_fault(watched)


def near(via: Place, place: Coordinate, limit_m: float) -> bool:
    return distance_m(Coordinate(via["lat"], via["lon"]), place) <= limit_m


def changed(offer: dict[str, Any]) -> dict[str, Any]:
    left_out = {"id", "state", "driver", "drive_s", "point_count"}
    return {name: value for name, value in offer.items() if name not in left_out}


def test_driver_draws_by_the_keyboard_and_is_told_what_no_drive_follows(
    visit: Visit, drive: Publish, users: Users, ends: Ends
) -> None:
    assert drive  # takes away what is published
    watched = visit("/?trips=1", viewport={"width": 390, "height": 800})
    page = watched.page
    sign_in(page, users["driver"])
    enter(page, ends)
    draw(page)
    bar = page.get_by_role("group", name="Tracé sur la carte")
    for key in ("Enter", "ArrowLeft", "Enter", "ArrowUp"):
        page.keyboard.press(key)
        page.wait_for_timeout(MOVED_MS)
    expect(bar.get_by_text("2 points", exact=True)).to_be_visible()
    bar.get_by_role("button", name="Point au milieu de la carte").press("Enter")
    expect(bar.get_by_text("3 points", exact=True)).to_be_visible()
    bar.get_by_role("button", name="Terminer le tracé").press("Enter")
    with page.expect_request("**/mobility/v1/offers") as asked:
        page.get_by_role("button", name="Publier l’offre").click()
    first, second, third = asked.value.post_data_json["line"]
    assert second["lon"] < first["lon"]
    assert third["lat"] > second["lat"]
    expect(page.get_by_text("ne reste à 200 m de votre tracé")).to_be_visible()

    page.get_by_text("Points du tracé (3)").click()
    page.get_by_role("button", name="Retirer le point 2").click()
    page.get_by_role("button", name="Continuer le tracé").click()
    expect(bar.get_by_text("2 points", exact=True)).to_be_visible()
    bar.get_by_role("button", name="Retirer le dernier").click()
    expect(bar.get_by_text("1 point", exact=True)).to_be_visible()
    bar.get_by_role("button", name="Tout effacer").click()
    expect(bar.get_by_text("Aucun point.")).to_be_visible()
    bar.get_by_role("button", name="Terminer le tracé").click()
    expect(page.get_by_role("region", name="Ce que coûte ce trajet")).to_be_visible()
    page.get_by_role("button", name="Publier l’offre").click()
    expect(page.get_by_text("Offre publiée.")).to_be_visible()
    watched.errors[:] = [error for error in watched.errors if "422" not in error]
    shows_no_fault(watched)
