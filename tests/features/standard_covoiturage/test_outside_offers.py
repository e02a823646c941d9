"""Offers of other operators are searched beside those of the running demo."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import replace
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from carpool.offers import OfferState
from carpool.quotes import Quote, sign_quote
from core.ids import OfferId
from mobility.actions import fetch_outside
from mobility.actions.fetch_outside import EVERY, KEPT_ENDED, KEPT_UNSEEN
from mobility.actions.publish_offer import change_and_announce
from mobility.db.engine import Engine
from mobility.db.schema import outside_offer
from tests.support.booked import wait_until
from tests.support.bookings import Booth
from tests.support.other_operator import NOW, TOMORROW, Fetching, OtherOperator
from tests.support.standard_covoiturage import ZONE, Ask, Json, between, moment

pytestmark = pytest.mark.usefixtures("few_places")
WEEKDAY = TOMORROW.strftime("%a").upper()


def legs_of(api: httpx.Client, ends: tuple[Json, Json], clock: str, operator: str) -> list[Json]:
    """Legs with an operator's drivers in the hour behind a time of tomorrow."""
    until_s = moment(TOMORROW, clock) + 3_600
    params: dict[str, Any] = {
        "fromPlace": "{lat},{lon}".format(**ends[0]), "toPlace": "{lat},{lon}".format(**ends[1]),
        "time": f"{TOMORROW}T{clock}", "searchWindow": 1800,
    }  # fmt: skip
    answer = api.get("/api/v6/plan", params=params)
    assert answer.status_code == 200, answer.text
    return [
        {**leg, "price": it["mobility"]["price"]}
        for it in answer.json()["itineraries"]
        for leg in it["legs"]
        if leg.get("agencyName") == operator
        and dt.datetime.fromisoformat(leg["startTime"]).timestamp() < until_s
    ]


def test_a_journey_is_searched_and_leads_to_its_operator(
    api: httpx.Client, partner: Ask, other: OtherOperator, fetch: Fetching,
    ends: tuple[Json, Json], booth: Booth,
) -> None:  # fmt: skip
    row = other.journey(*ends, moment(TOMORROW, "03:20"))
    other.journeys = [row]
    fetched = fetch()
    assert (fetched.complete, fetched.cars, fetched.added) == (True, 1, 1)
    (offer_id,) = fetch.known()
    wait_until(lambda: bool(legs_of(api, ends, "03:05", other.operator)))
    leg = legs_of(api, ends, "03:05", other.operator)[0]
    assert leg["ticketUrls"]["web"] == leg["routeUrl"] == row["webUrl"]
    own = leg["mobility"]
    assert own["operator"] == other.operator
    assert own["operator_price"] == {"amount_cents": 180, "currency": "EUR"}
    assert (own["offer_id"], own["seats_left"]) == (offer_id, 2)
    assert "quote" not in own
    assert leg["price"]["amount_cents"] is None
    assert leg["price"]["unknown_reason"] == "other_operator"
    # The car is there when it is told to leave, or as long after as it drives.
    begins = dt.datetime.fromisoformat(leg["startTime"]).timestamp()
    assert 0 <= begins - row["passengerPickupDate"] <= 1_800
    # Nobody else is told of it by us, nor books it here.
    asked = {
        **between({"start": ends[0], "end": ends[1]}),
        "departureDate": moment(TOMORROW, "03:20"),
    }
    for path in ("driver_journeys", "driver_regular_trips"):
        params = {**asked, "departureTimeOfDay": "03:20:00"}
        found = partner("GET", f"/{path}", params=params).json()
        assert not [r for r in found if r["driver"]["alias"].startswith("Nils")]
    feed = api.get("/open-data/carpool.zip")
    assert feed.status_code != 200 or offer_id.encode() not in feed.content
    seat = Quote(
        OfferId(offer_id), TOMORROW, own["pickup_point_id"], own["dropoff_point_id"],
        int(begins), int(begins) + 600, int(begins) + 900, 1, 0, "EUR",
    )  # fmt: skip
    answer = api.post(
        "/mobility/v1/bookings", json={"quotes": [sign_quote(seat, booth.key)]},
        headers={"authorization": f"Bearer {_rider(booth)}"},
    )  # fmt: skip
    assert (answer.status_code, answer.json()["code"]) == (409, "ride_not_free")


def _rider(booth: Booth) -> str:
    from tests.support.users import make_somebody

    return make_somebody(booth.desk.engine)().secret


def test_what_is_regular_is_searched_on_its_days(
    api: httpx.Client, other: OtherOperator, fetch: Fetching, ends: tuple[Json, Json]
) -> None:
    other.trips = [other.trip(*ends, "03:40:00", [WEEKDAY])]
    fetched = fetch()
    assert (fetched.cars, fetched.added) == (1, 1)
    wait_until(lambda: bool(legs_of(api, ends, "03:25", other.operator)))
    other.trips = [other.trip(*ends, "03:40:00", ["MON"] if WEEKDAY != "MON" else ["TUE"])]
    fetch()
    wait_until(lambda: not legs_of(api, ends, "03:25", other.operator))


