"""
GTFS-Fares V2 → a starting tariff, and what of the fares it cannot say.

Source: GTFS Schedule reference, fare_leg_rules.txt, fare_products.txt, fare_transfer_rules.txt and
the tables that they name. Zones and routes are named as everywhere, with the id of their feed
before them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from gtfs_data.reader import WEEKDAYS as GTFS_WEEKDAYS
from mobility.mapping.starting_tariff import (
    StartingTariff,
    modes_of_routes,
    when_on,
    whole_cents,
)
from payments.tariff import LIST_PRICE, WEEKDAYS

FARES_V2_TABLES = (
    "agency", "routes", "stops", "calendar", "fare_products", "fare_leg_rules",
    "fare_transfer_rules", "rider_categories", "areas", "stop_areas", "networks", "route_networks",
    "timeframes", "fare_leg_join_rules",
)  # fmt: skip
MINUTE_S = 60
DEPARTURES = 1
"""Kind of a limit of time that counts from departure to departure, as a tariff's window does."""
FIRST_AND_MORE, ONE_PRICE = 0, 2
"""Kinds of transfers: the first leg and the product; the product instead of both legs."""
UNLIMITED = -1


@dataclass(frozen=True, slots=True)
class _Rule:
    """Legs of a group, and what a product costs on them."""

    group: str
    routes: tuple[str, ...]
    """Of its network; none: whatever line it is."""
    areas: tuple[str, str]
    band: str
    product: str
    priority: int


def starting_tariff_v2(feed_id: str, tables: Mapping[str, pd.DataFrame]) -> StartingTariff:
    """Build a tariff from the tables of `FARES_V2_TABLES`; without a rule it has no price."""
    left_out: list[str] = []
    currency, amounts = _amounts(tables["fare_products"], left_out)
    default, categories = _categories(tables["rider_categories"])
    modes = modes_of_routes(tables["routes"])
    bands = _time_bands(tables, left_out)
    rules = _rules(tables, modes, set(bands), left_out)
    zones = _zones(feed_id, tables, {area for rule in rules for area in rule.areas if area})
    content: dict[str, Any] = {
        "tariff": feed_id,
        "currency": currency,
        "timezone": str(next(iter(tables["agency"]["agency_timezone"]), "")),
    }
    if bands:
        content["time_bands"] = list(bands.values())
    if categories:
        content["categories"] = [{"id": own, "permille": LIST_PRICE} for own in categories]
    made = _Prices(feed_id, modes, zones, amounts, default, categories, left_out)
    content["leg_prices"] = made.of(rules)
    journeys = made.journeys(rules, tables["fare_transfer_rules"])
    if journeys:
        content["fare_journeys"] = journeys
    if len(tables["fare_leg_join_rules"]):
        left_out.append("fare_leg_join_rules.txt: legs that count as one")
    return StartingTariff(content, tuple(dict.fromkeys(left_out)))


def _amounts(
    products: pd.DataFrame, left_out: list[str]
) -> tuple[str, dict[str, dict[str, int]]]:  # fmt: skip
    """Currency, and by product and rider category (empty: everybody) the cents of its media."""
    currencies = products["currency"].tolist()
    currency = str(currencies[0]) if currencies else "EUR"
    found: dict[str, dict[str, int]] = {}
    columns = ["fare_product_id", "rider_category_id", "amount", "currency"]
    for product, category, amount, own in products[columns].to_numpy():
        cents = whole_cents(amount)
        if own != currency:
            left_out.append(f"product {product}: in {own}, not in {currency}")
        elif cents is None or cents < 0:
            left_out.append(f"product {product}: {amount} is no whole number of cents from 0 on")
        else:
            prices = found.setdefault(str(product), {})
            if prices.get(category, cents) != cents:
                left_out.append(f"product {product}: prices by media; the cheapest is kept")
            prices[category] = min(cents, prices.get(category, cents))
    return currency, found


def _categories(riders: pd.DataFrame) -> tuple[str, list[str]]:
    """The category of whoever proves nothing, and the others."""
    columns = ["rider_category_id", "is_default_fare_category"]
    rows = riders[columns].to_numpy().tolist()
    default = next((str(own) for own, is_default in rows if is_default == 1), "")
    return default, [str(own) for own, _ in rows if own != default]


