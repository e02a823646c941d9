"""Answers of the planner as lines that a page can show."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo


def answer_lines(answer: dict[str, Any]) -> list[str]:
    """
    One line an itinerary, then what was left out and what is said beside.

    ``08:02–08:31  29 min, 1.30 EUR, 402 g CO2, best for co2: walk 4 | tram T1 Gare 08:06 > …``
    """
    lines = [f"all the way: {_legs(it)}" for it in answer["direct"]]
    lines += [itinerary_line(it) for it in answer["itineraries"]]
    own = answer["mobility"]
    for removed in own.get("removed", ()):
        lines.append(f"left out ({removed['reason']}): {itinerary_line(removed['itinerary'])}")
    lines += [f"note: {message['en']}" for message in own["messages"]]
    return lines


def itinerary_line(it: dict[str, Any]) -> str:
    """An itinerary in one line."""
    zone = ZoneInfo(it["legs"][0]["from"]["tz"])
    facts = [f"{round(it['duration'] / 60)} min"]
    own = it.get("mobility")
    if own:
        cents = own["price"]["amount_cents"]
        facts.append("price unknown" if cents is None else f"{cents / 100:.2f} EUR")
        facts.append("CO2 unknown" if own["co2_g"] is None else f"{own['co2_g']} g CO2")
        if own["best_for"]:
            facts.append(f"best for {' and '.join(own['best_for'])}")
    clock = f"{_clock(it['startTime'], zone)}–{_clock(it['endTime'], zone)}"
    return f"{clock}  {', '.join(facts)}: {_legs(it)}"


def _legs(it: dict[str, Any]) -> str:
    """Legs of an itinerary, but for walks of a few steps."""
    zone = ZoneInfo(it["legs"][0]["from"]["tz"])
    legs = [leg for leg in it["legs"] if leg["mode"] != "WALK" or leg["duration"] >= 30]
    return " | ".join(_leg(leg, zone) for leg in legs)


def _leg(leg: dict[str, Any], zone: ZoneInfo) -> str:
    mode = leg["mode"].replace("_", " ").lower()
    if "displayName" not in leg:
        return f"{mode} {round(leg['duration'] / 60)}"
    name = f"{mode} {leg['displayName']}"
    if mode == "ride sharing":
        name = f"{leg['displayName']} ({leg['agencyName']})"
    start, end = (_clock(leg[time], zone) for time in ("startTime", "endTime"))
    return f"{name} {leg['from']['name']} {start} > {leg['to']['name']} {end}"


def _clock(time: str, zone: ZoneInfo) -> str:
    return f"{dt.datetime.fromisoformat(time).astimezone(zone):%H:%M}"
