"""Drivers who say when they must be there; bodies without suspended points."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from carpool.compile import OfferUnusable, timed_offer, without_points
from carpool.offers import InvalidOffer, offer_as_json, parse_clock, parse_offer
from core.ids import OfferId
from routing.raptor.body_table import Body
from tests.carpool.test_offers import GOOD

pytestmark = pytest.mark.unit

DEPARTS = ("depart_from", "depart_to")


def arriving(first: str, last: str, **changes: Any) -> Any:
    values = {name: value for name, value in GOOD.items() if name not in DEPARTS}
    return parse_offer(
        {**values, "arrive_from": first, "arrive_to": last, **changes}, OfferId("o1")
    )


def body(solo_s: int = 1_800, budget_s: int = 300, point: tuple[int, ...] = ()) -> Body:
    column = np.array(point, np.uint16)
    return Body(column, column + 10, column + 20, column * 0, solo_s, budget_s, 3)


def test_a_driver_leaves_so_early_that_he_is_there_with_his_whole_budget_used_up() -> None:
    timed = timed_offer(arriving("08:00", "08:30"), body())
    # Half an hour of driving and five minutes of budget: 08:30 less 35 minutes, and not sooner
    # than what brings him there at eight with nobody aboard.
    assert (timed.depart_from_s, timed.depart_to_s) == (parse_clock("07:30"), parse_clock("07:55"))


def test_a_window_narrower_than_the_budget_is_one_moment() -> None:
    timed = timed_offer(arriving("08:00", "08:02"), body())
    assert timed.depart_from_s == timed.depart_to_s == parse_clock("07:27")


def test_the_times_said_are_kept_and_another_drive_gives_other_departures() -> None:
    offer = arriving("08:00", "08:30")
    stored = offer_as_json(timed_offer(offer, body()))
    assert "depart_from" not in stored
    again = parse_offer(stored, OfferId("o1"))
    assert again == offer
    slower = timed_offer(again, body(solo_s=2_400))
    assert slower.depart_to_s == parse_clock("07:45")
    assert timed_offer(timed_offer(again, body()), body(solo_s=2_400)) == slower


def test_who_would_leave_on_the_day_before_is_told_so() -> None:
    with pytest.raises(OfferUnusable, match="day before"):
        timed_offer(arriving("00:10", "00:20"), body())
    assert timed_offer(arriving("24:10", "24:20"), body()).depart_to_s == parse_clock("23:45")


@pytest.mark.parametrize(
    "window",
    [
        {
            "depart_from": "07:05",
            "depart_to": "07:20",
            "arrive_from": "08:00",
            "arrive_to": "08:10",
        },
        {"depart_from": "07:05", "arrive_to": "08:10"},
        {"arrive_from": "08:00"},
        {},
    ],
)
def test_exactly_one_window_is_said(window: dict[str, str]) -> None:
    values = {name: value for name, value in GOOD.items() if name not in DEPARTS}
    with pytest.raises(InvalidOffer, match="either depart_from and depart_to"):
        parse_offer({**values, **window}, OfferId("o1"))


@pytest.mark.parametrize(
    ("first", "last", "message"), [("08:10", "08:00", "after"), ("08:00", "12:01", "four hours")]
)
def test_an_arrival_window_is_one(first: str, last: str, message: str) -> None:
    with pytest.raises(InvalidOffer, match=message):
        arriving(first, last)


def test_a_driver_does_not_stop_at_suspended_points() -> None:
    whole = body(point=(4, 1, 3, 2))
    whole = Body(**{n: getattr(whole, n) for n in whole.__slots__} | {"searched_count": 2})
    shut = np.zeros(5, bool)
    assert without_points(whole, shut) is whole
    shut[[1, 2]] = True
    left = without_points(whole, shut)
    assert left.point.tolist() == [4, 3]
    assert left.from_start_s.tolist() == [14, 13]
    assert left.searched_count == 1, "of the two that were searched one is left"
