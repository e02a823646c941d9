"""CloudEvents of readers and operators → what a card was used for."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from core.errors import InvalidInput
from mobility.mapping.fare_legs import fare_mode
from payments.ride_halves import Half, RideHalf
from payments.taps import Tap, TapKind, Used
from payments.tariff import MODES, FareLeg
from routing.network import Network

TYPES = {f"mobility.tap.{kind}": kind for kind in TapKind}
RIDE = "mobility.ride"
HALVES = {f"{RIDE}.{half}": half for half in Half}
END = f"{RIDE}.{Half.END}"
HEARTBEAT = "mobility.device.heartbeat"
"""Of a device that counts: it is up to date, whether or not somebody used it."""
AHEAD = dt.timedelta(minutes=5)
"""A clock that goes so far ahead is wrong."""
RIGHT = dt.timedelta()
OLDEST = dt.timedelta(days=45)
"""What is older is no longer billed: legs are forgotten while their month could still be rated."""
TEXT_LIMIT, ZONE_LIMIT = 200, 100
DIGITS = 15
METRES_LIMIT, SECONDS_LIMIT = 2_000_000, 7 * 86_400


class EventInvalid(InvalidInput):
    """An event that says something wrong, or too little."""

    code = "event_invalid"


class ClockAhead(InvalidInput):
    """A device whose clock is wrong."""

    code = "clock_ahead"


class EventTooOld(InvalidInput):
    """What comes too late to be billed."""

    code = "event_too_old"


def medium_digest(key: bytes, number: str) -> bytes:
    """What is kept of a card's number: numbers are few, so that a key is needed not to try all."""
    return hmac.digest(key, number.encode(), hashlib.sha256)


def read_number(
    event: Mapping[str, Any], now: dt.datetime, ahead: dt.timedelta = RIGHT
) -> tuple[int, dt.datetime]:
    """
    Number and time of an event of a device that counts its events, and whose clock is `ahead`.

    Raises
    ------
    EventInvalid, ClockAhead
        It has none (the attribute `sequence` of CloudEvents, as text), or its time is wrong.
    """
    text = _text(event, "sequence")
    if not (text.isascii() and text.isdigit() and len(text) <= DIGITS) or int(text) == 0:
        raise EventInvalid(f"sequence {text!r} is not a number from 1 on")
    return int(text), _past(event, now, ahead)


def read_event(
    event: Any,  # noqa: ANN401 — any JSON
    sender: str,
    key: bytes,
    network: Network,
    now: dt.datetime,
    ahead: dt.timedelta = RIGHT,
    *,
    is_held: bool = False,
) -> Used | RideHalf:
    """
    Read a CloudEvent (version 1.0, JSON format).

    It gets an id of its sender, `source` and `id` that tells nobody which reader it was, and that
    nobody else can take.

    Parameters
    ----------
    ahead
        How far the clock was ahead by which it was told.
    is_held
        Whether it is as `for_holding` has left it.

    Raises
    ------
    EventInvalid, ClockAhead, EventTooOld
        The message names the attribute.
    """
    if not isinstance(event, Mapping):
        raise EventInvalid("an event is an object: specversion, id, source, type, time, data")
    if event.get("specversion") != "1.0":
        raise EventInvalid('specversion is not "1.0"')
    source = _text(event, "source")
    name = _named(key, sender, source, _text(event, "id"))
    type_ = _text(event, "type")
    at = _past(event, now, ahead)
    if at < now - OLDEST:
        raise EventTooOld(f"time {at.isoformat()} is more than {OLDEST.days} days ago")
    data = event.get("data")
    if not isinstance(data, Mapping):
        raise EventInvalid("data is missing")
    number = _text(data, "medium")
    medium = bytes.fromhex(number) if is_held else medium_digest(key, number)
    route, operator = _text(data, "route", ""), _text(data, "operator", "")
    is_end = type_ == END
    mode = "" if is_end and data.get("mode") is None else _mode(data, route, network)
    if type_ in TYPES:
        stop, told_ahead_s = _text(data, "stop"), round(ahead.total_seconds())
        tap = Tap(name, at, TYPES[type_], stop, mode, route, operator, told_ahead_s)
        return Used(medium, tap)
    if type_ in HALVES:
        ride = _named(key, sender, source, "ride", _text(data, "ride"))
        told = RideHalf(name, ride, HALVES[type_], medium, at, mode, route, operator)
        metres, zones = _whole(data, "metres", METRES_LIMIT), _zones(data)
        return replace(told, metres=metres, zones=zones) if is_end else told
    if type_ != RIDE:
        known = ", ".join((*TYPES, RIDE, *HALVES))
        raise EventInvalid(f"type {type_!r} is not known: one of {known}")
    leg = FareLeg(
        mode, at, _whole(data, "metres", METRES_LIMIT), _whole(data, "seconds", SECONDS_LIMIT),
        _zones(data), operator, route, f"ride:{name}",
    )  # fmt: skip
    return Used(medium, leg)


