"""How likely a driver is to come, in plain words, by how his booked rides have ended."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

PRIOR_RAN, PRIOR_BROKEN = 9, 1
"""What every driver begins with, as so many rides: one breakdown does not bury a new one."""
KNOWN_FROM = 3
"""Rides below which nothing is said of a driver but that he is new."""
ALMOST_SURE, LIKELY = 0.93, 0.8
LATE_CANCEL = dt.timedelta(hours=24)
"""Calling a ride off earlier than this before the pick-up breaks no promise."""
LOOK_BACK = dt.timedelta(days=180)


class Chance(StrEnum):
    """Whether a driver who is booked comes."""

    NEW = "new"
    ALMOST_SURE = "almost_sure"
    LIKELY = "likely"
    UNSURE = "unsure"


def chance_of(ran: int, broken: int) -> Chance:
    """
    Class of the Bayesian mean of rides that were driven and rides that were not.

    Parameters
    ----------
    ran, broken
        Booked seats of the last half year that were driven, and those whose riders the driver
        left without: absent, not started, or called off on the day.
    """
    if ran + broken < KNOWN_FROM:
        return Chance.NEW
    mean = (ran + PRIOR_RAN) / (ran + broken + PRIOR_RAN + PRIOR_BROKEN)
    if mean >= ALMOST_SURE:
        return Chance.ALMOST_SURE
    return Chance.LIKELY if mean >= LIKELY else Chance.UNSURE
