"""
Query parameters as real MOTIS clients send them.

Lists come as comma lists or repeated keys, empty values are legal, unknown parameters are
ignored, and every known one is accepted at its default. A value that is not honoured yet is
refused by name (`NotSupported`), never ignored.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

from core.errors import InvalidInput, NotSupported
from core.geo import Coordinate, parse_coordinate
from core.time import parse_instant

FIRST_YEAR, LAST_YEAR = 1970, 2100
"""Between these, every day around a searched moment exists in every zone."""
T = TypeVar("T")


class MultiValues(Protocol):
    """Query parameters with repeated keys."""

    def getlist(self, key: str) -> list[str]:
        """All values of a key."""
        ...


class Parameters:
    """Reads typed values; raises `InvalidInput` naming the parameter."""

    def __init__(self, values: MultiValues) -> None:
        self._values = values

    def text(self, name: str) -> str | None:
        """Last value, or None when absent or empty."""
        given = [v for v in self._values.getlist(name) if v.strip()]
        return given[-1].strip() if given else None

    def required(self, name: str) -> str:
        """A value that must be there."""
        value = self.text(name)
        if value is None:
            raise InvalidInput(f"{name} is missing")
        return value

    def given(self, name: str) -> bool:
        """Whether the parameter stands in the request, empty or not."""
        return bool(self._values.getlist(name))

    def texts(self, name: str) -> list[str] | None:
        """Comma list or repeated keys; None when absent, [] when given empty."""
        if not self.given(name):
            return None
        parts = (part.strip() for v in self._values.getlist(name) for part in v.split(","))
        return [part for part in parts if part]

    def whole(self, name: str, default: int, *, least: int = 0, most: int = 2**31 - 1) -> int:
        """A whole number within bounds."""
        return self._number(name, default, int, least, most)

    def number(self, name: str, default: float, *, least: float = 0, most: float = 1e9) -> float:
        """A number within bounds."""
        return self._number(name, default, float, least, most)

    def yes(self, name: str, *, default: bool) -> bool:
        """A truth value."""
        value = self.text(name)
        if value is None:
            return default
        if value.lower() in ("true", "1"):
            return True
        if value.lower() in ("false", "0"):
            return False
        raise InvalidInput(f"{name} is {value!r}: say true or false")

    def place(self, name: str) -> Coordinate | None:
        """A place as ``latitude,longitude``, or None when absent or empty."""
        value = self.text(name)
        if value is None:
            return None
        place = parse_coordinate(value)
        if place is None:
            raise InvalidInput(f"{name} is {value[:80]!r}: latitude,longitude is expected")
        return place

    def moment(self, name: str, zone: ZoneInfo) -> dt.datetime:
        """An instant that can be searched around; now when absent or empty."""
        value = self.text(name)
        if value is None:
            return dt.datetime.now(dt.UTC)
        moment = parse_instant(value, zone)
        if not FIRST_YEAR <= moment.year <= LAST_YEAR:
            raise InvalidInput(f"{name} is {value}: {FIRST_YEAR} to {LAST_YEAR} is expected")
        return moment

    def cursor(self, name: str) -> tuple[dt.datetime, bool] | None:
        """From when on a further page goes, and whether towards later times."""
        value = self.text(name)
        if value is None:
            return None
        found = re.fullmatch(r"(EARLIER|LATER)\|(\d{1,11})", value)
        if found is not None:
            moment = dt.datetime.fromtimestamp(int(found[2]), tz=dt.UTC)
            if moment.year <= LAST_YEAR:
                return moment, found[1] == "LATER"
        raise InvalidInput(f"{name} {value[:40]!r} is none that this server gave")

    def _number(
        self, name: str, default: T, kind: Callable[[str], T], least: float, most: float
    ) -> T:
        value = self.text(name)
        if value is None:
            return default
        try:
            number = kind(value)
        except ValueError as error:
            raise InvalidInput(f"{name} is {value!r}: a number is expected") from error
        if not (math.isfinite(float(number)) and least <= float(number) <= most):  # type: ignore[arg-type] # int or float
            raise InvalidInput(f"{name} is {value}: {least:g} to {most:g} is expected")
        return number

    def only_defaults(self, defaults: Mapping[str, str | Sequence[str]]) -> None:
        """Refuse values of parameters that are accepted at their defaults only."""
        for name, default in defaults.items():
            allowed = [default] if isinstance(default, str) else list(default)
            values = self.texts(name) or []
            for value in values:
                if not any(_same(value, text) for text in allowed):
                    raise NotSupported(f"{name}={value} is not supported yet")


def _same(value: str, default: str) -> bool:
    if value.lower() == default.lower():
        return True
    try:
        return float(value) == float(default)
    except ValueError:
        return False
