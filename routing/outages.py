"""
Planning around elevators that are out of service, and saying where one is missed.

The walks of a search lead around them exactly (`routing.walks.around`). A rider in a wheelchair
is told of those that his journey would have taken.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from routing.itinerary import Explanation, Itinerary, PlanAnswer
from routing.network import Network
from routing.planner import CriteriaFrom, RidesOn, plan
from routing.query import Limits, PlanQuery
from routing.raptor.flexible import FlexibleTrips

TOLD = 3
"""Elevators named in one answer."""


def plan_around(
    network: Network,
    query: PlanQuery,
    *,
    flexible: FlexibleTrips,
    rides_on: RidesOn,
    limits: Limits,
    criteria: CriteriaFrom | None = None,
    shut: frozenset[str],
) -> PlanAnswer:
    """
    Answer one query with the elevators in service; `shut` are the ids of the others.

    Raises
    ------
    PlaceUnknown
        A stop id that the timetable does not have.
    """
    answer = plan(
        network, query, flexible=flexible, rides_on=rides_on, limits=limits, criteria=criteria,
        shut=shut,
    )  # fmt: skip
    known = shut & network.elevators.keys()
    if not (known and query.wheelchair):
        return answer
    usual = plan(network, query, flexible=flexible, rides_on=rides_on, limits=limits)
    missed = known & set(elevators_of((*usual.itineraries, *usual.direct)))
    told = [
        Explanation(
            "elevator_out_of_service",
            {"elevator": name, "station": network.elevators[name].station},
        )
        for name in sorted(missed)[:TOLD]
    ]
    return replace(answer, explanations=(*told, *answer.explanations))


def elevators_of(itineraries: Iterable[Itinerary]) -> list[str]:
    """Ids of the elevators that itineraries take, in order."""
    return [
        name
        for itinerary in itineraries
        for leg in itinerary.legs
        if leg.access is not None
        for name in leg.access.elevators
    ]
