"""Which months are paid, against paying them one by one."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.settling import settled
from tests.support.random_fares import some

pytestmark = pytest.mark.unit
MONTHS = [dt.date(2027, month, 1) for month in range(1, 7)]


@some
@given(st.lists(st.integers(0, 5), max_size=6), st.integers(0, 30))
def test_what_is_paid_is_for_the_oldest_month_first(dues: list[int], paid_cents: int) -> None:
    due, left, wanted = dict(zip(MONTHS, dues, strict=False)), paid_cents, set()
    for month, cents in due.items():
        if cents <= left or not cents:
            wanted.add(month)
        left = max(left - cents, 0) if cents <= left else 0
    assert settled(due, sum(dues) - paid_cents) == wanted
