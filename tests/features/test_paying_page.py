"""Paying for others and batches of wrong clocks on the page, in a real browser."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.features.test_clocks import device, told_at
from tests.features.test_devices import event
from tests.support.booked import Ask
from tests.support.browsing import Users, Visit, day_ahead, part_of, shows_no_fault, sign_in
from tests.support.users import Somebody


def test_a_rider_gives_a_code_sees_for_whom_he_pays_and_ends_it(
    visit: Visit, users: Users, ask: Ask, somebody: Callable[..., Somebody]
) -> None:
    child = somebody()
    alias = ask(child.secret, "GET", "/users/me").json()["alias"]
    watched = visit("/?trips=1")
    page = watched.page
    sign_in(page, users["rider"])
    # The day of the server may be that of yesterday until four: in a year both are ahead.
    page.get_by_label("Payer jusqu’au").fill(day_ahead(300))
    page.get_by_role("button", name="Créer un code").press("Enter")
    shown = page.locator(".pay-code")
    expect(shown).to_have_text(re.compile(".+"))
    code = {"code": shown.text_content()}
    assert ask(child.secret, "PUT", "/paid-by", json=code).status_code == 204
    card = part_of(page, "Je paie pour").locator(".own-card", has_text=alias)
    expect(card).to_contain_text("Aucun mois facturé")
    expect(card).to_contain_text("jusqu’au")
    card.get_by_role("button", name="Ne plus payer").press("Enter")
    card.get_by_role("button", name="Oui").press("Enter")
    expect(card).to_have_count(0)
    assert ask(child.secret, "GET", "/paid-by").json() is None
    shows_no_fault(watched)


def test_a_rider_takes_a_code_and_pays_himself_again(
    visit: Visit, users: Users, ask: Ask, somebody: Callable[..., Somebody]
) -> None:
    parent = somebody()
    given = ask(parent.secret, "POST", "/paid-for", json={"until": day_ahead(300)})
    alias = ask(parent.secret, "GET", "/users/me").json()["alias"]
    watched = visit("/?trips=1&lang=en")
    page = watched.page
    page.get_by_role("button", name="Sign in").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("E-mail address").fill(users["rider"]["email"])
    dialog.get_by_label("Password").fill(users["rider"]["password"])
    dialog.get_by_role("button", name="Sign in").click()
    part = part_of(page, "Who pays for me")
    expect(part).to_contain_text("You pay for your rides yourself.")
    part.get_by_label("Code that I was given").fill("mob_none")
    part.get_by_role("button", name="Use this code").press("Enter")
    expect(part.get_by_role("alert")).to_contain_text("This code is unknown")
    part.get_by_label("Code that I was given").fill(given.json()["code"])
    part.get_by_label("Code that I was given").press("Enter")
    card = part.locator(".own-card")
    expect(card).to_contain_text(alias)
    card.get_by_role("button", name="Pay myself").press("Enter")
    card.get_by_role("button", name="Yes").press("Enter")
    expect(part).to_contain_text("You pay for your rides yourself.")
    assert ask(parent.secret, "GET", "/paid-for").json() == []


def test_an_operator_decides_on_taps_of_wrong_clocks(visit: Visit, users: Users, ask: Ask) -> None:
    ahead = dt.timedelta(minutes=61)
    with device(ask) as (source, send):
        for number in (1, 2):
            told = event(source, number, **told_at(ahead, 10))
            assert send(told, ahead=ahead).json()["held"] == 1
        watched = visit("/?trips=1")
        page = watched.page
        sign_in(page, users["operator"])
        part = part_of(page, "Validations à vérifier")
        batches = part.locator(".own-card", has_text=source)
        expect(batches).to_have_count(2)
        first = batches.first
        expect(first).to_contain_text(re.compile(r"avançait de 1 h 0[01]"))
        # Ten minutes ago by the device's clock put right; with less, it has not happened yet.
        field = first.get_by_label("Avance au moment des validations")
        measured = field.input_value()
        field.fill("0")
        first.get_by_role("button", name="Prendre en compte").press("Enter")
        said = page.get_by_role("status").filter(has_text="pas pu l’être")
        expect(said).to_contain_text("Rien n’a été pris.")
        expect(batches).to_have_count(2)
        field.fill(measured)
        field.press("Enter")
        expect(page.get_by_role("status").filter(has_text="1 validation prise")).to_be_visible()
        expect(batches).to_have_count(1)
        batches.get_by_role("button", name="Rejeter").press("Enter")
        batches.get_by_role("button", name="Oui").press("Enter")
        expect(batches).to_have_count(0)
        expect(page.get_by_role("status").filter(has_text="Rejeté")).to_be_visible()
        shows_no_fault(watched)
