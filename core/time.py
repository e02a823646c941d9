"""
Instants, service days and the switch to and from daylight saving time.

A service day starts at noon minus twelve hours in its zone (GTFS reference, "Time"), which is
midnight except on the two days a year on which the clock changes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.errors import InvalidInput

DAY_S = 86_400
HALF_DAY_S = 43_200


def find_zone(name: str) -> ZoneInfo | None:
    """Zone by its tz database name, or None."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def get_zone(name: str) -> ZoneInfo:
    """Zone by its tz database name; raises `InvalidInput` when there is none."""
    zone = find_zone(name)
    if zone is None:
        raise InvalidInput(f"unknown time zone {name!r}: use a tz database name, Europe/Paris")
    return zone


def day_start_epoch_s(day: dt.date, zone: ZoneInfo) -> int:
    """Epoch second at which the service day starts: noon minus twelve hours."""
    noon = dt.datetime.combine(day, dt.time(12), tzinfo=zone)
    return int(noon.timestamp()) - HALF_DAY_S


def to_instant(epoch_s: int, zone: ZoneInfo | dt.timezone = dt.UTC) -> dt.datetime:
    """Aware instant of an epoch second, shown in `zone`."""
    return dt.datetime.fromtimestamp(epoch_s, tz=zone)


def parse_instant(text: str, zone: ZoneInfo) -> dt.datetime:
    """
    Read an ISO 8601 time; without an offset it is meant in `zone`.

    An ambiguous local time (autumn) is the first of the two; one that does not exist (spring)
    raises `InvalidInput`, as does anything that is not a time.
    """
    try:
        moment = dt.datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise InvalidInput(f"not an ISO 8601 time: {text!r} (say 2026-11-24T08:00)") from error
    if moment.tzinfo is not None:
        return moment
    local = moment.replace(tzinfo=zone, fold=0)
    try:
        back = local.astimezone(dt.UTC).astimezone(zone)
    except OverflowError as error:
        raise InvalidInput(f"{text} is outside the years that can be searched") from error
    if back.replace(tzinfo=None) != moment:
        raise InvalidInput(f"{text} does not exist in {zone.key}: the clock is put forward then")
    return local


Clock = Callable[[], dt.datetime]
"""Tells the time, aware."""


def utc_now() -> dt.datetime:
    """Now, by the clock of the machine."""
    return dt.datetime.now(dt.UTC)
