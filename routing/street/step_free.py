"""
Where a wheelchair gets through: OSM tags and GTFS pathways by one measure.

Sources: OSM wiki, "Key:wheelchair", "Key:kerb", "Key:incline", "Key:smoothness"; GTFS Schedule
reference, "pathways.txt", which names 8.3 % as the steepest slope for a hand-propelled wheelchair
(ADA); ADA Standards 404.2.3, which asks for 815 mm between door posts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import IntEnum

MAX_SLOPE = 0.083
"""Rise over run; a street that is marked steeper is not used, nor is a steeper pathway."""
MIN_WIDTH_M = 0.815
RAISED_KERBS = frozenset({"raised", "yes"})
ROUGH = frozenset(
    {"bad", "very_bad", "horrible", "very_horrible", "impassable"},
)
"""Values of smoothness from "wheels of robust bicycles only" on."""


class StepFree(IntEnum):
    """What data says of a way, coded as in GTFS."""

    UNKNOWN = 0
    YES = 1
    NO = 2


def step_free_of_way(tags: Mapping[str, str]) -> StepFree:
    """
    Whether a wheelchair gets along a way by its tags.

    Stairs never are. Elsewhere the tag wheelchair decides; without it raised kerbs, steep, narrow
    and rough ways are no, and everything else is unknown: one tries such a street.
    """
    if tags.get("highway") == "steps":
        return StepFree.NO
    stated = tags.get("wheelchair", "")
    if stated in ("yes", "designated"):
        return StepFree.YES
    if stated == "no":
        return StepFree.NO
    slope, width_m = _slope(tags.get("incline", "")), _number(tags.get("width", ""))
    if (
        tags.get("kerb") in RAISED_KERBS
        or tags.get("smoothness") in ROUGH
        or (slope is not None and slope > MAX_SLOPE)
        or (width_m is not None and width_m < MIN_WIDTH_M)
    ):
        return StepFree.NO
    return StepFree.UNKNOWN


def fits(slope: float, width_m: float) -> bool:
    """Whether a wheelchair gets along a pathway of this slope and width; NaN is not said."""
    return not (abs(slope) > MAX_SLOPE or width_m < MIN_WIDTH_M)


def _slope(text: str) -> float | None:
    """``-8%`` → 0.08; words such as ``up`` say nothing, degrees are not read."""
    found = re.fullmatch(r"[+-]?(\d+(?:\.\d+)?)\s*%", text.strip())
    return None if found is None else float(found[1]) / 100


def _number(text: str) -> float | None:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(?:\s*m)?", text.strip())
    return None if found is None else float(found[1])
