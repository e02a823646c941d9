"""
Who should ride with whom, for all at once: the one door to OR-Tools, in batch only.

Two questions, arrays in and arrays out. `assign_seats`: each rider one seat, exact, as a flow.
`pack_bundles`: drivers take sets of riders, as a set packing, with a bound that says how much
better any other choice could be. Nothing that answers requests imports this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from ortools.graph.python.min_cost_flow import SimpleMinCostFlow
from ortools.linear_solver.python import model_builder_helper as linear
from ortools.sat.python import cp_model
from scipy.sparse import csr_array

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
TOLERANCE = 1e-6
"""Of values, which are whole numbers, in sums that are not."""
NEAR_ENOUGH = 0.001
"""Of the bound: closer than this nobody would notice."""
WORKERS = 2


def assign_seats(rider: Int64, driver: Int64, gain: Int64, seats: Int64) -> Int64:
    """
    Give each rider at most one seat, so that the sum of gains is the largest: min-cost flow.

    Parameters
    ----------
    rider, driver, gain
        Shape (pair_count,): rows of who could ride with whom, and what it is worth; pairs that
        are worth less than nothing are never chosen.
    seats
        Shape (driver_count,): seats of each driver.

    Returns
    -------
    chosen
        Rows of the pairs, ascending.

    References
    ----------
    Ahuja, Magnanti, Orlin: Network Flows (1993), chapter 10 (cost scaling).
    """
    worth = np.flatnonzero(gain >= 0)
    if not len(worth):
        return worth
    riders, source = np.unique(rider[worth], return_inverse=True)
    rider_count, driver_count = len(riders), len(seats)
    sink = rider_count + driver_count
    every_rider, every_driver = np.arange(rider_count), np.arange(driver_count)
    tail = np.concatenate([source, rider_count + every_driver, every_rider])
    head = np.concatenate([rider_count + driver[worth], np.full(driver_count + rider_count, sink)])
    capacity = np.concatenate([np.ones(len(worth), np.int64), seats, np.ones(rider_count)])
    cost = np.concatenate([-gain[worth], np.zeros(driver_count + rider_count)])
    flow = SimpleMinCostFlow()
    flow.add_arcs_with_capacity_and_unit_cost(
        tail.astype(np.int32), head.astype(np.int32),
        capacity.astype(np.int64), cost.astype(np.int64),
    )  # fmt: skip
    flow.set_nodes_supplies(every_rider.astype(np.int32), np.ones(rider_count, np.int64))
    flow.set_node_supply(sink, -rider_count)
    status = flow.solve()
    assert status == SimpleMinCostFlow.OPTIMAL, status
    used: Int64 = flow.flows(np.arange(len(worth), dtype=np.int32))
    return worth[used > 0]


@dataclass(frozen=True, slots=True)
class Packing:
    """Bundles that were chosen, and how good the choice is."""

    chosen: Int64
    """Rows of the bundles, ascending."""
    value: int
    lp_bound: float
    """No choice is worth more than this: optimum of the linear relaxation (GLOP)."""
    bound: float
    """The best bound known: CP-SAT's where it is lower."""

    @property
    def gap(self) -> float:
        """Share of the linear bound that may be missing."""
        return 1 - self.value / self.lp_bound if self.lp_bound > 0 else 0.0


def pack_bundles(
    first: Int64, item: Int64, value: Int64, *, time_limit_s: float, seed: int = 1
) -> Packing:
    """
    Choose bundles that share no item, of the largest value: set packing.

    The linear relaxation bounds the value, and its duals say which bundles can be in no better
    choice than the one at hand: these are left out, which loses nothing. CP-SAT goes on from the
    better of two greedy choices until it is within `NEAR_ENOUGH` of the bound or out of time.

    Parameters
    ----------
    first, item
        Bundle b holds the items ``item[first[b]:first[b + 1]]``; shapes (bundle_count + 1,) and
        (entry_count,).
    value
        Shape (bundle_count,): greater than 0.
    time_limit_s
        Longest time for CP-SAT.
    """
    assert (value > 0).all()
    count = len(value)
    if not count:
        return Packing(np.zeros(0, np.int64), 0, 0.0, 0.0)
    item_count = int(item.max()) + 1
    lp_bound, share, reduced = _relaxed(first, item, value, item_count)
    starts = [
        _greedy(first, item, np.argsort(-rank, kind="stable"), item_count)
        for rank in (value / np.diff(first), share * value, value + reduced)
    ]
    start = max(starts, key=lambda rows: int(value[rows].sum()))
    known = int(value[start].sum())
    bound = float(np.floor(lp_bound + TOLERANCE))
    if known >= bound * (1 - NEAR_ENOUGH):
        return Packing(start, known, lp_bound, bound)
    # Choosing a bundle costs its reduced cost: what it leaves must still beat the start.
    able = np.flatnonzero((lp_bound + reduced >= known + 1 - TOLERANCE) | _rows(start, count))
    chosen, cp_bound = _improved(
        first, item, value, rows=able, start=start, time_limit_s=time_limit_s, seed=seed
    )
    worth = int(value[chosen].sum())
    return Packing(chosen, worth, lp_bound, max(min(bound, cp_bound), worth))


