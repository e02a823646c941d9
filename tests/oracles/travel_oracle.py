"""
Travel times the slow way: the planner is asked for every pair and every minute on its own.

What the planner answers has its own oracles (`raptor_oracle`, `street_oracle`).
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from routing.planner import plan
from routing.query import Endpoint, Limits, PlanQuery
from routing.raptor.body_table import no_flexible_trips
from routing.raptor.search import no_rides

if TYPE_CHECKING:
    from routing.network import Network
    from routing.travel_times import TravelQuery

NEVER_S = 10**9


def planned_s(
    network: Network,
    origin: Endpoint,
    destination: Endpoint,
    at: dt.datetime,
    query: TravelQuery,
    limits: Limits,
) -> int:
    """Seconds from a moment to the planner's best arrival, or `NEVER_S` beyond the most."""
    answer = plan(
        network,
        PlanQuery(
            origin, destination, at=at, window_s=0, carpool=False, detailed=False,
            max_vehicles=query.max_vehicles, max_access_s=query.max_access_s,
            max_egress_s=query.max_egress_s, max_direct_s=query.max_direct_s,
            max_matching_m=query.max_matching_m,
        ),
        flexible=no_flexible_trips(),
        rides_on=lambda _: no_rides(),
        limits=limits,
    )  # fmt: skip
    arrivals = [it.end_at for it in (*answer.itineraries, *answer.direct)]
    best_s = min((int((end - at).total_seconds()) for end in arrivals), default=NEVER_S)
    return best_s if best_s <= query.most_s else NEVER_S


def planned_minutes_s(
    network: Network, origin: Endpoint, destination: Endpoint, query: TravelQuery, limits: Limits
) -> list[int]:
    """`planned_s` at every departure of the window."""
    return [
        planned_s(
            network, origin, destination, query.depart_at + dt.timedelta(minutes=i), query, limits
        )
        for i in range(query.departure_count)
    ]
