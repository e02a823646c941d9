"""On which dates offers run, all at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np

from carpool.offers import WEEKDAYS, Offer
from core.time import day_start_epoch_s
from routing.network import Network
from routing.spi import RideWindows

DAYS = (-1, 0, 1)
_ONE_OF_DAY = {day: 1 << i for i, day in enumerate(WEEKDAYS)}


class RunningDates:
    """Dates of offers in columns; row i belongs to offer i."""

    def __init__(self, offers: Sequence[Offer]) -> None:
        self._from_s = np.array([offer.depart_from_s for offer in offers], np.int32)
        self._to_s = np.array([offer.depart_to_s for offer in offers], np.int32)
        self._weekdays = np.array(
            [sum(_ONE_OF_DAY[day] for day in offer.weekdays) for offer in offers], np.int32
        )
        self._valid_from = np.array([offer.valid_from.toordinal() for offer in offers], np.int32)
        self._valid_to = np.array([offer.valid_to.toordinal() for offer in offers], np.int32)
        self._not_on: dict[dt.date, list[int]] = {}
        for row, offer in enumerate(offers):
            for date in offer.except_dates:
                self._not_on.setdefault(date, []).append(row)

    def windows(self, network: Network, date: dt.date) -> RideWindows:
        """
        Dated runs around a searched date, in seconds from its start. Body i belongs to offer i.

        The clock times of an offer are those of the territory, also on days with 23 or 25 hours.
        """
        base_s = day_start_epoch_s(date, network.zone)
        rows, days, shifts_s = [], [], []
        for offset in DAYS:
            day = date + dt.timedelta(days=offset)
            runs = (self._valid_from <= day.toordinal()) & (day.toordinal() <= self._valid_to)
            runs &= self._weekdays & (1 << day.weekday()) > 0
            runs[self._not_on.get(day, [])] = False
            rows.append(np.flatnonzero(runs).astype(np.int32))
            days.append(np.full_like(rows[-1], offset))
            shifts_s.append(np.full_like(rows[-1], day_start_epoch_s(day, network.zone) - base_s))
        row, shift_s = np.concatenate(rows), np.concatenate(shifts_s)
        earliest_s, latest_s = self._from_s[row] + shift_s, self._to_s[row] + shift_s
        return RideWindows(row, row, np.concatenate(days), earliest_s, latest_s)
