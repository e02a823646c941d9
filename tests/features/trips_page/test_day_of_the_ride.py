"""The day of a ride by the page, and what is said when it is over, in a real browser."""

from __future__ import annotations

import json
import re
from typing import Any

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
    write_down,
)


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
