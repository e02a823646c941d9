"""A feed's report as one HTML page that needs nothing else: no script, no other host."""

from __future__ import annotations

from typing import NamedTuple

import jinja2
import numpy as np
import numpy.typing as npt

from gtfs_data.checks import Severity
from mobility.actions.check_feed import FEED, FeedReport
from mobility.commands.service_chart import Column, columns_of
from mobility.finding_rules import RULES

TEMPLATE = "feed_report.html.j2"
CHART_WIDTH, CHART_HEIGHT = 720, 160
CHART_COLUMNS = 720
TICK_GAP = 56
MAP_SIZE = 480
MAP_MARGIN = 8
OUTLIER_PERCENT = 1.0
"""At each end of both axes: one stop in the sea must not shrink a town to a dot."""

Float64 = npt.NDArray[np.float64]


class StopPicture(NamedTuple):
    """Stops as dots: an SVG path of points, north up."""

    path: str
    width: int
    height: int
    stop_count: int
    outside_count: int
    """Stops too far away from the others for this picture."""
    unplaced_count: int


class Chart(NamedTuple):
    """Trips per day as one SVG area."""

    path: str
    most: int
    days: int
    """Of one step, which is as high as their average."""
    ticks: list[tuple[float, str]]
    """Where a month begins, and its name; not every month has room."""


def feed_page(report: FeedReport) -> str:
    """
    Fill the page's template.

    Everything in a feed may be hostile: the template escapes every value, and the two pictures
    are made of numbers alone.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("mobility"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    columns = columns_of(report.service, CHART_COLUMNS)
    groups = report.findings.by_rule()
    return environment.get_template(TEMPLATE).render(
        report=report,
        prefix=f"{FEED}/",
        rules=RULES,
        columns=columns,
        chart=draw_service(columns) if columns else None,
        chart_size=(CHART_WIDTH, CHART_HEIGHT),
        stops=draw_stops(report.stop_lat, report.stop_lon),
        severities=[
            (str(s), report.findings.count(s), [g for g in groups if g.severity is s])
            for s in Severity
        ],
    )


def draw_service(columns: list[Column]) -> Chart:
    """One step a column; its height is a share of the busiest column's."""
    most = max(column.trips for column in columns)
    step = CHART_WIDTH / len(columns)
    path = f"M0 {CHART_HEIGHT}"
    for i, column in enumerate(columns):
        y = CHART_HEIGHT * (1 - column.trips / most)
        path += f"V{y:.1f}H{(i + 1) * step:.1f}"
    ticks, right = [], -np.inf
    for i, (before, column) in enumerate(zip(columns, columns[1:], strict=False), start=1):
        if column.first.month != before.first.month and i * step - right > TICK_GAP:
            ticks.append((i * step, f"{column.first:%Y-%m}"))
            right = i * step
    days = (columns[0].last - columns[0].first).days + 1
    return Chart(f"{path}V{CHART_HEIGHT}Z", round(most), days, ticks)


def draw_stops(lat: Float64, lon: Float64) -> StopPicture:
    """Dots on a plain projection; those that share a pixel are one dot."""
    placed = np.isfinite(lat) & np.isfinite(lon)
    north, east = lat[placed], lon[placed]
    unplaced = len(lat) - len(north)
    if len(north) == 0:
        return StopPicture("", MAP_SIZE, MAP_MARGIN, 0, 0, unplaced)
    ends = (OUTLIER_PERCENT, 100 - OUTLIER_PERCENT)
    south, top = np.percentile(north, ends)
    west, right = np.percentile(east, ends)
    squeeze = max(float(np.cos(np.radians((south + top) / 2))), 0.01)
    tall, wide = max(top - south, 1e-4) * 1.2, max(right - west, 1e-4) * 1.2 * squeeze
    scale = (MAP_SIZE - 2 * MAP_MARGIN) / max(tall, wide)
    size = [round(float(side * scale)) + 2 * MAP_MARGIN for side in (wide, tall)]
    x = np.rint((east - (west + right) / 2) * squeeze * scale + size[0] / 2).astype(np.int64)
    y = np.rint(((south + top) / 2 - north) * scale + size[1] / 2).astype(np.int64)
    inside = (x >= 0) & (x <= size[0]) & (y >= 0) & (y <= size[1])
    dots = np.unique(np.stack([x[inside], y[inside]], axis=1), axis=0)
    path = "".join(f"M{a} {b}h0" for a, b in dots.tolist())
    return StopPicture(path, size[0], size[1], len(north), int((~inside).sum()), unplaced)
