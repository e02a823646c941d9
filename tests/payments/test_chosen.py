"""A stay that nobody tapped out of ends where its rider had said that he would alight."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.chosen import EARLY, LATE, ChosenItinerary, ChosenLeg, end_as_chosen
from payments.taps import End, Stay, Tap, TapKind, pair_taps
from tests.support.random_fares import some

pytestmark = pytest.mark.unit
START = dt.datetime(2027, 3, 24, 6, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
IN, OUT = TapKind.IN, TapKind.OUT
LEG = ChosenLeg("A", "C", "1", "rail", START)


def chosen(
    *legs: ChosenLeg, noted: float = -30, dropped: float | None = None, number: int = 1
) -> ChosenItinerary:
    """Noted and dropped so many minutes after the first departure."""
    dropped_at = None if dropped is None else START + dropped * MINUTE
    return ChosenItinerary(uuid.UUID(int=number), legs, START + noted * MINUTE, dropped_at)


def tap(minute: float, kind: TapKind = IN, stop: str = "A", **more: Any) -> Tap:
    name = f"{kind}{stop}{minute}"
    return Tap(name, START + minute * MINUTE, kind, stop, "rail", **{"route": "1", **more})


def takes(start: Tap, leg: ChosenLeg) -> bool:
    """All lines go by A, B and C to D, and not back."""
    return start.stop == leg.board_stop < leg.alight_stop


def end_of(start: Tap, *itineraries: ChosenItinerary, how: End = End.LINE_MAXIMUM) -> str:
    end = tap(90, stop="B") if how in (End.NEXT_BOARDING, End.TAPPED) else None
    stay = end_as_chosen(Stay(start, end, how), itineraries, takes)
    return f"{stay.how} {stay.end and stay.end.stop}"


def test_a_choice_goes_before_the_next_boarding_and_after_a_tap_out() -> None:
    own = chosen(LEG)
    assert end_of(tap(0), own) == "chosen C"
    assert end_of(tap(0), own, how=End.NEXT_BOARDING) == "chosen C"
    assert end_of(tap(0), own, how=End.TAPPED) == "tapped B"
    assert end_of(tap(0, TapKind.BOARD), own, how=End.NOT_NEEDED) == "not_needed None"
    assert end_of(tap(0), how=End.NEXT_BOARDING) == "next_boarding B"


@pytest.mark.parametrize(
    ("start", "own", "counts"),
    [
        (tap(-20), chosen(LEG), True), (tap(-20.1), chosen(LEG), False),
        (tap(60), chosen(LEG), True), (tap(60.1), chosen(LEG), False),
        # Said as he taps, or afterwards; taken back as he taps, or afterwards.
        (tap(0), chosen(LEG, noted=0), True), (tap(0), chosen(LEG, noted=0.1), False),
        (tap(0), chosen(LEG, dropped=0), False), (tap(0), chosen(LEG, dropped=0.1), True),
        # Heard at 6:00 of a reader whose clock is three minutes ahead.
        (tap(3, heard_at=START), chosen(LEG, noted=1), False),
        (tap(3, heard_at=START), chosen(LEG, dropped=1), True),
        (tap(3), chosen(LEG, noted=1), True),
        (tap(0, stop="B"), chosen(LEG), False), (tap(0, route="2"), chosen(LEG), False),
        (tap(0, route=""), chosen(LEG), True),
        (tap(0, route=""), chosen(replace(LEG, mode="bus")), False),
        (tap(0, stop="C"), chosen(replace(LEG, board_stop="C", alight_stop="A")), False),
    ],
)  # fmt: skip
def test_a_choice_counts_that_was_one_when_its_rider_tapped_in_there(
    start: Tap, own: ChosenItinerary, *, counts: bool
) -> None:
    assert (end_of(start, own) == f"chosen {own.legs[0].alight_stop}") == counts


def test_what_was_chosen_last_goes_first_then_what_is_nearest_in_time() -> None:
    later = replace(LEG, alight_stop="D", board_at=START + 30 * MINUTE)
    both = chosen(LEG, later)
    assert [end_of(tap(m), both) for m in (14, 16)] == ["chosen C", "chosen D"]
    assert end_of(tap(0), chosen(LEG), chosen(later, noted=-29)) == "chosen C"  # half an hour early
    assert end_of(tap(12), chosen(LEG), chosen(later, noted=-29)) == "chosen D"
    assert end_of(tap(12), chosen(LEG), chosen(later, noted=-29, dropped=0)) == "chosen C"


minutes = st.sampled_from((-35, -21, -20, -3, -1, 0, 1, 4, 15, 30, 60, 61, 90, 200))
taps = st.builds(
    tap, minutes, st.sampled_from(TapKind), st.sampled_from("ABC"), route=st.sampled_from(("", "1"))
)
legs = st.builds(
    ChosenLeg, st.sampled_from("AB"), st.sampled_from("BCD"), st.sampled_from("112"),
    st.sampled_from(("rail", "rail", "bus")), minutes.map(lambda m: START + m * MINUTE),
)  # fmt: skip
choices = st.lists(
    st.builds(
        lambda own, noted, dropped: chosen(*own, noted=noted, dropped=noted + dropped),
        st.lists(legs, min_size=1, max_size=3),
        minutes,
        st.sampled_from((1, 30, 300)),
    ),
    max_size=4,
).map(lambda own: [replace(each, id=uuid.UUID(int=row)) for row, each in enumerate(own)])


def naive_end(stay: Stay, itineraries: Iterable[ChosenItinerary]) -> str | None:
    """Stop at which a stay ends by choice, found by comparing everything with everything."""
    start = stay.start
    known_at = start.heard_at or start.at
    best: tuple[Any, str | None] = (None, None)
    for own in itineraries:
        for row, leg in enumerate(own.legs):
            wait = leg.board_at - start.at
            if (
                stay.how in (End.NEXT_BOARDING, End.LINE_MAXIMUM)
                and own.noted_at <= known_at
                and (own.dropped_at is None or known_at < own.dropped_at)
                and -LATE <= wait <= EARLY
                and (leg.route if start.route else leg.mode) == (start.route or start.mode)
                and takes(start, leg)
            ):
                key = own.noted_at, own.id, -abs(wait), -row
                if best[0] is None or key > best[0]:
                    best = key, leg.alight_stop
    return best[1]


@some
@given(st.lists(taps, max_size=6), choices)
def test_a_stay_ends_by_choice_as_a_slow_search_says(
    seen: list[Tap], own: list[ChosenItinerary]
) -> None:
    for stay in pair_taps(seen)[0]:
        found, expected = end_as_chosen(stay, own, takes), naive_end(stay, own)
        assert found.start == stay.start
        if expected is None:
            assert found == stay
        else:
            assert (found.how, found.end and found.end.stop) == (End.CHOSEN, expected)


def told(
    seen: list[tuple[float, Tap]], own: list[ChosenItinerary]
) -> tuple[dict[str, Stay], list[Tap]]:
    """
    Stays once taps are told, each so many minutes late, and these taps as they were heard.

    As `take_usage` does, only what a tap changes is made anew, by what is known then.
    """
    known: dict[str, Tap] = {}
    made: dict[str, Stay] = {}
    for delay, each in sorted(seen, key=lambda told: told[1].at + told[0] * MINUTE):
        now = each.at + delay * MINUTE
        if each.id in known:
            continue
        before = set(pair_taps(known.values())[0])
        known[each.id] = replace(each, heard_at=now if now < each.at else None)
        after = pair_taps(known.values())[0]
        so_far = [
            replace(c, dropped_at=c.dropped_at if c.dropped_at and c.dropped_at <= now else None)
            for c in own
            if c.noted_at <= now
        ]
        for gone in before - set(after):
            made.pop(gone.start.id)
        made |= {s.start.id: end_as_chosen(s, so_far, takes) for s in after if s not in before}
    return made, list(known.values())


@some
@given(
    st.lists(st.tuples(st.sampled_from((-4, 0, 2, 40, 400)), taps), max_size=6),
    choices,
    st.randoms(use_true_random=False),
)
def test_stays_are_the_same_however_late_and_often_taps_are_told(
    seen: list[tuple[float, Tap]], own: list[ChosenItinerary], dice: random.Random
) -> None:
    again = [(delay + dice.choice((0, 50)), each) for delay, each in seen]
    made, heard = told([*seen, *again], dice.sample(own, len(own)))
    together, _ = pair_taps(heard)
    assert made == {stay.start.id: end_as_chosen(stay, own, takes) for stay in together}
    if min((delay for delay, _ in seen), default=0) >= 0:  # no clock is ahead
        assert set(heard) == {each for _, each in seen}
