"""Versions of the tariff: /mobility/v1/tariffs, for the authority."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from mobility.actions.publish_tariff import (
    Desk,
    ShownTariff,
    TariffState,
    discard_draft,
    draft_tariff,
    publish_tariff,
    review_tariff,
    roll_back_tariff,
    show_tariffs,
)
from mobility.api.access import Authority, installation_of, now_of
from mobility.api.answers import world_of
from mobility.db.tariffs import StoredTariff, TariffUnknown, find_version
from mobility.published_tariffs import territory_tariff
from mobility.users.scopes import Principal

router = APIRouter(prefix="/mobility/v1/tariffs", tags=["fares"])
YAML = "application/yaml"
LONGEST = 2_000_000
Hash = Annotated[str, Path(pattern=r"^[0-9a-f]{8,64}$", description="Its first digits do.")]


class NewTariff(BaseModel):
    """A version to draft."""

    model_config = ConfigDict(extra="forbid")

    source: Annotated[str, Field(max_length=LONGEST, pattern=r"^[^\x00]*$")]
    """As it is written, in YAML."""


class DayRange(BaseModel):
    """Fare days on which a version holds; null: since ever, or until another one does."""

    first: dt.date | None
    last: dt.date | None


class TariffFacts(BaseModel):
    """A version of the tariff."""

    hash: str
    """Of its content: what charges name."""
    name: str
    state: TariffState
    days: list[DayRange]
    drafted_at: dt.datetime
    reviewed_at: dt.datetime | None
    findings: list[dict[str, Any]]
    """What the linter had against it when it was reviewed."""


class ReviewGiven(BaseModel):
    """How a version is reviewed."""

    model_config = ConfigDict(extra="forbid")

    accept_findings: bool = False
    """Take it also with what the linter has against it."""


class PublicationGiven(BaseModel):
    """From when a version holds."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    effective_from: dt.date
    """First fare day: after today, if something holds already."""
    accept_findings: bool = False
    """Let it begin within a month although it has products of a month."""


@router.get("")
def versions(request: Request, _staff: Authority) -> list[TariffFacts]:
    """List versions, the newest first, and the days on which each holds."""
    with installation_of(request).engine.connect() as connection:
        return [_facts(shown) for shown in show_tariffs(connection, now_of(request))]


@router.get("/{tariff_hash}", response_class=Response, responses={200: {"content": {YAML: {}}}})
def version(request: Request, _staff: Authority, tariff_hash: Hash) -> Response:
    """Give a version as it was written."""
    with installation_of(request).engine.begin() as connection:
        return Response(find_version(connection, tariff_hash).source, media_type=YAML)


@router.post("", status_code=201)
def draft(request: Request, staff: Authority, given: NewTariff) -> TariffFacts:
    """Store a version; what cannot be read of it is told with its field."""
    with _desk(request, staff) as desk:
        return _found(desk, draft_tariff(desk, given.source))


@router.delete("/{tariff_hash}", status_code=204)
def discard(request: Request, staff: Authority, tariff_hash: Hash) -> Response:
    """Forget a draft."""
    with _desk(request, staff) as desk:
        discard_draft(desk, tariff_hash)
    return Response(status_code=204)


@router.post("/{tariff_hash}/review")
def review(
    request: Request, staff: Authority, tariff_hash: Hash, given: ReviewGiven
) -> TariffFacts:
    """Let the linter look for counter-examples; without any, or accepted, it is reviewed."""
    with _desk(request, staff) as desk:
        findings = review_tariff(desk, tariff_hash, is_accepted=given.accept_findings)
        shown = _found(desk, find_version(desk.connection, tariff_hash))
    shown.findings = list(findings)
    return shown


@router.post("/{tariff_hash}/publication")
def publish(
    request: Request, staff: Authority, tariff_hash: Hash, given: PublicationGiven
) -> TariffFacts:
    """Let a reviewed version hold from a fare day on, until the next one does."""
    standing = territory_tariff(world_of(request).snapshot)
    with _changing(request, staff) as (desk, tell):
        accepted = given.accept_findings
        since = given.effective_from
        tell(publish_tariff(desk, tariff_hash, since, standing, is_accepted=accepted))
        return _found(desk, find_version(desk.connection, tariff_hash))


@router.post("/rollback")
def roll_back(request: Request, staff: Authority) -> TariffFacts:
    """Go back to the version before: at once if the last does not hold yet, or from tomorrow."""
    with _changing(request, staff) as (desk, tell):
        publication, revision = roll_back_tariff(desk)
        tell(revision)
        return _found(desk, find_version(desk.connection, publication.hash))


@contextmanager
def _desk(request: Request, staff: Principal) -> Iterator[Desk]:
    with installation_of(request).engine.begin() as connection:
        yield Desk(connection, now_of(request), staff.user_id)


@contextmanager
def _changing(request: Request, staff: Principal) -> Iterator[tuple[Desk, Callable[[int], None]]]:
    """Processes are woken once the change is committed."""
    revisions: list[int] = []
    with _desk(request, staff) as desk:
        yield desk, revisions.append
    for revision in revisions:
        installation_of(request).wakeups.announce(revision)


def _found(desk: Desk, stored: StoredTariff) -> TariffFacts:
    for shown in show_tariffs(desk.connection, desk.now):
        if shown.stored.hash == stored.hash:
            return _facts(shown)
    raise TariffUnknown(stored.hash)


def _facts(shown: ShownTariff) -> TariffFacts:
    own = shown.stored
    return TariffFacts(
        hash=own.hash, name=own.name, state=shown.state,
        days=[DayRange(first=first, last=last) for first, last in shown.days],
        drafted_at=own.drafted_at, reviewed_at=own.reviewed_at,
        findings=[dict(row) for row in own.findings],
    )  # fmt: skip
