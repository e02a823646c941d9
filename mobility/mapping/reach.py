"""Stops within reach of one place → the shape of the MOTIS 2 API."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

from mobility.mapping.motis import MotisWriter, instant
from routing.itinerary import LegPlace
from routing.network import Network
from routing.one_to_all import ReachedStops, ReachQuery


def write_reach(
    writer: MotisWriter, network: Network, query: ReachQuery, found: ReachedStops
) -> dict[str, Any]:
    """The one place, and all stops with whole minutes, begun ones counted, and vehicles."""
    at_one, at_all = ("arrival", "departure") if query.arrive_by else ("departure", "arrival")
    sign = -1 if query.arrive_by else 1
    place = query.place
    stop = None if place.stop_id is None else network.stop_row.get(place.stop_id)
    return {
        "one": writer.place(
            LegPlace(place.name, place.coordinate, stop=stop), **{at_one: instant(query.at)}
        ),
        "all": [
            {
                "place": writer.stop_place(
                    row, **{at_all: instant(query.at + sign * dt.timedelta(seconds=seconds))}
                ),
                "duration": math.ceil(seconds / 60),
                "k": vehicles,
            }
            for row, seconds, vehicles in zip(
                found.stop.tolist(),
                found.seconds.tolist(),
                found.vehicle_count.tolist(),
                strict=True,
            )
        ],
    }
