"""Two tariffs on the same month of generated riders: revenue, winners and losers."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from core.geo import Coordinate
from mobility.actions.plan_itineraries import plan_itineraries
from mobility.mapping.fare_legs import fare_legs
from mobility.world import World
from payments.bill import Proof
from payments.many import Rider, rate_totals
from payments.month import month_after, rate_month
from payments.revenue_shares import share_revenue
from payments.tariff import FareLeg, Tariff
from payments.versions import Tariffs
from routing.query import Endpoint, PlanQuery

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


@dataclass(frozen=True, slots=True)
class GeneratedRider:
    """A rider who does not exist."""

    category: str | None
    legs: tuple[FareLeg, ...]


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
) -> list[GeneratedRider]:
    """
    Make up a month of riders: places around stops, the ways that the planner finds between them.

    The same seed makes the same riders, on a snapshot and its timetables of the month.

    Parameters
    ----------
    month
        Its first day; the timetables must cover it.
    """
    dice = np.random.default_rng(seed)
    workdays = [day for day in _days(month) if day.weekday() < 5]
    riders: list[GeneratedRider] = []
    for nth in range(count):
        category = None
        if categories and dice.random() < CATEGORY_SHARE * len(categories):
            category = categories[int(dice.integers(len(categories)))]
        ways = _ways(world, workdays[len(workdays) // 2], dice)
        share = OFTEN if dice.random() < OFTEN_SHARE else SELDOM
        legs = [
            leg
            for day in workdays
            if dice.random() < share
            for way in ways
            for leg in _on(way, workdays[len(workdays) // 2], day, world.network.zone)
        ]
        riders.append(GeneratedRider(category, tuple(legs)))
        on_progress(nth + 1)
    return riders


def compare_tariffs(
    before: Tariff, after: Tariff, riders: Sequence[GeneratedRider], month: dt.date
) -> list[Change]:
    """What riders owe for a month by two tariffs, category by category; the sum of all first."""
    given = [Rider(own.legs, _proofs(own, month)) for own in riders]
    totals = [rate_totals(tariff, given) for tariff in (before, after)]
    change = totals[1] - totals[0]
    found = []
    named = list(dict.fromkeys(own.category for own in riders))
    whole = np.ones(len(riders), bool)
    groups: list[tuple[str | None, npt.NDArray[np.bool_]]] = [(ALL, whole)]
    groups += [(name, np.array([own.category == name for own in riders], bool)) for name in named]
    for name, of in groups:
        found.append(
            Change(
                category=name,
                riders=int(of.sum()),
                trips=sum(len(own.legs) for own, counts in zip(riders, of, strict=True) if counts),
                before_cents=int(totals[0][of].sum()),
                after_cents=int(totals[1][of].sum()),
                winners=int((change[of] < 0).sum()),
                losers=int((change[of] > 0).sum()),
                most_lost_cents=int(change[of].max(initial=0)),
            )
        )
    return found


def operator_shares(
    tariff: Tariff, riders: Sequence[GeneratedRider], month: dt.date
) -> dict[str, int]:
    """What each operator earns by riders' month, as the tariff shares it; the most first."""
    tariffs = Tariffs((tariff,))
    earned: Counter[str] = Counter()
    for own in riders:
        proofs = _proofs(own, month)
        earned.update(share_revenue(tariffs, rate_month([tariff], own.legs, month, proofs)))
    return dict(earned.most_common())


def _proofs(own: GeneratedRider, month: dt.date) -> tuple[Proof, ...]:
    return () if own.category is None else (Proof(own.category, month, _days(month)[-1]),)


def _ways(world: World, day: dt.date, dice: np.random.Generator) -> list[list[FareLeg]]:
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
            return ways
    return []


def _place(world: World, dice: np.random.Generator) -> Coordinate:
    t = world.network.timetable
    stop = int(dice.choice(np.flatnonzero(world.network.ground.stop_node >= 0)))
    lat, lon = t.stop_lat[stop], t.stop_lon[stop]
    return Coordinate(*(float(x + dice.normal(0, NEAR_STOP_DEG)) for x in (lat, lon)))


def _on(
    legs: Sequence[FareLeg], planned: dt.date, day: dt.date, zone: ZoneInfo
) -> Iterator[FareLeg]:
    """Legs at the same hours of another day."""
    for leg in legs:
        local = leg.board_at.astimezone(zone)
        at = dt.datetime.combine(local.date() + (day - planned), local.time(), zone)
        yield replace(leg, board_at=at.astimezone(dt.UTC))


def _days(month: dt.date) -> list[dt.date]:
    return [month + dt.timedelta(days=nth) for nth in range((month_after(month) - month).days)]
