"""One's month on the page, and what a journey adds to it, in a real browser."""

from __future__ import annotations

import datetime as dt
import json
import re
import time
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from playwright.sync_api import Locator, expect

from tests.features.conftest import ZONE
from tests.support.browsing import Users, Visit, part_of, shows_no_fault, sign_in

MONTH = "Mon mois, et pourquoi"


def told(cents: int) -> re.Pattern[str]:
    """An amount as it is shown, whatever space is in it."""
    return re.compile(rf"{cents // 100},{cents % 100:02d}\s€")


@pytest.fixture
def cheaper(api: httpx.Client, users: Users, demo_home: Path) -> tuple[str, dict[str, Any]]:
    """Address of a search, and a journey of it that costs the demo's rider less than others."""
    riders = json.loads((demo_home / "demo" / "riders.json").read_text(encoding="utf-8"))
    headers = {"authorization": f"Bearer {users['rider']['token']}"}
    for days in (0, 1, 2):
        day = dt.datetime.now(ZONE).date() + dt.timedelta(days=days)
        for example in riders:
            ends = [f"{example[end]['lat']},{example[end]['lon']}" for end in ("from", "to")]
            asked = {"fromPlace": ends[0], "toPlace": ends[1], "time": f"{day}T09:00"}
            answer = api.get("/mobility/v1/plan", params=asked, headers=headers).json()
            for itinerary in answer["itineraries"]:
                own = itinerary["mobility"]
                if "own_price" not in own or own["own_price"]["amount_cents"] is None:
                    continue
                if own["own_price"]["amount_cents"] < own["price"]["amount_cents"]:
                    named = {"from": f"A::{ends[0]}", "to": f"B::{ends[1]}", "time": asked["time"]}
                    return "/?" + urlencode(named), itinerary["mobility"]
    raise AssertionError("the demo's rider has reached no cap")


def test_a_rider_sees_what_he_owes_and_why_and_links_a_card(
    visit: Visit, users: Users, api: httpx.Client
) -> None:
    headers = {"authorization": f"Bearer {users['rider']['token']}"}
    # The month before, which is whole: of the newest one there may be two days.
    before = api.get("/mobility/v1/bills", headers=headers).json()[1]["month"]
    bill = api.get(f"/mobility/v1/bills/{before}", headers=headers).json()
    watched = visit("/?trips=1")
    page = watched.page
    sign_in(page, users["rider"])
    month = part_of(page, MONTH)
    month.locator(".month-choice select").select_option(before)
    # Her employer pays half of the week, and of the carpool ride.
    totals = month.locator(".bill-total strong")
    expect(totals).to_have_text([told(bill["amount_cents"]), told(bill["to_pay_cents"])])
    paid = {part["payer"]: part["amount_cents"] for part in bill["paid_by"]}
    assert bill["to_pay_cents"] == bill["amount_cents"] - sum(paid.values())
    weeks = [line["amount_cents"] for line in bill["lines"] if line["rule"] == "week"]
    assert weeks
    assert paid["employer"] == sum(weeks) // 2
    part = month.locator(".bill-part", has_text="atelier-durand (employer)")
    expect(part).to_contain_text(told(paid["employer"]))
    expect(month.get_by_text("aucun forfait n’aurait coûté moins")).to_be_visible()
    expect(month.get_by_role("list", name="Le prochain trajet")).to_have_count(0)
    lines = month.get_by_role("list", name="Lignes de la facture").locator("> li")
    expect(lines).to_have_count(len(bill["lines"]))
    last = lines.last
    expect(last.locator("summary strong")).to_have_text(told(bill["lines"][-1]["amount_cents"]))
    last.locator("summary").press("Enter")
    expect(
        last.get_by_text(f"Calcul, en centimes : {bill['lines'][-1]['arithmetic']}")
    ).to_be_visible()
    other = bill["lines"][-1]["runner_up"]
    if other is not None:
        expect(last.get_by_text("Sinon, au mieux")).to_contain_text(told(other["amount_cents"]))
    expect(last.locator("li")).to_have_count(len(bill["lines"][-1]["legs"]))

    month.get_by_text(re.compile("cartes? de transport")).click()
    name = f"Carte {uuid.uuid4().hex[:6]}"
    month.get_by_label("Numéro de la carte").fill(str(uuid.uuid4()))
    month.get_by_label("Nom, pour la reconnaître").fill(name)
    month.get_by_role("button", name="Lier la carte").click()
    card = month.locator(".own-card", has_text=name)
    expect(card).to_be_visible()
    card.get_by_role("button", name="Séparer").click()
    card.get_by_role("button", name="Oui").click()
    expect(card).to_have_count(0)
    shows_no_fault(watched)


