"""A version of the tariff: drafted, reviewed, published from a day on, and taken back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import zip_longest
from typing import Any

from core.errors import Conflict
from mobility.db.audit import record_act
from mobility.db.changes import lock_changes
from mobility.db.engine import Connection
from mobility.db.tariffs import (
    Publication,
    StoredTariff,
    add_draft,
    drop_draft,
    find_version,
    list_publications,
    list_versions,
    mark_reviewed,
    publish_version,
    withdraw_publication,
)
from mobility.mapping.leg_table import leg_row
from payments.rating import check_versions
from payments.tariff import ONE_DAY, Tariff
from payments.tariff_file import read_tariff_text
from payments.tariff_lint import Finding, lint, starts_within_month


class TariffState(StrEnum):
    """How far a version is."""

    DRAFT = "draft"
    REVIEWED = "reviewed"
    PUBLISHED = "published"
    RETIRED = "retired"
    """It held, and does no more."""


class NotReviewed(Conflict):
    """A version that nobody has reviewed."""

    code = "tariff_not_reviewed"


class DayTaken(Conflict):
    """The day has begun, or another version begins on it."""

    code = "tariff_day_taken"


class StartsWithinMonth(Conflict):
    """The version has products of a month, and would begin within one."""

    code = "tariff_starts_within_month"


class NothingBefore(Conflict):
    """There is no version to go back to."""

    code = "no_tariff_before"


class TariffKept(Conflict):
    """A version that was reviewed."""

    code = "tariff_kept"


@dataclass(frozen=True, slots=True)
class ShownTariff:
    """A version, and the fare days on which it holds: (first or None, last or None)."""

    stored: StoredTariff
    state: TariffState
    days: Sequence[tuple[dt.date | None, dt.date | None]]


@dataclass(frozen=True, slots=True)
class Desk:
    """What a change of the tariff is made on."""

    connection: Connection
    now: dt.datetime
    user_id: Any = None
    """Who does it; None: whoever may run commands."""

    def note(self, act: str, tariff_hash: str, **detail: str) -> None:
        """Write into the audit log."""
        record_act(self.connection, self.user_id, act, tariff_hash, detail)


def draft_tariff(desk: Desk, source: str) -> StoredTariff:
    """Store a version as it is written; raises `InvalidTariff` where it cannot be read."""
    tariff = read_tariff_text(source)
    if add_draft(desk.connection, tariff.content_hash, tariff.id, source, desk.now):
        desk.note("tariff_drafted", tariff.content_hash)
    return find_version(desk.connection, tariff.content_hash)


def discard_draft(desk: Desk, tariff_hash: str) -> None:
    """Forget a draft; raises `TariffKept` if it was reviewed."""
    stored = find_version(desk.connection, tariff_hash)
    if stored.reviewed_at is not None:
        raise TariffKept(f"{stored.hash[:12]} was reviewed: it is kept")
    drop_draft(desk.connection, stored.hash)
    desk.note("tariff_discarded", stored.hash)


def review_tariff(
    desk: Desk, tariff_hash: str, *, is_accepted: bool = False
) -> Sequence[dict[str, Any]]:
    """
    Let the linter look for counter-examples, which are returned.

    The version is reviewed if there are none, or they are accepted; they are kept with it.
    """
    stored = find_version(desk.connection, tariff_hash)
    tariff = read_tariff_text(stored.source)
    findings = [finding_row(tariff, found) for found in lint(tariff)]
    if is_accepted or not findings:
        mark_reviewed(desk.connection, stored.hash, findings, desk.now)
        desk.note("tariff_reviewed", stored.hash, findings=str(len(findings)))
    return findings


def publish_tariff(
    desk: Desk,
    tariff_hash: str,
    since: dt.date,
    standing: tuple[Tariff, str] | None,
    *,
    is_accepted: bool = False,
) -> int:
    """
    Let a version hold from a day on; returns the revision of the change.

    Parameters
    ----------
    standing
        Tariff of the territory's file and its text, which holds until then if nothing was
        published before.
    is_accepted
        Whether it may begin within a month, although it has products of a month.

    Raises
    ------
    NotReviewed
        Nobody has reviewed it.
    DayTaken
        The day has begun, or another version begins on it.
    StartsWithinMonth
        It has products of a month and begins within one, which was accepted neither now nor when it
        was reviewed.
    InvalidTariff
        It has another currency, time zone or fare day than the version before.
    """
    lock_changes(desk.connection)
    stored = find_version(desk.connection, tariff_hash)
    if stored.reviewed_at is None:
        raise NotReviewed(f"{stored.hash[:12]} was not reviewed: mobility tariff review")
    tariff = read_tariff_text(stored.source)
    published = list_publications(desk.connection)
    if not published and standing is not None:
        known, source = standing
        add_draft(desk.connection, known.content_hash, known.id, source, desk.now)
        mark_reviewed(desk.connection, known.content_hash, (), desk.now)
        publish_version(desk.connection, known.content_hash, None, desk.now)
        published = list_publications(desk.connection)
    if published and since <= tariff.fare_day(desk.now):
        raise DayTaken(f"{since} has begun: what was used is not priced anew")
    if any(own.effective_from == since for own in published):
        raise DayTaken(f"another version begins on {since}: take it back first")
    found = [finding_row(tariff, each) for each in starts_within_month(tariff, since)]
    new = [row for row in found if row not in stored.findings]
    if new and not is_accepted:
        raise StartsWithinMonth(f"{new[0]['message']}, or publish it with its findings accepted")
    for own in published[-1:]:
        other = read_tariff_text(find_version(desk.connection, own.hash).source)
        first, last = ((day, day) for day in (dt.date.min, dt.date.max))
        check_versions([other.held_on(*first), tariff.held_on(*last)])
    desk.note("tariff_published", stored.hash, since=since.isoformat())
    return publish_version(desk.connection, stored.hash, since, desk.now)


def roll_back_tariff(desk: Desk) -> tuple[Publication, int]:
    """
    Go back to the version before the last: at once if the last does not hold yet.

    If it holds, the one before holds again from tomorrow on: what was used stays as it was priced.
    Returns what holds then, and the revision of the change.

    Raises
    ------
    NothingBefore
        There is none.
    """
    lock_changes(desk.connection)
    published = list_publications(desk.connection)
    if len(published) < 2:
        raise NothingBefore("there is no version before this one")
    last, before = published[-1], published[-2]
    tariff = read_tariff_text(find_version(desk.connection, last.hash).source)
    today = tariff.fare_day(desk.now)
    desk.note("tariff_rolled_back", last.hash, to=before.hash)
    if last.effective_from is not None and last.effective_from > today:
        return before, withdraw_publication(desk.connection, last, desk.now)
    revision = publish_version(desk.connection, before.hash, today + ONE_DAY, desk.now)
    return Publication(before.hash, today + ONE_DAY, desk.now), revision


def show_tariffs(connection: Connection, now: dt.datetime) -> list[ShownTariff]:
    """All versions with their states, the newest first."""
    published = list_publications(connection)
    days: dict[str, list[tuple[dt.date | None, dt.date | None]]] = {}
    for own, after in zip_longest(published, published[1:]):
        begins = None if after is None else after.effective_from
        end = None if begins is None else begins - ONE_DAY
        days.setdefault(own.hash, []).append((own.effective_from, end))
    shown = []
    for stored in list_versions(connection):
        spans = days.get(stored.hash, [])
        state = TariffState.DRAFT if stored.reviewed_at is None else TariffState.REVIEWED
        if spans:
            today = read_tariff_text(stored.source).fare_day(now)
            holds = any(end is None or end >= today for _, end in spans)
            state = TariffState.PUBLISHED if holds else TariffState.RETIRED
        shown.append(ShownTariff(stored, state, spans))
    return shown


def finding_row(tariff: Tariff, found: Finding) -> dict[str, Any]:
    """A finding of the linter as it is kept and told."""
    return {
        "code": found.code, "rule": found.rule, "message": found.message,
        "legs": [leg_row(leg, tariff.timezone) for leg in found.legs],
    }  # fmt: skip