def _time_bands(
    tables: Mapping[str, pd.DataFrame], left_out: list[str]
) -> dict[str, dict[str, Any]]:
    """Timeframes on the weekdays of their service, one band each group."""
    calendar = tables["calendar"]
    days_of = {
        str(service): [ours for ours, runs in zip(WEEKDAYS, row, strict=True) if runs == 1]
        for service, *row in calendar[["service_id", *GTFS_WEEKDAYS]].to_numpy()
    }
    bands: dict[str, dict[str, Any]] = {}
    columns = ["timeframe_group_id", "start_time", "end_time", "service_id"]
    for group, start_s, end_s, service in tables["timeframes"][columns].to_numpy():
        days = days_of.get(str(service), [])
        if not days:
            left_out.append(f"timeframe {group}: service {service} runs on no weekday")
        elif group in bands:
            left_out.append(f"timeframe {group}: more than one span; the first is kept")
        else:
            start, end = max(int(start_s), 0), int(end_s)
            bands[str(group)] = {
                "id": str(group), "days": days, "from": _clock(start),
                "to": _clock(end if end > 0 else 24 * 3_600),
            }  # fmt: skip
    return bands


def _clock(second: int) -> str:
    return f"{second // 3_600:02d}:{second // MINUTE_S % 60:02d}"


def _rules(
    tables: Mapping[str, pd.DataFrame],
    modes: Mapping[str, str],
    bands: set[str],
    left_out: list[str],
) -> list[_Rule]:
    routes: defaultdict[str, list[str]] = defaultdict(list)
    for network, route in tables["route_networks"][["network_id", "route_id"]].to_numpy():
        routes[network].append(str(route))
    for network, route in tables["routes"][["network_id", "route_id"]].to_numpy():
        if network:
            routes[network].append(str(route))
    table = tables["fare_leg_rules"]
    named = {network for network in table["network_id"] if network}
    has_priorities = bool((table["rule_priority"] > 0).any())
    others = sorted(set(modes) - {route for network in named for route in routes[network]})
    columns = [
        "leg_group_id", "network_id", "from_area_id", "to_area_id", "from_timeframe_group_id",
        "to_timeframe_group_id", "fare_product_id", "rule_priority",
    ]  # fmt: skip
    found = []
    for group, network, start, end, band, arrival, product, priority in table[columns].to_numpy():
        own = tuple(sorted(route for route in routes[network] if route in modes))
        if network and not own:
            left_out.append(f"leg group {group}: network {network} has no routes")
            continue
        if not network and named and not has_priorities:
            own = tuple(others)  # an empty network is then every other one
            if not own:
                left_out.append(f"leg group {group}: there is no route beside the networks named")
                continue
        if arrival:
            left_out.append(f"leg group {group}: times of arrival ({arrival})")
        if band and band not in bands:
            left_out.append(f"leg group {group}: there is no timeframe {band}")
            continue
        found.append(
            _Rule(group, own, (start, end), band, str(product), max(int(priority), 0))
        )  # fmt: skip
    return found


def _zones(feed_id: str, tables: Mapping[str, pd.DataFrame], areas: set[str]) -> dict[str, str]:
    """Areas whose stops are those of one zone of stops.txt."""
    stops_of: defaultdict[str, set[str]] = defaultdict(set)
    for area, stop in tables["stop_areas"][["area_id", "stop_id"]].to_numpy():
        stops_of[area].add(stop)
    zone_stops: defaultdict[str, set[str]] = defaultdict(set)
    for stop, zone in tables["stops"][["stop_id", "zone_id"]].to_numpy():
        if zone:
            zone_stops[zone].add(stop)
    return {
        area: f"{feed_id}:{zone}"
        for area in sorted(areas)
        for zone, stops in zone_stops.items()
        if stops == stops_of[area]
    }


