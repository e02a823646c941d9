"""Walks of an itinerary against streets, raw pathways and transfers.txt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from core.geo import distance_m
from tests.oracles.check_context import WALK_TOLERANCE_S, CheckContext, End, Json, end_of

WALK_LIMIT_S = 900
DIRECT_WALK_LIMIT_S = 1800
MINIMUM_TIME = "2"


def check_walk(legs: list[Json], i: int, context: CheckContext) -> Iterator[str]:
    leg = legs[i]
    direct = len(legs) == 1
    limit_s = DIRECT_WALK_LIMIT_S if direct else WALK_LIMIT_S
    start, end = end_of(legs, i, "from", context), end_of(legs, i, "to", context)
    choices = context.walks_s(start, end, limit_s + WALK_TOLERANCE_S)
    between_vehicles = start.kind == "stop" == end.kind
    if between_vehicles:
        choices |= _stated_walks_s(start, end, choices, context)
    if not choices:
        yield f"no way on foot from {start.id} to {end.id} within {limit_s} s"
    elif all(abs(leg["duration"] - s) > WALK_TOLERANCE_S for s in choices):
        walks = " or ".join(str(s) for s in sorted(choices))
        yield f"takes {leg['duration']} s, the ways from {start.id} to {end.id} take {walks} s"
    stated = between_vehicles and leg["duration"] in _stated_walks_s(start, end, set(), context)
    if leg["duration"] > limit_s and not stated:
        yield f"takes {leg['duration']} s, more than {limit_s} s"


def _stated_walks_s(start: End, end: End, walks: Iterable[int], context: CheckContext) -> set[int]:
    """Durations that transfers.txt gives: a minimum time, or a change too far to walk."""
    found: set[int] = set()
    for row in rules_between(start.id, end.id, context):
        kind = row.get("transfer_type") or "0"
        if kind == MINIMUM_TIME and row.get("min_transfer_time"):
            found |= {max(int(row["min_transfer_time"]), s) for s in [*walks, 0]}
        elif kind in ("0", "1") and start.coordinate and end.coordinate and not list(walks):
            found.add(round(distance_m(start.coordinate, end.coordinate)))
    return found


def rules_between(from_id: str, to_id: str, context: CheckContext) -> Iterator[Json]:
    a, b = context.feed_of(from_id), context.feed_of(to_id)
    if a is not None and b is not None and a[0] is b[0]:
        yield from a[0].transfer_rules(a[1], b[1])
