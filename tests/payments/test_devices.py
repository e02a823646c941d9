"""Numbers of devices that are missing, against a plain set of them."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.devices import Told
from tests.support.random_fares import some

pytestmark = pytest.mark.unit
NOON = dt.datetime(2027, 3, 24, 12, tzinfo=dt.UTC)


def at(number: int) -> dt.datetime:
    return NOON + dt.timedelta(minutes=number)


@some
@given(st.lists(st.lists(st.integers(1, 25), max_size=8), max_size=6))
def test_what_is_missing_is_known_in_whatever_order_it_comes(batches: list[list[int]]) -> None:
    told, seen = Told(), set()
    for batch in batches:
        told = told.with_events((number, at(number)) for number in batch)
        seen |= set(batch)
        last = max(seen, default=0)
        missing = {number for gap in told.gaps for number in range(gap.first, gap.last + 1)}
        assert missing == set(range(1, last)) - seen
        assert told.next_number == last + 1
        for gap in told.gaps:
            assert gap.before_at == at(gap.last + 1)
            assert gap.after_at in {None, at(gap.first - 1)}
            assert (gap.after_at is None) == (gap.first == 1)
    assert told.gaps == Told().with_events((number, at(number)) for number in seen).gaps


def test_a_device_owes_what_it_may_have_seen() -> None:
    assert Told().owes(at(0), at(10))
    told = Told().with_events([(1, at(1)), (2, at(5)), (4, at(20))])
    assert told.owes(at(6), at(10))  # number 3 may be of then
    assert told.owes(at(0), at(6))
    assert not told.owes(at(0), at(5))
    assert not told.with_events([(3, at(12))]).owes(at(6), at(10))
    assert told.with_events([(3, at(12))]).owes(at(6), at(30))  # nothing was heard since
