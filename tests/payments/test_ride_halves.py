"""The start and the end of a ride become its leg, whichever comes first."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.ride_halves import LONGEST, Half, RideContradictory, RideHalf, RideHalves
from payments.tariff import FareLeg

pytestmark = pytest.mark.unit
AT = dt.datetime(2027, 3, 24, 8, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


def start(**changes: Any) -> RideHalf:
    told = {"id": "1", "half": Half.START, "at": AT, "mode": "bike", "operator": "Velo"}
    return RideHalf(**{"ride": "r", "medium": b"card", **told, **changes})


def end(**changes: Any) -> RideHalf:
    told = {"id": "2", "half": Half.END, "at": AT + 20 * MINUTE, "mode": "", "metres": 4_200}
    return RideHalf(**{"ride": "r", "medium": b"card", **told, **changes})


def test_a_ride_under_way_has_no_leg() -> None:
    assert RideHalves().with_half(start()).leg() is None
    assert RideHalves().with_half(end()).leg() is None


def test_what_only_one_half_tells_is_true_of_the_ride() -> None:
    leg = RideHalves(start(), end(zones=("1", "2"), route="blue")).leg()
    assert leg == FareLeg("bike", AT, 4_200, 1_200, ("1", "2"), "Velo", "blue", "ride:r")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (end(at=AT - MINUTE), "the ride ends before it starts"),
        (end(at=AT + LONGEST + MINUTE), "the ride ends more than 48 hours after it starts"),
        (end(medium=b"other"), "start and end of the ride differ in medium"),
        (
            end(mode="other", operator="Trot"),
            "start and end of the ride differ in mode, operator",
        ),
        (start(id="3", at=AT + MINUTE), "another start of this ride was told before"),
    ],
)
def test_a_half_that_contradicts_what_is_known_is_refused(wrong: RideHalf, message: str) -> None:
    known = RideHalves().with_half(start())
    with pytest.raises(RideContradictory, match=f"^{message}$"):
        known.with_half(wrong)
    if wrong.half is Half.END:  # whichever comes first
        with pytest.raises(RideContradictory, match=f"^{message}$"):
            RideHalves().with_half(wrong).with_half(start())
    assert known.with_half(end()).leg() is not None


def test_the_shortest_and_the_longest_ride_have_legs() -> None:
    assert [RideHalves(start(), end(at=AT + s)).leg() is not None for s in (0 * MINUTE, LONGEST)]


def test_what_was_told_before_is_known() -> None:
    known = RideHalves().with_half(start()).with_half(end())
    # Its time may be put right a little differently each time: a clock is measured by the batch.
    for again in (start(), end(), start(at=AT + MINUTE), start(id="3"), end(id="4")):
        assert known.with_half(again) is known


@given(st.lists(st.sampled_from([start(), end(), start(id="3"), end(id="4")]), min_size=1))
def test_any_order_and_number_of_halves_gives_one_leg(halves: list[RideHalf]) -> None:
    known = RideHalves()
    for told in halves:
        known = known.with_half(told)
    both = {told.half for told in halves} == set(Half)
    assert known.leg() == (RideHalves(start(), end()).leg() if both else None)
