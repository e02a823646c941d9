"""Reading offers: what is refused, and that the refusal names the field."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carpool.offers import WEEKDAYS, InvalidOffer, Offer, offer_as_json, parse_offer
from core.geo import Coordinate
from core.ids import OfferId

pytestmark = pytest.mark.unit

GOOD = {
    "driver": "Anna",
    "start": {"lat": 45.1, "lon": 5.7},
    "end": {"lat": 45.2, "lon": 5.8},
    "depart_from": "07:05",
    "depart_to": "07:20",
    "valid_from": "2026-01-01",
    "valid_to": "2026-12-31",
    "seats": 3,
    "detour_budget_s": 300,
}


def parsed(**changes: Any) -> Offer:
    return parse_offer({**GOOD, **changes}, OfferId("o1"))


def test_offer_is_read() -> None:
    offer = parsed(weekdays=["mon", "fri"], except_dates=["2026-05-01"], vias=[GOOD["end"]])
    assert offer.start == Coordinate(45.1, 5.7)
    assert (offer.depart_from_s, offer.depart_to_s) == (7 * 3600 + 300, 7 * 3600 + 1200)
    assert offer.weekdays == {"mon", "fri"}
    assert offer.vias == (Coordinate(45.2, 5.8),)
    assert offer.except_dates == {dt.date(2026, 5, 1)}


@pytest.mark.parametrize("field", sorted(GOOD))
def test_missing_field_is_named(field: str) -> None:
    values = {name: value for name, value in GOOD.items() if name != field}
    with pytest.raises(InvalidOffer, match=f"o1: .*{field}"):
        parse_offer(values, OfferId("o1"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("start", None),
        ("start", {"lat": 45.1}),
        ("start", {"lat": "north", "lon": 5.7}),
        ("end", {"lat": 95.0, "lon": 5.7}),
        ("end", {"lat": float("nan"), "lon": 5.7}),
        ("vias", [{"lon": 5.7}]),
        ("vias", [GOOD["start"]] * 6),
        ("depart_from", "7h05"),
        ("depart_from", "07:65"),
        ("depart_from", "07:30"),  # after depart_to
        ("depart_to", 26400),
        ("depart_to", "49:00"),
        ("depart_to", "12:00"),  # window of almost five hours
        ("weekdays", ["lundi"]),
        ("weekdays", []),
        ("valid_from", "01/01/2026"),
        ("valid_to", "2025-12-31"),
        ("valid_to", None),
        ("seats", "two"),
        ("seats", 0),
        ("seats", 9),
        ("detour_budget_s", "five"),
        ("detour_budget_s", -1),
        ("detour_budget_s", 3601),
        ("except_dates", ["tomorrow"]),
    ],
)
def test_wrong_field_is_named(field: str, value: object) -> None:
    with pytest.raises(InvalidOffer) as caught:
        parsed(**{field: value})
    message = str(caught.value)
    names = {"depart_from": "depart", "depart_to": "depart"}
    assert message.startswith("offer o1: ")
    assert names.get(field, field) in message


def test_clock_times_may_pass_midnight() -> None:
    offer = parsed(depart_from="23:50", depart_to="24:10")
    assert offer.depart_to_s == 86_400 + 600


def test_offer_runs_on_its_weekdays_in_season_but_not_on_exceptions() -> None:
    offer = parsed(
        weekdays=["tue"],
        valid_from="2026-03-03",
        valid_to="2026-03-24",
        except_dates=["2026-03-17"],
    )
    march = [dt.date(2026, 3, day) for day in range(1, 32)]
    assert [date.day for date in march if offer.runs_on(date)] == [3, 10, 24]


seconds_of_day = st.integers(0, 2 * 86_400 - 4 * 3600 - 1)
places = st.builds(Coordinate, lat=st.floats(-90, 90), lon=st.floats(-180, 180))
dates = st.dates(dt.date(2020, 1, 1), dt.date(2030, 12, 31))


@st.composite
def offers(draw: st.DrawFn) -> Offer:
    first_s, first = draw(seconds_of_day), draw(dates)
    return Offer(
        id=OfferId("o1"),
        driver=draw(st.text(max_size=8)),
        start=draw(places),
        end=draw(places),
        vias=tuple(draw(st.lists(places, max_size=5))),
        depart_from_s=first_s,
        depart_to_s=first_s + draw(st.integers(0, 4 * 3600)),
        weekdays=draw(st.frozensets(st.sampled_from(WEEKDAYS), min_size=1)),
        valid_from=first,
        valid_to=first + dt.timedelta(days=draw(st.integers(0, 400))),
        seat_count=draw(st.integers(1, 8)),
        detour_budget_s=draw(st.integers(0, 3600)),
        except_dates=draw(st.frozensets(dates, max_size=3)),
    )


@settings(derandomize=True, deadline=None, database=None, max_examples=100)
@given(offers())
def test_offer_survives_its_json_form(offer: Offer) -> None:
    assert parse_offer(offer_as_json(offer), offer.id) == offer
