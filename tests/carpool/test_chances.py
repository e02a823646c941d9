"""A driver's history in words."""

from __future__ import annotations

import pytest

from carpool.chances import Chance, chance_of

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("ran", "broken", "said"),
    [
        (0, 0, Chance.NEW),
        (2, 0, Chance.NEW),
        (3, 0, Chance.LIKELY),
        (10, 0, Chance.ALMOST_SURE),
        (10, 1, Chance.LIKELY),
        (40, 1, Chance.ALMOST_SURE),
        (0, 3, Chance.UNSURE),
        (4, 3, Chance.UNSURE),
    ],
)
def test_one_bad_day_does_not_bury_a_driver_and_many_are_told(
    ran: int, broken: int, said: Chance
) -> None:
    assert chance_of(ran, broken) is said
