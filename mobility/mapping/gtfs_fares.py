"""
GTFS-Fares V1 → a starting tariff, and what of the fares it cannot say.

Source: GTFS Schedule reference, fare_attributes.txt and fare_rules.txt. Zones and routes are named
as everywhere, with the id of their feed before them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import pandas as pd

from mobility.mapping.starting_tariff import (
    StartingTariff,
    modes_of_routes,
    when_on,
    whole_cents,
)

FARE_TABLES = ("agency", "routes", "fare_attributes", "fare_rules")
MINUTE_S = 60


def starting_tariff(feed_id: str, tables: Mapping[str, pd.DataFrame]) -> StartingTariff:
    """Build a tariff from the tables of `FARE_TABLES`; without a fare it has no price."""
    left_out: list[str] = []
    fares = _fares(tables["fare_attributes"], left_out)
    currency = next((currency for _, currency in fares.values()), "EUR")
    for fare_id, (_, own) in list(fares.items()):
        if own != currency:
            left_out.append(f"fare {fare_id}: in {own}, not in {currency}")
            del fares[fare_id]
    modes = modes_of_routes(tables["routes"])
    content: dict[str, Any] = {
        "tariff": feed_id,
        "currency": currency,
        "timezone": str(next(iter(tables["agency"]["agency_timezone"]), "")),
        "leg_prices": _leg_prices(feed_id, fares, tables["fare_rules"], modes, left_out),
    }
    journeys = _fare_journey(
        tables["fare_attributes"], fares, sorted(set(modes.values())), left_out
    )
    if journeys is not None:
        content["fare_journeys"] = journeys
    return StartingTariff(content, tuple(left_out))


def _fares(attributes: pd.DataFrame, left_out: list[str]) -> dict[str, tuple[int, str]]:
    """Fare id → cents and currency."""
    fares = {}
    for fare_id, price, currency in attributes[["fare_id", "price", "currency_type"]].to_numpy():
        cents = whole_cents(price)
        if cents is None:
            left_out.append(f"fare {fare_id}: {price} is no whole number of cents")
        else:
            fares[str(fare_id)] = cents, str(currency)
    return fares


def _leg_prices(
    feed_id: str,
    fares: Mapping[str, tuple[int, str]],
    rules: pd.DataFrame,
    modes: Mapping[str, str],
    left_out: list[str],
) -> list[dict[str, Any]]:
    """Rules of routes before those of any route, tables of zones before single zones and none."""
    tables: defaultdict[str, dict[tuple[str, str], int]] = defaultdict(dict)
    flat: list[tuple[int, dict[str, Any]]] = []
    with_rules = set()
    columns = ["fare_id", "route_id", "origin_id", "destination_id", "contains_id", "row"]
    for fare_id, route, start, end, contains, row in rules[columns].to_numpy():
        with_rules.add(fare_id)
        if fare_id not in fares:
            left_out.append(f"fare_rules.txt line {row}: there is no fare {fare_id}")
            continue
        if contains:
            left_out.append(f"fare_rules.txt line {row}: fares of zones passed (contains_id)")
            continue
        if route and route not in modes:
            left_out.append(f"fare_rules.txt line {row}: there is no route {route}")
            continue
        cents = fares[fare_id][0]
        if start and end:
            pair = f"{feed_id}:{start}", f"{feed_id}:{end}"
            known = tables[route].get(pair, cents)
            if known != cents:
                left_out.append(f"fare_rules.txt line {row}: of two fares the cheaper is kept")
            tables[route][pair] = min(known, cents)
            continue
        when = when_on(feed_id, [route] if route else [], modes)
        if start:
            when["from_zone"] = f"{feed_id}:{start}"
        if end:
            when["to_zone"] = f"{feed_id}:{end}"
        order = 4 - 2 * bool(route) - bool(start or end)
        flat.append(
            (order, {"id": f"fare {fare_id} line {row}", "when": when, "base_cents": cents})
        )
    for route, table in tables.items():
        nested: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for (start, end), cents in sorted(table.items()):
            nested[start][end] = cents
        name = f"zones of route {route}" if route else "zones"
        when = when_on(feed_id, [route] if route else [], modes)
        flat.append((0 if route else 3, {"id": name, "when": when, "by_zones": dict(nested)}))
    for fare_id, (cents, _) in fares.items():
        if fare_id not in with_rules:
            when = when_on(feed_id, [], modes)
            flat.append((5, {"id": f"fare {fare_id}", "when": when, "base_cents": cents}))
    flat.sort(key=lambda each: (each[0], each[1].get("base_cents", 0)))
    return [rule for _, rule in flat]


def _fare_journey(
    attributes: pd.DataFrame,
    fares: Mapping[str, object],
    modes: list[str],
    left_out: list[str],
) -> dict[str, Any] | None:
    """Transfers, where all fares that allow them agree."""
    terms: dict[tuple[int, int], str] = {}
    columns = ["fare_id", "transfers", "transfer_duration"]
    for fare_id, transfers, duration_s in attributes[columns].to_numpy():
        if fare_id in fares and transfers != 0:
            if duration_s > 0:
                terms[int(transfers), int(duration_s)] = str(fare_id)
            else:
                left_out.append(f"fare {fare_id}: transfers without a limit of time")
    if len(terms) > 1:
        left_out.append(f"transfers: {len(terms)} kinds, by fare; write them as fare journeys")
    if len(terms) != 1:
        return None
    ((transfers, duration_s),) = terms
    journey: dict[str, Any] = {"window_min": duration_s // MINUTE_S, "modes": modes}
    if transfers > 0:
        journey["most_legs"] = transfers + 1
    return journey