def test_a_journey_says_what_it_costs_whoever_is_signed_in(
    visit: Visit, users: Users, cheaper: tuple[str, dict[str, Any]]
) -> None:
    address, own = cheaper
    watched = visit(address)
    page = watched.page
    listed = told(own["price"]["amount_cents"])
    expect(page.locator(".card").first).to_be_visible()
    expect(page.get_by_text("pour vous, au lieu de")).to_have_count(0)
    sign_in(page, users["rider"])
    card = page.locator(".card", has_text="pour vous, au lieu de").first
    expect(card.locator(".price small")).to_have_text(listed)
    card.locator(".card-head").click()
    why = card.locator(".own-price")
    expect(why).to_contain_text(told(own["own_price"]["amount_cents"]))
    expect(why).to_contain_text(own["own_price"]["why_fr"])
    expect(why).to_contain_text(told(own["own_price"]["so_far_cents"]))
    shows_no_fault(watched)


def open_until_shown(card: Locator, what: Locator) -> None:
    """Open a card; it is searched anew with his own prices, by which it may be closed again."""
    head, until = card.locator(".card-head"), time.monotonic() + 20
    while not what.is_visible() and time.monotonic() < until:
        if head.get_attribute("aria-expanded") == "false":
            head.click()
        card.page.wait_for_timeout(200)
    expect(what).to_be_visible()


def test_a_rider_says_which_journey_he_takes_and_takes_it_back(
    visit: Visit, users: Users, api: httpx.Client, demo_home: Path
) -> None:
    riders = json.loads((demo_home / "demo" / "riders.json").read_text(encoding="utf-8"))
    headers = {"authorization": f"Bearer {users['rider']['token']}"}

    def chosen() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = api.get(
            "/mobility/v1/chosen-itineraries", headers=headers
        ).json()
        return found

    ends = [f"{riders[0][end]['lat']},{riders[0][end]['lon']}" for end in ("from", "to")]
    day = dt.datetime.now(ZONE).date() + dt.timedelta(days=1)
    named = {"from": f"A::{ends[0]}", "to": f"B::{ends[1]}", "time": f"{day}T09:00"}
    watched = visit("/?" + urlencode(named))
    page = watched.page
    by_line = page.locator(".segment:not(.walk, .bike, .car, .carpool)")
    card = page.locator(".card", has=by_line).first
    card.locator(".card-head").click()
    take = card.get_by_role("button", name="Je prends ce trajet")
    expect(card.locator(".legs")).to_be_visible()
    expect(take).to_have_count(0)  # of whom?
    sign_in(page, users["rider"])
    open_until_shown(card, take)
    take.click()
    expect(card.get_by_role("status").filter(has_text="C’est noté")).to_be_visible()
    (kept,) = chosen()
    assert all(leg["board_stop"] != leg["alight_stop"] for leg in kept["legs"])
    expect(card.locator(".badge.chosen")).to_have_text("Vous le prenez")
    # The page is loaded anew: the server remembers it, and only this card is chosen.
    page.reload()
    card = page.locator(".card", has=page.locator(".badge.chosen"))
    expect(card).to_have_count(1)
    undo = card.get_by_role("button", name="Je ne le prends plus")
    open_until_shown(card, undo)
    expect(card.get_by_role("status").filter(has_text="C’est noté")).to_be_visible()
    undo.click()
    expect(page.locator(".badge.chosen")).to_have_count(0)
    expect(page.get_by_role("button", name="Je prends ce trajet")).to_be_visible()
    assert chosen() == []
    shows_no_fault(watched)
