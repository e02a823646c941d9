"""
When services run: weekdays, Saturdays, Sundays, French public holidays, school days.

The dates are fixed, so that the same seed always gives the same files.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

FIRST_DATE = date(2026, 9, 1)
LAST_DATE = date(2028, 8, 31)

WEEKDAY, SATURDAY, SUNDAY, SCHOOL, DAILY = "LV", "SA", "DI", "SCO", "TLJ"

# Approximate school holidays (first and last free day), generated like everything else.
SCHOOL_HOLIDAYS = (
    (date(2026, 10, 17), date(2026, 11, 1)),
    (date(2026, 12, 19), date(2027, 1, 3)),
    (date(2027, 2, 13), date(2027, 2, 28)),
    (date(2027, 4, 10), date(2027, 4, 25)),
    (date(2027, 7, 3), date(2027, 8, 31)),
    (date(2027, 10, 23), date(2027, 11, 7)),
    (date(2027, 12, 18), date(2028, 1, 2)),
    (date(2028, 2, 12), date(2028, 2, 27)),
    (date(2028, 4, 8), date(2028, 4, 23)),
    (date(2028, 7, 1), date(2028, 8, 31)),
)


@dataclass(frozen=True, slots=True)
class ServiceException:
    """A date on which a service runs or rests against its weekly calendar."""

    service_id: str
    on_date: date
    runs: bool


def easter_sunday(year: int) -> date:
    """Easter Sunday of a year (Meeus, Jones and Butcher)."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = b // 4, b % 4
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = c // 4, c % 4
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)


def public_holidays(year: int) -> tuple[date, ...]:
    """The eleven public holidays of a year in France."""
    easter = easter_sunday(year)
    fixed = ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25))
    moving = tuple(easter + timedelta(days=d) for d in (1, 39, 50))
    return tuple(sorted({*(date(year, m, d) for m, d in fixed), *moving}))


def list_dates() -> list[date]:
    """Every date of the timetables' validity."""
    return [FIRST_DATE + timedelta(days=i) for i in range((LAST_DATE - FIRST_DATE).days + 1)]


def list_exceptions(service_ids: tuple[str, ...]) -> list[ServiceException]:
    """
    Exceptions of the services a feed uses.

    Public holidays run the Sunday service. The school service has no weekly calendar: it
    lists every school day.
    """
    holidays = {d for y in range(FIRST_DATE.year, LAST_DATE.year + 1) for d in public_holidays(y)}
    out = []
    for day in list_dates():
        weekday = day.weekday()
        usual = WEEKDAY if weekday < 5 else SATURDAY if weekday == 5 else SUNDAY
        if day in holidays and usual != SUNDAY:
            out.append(ServiceException(usual, day, runs=False))
            out.append(ServiceException(SUNDAY, day, runs=True))
        free = any(first <= day <= last for first, last in SCHOOL_HOLIDAYS)
        if weekday < 5 and day not in holidays and not free:
            out.append(ServiceException(SCHOOL, day, runs=True))
    return [e for e in out if e.service_id in service_ids]