class _Prices:
    """Leg prices and fare journeys of a feed's rules."""

    def __init__(
        self,
        feed_id: str,
        modes: Mapping[str, str],
        zones: Mapping[str, str],
        amounts: Mapping[str, Mapping[str, int]],
        default: str,
        categories: Sequence[str],
        left_out: list[str],
    ) -> None:
        self._feed_id, self._modes, self._zones = feed_id, modes, zones
        self._amounts, self._default, self._categories = amounts, default, categories
        self._left_out = left_out

    def of(self, rules: Sequence[_Rule]) -> list[dict[str, Any]]:
        """Prices, those for fewer legs first, those of a category before those of everybody."""
        alike: dict[tuple[object, ...], list[_Rule]] = {}
        for rule in rules:
            missing = [area for area in rule.areas if area and area not in self._zones]
            if missing:
                said = f"area {missing[0]} is no zone of stops.txt"
                self._left_out.append(f"leg group {rule.group}: {said}")
            elif rule.product not in self._amounts:
                said = f"product {rule.product} has no price"
                self._left_out.append(f"leg group {rule.group}: {said}")
            else:
                key = rule.priority, rule.routes, rule.areas, rule.band
                alike.setdefault(key, []).append(rule)
        order = sorted(
            alike.values(),
            key=lambda own: (
                -own[0].priority, not own[0].band, -sum(map(bool, own[0].areas)),
                not own[0].routes, own[0].group,
            ),
        )  # fmt: skip
        found: list[dict[str, Any]] = []
        for own in order:
            for category in (*self._categories, None):
                kept = self._kept(own, category)
                if kept is not None:
                    found.append(self._price(*kept, category, len(found)))
        return found

    def _kept(self, rules: Sequence[_Rule], category: str | None) -> tuple[_Rule, int] | None:
        """
        What the same legs cost who has a category: the cheapest product that is for it.

        Of products for everybody the dearest is kept: nobody is charged too little for a product
        that may be meant for some.
        """
        priced = []
        for rule in rules:
            prices = self._amounts[rule.product]
            cents = prices.get(category) if category is not None else self._listed(prices)
            if cents is not None:
                priced.append((rule, cents))
        if category is not None:
            return min(priced, key=lambda own: own[1], default=None)
        kept = max(priced, key=lambda own: own[1], default=None)
        for rule, _ in priced:
            if kept is not None and rule.product != kept[0].product:
                said = f"for the same legs as {kept[0].product}, and it is not said for whom"
                self._left_out.append(f"product {rule.product}: {said}")
        return kept

    def _listed(self, prices: Mapping[str, int]) -> int | None:
        """What a product costs who proves nothing."""
        return prices.get(self._default, prices.get(""))

    def _price(
        self, rule: _Rule, cents: int, category: str | None, nth: int
    ) -> dict[str, Any]:  # fmt: skip
        when = when_on(self._feed_id, rule.routes, self._modes)
        for key, area in zip(("from_zone", "to_zone"), rule.areas, strict=True):
            if area:
                when[key] = self._zones[area]
        if rule.band:
            when["time_band"] = rule.band
        if category is not None:
            when["category"] = category
        return {"id": f"{rule.group or rule.product} {nth + 1}", "when": when, "base_cents": cents}

    def journeys(
        self, rules: Sequence[_Rule], transfers: pd.DataFrame
    ) -> list[dict[str, Any]]:  # fmt: skip
        """Transfers for which one pays the dearer leg, as fare journeys of their modes."""
        by_group: defaultdict[str, list[_Rule]] = defaultdict(list)
        for rule in rules:
            if rule.product in self._amounts:
                by_group[rule.group].append(rule)
        joined: defaultdict[tuple[int, int], set[str]] = defaultdict(set)
        columns = [
            "from_leg_group_id", "to_leg_group_id", "fare_product_id", "transfer_count",
            "duration_limit", "duration_limit_type", "fare_transfer_type",
        ]  # fmt: skip
        for start, end, product, count, limit_s, limit_kind, kind in transfers[columns].to_numpy():
            name = f"transfer {start or 'any'} → {end or 'any'}"
            every = [rule for own in by_group.values() for rule in own]
            ends = [by_group[group] if group else every for group in (start, end)]
            if not self._is_dearer(ends, product, int(kind)):
                self._left_out.append(f"{name}: its price is not that of the dearer leg")
                continue
            if limit_s <= 0:
                self._left_out.append(f"{name}: without a limit of time")
                continue
            if int(limit_kind) != DEPARTURES:
                self._left_out.append(f"{name}: its limit counts here from boarding to boarding")
            most = int(count) + 1 if start == end and int(count) > 0 else UNLIMITED
            own = {
                self._modes[route]
                for rule in (*ends[0], *ends[1])
                for route in rule.routes or self._modes
            }
            joined[int(limit_s), most] |= own
        return [
            {"id": f"transfers {nth}", "window_min": limit_s // MINUTE_S, "modes": sorted(own)}
            | ({} if most == UNLIMITED else {"most_legs": most})
            for nth, ((limit_s, most), own) in enumerate(sorted(joined.items()), start=1)
        ]

    def _is_dearer(self, ends: Sequence[Sequence[_Rule]], product: str, kind: int) -> bool:
        """Whether both legs together cost what the dearer one does."""
        if not ends[0] or not ends[1]:
            return False
        prices = [
            max((self._listed(self._amounts[rule.product]) or 0 for rule in own), default=0)
            for own in ends
        ]
        if kind == ONE_PRICE:
            return self._listed(self._amounts.get(product, {})) == max(prices)
        return kind == FIRST_AND_MORE and not product and prices[0] == prices[1]
