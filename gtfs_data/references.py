"""
Ids: each stands once, and what refers to one finds it. What does not is told here.

Trips and stop times are looked at where they are cleaned (`gtfs_data.patterns`).
"""

from __future__ import annotations

import pandas as pd

from gtfs_data.checks import Findings
from gtfs_data.reader import BLANK, Feed

_KEYS = {
    "agency": (["agency_id"], "the first counts"),
    "stops": (["stop_id"], "the first counts"),
    "routes": (["route_id"], "the first counts"),
    "calendar": (["service_id"], "it runs on the days of both"),
    "calendar_dates": (["service_id", "date"], "the last counts"),
    "pathways": (["pathway_id"], "the first counts"),
    "levels": (["level_id"], "the last counts"),
    "shapes": (["shape_id", "shape_pt_sequence"], "both points are drawn"),
}
"""Table → what names a row, and what becomes of a second one."""
NAMED_TYPES = (BLANK, 0, 1, 2)
"""location_type of places that riders are shown by name."""


def check_references(feed: Feed, findings: Findings) -> None:
    """Tell ids that stand twice, references that lead nowhere, and what has no name."""
    for name, (key, outcome) in _KEYS.items():
        table = feed.table(name)
        twice = table.duplicated(key) & (table[key[0]] != "")
        for row in table["row"][twice]:
            message = f"{', '.join(key)} again: {outcome}"
            findings.error("duplicate_id", f"{name}.txt", int(row), message)
    _check_agencies(feed, findings)
    trips, routes, stops = (feed.table(name) for name in ("trips", "routes", "stops"))
    lost = ~trips["shape_id"].isin(feed.table("shapes")["shape_id"]) & (trips["shape_id"] != "")
    for row, shape in _rows(trips, lost, "shape_id"):
        message = f"no shape {shape!r}: straight lines are drawn"
        findings.error("unknown_shape", "trips.txt", row, message)
    blank = (routes["route_short_name"] == "") & (routes["route_long_name"] == "")
    for row, route in _rows(routes, blank, "route_id"):
        findings.error("unnamed_route", "routes.txt", row, f"route {route!r} has no name")
    blank = (stops["stop_name"] == "") & stops["location_type"].isin(NAMED_TYPES)
    for row, stop in _rows(stops, blank, "stop_id"):
        findings.error("unnamed_stop", "stops.txt", row, f"stop {stop!r} has no name")


def _check_agencies(feed: Feed, findings: Findings) -> None:
    agency, routes = feed.table("agency"), feed.table("routes")
    if len(agency) > 1:
        for row, _ in _rows(agency, agency["agency_id"] == "", "agency_id"):
            message = "agency_id is blank, and there are several agencies"
            findings.error("missing_agency_id", "agency.txt", row, message)
        for row, _ in _rows(routes, routes["agency_id"] == "", "agency_id"):
            message = "agency_id is blank, and there are several agencies: the first is shown"
            findings.error("missing_agency_id", "routes.txt", row, message)
        zones = agency["agency_timezone"]
        for row, zone in _rows(agency, zones != zones.iloc[0], "agency_timezone"):
            message = f"{zone!r} is not the time zone of the first agency, whose clock is used"
            findings.error("several_zones", "agency.txt", row, message)
    lost = ~routes["agency_id"].isin(agency["agency_id"]) & (routes["agency_id"] != "")
    for row, name in _rows(routes, lost, "agency_id"):
        message = f"no agency {name!r}: the first is shown"
        findings.error("unknown_agency", "routes.txt", row, message)


def _rows(table: pd.DataFrame, where: pd.Series[bool], column: str) -> list[tuple[int, str]]:
    """Line and value of each row chosen."""
    chosen = table[where]
    return list(zip(chosen["row"].tolist(), chosen[column].tolist(), strict=True))