def _zones(data: Mapping[str, Any]) -> tuple[str, ...]:
    zones = data.get("zones", [])
    if not isinstance(zones, list) or len(zones) > ZONE_LIMIT:
        raise EventInvalid(f"data.zones is not a list of at most {ZONE_LIMIT} names")
    return tuple(_text({"data.zones": zone}, "data.zones") for zone in zones)


def _named(key: bytes, *known_by: str) -> str:
    """Id that tells nobody by what it is known, and that nobody else can take."""
    return hmac.digest(key, json.dumps(known_by).encode(), hashlib.sha256)[:16].hex()


def for_holding(event: Mapping[str, Any], key: bytes) -> dict[str, Any]:
    """An event without the number of the card, to be read once somebody has looked at it."""
    digest = medium_digest(key, _text(event["data"], "medium"))
    return {**event, "data": {**event["data"], "medium": digest.hex()}}


def _mode(data: Mapping[str, Any], route: str, network: Network) -> str:
    given = data.get("mode")
    if given is not None:
        if given not in MODES:
            raise EventInvalid(f"data.mode {given!r} is not one of {', '.join(MODES)}")
        return str(given)
    row = network.route_row.get(route)
    if row is None:
        raise EventInvalid("data.mode is missing, and data.route is not a line of the timetable")
    return fare_mode(network.timetable, row)


def _text(of: Mapping[str, Any], key: str, default: str | None = None) -> str:
    value = of.get(key, default)
    if not isinstance(value, str) or (not value and default is None):
        raise EventInvalid(f"{key} is missing")
    if len(value) > TEXT_LIMIT or not value.isprintable():
        raise EventInvalid(f"{key} is longer than {TEXT_LIMIT} characters, or not printable")
    return value


def _past(event: Mapping[str, Any], now: dt.datetime, ahead: dt.timedelta) -> dt.datetime:
    try:
        at = _moment(event, "time") - ahead
    except OverflowError as error:
        raise EventInvalid("time is out of range") from error
    if at > now + AHEAD:
        raise ClockAhead(f"time {at.isoformat()} is ahead: the device's clock is wrong")
    return at


def _moment(of: Mapping[str, Any], key: str) -> dt.datetime:
    text = _text(of, key)
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise EventInvalid(f"{key} {text!r} is not a time: 2027-03-24T08:00:00+01:00") from error
    if at.tzinfo is None:
        raise EventInvalid(f"{key} {text!r} has no offset: 2027-03-24T08:00:00+01:00")
    try:
        return at.astimezone(dt.UTC)
    except OverflowError as error:
        raise EventInvalid(f"{key} {text!r} is out of range") from error


def _whole(of: Mapping[str, Any], key: str, most: int) -> int:
    value = of.get(key, 0)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise EventInvalid(f"data.{key} is {value!r}: a whole number up to {most}")
    return value
