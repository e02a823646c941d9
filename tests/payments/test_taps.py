"""Taps become stays, whatever their order and however often they come."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payments.taps import OPEN_LIMIT, TWICE, End, Tap, TapKind, pair_taps

pytestmark = pytest.mark.unit
START = dt.datetime(2027, 3, 24, 6, tzinfo=dt.UTC)
BOARD, IN, OUT = TapKind


def tap(minute: float, kind: TapKind, stop: str = "A", route: str = "") -> Tap:
    at = START + dt.timedelta(minutes=minute)
    return Tap(f"reader/{kind}{stop}{minute}", at, kind, stop, "rail", route)


def told(*taps: Tap) -> list[tuple[str, str | None, str]]:
    stays, _ = pair_taps(taps)
    return [(s.start.stop, s.end and s.end.stop, str(s.how)) for s in stays]


BOARDED, OPEN = ("A", None, "not_needed"), ("A", None, "line_maximum")


@pytest.mark.parametrize(
    ("taps", "stays"),
    [
        ([tap(0, IN), tap(20, OUT, "B")], [("A", "B", "tapped")]),
        ([tap(0, BOARD), tap(20, BOARD, "B")], [BOARDED, ("B", *BOARDED[1:])]),
        ([tap(0, IN), tap(50, BOARD, "C")], [("A", "C", "next_boarding"), ("C", *BOARDED[1:])]),
        ([tap(0, IN), tap(50, IN, "C"), tap(70, OUT, "D")],
         [("A", "C", "next_boarding"), ("C", "D", "tapped")]),
        ([tap(0, IN)], [OPEN]),
        ([tap(0, IN), tap(361, OUT, "B")], [OPEN]),
        ([tap(0, IN), tap(361, IN, "B")], [OPEN, ("B", *OPEN[1:])]),
        ([tap(0, OUT, "B"), tap(1, IN)], [OPEN]),
        # Held to the reader twice; two minutes later it is another boarding.
        ([tap(0, IN), tap(1, IN), tap(20, OUT, "B"), tap(21, OUT, "B")], [("A", "B", "tapped")]),
        ([tap(0, BOARD, route="1"), tap(1, BOARD, route="1")], [BOARDED]),
        ([tap(0, BOARD, route="1"), tap(1, BOARD, route="2")], [BOARDED] * 2),
        ([tap(0, BOARD), tap(3, BOARD)], [BOARDED] * 2),
    ],
)  # fmt: skip
def test_stays(taps: list[Tap], stays: list[tuple[str, str | None, str]]) -> None:
    assert told(*taps) == stays
    assert told(*reversed(taps)) == stays


taps = st.builds(
    tap,
    st.sampled_from((0, 1, 2, 3, 30, 31, 200, 359, 361, 500, 900)),
    st.sampled_from(TapKind),
    st.sampled_from("ABC"),
)


@settings(deadline=None, derandomize=True)
@given(st.lists(taps, max_size=8), st.randoms(use_true_random=False))
def test_order_and_repetition_change_nothing(seen: list[Tap], shuffled: object) -> None:
    mixed = [*seen, *seen[:3]]
    shuffled.shuffle(mixed)  # type: ignore[attr-defined]
    assert pair_taps(mixed) == pair_taps(seen)
    stays, unmatched = pair_taps(seen)
    ends = [s.end for s in stays if s.how is End.TAPPED]
    assert len({each.id for each in ends if each}) == len(ends)
    for stay in stays:
        assert stay.start.kind is not OUT
        assert (stay.end is None) == (stay.how in (End.NOT_NEEDED, End.LINE_MAXIMUM))
        if stay.end is not None:
            assert dt.timedelta() <= stay.end.at - stay.start.at <= OPEN_LIMIT
    assert all(each.kind is OUT for each in unmatched)
    # Every boarding is a stay, but for those that are a second reading.
    starts = sorted({t.id: t for t in seen}.values(), key=lambda t: (t.at, t.id))
    starts = [t for t in starts if t.kind is not OUT]
    left = {t.id for t in starts} - {s.start.id for s in stays}
    for t in (t for t in starts if t.id in left):
        assert any(
            (o.kind, o.stop) == (t.kind, t.stop) and dt.timedelta() <= t.at - o.at <= TWICE
            for o in starts
            if o.id != t.id
        )
