"""Answers of the planner as text for a terminal."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.markup import escape

from mobility.mapping.priced import PricedAnswer, PricedItinerary
from mobility.mapping.sentences import charge_label, messages, reason_sentences
from mobility.world import World
from routing.itinerary import Access, Leg, RideLeg, StreetLeg

WORDS = {"WALK": "walk", "BIKE": "bike", "CAR": "car"}


def print_answer(
    console: Console, world: World, priced: PricedAnswer, *, accessible: bool = False
) -> None:
    """
    Itineraries leg by leg, with price and CO2; messages where there is little.

    `accessible` also tells what each leg is to a wheelchair.
    """
    zone = world.network.zone
    for direct in priced.direct:
        leg = direct.itinerary.legs[0]
        minutes = round((leg.end_at - leg.start_at).total_seconds() / 60)
        metres = leg.shape.metres if leg.shape else 0
        console.print(f"{WORDS[str(leg.mode)]} all the way: {minutes} min, {metres / 1000:.1f} km")
    date = None
    for nth, itinerary in enumerate(priced.itineraries, 1):
        start_date = itinerary.itinerary.start_at.astimezone(zone).date()
        if start_date != date:
            console.print(f"{start_date:%A} {start_date}", style="dim", highlight=False)
            date = start_date
        _print_itinerary(console, world, itinerary, nth, accessible=accessible)
    for removed in priced.answer.removed:
        console.print(f"left out: {reason_sentences(removed.reason)['en']}", style="dim")
        for leg in removed.itinerary.legs:
            console.print(f"     {_leg(world, leg)}", highlight=False, style="dim")
    for message in messages(priced.answer.explanations, zone):
        console.print(escape(message["en"]))
    if world.snapshot.about.get("generated"):
        console.print("(generated territory and offers)", style="dim")


def print_motis_itinerary(
    console: Console, itinerary: dict[str, Any], *, start_name: str, end_name: str
) -> None:
    """An itinerary of the HTTP API, leg by leg, its two ends named."""
    names = {"START": start_name, "END": end_name}
    price = itinerary["mobility"]["price"]
    amount = "?" if price["amount_cents"] is None else f"{price['amount_cents'] / 100:.2f}"
    for leg in itinerary["legs"]:
        zone = ZoneInfo(leg["from"]["tz"])
        start, end = (
            f"{dt.datetime.fromisoformat(leg[name]).astimezone(zone):%H:%M}"
            for name in ("startTime", "endTime")
        )
        what = leg["mode"].replace("_", " ").lower()
        if leg["mode"] == "RIDE_SHARING":
            what = f"{leg['displayName']} ({leg['agencyName']})"
        elif "displayName" in leg:
            what += f" {leg['displayName']} → {leg['headsign']}"
        first, last = (names.get(leg[end]["name"], leg[end]["name"]) for end in ("from", "to"))
        ends = f"{first} → {last}"
        if leg["duration"] == 0 or first == last:
            continue  # the same place under two numbers
        console.print(f"  {start}–{end}  {escape(what)}   {escape(ends)}", highlight=False)
    minutes = round(itinerary["duration"] / 60)
    console.print(f"  {minutes} min, {amount} {price['currency']}", highlight=False)


def _print_itinerary(
    console: Console, world: World, priced: PricedItinerary, nth: int, *, accessible: bool
) -> None:
    zone = world.network.zone
    it = priced.itinerary
    minutes = round((it.end_at - it.start_at).total_seconds() / 60)
    price = priced.price
    amount = (
        f"price unknown ({price.unknown_reason})"
        if price.amount_cents is None
        else f"{price.amount_cents / 100:.2f} {price.currency}"
    )
    co2 = "CO2 unknown" if priced.co2_g is None else f"{priced.co2_g} g CO2"
    start, end = (f"{m.astimezone(zone):%H:%M}" for m in (it.start_at, it.end_at))
    console.print(f"[bold]{nth}. {start} → {end}[/]  {minutes} min, {amount}, {co2}")
    for leg in it.legs:
        console.print(f"     {_leg(world, leg)}", highlight=False)
        if accessible and leg.access is not None:
            console.print(f"        {_access(leg.access)}", style="dim", highlight=False)
    for charge in price.charges:
        label = charge_label(charge, "en")
        console.print(f"     {charge.amount_cents / 100:>6.2f}  {escape(label)}", style="dim")


def _access(access: Access) -> str:
    """``accessible: yes (pathways.txt), elevator rail:P5``."""
    told = f"accessible: {access.step_free.name.lower()} ({', '.join(access.sources)})"
    return escape(", ".join([told, *(f"elevator {name}" for name in access.elevators)]))


def _leg(world: World, leg: Leg) -> str:
    zone, t = world.network.zone, world.network.timetable
    times = f"{leg.start_at.astimezone(zone):%H:%M}–{leg.end_at.astimezone(zone):%H:%M}"
    ends = f"{escape(leg.start.name or '•')} → {escape(leg.end.name or '•')}"
    if isinstance(leg, StreetLeg):
        minutes = round((leg.end_at - leg.start_at).total_seconds() / 60)
        return f"{times}  {WORDS[str(leg.mode)]} {minutes} min   {ends}"
    if isinstance(leg, RideLeg):
        driver = escape(world.offers[leg.offer].driver)
        detour = round(leg.detour_s / 60)
        return f"{times}  carpool with {driver} (detour {detour} min)   {ends}"
    route = int(t.pattern_route[t.trip_pattern[leg.trip]])
    line = t.route_short_name[route] or t.route_long_name[route]
    headsign = t.trip_headsign[leg.trip]
    vehicle = f"{str(leg.mode).lower()} {line}" + (f" to {headsign}" if headsign else "")
    if leg.headway_s:
        vehicle += f" (about every {round(leg.headway_s / 60)} min)"
    if leg.stays_aboard:
        vehicle = f"stay aboard: {vehicle}"
    return f"{times}  {escape(vehicle)}   {ends}"
