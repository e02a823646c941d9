"""Two tariffs on the same month of generated riders: revenue, winners and losers."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from core.geo import Coordinate
from mobility.actions.plan_itineraries import plan_itineraries
from mobility.mapping.fare_legs import fare_legs
from mobility.world import World
from payments.bill import Proof
from payments.leg_columns import COLUMNS, Kind, LegArrays, LegColumns, row_of
from payments.many import rate_totals
from payments.month import month_after, rate_month
from payments.revenue_shares import share_revenue
from payments.tariff import FareLeg, Tariff
from payments.versions import Tariffs
from routing.query import Endpoint, PlanQuery

Int64 = npt.NDArray[np.int64]
ALL = "all"
CATEGORY_SHARE = 0.15
"""Part of the riders in each category of the tariffs; the rest have none."""
OFTEN_SHARE = 0.4
"""Part of the riders who travel on most workdays; the others now and then."""
OFTEN, SELDOM = 0.8, 0.2
"""Share of workdays on which they do."""
OUT_AT, BACK_AT = (6.5, 9.5), (16.0, 19.0)
"""Hours between which riders leave home, and leave for it."""
NEAR_STOP_DEG = 0.002
WIDEST_S = 7_200
TRIES = 20
"""Pairs of places that are tried for a rider before he is given up."""
WAYS_LIMIT = 2_000
"""Riders whose ways are planned."""
SHARED_LIMIT = 2_000
"""Riders of whom each charge is shared among operators."""


@dataclass(frozen=True, slots=True)
class GeneratedRiders:
    """Riders who do not exist."""

    legs: LegColumns
    categories: Sequence[str | None]
    """Of each of the profiles of their legs."""

    def __len__(self) -> int:
        return len(self.legs.arrays.profile)


@dataclass(frozen=True, slots=True)
class Change:
    """What a change of tariff does to some riders."""

    category: str | None
    """None: those without a category; `ALL`: everybody."""
    riders: int
    trips: int
    before_cents: int
    after_cents: int
    winners: int
    losers: int
    most_lost_cents: int
    """By one rider in a month."""


def generate_riders(
    world: World,
    month: dt.date,
    categories: Sequence[str],
    count: int,
    *,
    seed: int,
    on_progress: Callable[[int], None] = lambda _: None,
) -> GeneratedRiders:
    """
    Make up a month of riders: places around stops, the ways that the planner finds between them.

    The same seed makes the same riders, on a snapshot and its timetables of the month. Those after
    the first `WAYS_LIMIT` travel as one of these, on days of their own.

    Parameters
    ----------
    month
        Its first day; the timetables must cover it.
    """
    dice = np.random.default_rng(seed)
    workdays = [day for day in days_of(month) if day.weekday() < 5]
    kinds: dict[Kind, int] = {}
    ways: list[Int64] = []
    profile = np.zeros(count, np.int64)
    months: list[Int64] = []
    for nth in range(count):
        if categories and dice.random() < CATEGORY_SHARE * len(categories):
            profile[nth] = 1 + dice.integers(len(categories))
        if nth < WAYS_LIMIT:
            legs = _ways(world, workdays[len(workdays) // 2], dice)
            ways.append(_on_days(legs, workdays, world.network.zone, kinds))
        way = ways[nth if nth < WAYS_LIMIT else dice.integers(WAYS_LIMIT)]
        share = OFTEN if dice.random() < OFTEN_SHARE else SELDOM
        months.append(way[dice.random(len(workdays)) < share].reshape(-1, way.shape[2]))
        on_progress(nth + 1)
    rider = np.repeat(np.arange(count), [len(own) for own in months])
    rows = np.concatenate(months)
    rows = rows[np.lexsort((rows[:, 0], rider))]
    first = np.searchsorted(rider, np.arange(count + 1))
    whole = days_of(month)[0], days_of(month)[-1]
    return GeneratedRiders(
        LegColumns(
            LegArrays(first, profile, *np.ascontiguousarray(rows.T)),
            list(kinds),
            [(), *((Proof(category, *whole),) for category in categories)],
        ),
        [None, *categories],
    )


def compare_tariffs(before: Tariff, after: Tariff, riders: GeneratedRiders) -> list[Change]:
    """What riders owe for a month by two tariffs, category by category; the sum of all first."""
    totals = [rate_totals(tariff, riders.legs) for tariff in (before, after)]
    change = totals[1] - totals[0]
    trips = np.diff(riders.legs.arrays.first)
    found = []
    groups: list[tuple[str | None, npt.NDArray[np.bool_]]] = [(ALL, np.ones(len(riders), bool))]
    groups += [
        (name, riders.legs.arrays.profile == nth) for nth, name in enumerate(riders.categories)
    ]
    for name, of in groups:
        if not of.any():
            continue
        found.append(
            Change(
                category=name,
                riders=int(of.sum()),
                trips=int(trips[of].sum()),
                before_cents=int(totals[0][of].sum()),
                after_cents=int(totals[1][of].sum()),
                winners=int((change[of] < 0).sum()),
                losers=int((change[of] > 0).sum()),
                most_lost_cents=int(change[of].max(initial=0)),
            )
        )
    return found


def operator_shares(tariff: Tariff, riders: GeneratedRiders, month: dt.date) -> dict[str, int]:
    """What each operator earns of the first `SHARED_LIMIT` riders' month; the most first."""
    tariffs = Tariffs((tariff,))
    earned: Counter[str] = Counter()
    for row in range(min(len(riders), SHARED_LIMIT)):
        own = riders.legs.rider(row)
        earned.update(share_revenue(tariffs, rate_month([tariff], own.legs, month, own.proofs)))
    return dict(earned.most_common())