def _rows(rows: Int64, count: int) -> npt.NDArray[np.bool_]:
    held = np.zeros(count, bool)
    held[rows] = True
    return held


def _relaxed(
    first: Int64, item: Int64, value: Int64, item_count: int
) -> tuple[float, Float64, Float64]:
    """Optimum of the linear relaxation, share of each bundle in it, and reduced costs (≤ 0)."""
    count = len(value)
    bundle = np.repeat(np.arange(count), np.diff(first))
    matrix: Any = csr_array((np.ones(len(item)), (item, bundle)), (item_count, count))
    model: Any = linear.ModelBuilderHelper()
    # Without upper bounds: the items already keep every bundle at one, and the duals are whole.
    model.fill_model_from_sparse_data(
        np.zeros(count), np.full(count, np.inf), value.astype(float),
        np.full(item_count, -np.inf), np.ones(item_count), matrix,
    )  # fmt: skip
    model.set_maximize(True)
    solver = linear.ModelSolverHelper("glop")
    solver.solve(model)
    assert solver.status() == linear.SolveStatus.OPTIMAL, solver.status()
    # Duals that are feasible whatever the solver's tolerance: a bound by arithmetic, not by trust.
    price = np.maximum(np.asarray(solver.dual_values()), 0.0)
    reduced = value - matrix.T @ price
    lacking = np.maximum(reduced, 0.0)
    np.maximum.at(price, item[first[:-1]], price[item[first[:-1]]] + lacking)
    reduced = np.minimum(value - matrix.T @ price, 0.0)
    return float(price.sum()), np.asarray(solver.variable_values()), reduced


def _greedy(first: Int64, item: Int64, order: npt.NDArray[np.intp], item_count: int) -> Int64:
    """Bundles in an order, each whose items are all free."""
    free, chosen = np.ones(item_count, bool), []
    for row in order.tolist():
        own = item[first[row] : first[row + 1]]
        if free[own].all():
            free[own] = False
            chosen.append(row)
    return np.array(sorted(chosen), np.int64)


def _improved(
    first: Int64,
    item: Int64,
    value: Int64,
    *,
    rows: Int64,
    start: Int64,
    time_limit_s: float,
    seed: int,
) -> tuple[Int64, float]:
    """Best choice among some rows that CP-SAT finds in time, and its bound."""
    model = cp_model.CpModel()
    taken = [model.new_bool_var("") for _ in rows]
    holders: dict[int, list[Any]] = {}
    for variable, row in zip(taken, rows.tolist(), strict=True):
        for own in item[first[row] : first[row + 1]].tolist():
            holders.setdefault(own, []).append(variable)
    for own in holders.values():
        if len(own) > 1:
            model.add_at_most_one(own)
    model.maximize(cp_model.LinearExpr.weighted_sum(taken, value[rows].tolist()))
    started = set(start.tolist())
    for variable, row in zip(taken, rows.tolist(), strict=True):
        model.add_hint(variable, row in started)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = time_limit_s
    solver.parameters.relative_gap_limit = NEAR_ENOUGH
    solver.parameters.num_workers = WORKERS
    solver.parameters.random_seed = seed
    solver.solve(model)
    found: Sequence[int] = [
        row for variable, row in zip(taken, rows.tolist(), strict=True) if solver.value(variable)
    ]
    return np.array(found, np.int64), solver.best_objective_bound
