"""Meeting points that people report: /mobility/v1/meeting-points."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field

from mobility.actions.report_point import confirm_suspension, report_point, restore_point
from mobility.api.access import Authority, SignedIn, installation_of, now_of
from mobility.api.bookings import desk_of, point_name
from mobility.db.points import Reason, Report, list_reported

router = APIRouter(prefix="/mobility/v1/meeting-points", tags=["meeting points"])
REPORTS, WINDOW_S = 20, 24 * 3_600
"""Reports of one person in a day."""
LISTED = 1_000
PointId = Annotated[str, Path(max_length=200, pattern=r"^[^\x00]*$")]


class ReportGiven(BaseModel):
    """What is wrong with a point."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason
    text: Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")] = ""


class Reported(BaseModel):
    """What became of a report."""

    suspended: bool
    """Whether drivers stop there no more, until it was looked at."""


class ReportFacts(BaseModel):
    """A report, without who made it."""

    reason: Reason
    text: str
    at: dt.datetime


class PointFacts(BaseModel):
    """A point to look at."""

    point: str
    name: str
    suspended_at: dt.datetime | None
    confirmed_at: dt.datetime | None
    """When it was said that it stays suspended."""
    reports: list[ReportFacts]
    """Those not looked at yet."""


@router.get("/reported")
def reported(request: Request, _authority: Authority) -> list[PointFacts]:
    """List points that were reported or are suspended, those nobody has looked at first."""
    with installation_of(request).engine.connect() as connection:
        found = list_reported(connection, LISTED)
    return [
        PointFacts(
            point=each.point_id,
            name=point_name(request, each.point_id),
            suspended_at=each.suspended_at,
            confirmed_at=each.confirmed_at,
            reports=[ReportFacts(reason=r.reason, text=r.said, at=r.at) for r in each.reports],
        )
        for each in found
    ]


@router.post("/{point_id:path}/reports", status_code=201)
def report(request: Request, who: SignedIn, point_id: PointId, given: ReportGiven) -> Reported:
    """Report a bad meeting point: three people suspend it at once."""
    limits, now = installation_of(request).limits, now_of(request)
    limits.count(f"point-reports:{who.user_id}", most=REPORTS, per_s=WINDOW_S)
    said = Report(given.reason, given.text.strip(), now)
    return Reported(suspended=report_point(desk_of(request), who, point_id, said, now=now))


@router.post("/{point_id:path}/restore", status_code=204)
def put_back(request: Request, authority: Authority, point_id: PointId) -> None:
    """Let drivers stop there again; its reports are done with."""
    restore_point(desk_of(request), authority, point_id, now=now_of(request))


@router.post("/{point_id:path}/suspend", status_code=204)
def take_out(request: Request, authority: Authority, point_id: PointId) -> None:
    """Confirm that nobody stops there, or say so without any report."""
    confirm_suspension(desk_of(request), authority, point_id, now=now_of(request))
