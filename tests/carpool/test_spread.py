"""The choice of points against its definition, step by step."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carpool.spread import DETOUR_WEIGHT, spread_choice

pytestmark = pytest.mark.unit

places = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(0, 4)), min_size=1, max_size=20
)


def chosen_by_the_book(points: list[tuple[int, int, int]], limit: int) -> set[int]:
    def apart(i: int, j: int) -> float:
        (x, y, cost), (other_x, other_y, _) = points[i], points[j]
        square = float((x - other_x) ** 2 + (y - other_y) ** 2)
        return square * (1 - DETOUR_WEIGHT * cost / 4) ** 2

    chosen = [min(range(len(points)), key=lambda i: points[i][2])]
    while len(chosen) < limit:
        left = [i for i in range(len(points)) if i not in chosen]
        chosen.append(max(left, key=lambda i: (min(apart(i, j) for j in chosen), -i)))
    return set(chosen)


@settings(derandomize=True, deadline=None, database=None, max_examples=200)
@given(places, st.integers(1, 20))
def test_always_the_point_farthest_from_those_chosen(
    points: list[tuple[int, int, int]], limit: int
) -> None:
    x_m, y_m, cost = np.array(points, float).T.copy()
    found = spread_choice(x_m, y_m, cost / 4, limit)
    limit = min(limit, len(points))
    assert set(np.flatnonzero(found).tolist()) == chosen_by_the_book(points, limit)