def days_of(month: dt.date) -> list[dt.date]:
    """Days of a month, given by its first."""
    return [month + dt.timedelta(days=nth) for nth in range((month_after(month) - month).days)]


def _ways(world: World, day: dt.date, dice: np.random.Generator) -> list[FareLeg]:
    """Fare legs from somebody's home to where he goes, and back; none where no way is found."""
    for _ in range(TRIES):
        home, work = _place(world, dice), _place(world, dice)
        ways = []
        for (start, end), hours in (((home, work), OUT_AT), ((work, home), BACK_AT)):
            at = dt.datetime.combine(day, dt.time(), world.network.zone) + dt.timedelta(
                minutes=int(60 * dice.uniform(*hours))
            )
            # Without carpool: its seats would not be enough for so many.
            query = PlanQuery(
                Endpoint(start), Endpoint(end), at, window_s=1_800, wanted_count=1,
                widest_window_s=WIDEST_S, carpool=False,
            )  # fmt: skip
            found = plan_itineraries(world, query).itineraries
            if not found:
                break
            first = min(found, key=lambda priced: priced.itinerary.end_at)
            legs, _ = fare_legs(first.itinerary, (), world.network.timetable)
            ways.append(legs)
        if len(ways) == 2 and all(ways):
            return [*ways[0], *ways[1]]
    return []


def _on_days(
    legs: Sequence[FareLeg], days: Sequence[dt.date], zone: ZoneInfo, kinds: dict[Kind, int]
) -> Int64:
    """Columns of legs at the same hours of each day, shape (days, legs, columns)."""
    planned = days[len(days) // 2]
    found = []
    for day in days:
        moved = []
        for leg in legs:
            local = leg.board_at.astimezone(zone)
            at = dt.datetime.combine(local.date() + (day - planned), local.time(), zone)
            moved.append(replace(leg, board_at=at.astimezone(dt.UTC)))
        found.append([row_of(leg, kinds) for leg in moved])
    return np.array(found, np.int64).reshape(len(days), len(legs), -1 if legs else COLUMNS)


def _place(world: World, dice: np.random.Generator) -> Coordinate:
    t = world.network.timetable
    stop = int(dice.choice(np.flatnonzero(world.network.ground.stop_node >= 0)))
    lat, lon = t.stop_lat[stop], t.stop_lon[stop]
    return Coordinate(*(float(x + dice.normal(0, NEAR_STOP_DEG)) for x in (lat, lon)))