def test_what_has_not_changed_is_neither_compiled_nor_stored_again(
    other: OtherOperator, fetch: Fetching, ends: tuple[Json, Json], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [other.journey(*ends, moment(TOMORROW, f"02:{m}0")) for m in range(3)]
    other.journeys = rows
    assert fetch().added == 3
    known, revision = fetch.known(), fetch.revision()
    with monkeypatch.context() as patch:
        patch.setattr(fetch_outside, "compile_offer", lambda *_: pytest.fail("compiled again"))
        fetched = fetch(NOW + EVERY)
    assert (fetched.unchanged, fetched.added, fetched.changed, fetched.ended) == (3, 0, 0, 0)
    assert fetch.revision() == revision
    assert all(of.seen_at == NOW + EVERY for of in fetch.known().values())
    other.journeys = [rows[0], {**rows[1], "availableSeats": 1}, rows[2]]
    fetched = fetch()
    assert (fetched.unchanged, fetched.changed) == (2, 1)
    assert set(fetch.known()) == set(known), "the same offers"
    assert sorted(of.version for of in fetch.known().values()) == [1, 1, 2]


def test_what_vanishes_ends_once_all_was_answered(
    api: httpx.Client, other: OtherOperator, fetch: Fetching, ends: tuple[Json, Json]
) -> None:
    other.journeys = [other.journey(*ends, moment(TOMORROW, f"01:{m}0")) for m in (1, 3)]
    other.trips = [other.trip(*ends, "04:50:00", [WEEKDAY])]
    assert fetch().added == 3
    gone = other.journeys.pop()
    broken = {"driver_regular_trips"}
    other.spoil = lambda r: httpx.Response(500) if r.url.path.split("/")[-1] in broken else None
    fetched = fetch()
    # Each of those queries fails, never three in a row.
    assert (fetched.complete, fetched.ended, fetched.unchanged) == (False, 0, 1)
    assert len(fetch.known()) == 3
    broken.clear()
    fetched = fetch()
    assert (fetched.complete, fetched.ended) == (True, 1)
    assert len(fetch.known()) == 2
    wait_until(lambda: not legs_of(api, ends, "01:25", other.operator))
    other.journeys.append(gone)
    assert fetch().added == 1, "it is there again, as a new offer"
    # What an operator does not repeat for a day is not searched any more.
    broken.add("driver_regular_trips")
    assert fetch(NOW + KEPT_UNSEEN / 2).ended == 0
    assert len(fetch.known()) == 3
    assert fetch(NOW + KEPT_UNSEEN + EVERY).ended >= 1


def test_rows_that_make_no_sense_do_not_touch_the_others(
    other: OtherOperator, fetch: Fetching, ends: tuple[Json, Json]
) -> None:
    good = other.journey(*ends, moment(TOMORROW, "02:50"))
    far = other.journey(
        {"lat": 10.0, "lon": 10.0}, {"lat": 10.1, "lon": 10.0}, moment(TOMORROW, "02:50")
    )
    past = other.journey(*ends, moment(TOMORROW - dt.timedelta(days=9), "02:50"))
    beyond = other.journey(*ends, 10**11)
    strange = [None, 5, "x", [], {}, {**good, "driver": None}, {**good, "passengerPickupLat": "x"}]
    other.journeys = [*strange, far, past, beyond, good, {**good, "id": "\x00"}]
    fetched = fetch()
    assert fetched.complete
    assert (fetched.added, fetched.unusable) == (1, 1)
    queries = len([r for r in other.asked if r.url.path.endswith("journeys")])
    assert fetched.bad == len(strange) * queries
    assert sum(fetched.reasons.values()) == fetched.bad
    assert len(fetch.known()) == 1


def test_what_somebody_here_has_ended_does_not_come_back(
    other: OtherOperator, fetch: Fetching, ends: tuple[Json, Json], booth: Booth
) -> None:
    row = other.journey(*ends, moment(TOMORROW, "02:40"))
    other.journeys = [row]
    fetch()
    (offer_id,) = fetch.known()
    change_and_announce(fetch.engine, booth.desk.wakeups, OfferId(offer_id), OfferState.ENDED)
    for changes in ({}, {"availableSeats": 1}):
        other.journeys = [{**row, **changes}]
        fetched = fetch()
        assert (fetched.complete, fetched.added, fetched.changed) == (True, 0, 0)
    other.journeys = []
    assert fetch().ended == 1


def test_what_has_ended_is_forgotten_after_a_while(
    other: OtherOperator, fetch: Fetching, ends: tuple[Json, Json], engine: Engine
) -> None:
    other.journeys = [other.journey(*ends, moment(TOMORROW, "02:30"))]
    fetch()
    (offer_id,) = fetch.known()
    other.journeys = []
    assert fetch().ended == 1

    def rows() -> int:
        query = sa.select(outside_offer).where(outside_offer.c.offer_id == uuid.UUID(offer_id))
        with engine.connect() as connection:
            return len(connection.execute(query).all())

    fetch(NOW + KEPT_ENDED / 2)
    assert rows() == 1
    fetch(NOW + KEPT_ENDED + EVERY)
    assert rows() == 0


def test_a_drawn_way_is_followed_if_it_can_be(
    booth: Booth, other: OtherOperator, ends: tuple[Json, Json]
) -> None:
    from carpool.outside import offer_of, read_journey
    from core.geo import Coordinate

    network = booth.desk.snapshot.network
    drive = read_journey(other.journey(*ends, moment(TOMORROW, "03:00")), ZONE)
    start, end = drive.start, drive.end
    middle = Coordinate((start.lat + end.lat) / 2, (start.lon + end.lon) / 2)
    straight = offer_of(drive, other.operator, TOMORROW)
    offer, body = fetch_outside._compiled(network, straight)
    far = replace(straight, vias=(Coordinate(start.lat + 3, start.lon),))
    assert fetch_outside._compiled(network, far)[0].vias == ()
    back = replace(straight, vias=(end, start))
    assert fetch_outside._compiled(network, back)[0].vias == (), "three times the way"
    near = replace(straight, vias=(middle,))
    drawn, through = fetch_outside._compiled(network, near)
    assert drawn.vias in ((), (middle,))
    assert body.solo_s <= through.solo_s <= body.solo_s * fetch_outside.LONGER_BY
    assert offer.vias == ()
