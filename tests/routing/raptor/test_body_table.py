"""A table of bodies that grows says of each what a table made anew says."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from routing.raptor.body_table import Body, BodyTable
from routing.raptor.flexible import (
    CELL,
    FROM_START_S,
    LEAST_FROM_S,
    LEAST_TO_S,
    MEETING_POINT,
    REST_END,
    TO_END_S,
    FlexibleTrips,
)
from tests.routing.raptor.test_search import fixed_seed, ride_worlds
from tests.support.random_world import RandomWorld, body_of


def told(trips: FlexibleTrips, row: int) -> tuple[object, ...]:
    """All that a table says of one body."""
    b = trips.bodies
    own = slice(int(b.first_candidate[row]), int(b.first_candidate[row + 1]))
    cells = slice(int(b.cell_first[row]), int(b.cell_first[row + 1]))
    numbers = (b.solo_s[row], b.budget_s[row], b.seat_count[row], b.segment_count[row])
    return (
        b.candidates[own].tolist(), int(b.searched_end[row]) - own.start, b.cells[cells].tolist(),
        [int(n) for n in numbers], trips.via_nodes[row],
    )  # fmt: skip


@fixed_seed
@given(ride_worlds, st.integers(0, 6), st.integers(0, 6), st.integers(1, 3))
def test_a_table_that_grew_is_one_made_at_once(
    world: RandomWorld, searched: int, first_count: int, per_cell: int
) -> None:
    bodies = [body_of(body, world.stop_count, searched) for body in world.bodies]
    cell = np.arange(world.point_count, dtype=np.int32) // per_cell
    table = BodyTable(cell)
    before, rows_before = table.laid(bodies[:first_count])
    kept = [told(before, row) for row in rows_before.tolist()]
    after, rows = table.laid(bodies)
    whole, _ = BodyTable(cell).laid(bodies)
    assert [told(after, row) for row in rows.tolist()] == [
        told(whole, row) for row in range(len(bodies))
    ]
    assert [told(before, row) for row in rows_before.tolist()] == kept
    for row, body in enumerate(bodies):
        check_cells(whole, row, sorted(body.point.tolist()), cell.tolist())


def check_cells(trips: FlexibleTrips, row: int, points: list[int], cell_of: list[int]) -> None:
    """Cells bound what lies in them, and say where the candidates beyond the searched are."""
    b = trips.bodies
    own = b.candidates[b.first_candidate[row] : b.first_candidate[row + 1]]
    cells = b.cells[b.cell_first[row] : b.cell_first[row + 1]]
    rest = b.candidates[b.searched_end[row] : b.first_candidate[row + 1]]
    assert sorted(own[:, MEETING_POINT].tolist()) == points
    assert sorted(cells[:, CELL].tolist()) == sorted({cell_of[point] for point in points})
    begin = 0
    for cell in cells:
        inside = [c for c in own if cell_of[c[MEETING_POINT]] == cell[CELL]]
        assert cell[LEAST_FROM_S] == min(c[FROM_START_S] for c in inside)
        assert cell[LEAST_TO_S] == min(c[TO_END_S] for c in inside)
        assert {cell_of[c[MEETING_POINT]] for c in rest[begin : cell[REST_END]]} <= {cell[CELL]}
        begin = int(cell[REST_END])
    assert begin == len(rest)


def test_a_table_of_which_little_is_left_is_made_anew() -> None:
    table = BodyTable(np.zeros(1, np.int32))
    for _ in range(100):
        columns = (np.array([value], np.uint16) for value in (0, 0, 60, 0))
        trips, rows = table.laid([Body(*columns, solo_s=60, budget_s=0, seat_count=1)])
        assert told(trips, int(rows[0]))[0] == [[0, 0, 60, 0]]
    assert len(trips.bodies.solo_s) < 20
