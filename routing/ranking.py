"""
Which of the journeys found are shown: the best of each family, and none without a point.

Every rule that leaves a journey out has a `Reason`; docs/planner.md says them in words. What is
best by some criterion, and the best of each family, is never left out for being too costly or
too like another.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from core.modes import Mode
from routing.raptor.bags import CHANGE_COST_S
from routing.raptor.ride_range import WORTH_A_CHANGE_S
from routing.raptor.unroll import RawJourney, RawRide, RawVehicle

WORTH_A_DRIVER_S = 600
DAY_S = 86_400
CEILING_FACTOR, CEILING_EXTRA_S = 1.5, 900
"""A journey may cost so much of the cheapest, and so many seconds more."""
GAIN_SHARE = 0.2
"""A criterion must get better by this share, too."""
ALIKE = 0.85
"""Share of the time in vehicles in which two journeys sit in the same ones: near duplicates."""
SHORT_BIKE_S = 240
"""With a minute to park it: nobody takes a bike for less."""


class Reason(StrEnum):
    """Why a journey that was found is not shown."""

    SAME_VEHICLES = "same_vehicles"
    """The same rides and trips, boarded so that it takes longer."""
    CHANGE_SAVES_TOO_LITTLE = "change_saves_too_little"
    """A journey with fewer drivers or none of the changes is about as good."""
    DOMINATED = "dominated"
    """One of its family leaves no earlier, arrives no later and takes no more vehicles."""
    WALKS_MORE_THAN_ALL_THE_WAY = "walks_more_than_all_the_way"
    SHORT_BIKE_LEG = "short_bike_leg"
    TOO_COSTLY = "too_costly"
    NEAR_DUPLICATE = "near_duplicate"
    GAINS_TOO_LITTLE = "gains_too_little"
    """Cheaper, cleaner, safer or less walking, but not the best or hardly."""


class Family(NamedTuple):
    """Journeys of one family never hide those of another."""

    rides: str
    """`none`, `chain` (with public transport) or `only`."""
    bike: bool


class Removed(NamedTuple):
    """A journey left out, why, and for which other one."""

    journey: RawJourney
    reason: Reason
    by: RawJourney | None


ON_FOOT = Family("none", bike=False)
"""Public transport with walks alone."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """What is shown and what is not."""

    kept: list[RawJourney]
    removed: list[Removed]
    best_for: dict[RawJourney, tuple[str, ...]] = field(default_factory=dict)
    """Criteria by which a journey is the best."""

    def drop(
        self,
        reason: Reason,
        better: Callable[[RawJourney, Sequence[RawJourney]], RawJourney | bool | None],
        *,
        unless: Iterable[RawJourney] = (),
    ) -> Ranked:
        """Leave out each journey for which `better` finds another one (or says True)."""
        safe = set(map(id, unless))
        kept, removed = [], list(self.removed)
        for journey in self.kept:
            by = None if id(journey) in safe else better(journey, self.kept)
            if by:
                removed.append(Removed(journey, reason, by if isinstance(by, RawJourney) else None))
            else:
                kept.append(journey)
        return Ranked(kept, removed, self.best_for)


def best_of_each_family(journeys: list[RawJourney]) -> Ranked:
    """What is not dominated by its like, nor made pointless by a simpler journey."""
    families: dict[Family, list[RawJourney]] = {}
    for journey in journeys:
        families.setdefault(family_of(journey), []).append(journey)
    kept: list[RawJourney] = []
    removed: list[Removed] = []
    with_rides: list[tuple[RawJourney, frozenset[int]]] = []
    simple: list[RawJourney] = []
    for family, members in families.items():
        best, dominated = _pareto(members)
        removed += dominated
        if family.rides != "none":
            best, same = _shortest_of_each(best)
            removed += same
            with_rides += [(journey, rides_of_journey(journey)) for journey in best]
        if family.rides != "chain":
            simple += best
        kept += best
    return Ranked(kept, removed).drop(
        Reason.CHANGE_SAVES_TOO_LITTLE, lambda j, _: _simpler(j, with_rides), unless=simple
    )


def filtered(ranked: Ranked, walk_s: int | None) -> Ranked:
    """
    Leave out what nobody would take.

    Parameters
    ----------
    walk_s
        Seconds of the walk all the way, if it is short enough to be shown.
    """
    if walk_s is not None:
        ranked = ranked.drop(
            Reason.WALKS_MORE_THAN_ALL_THE_WAY, lambda j, _: walking_s(j) >= walk_s
        )
    ranked = ranked.drop(Reason.SHORT_BIKE_LEG, lambda j, _: _short_bike(j))
    best = best_of_each(ranked.kept)
    costs_s = {id(journey): cost_s(journey) for journey in ranked.kept}
    cheapest = min(ranked.kept, key=lambda j: costs_s[id(j)], default=None)
    ceiling = ceiling_s(costs_s.values())
    ranked = ranked.drop(
        Reason.TOO_COSTLY,
        lambda j, _: cheapest if costs_s[id(j)] > ceiling else None,
        unless=best,
    )
    return ranked.drop(
        Reason.NEAR_DUPLICATE,
        lambda j, others: next(
            (o for o in others if costs_s[id(o)] < costs_s[id(j)] and _alike(j, o)), None
        ),
        unless=best,
    )


class Gain(NamedTuple):
    """A criterion beside time: what is less, and from which difference on it is worth showing."""

    name: str
    value: Callable[[RawJourney], int]
    least: int

    def worth(self, shown: Sequence[RawJourney]) -> int:
        """Greatest value that gains enough to stand beside those shown."""
        floor = min(self.value(journey) for journey in shown)
        return math.floor(floor - max(self.least, GAIN_SHARE * floor))


def with_best_by(ranked: Ranked, others: Sequence[RawJourney], gains: Sequence[Gain]) -> Ranked:
    """
    Add the best of `others` by each criterion, where it is better by enough than all shown.

    All of them take public transport and walk; journeys of other families are not compared: a
    lift does not hide a cheap bus.
    """
    ceiling = ceiling_s(map(cost_s, ranked.kept))
    others = [journey for journey in others if journey not in ranked.kept]
    costly = [journey for journey in others if cost_s(journey) > ceiling]
    others = [journey for journey in others if cost_s(journey) <= ceiling]
    ranked = Ranked(
        ranked.kept,
        [*ranked.removed, *(Removed(journey, Reason.TOO_COSTLY, None) for journey in costly)],
    )
    kept, best_for = list(ranked.kept), dict(ranked.best_for)
    shown = [journey for journey in kept if family_of(journey) == ON_FOOT]
    if not shown:
        return ranked
    for gain in gains:
        best = min([*shown, *others], key=lambda j: (gain.value(j), cost_s(j)))
        if best not in shown and gain.value(best) > gain.worth(shown):
            best = min(shown, key=lambda j: (gain.value(j), cost_s(j)))
        if any(gain.value(journey) > gain.value(best) for journey in shown):
            best_for[best] = (*best_for.get(best, ()), gain.name)
            if best not in kept:
                kept.append(best)
    known = {id(removed.journey) for removed in ranked.removed}
    removed = [
        Removed(journey, Reason.GAINS_TOO_LITTLE, None)
        for journey in others
        if journey not in kept and id(journey) not in known
    ]
    return Ranked(kept, [*ranked.removed, *removed], best_for)


def spare_s(journey: RawJourney) -> int:
    """Least time to spare at a change once one has walked there; a day where there is none."""
    spares_s = [
        then.start_s - leg.end_s - walk_s
        for leg, then, walk_s in zip(journey.legs, journey.legs[1:], journey.walk_s, strict=False)
    ]
    return min(spares_s, default=DAY_S)


def family_of(journey: RawJourney) -> Family:
    """Family of a journey."""
    count = sum(isinstance(leg, RawRide) for leg in journey.legs)
    rides = "none" if count == 0 else "only" if count == len(journey.legs) else "chain"
    return Family(rides, Mode.BIKE in (journey.access_mode, journey.egress_mode))


def walking_s(journey: RawJourney) -> int:
    """Seconds on foot."""
    if not journey.visits and journey.access_mode is journey.egress_mode is Mode.WALK:
        return journey.access_s + sum(journey.walk_s) + journey.egress_s
    ways = (
        (journey.access_mode, journey.access_s),
        *((Mode.WALK, walk_s) for walk_s in journey.walk_s),
        (journey.egress_mode, journey.egress_s),
    )
    gaps = journey.visits or ((),) * len(ways)
    return sum(
        sum(visit.walk_s + visit.onward_s for visit in gap) if gap else way_s
        for (mode, way_s), gap in zip(ways, gaps, strict=True)
        if mode is Mode.WALK
    )


def cost_s(journey: RawJourney) -> int:
    """Seconds, those on foot counted twice, and five minutes a change; no money."""
    changes_s = CHANGE_COST_S * (journey.vehicle_count - 1)
    return journey.end_s - journey.start_s + walking_s(journey) + changes_s


def best_of_each(journeys: Sequence[RawJourney]) -> list[RawJourney]:
    """The best of each criterion, and of each family."""
    if not journeys:
        return []
    costs_s = {id(journey): cost_s(journey) for journey in journeys}
    criteria: tuple[Callable[[RawJourney], int], ...] = (
        lambda j: j.end_s,
        lambda j: j.vehicle_count,
        walking_s,
        lambda j: j.end_s - j.start_s,
    )
    best = [min(journeys, key=lambda j: (of(j), costs_s[id(j)])) for of in criteria]
    cheapest: dict[Family, RawJourney] = {}
    for journey in journeys:
        best_yet = cheapest.setdefault(family_of(journey), journey)
        if costs_s[id(journey)] < costs_s[id(best_yet)]:
            cheapest[family_of(journey)] = journey
    return [*best, *cheapest.values()]


def rides_of_journey(journey: RawJourney) -> frozenset[int]:
    """Rides that a journey takes."""
    return frozenset(leg.ride for leg in journey.legs if isinstance(leg, RawRide))


def _simpler(
    chain: RawJourney, others: Sequence[tuple[RawJourney, frozenset[int]]]
) -> RawJourney | None:
    """
    Journey with fewer rides or none of the changes that makes a chain pointless.

    Nobody leaves a car to arrive later than by staying in it. Against a journey that leaves no
    earlier, each change must save `WORTH_A_CHANGE_S` and each further driver
    `WORTH_A_DRIVER_S`: one more person to wait for. `others` come with their rides.
    """
    rides, leg_count = rides_of_journey(chain), len(chain.legs)
    start_s, end_s = chain.start_s, chain.end_s
    for other, other_rides in others:
        fewer = len(rides) - len(other_rides)
        alone = len(other.legs) == 1
        if not (fewer > 0 or alone):
            continue
        gain_s = WORTH_A_CHANGE_S * max(leg_count - len(other.legs), 0) + WORTH_A_DRIVER_S * fewer
        other_end_s = other.end_s
        if alone and other_rides <= rides and other_end_s <= end_s:
            return other
        if other_end_s <= end_s + gain_s and other.start_s >= start_s:
            return other
    return None


def _shortest_of_each(
    journeys: list[RawJourney],
) -> tuple[list[RawJourney], list[Removed]]:
    """
    One journey for each sequence of rides and trips.

    A driver who may leave within a quarter of an hour makes the same ride available at every
    minute of it; riders are shown the one that takes least time, the earliest among equals.
    """
    best: dict[tuple[tuple[str, int], ...], RawJourney] = {}
    removed = []
    for journey in sorted(journeys, key=lambda j: (j.end_s - j.start_s, j.start_s)):
        key = tuple(
            ("ride", leg.ride) if isinstance(leg, RawRide) else ("trip", leg.trip)
            for leg in journey.legs
        )
        if best.setdefault(key, journey) is not journey:
            removed.append(Removed(journey, Reason.SAME_VEHICLES, best[key]))
    return list(best.values()), removed


def _pareto(journeys: list[RawJourney]) -> tuple[list[RawJourney], list[Removed]]:
    """Not dominated in departure, arrival and number of vehicles; one of each equal set."""
    kept: list[RawJourney] = []
    removed = []
    for journey in sorted(journeys, key=lambda j: (-j.start_s, j.end_s, j.vehicle_count)):
        by = next(
            (
                k
                for k in kept
                if k.end_s <= journey.end_s and k.vehicle_count <= journey.vehicle_count
            ),
            None,
        )
        if by is None:
            kept.append(journey)
        else:
            removed.append(Removed(journey, Reason.DOMINATED, by))
    return kept, removed


def _short_bike(journey: RawJourney) -> bool:
    ways = (
        (journey.access_mode, journey.access_s),
        (journey.egress_mode, journey.egress_s),
    )
    return any(mode is Mode.BIKE and seconds < SHORT_BIKE_S for mode, seconds in ways)


def ceiling_s(costs_s: Iterable[int]) -> float:
    """Cost beyond which nobody takes one of some journeys, whose costs these are."""
    return CEILING_FACTOR * min(costs_s, default=0) + CEILING_EXTRA_S


def _alike(one: RawJourney, other: RawJourney) -> bool:
    """Whether most of the longer time in vehicles is spent in the same ones."""
    aboard = {_carrier(leg): leg for leg in other.legs}
    shared_s = 0
    for leg in one.legs:
        same = aboard.get(_carrier(leg))
        if same is not None:
            shared_s += max(min(leg.end_s, same.end_s) - max(leg.start_s, same.start_s), 0)
    if not shared_s:
        return False
    longer_s = max(sum(leg.end_s - leg.start_s for leg in j.legs) for j in (one, other))
    return shared_s >= ALIKE * longer_s


def _carrier(leg: RawVehicle | RawRide) -> tuple[str, int, int]:
    if isinstance(leg, RawRide):
        return "ride", leg.ride, 0
    return "trip", leg.trip, leg.day
