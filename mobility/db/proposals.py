"""Proposals to regular commuters in PostgreSQL; on one connection."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from core.errors import Conflict, NotFound
from core.ids import OfferId
from mobility.db.schema import declined_pair, follower, offer, proposal, wish
from mobility.db.sent_rows import among

FOLLOWER = "commuters"
TURN_LOCK = 7_305_002
"""Key of the advisory lock of whoever is matching; beside `changes.CHANGE_LOCK`."""
OPEN_DAYS = 14
"""So long a rider may think; then he, and the driver's seats, are proposed anew."""
ASKED_DAYS = 90
"""Proposals of so many days count as asked lately."""


class ProposalState(StrEnum):
    """How a proposal stands; what is declined or lapsed stays so."""

    OPEN = "open"
    """The rider knows of it; the driver does not."""
    INTERESTED = "interested"
    """The rider has said yes: the driver sees the meeting points and times."""
    DECLINED = "declined"
    LAPSED = "lapsed"


LIVE = (ProposalState.OPEN, ProposalState.INTERESTED)


class ProposalNotFound(NotFound):
    """One has no proposal of this id."""

    code = "proposal_not_found"


class ProposalOver(Conflict):
    """A proposal that was declined, has lapsed, or whose wish or offer is no more."""

    code = "proposal_over"


class MatchingUnderWay(Conflict):
    """Another process is matching."""

    code = "matching_under_way"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A rider and a driver who could travel together week after week."""

    id: uuid.UUID
    wish_id: uuid.UUID
    offer_id: uuid.UUID
    back_offer_id: uuid.UUID | None
    rider_id: uuid.UUID
    driver_id: uuid.UUID
    state: ProposalState
    content: Mapping[str, Any]
    at: dt.datetime
    until: dt.datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """What a run must respect, as it was when the run began."""

    busy_wishes: frozenset[uuid.UUID]
    busy_offers: frozenset[OfferId]
    declined: frozenset[tuple[uuid.UUID, uuid.UUID]]
    """Rider and driver of whom one has declined."""
    driver_of: Mapping[OfferId, uuid.UUID]
    version_of: Mapping[OfferId, int]
    asked: Mapping[uuid.UUID, int]
    """Proposals of the last `ASKED_DAYS` by driver."""


@contextmanager
def taking_turn(engine: sa.Engine) -> Iterator[None]:
    """
    Be the only one who matches; a process that dies lets go.

    Raises
    ------
    MatchingUnderWay
        Another one does.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.execute(sa.select(sa.func.pg_try_advisory_lock(TURN_LOCK))).scalar():
            raise MatchingUnderWay("another process is matching commuters: try again later")
        try:
            yield
        finally:
            connection.execute(sa.select(sa.func.pg_advisory_unlock(TURN_LOCK)))


def matched_day(connection: sa.Connection) -> int:
    """Ordinal of the last day for which commuters were matched; 0 before the first."""
    query = sa.select(follower.c.revision).where(follower.c.name == FOLLOWER)
    return int(connection.execute(query).scalar_one())


def note_matched(connection: sa.Connection, day: dt.date) -> None:
    """Note that commuters were matched for a day."""
    own = follower.update().where(follower.c.name == FOLLOWER)
    connection.execute(own.values(revision=day.toordinal()))


def read_standing(connection: sa.Connection, now: dt.datetime) -> Standing:
    """What a run must respect."""
    live = list(connection.execute(_live(now)))
    drivers = list(
        connection.execute(
            sa.select(offer.c.id, offer.c.driver_id, offer.c.version).where(
                offer.c.state == "published"
            )
        )
    )
    since = now - dt.timedelta(days=ASKED_DAYS)
    asked = (
        sa.select(proposal.c.driver_id, sa.func.count())
        .where(proposal.c.at >= since)
        .group_by(proposal.c.driver_id)
    )
    no = sa.union(_declined(), sa.select(declined_pair))
    offers = {row.offer_id for row in live} | {row.back_offer_id for row in live}
    return Standing(
        busy_wishes=frozenset(row.wish_id for row in live),
        busy_offers=frozenset(OfferId(str(of)) for of in offers if of is not None),
        declined=frozenset((row[0], row[1]) for row in connection.execute(no)),
        driver_of={OfferId(str(row.id)): row.driver_id for row in drivers},
        version_of={OfferId(str(row.id)): row.version for row in drivers},
        asked={row[0]: int(row[1]) for row in connection.execute(asked)},
    )


def lapse(connection: sa.Connection, now: dt.datetime) -> None:
    """End the proposals that nobody can take up any more."""
    ids = _live(now).with_only_columns(proposal.c.id)
    connection.execute(
        proposal.update()
        .where(proposal.c.state.in_(LIVE), proposal.c.id.not_in(ids))
        .values(state=ProposalState.LAPSED)
    )


def still_free(
    connection: sa.Connection, wishes: Sequence[uuid.UUID], offers: Mapping[OfferId, int]
) -> bool:
    """
    Whether wishes are open and offers of these versions published, and nothing proposed to them.

    They stay so until the commit.
    """
    ids = sorted(map(uuid.UUID, offers))
    open_wishes = sa.select(wish.c.id).where(wish.c.id.in_(wishes), wish.c.open)
    published = sa.select(offer.c.id, offer.c.version).where(
        offer.c.id.in_(ids), offer.c.state == "published"
    )
    found_wishes = connection.execute(
        open_wishes.order_by(wish.c.id).with_for_update(read=True)
    ).all()
    found = connection.execute(published.order_by(offer.c.id).with_for_update(read=True)).all()
    taken = sa.select(proposal.c.id).where(
        proposal.c.state.in_(LIVE),
        proposal.c.wish_id.in_(wishes)
        | proposal.c.offer_id.in_(ids)
        | proposal.c.back_offer_id.in_(ids),
    )
    return (
        len(found_wishes) == len(wishes)
        and {OfferId(str(row.id)): row.version for row in found} == dict(offers)
        and connection.execute(taken.limit(1)).scalar() is None
    )


def add_proposal(connection: sa.Connection, given: Proposal) -> None:
    """Store a proposal."""
    names = Proposal.__dataclass_fields__
    connection.execute(proposal.insert().values({name: getattr(given, name) for name in names}))


def list_proposals(
    connection: sa.Connection, *, rider_id: uuid.UUID | None, driver_id: uuid.UUID | None,
    now: dt.datetime, count: int,
) -> list[Proposal]:  # fmt: skip
    """Live proposals to a rider, and those to a driver in which a rider is interested."""
    query = _live(now).where(_seen_by(rider_id, driver_id))
    query = query.order_by(proposal.c.at.desc(), proposal.c.id).limit(count)
    return [_read(row) for row in connection.execute(query).mappings()]


def change_state(
    connection: sa.Connection,
    proposal_id: uuid.UUID,
    state: ProposalState,
    *,
    rider_id: uuid.UUID | None,
    driver_id: uuid.UUID | None,
    now: dt.datetime,
) -> tuple[ProposalState, Proposal]:
    """
    Say yes or no to a proposal that one sees; returns how it stood before, and the proposal.

    Raises
    ------
    ProposalNotFound, ProposalOver
        One sees no such proposal; nobody can answer it any more.
    """
    own = sa.select(proposal).where(proposal.c.id == proposal_id, _seen_by(rider_id, driver_id))
    row = connection.execute(own.with_for_update()).mappings().one_or_none()
    if row is None:
        raise ProposalNotFound(f"you have no proposal {proposal_id}")
    before = _read(row)
    if before.state is state:
        return before.state, before
    if connection.execute(_live(now).where(proposal.c.id == proposal_id)).one_or_none() is None:
        raise ProposalOver(f"proposal {proposal_id} is over")
    connection.execute(proposal.update().where(proposal.c.id == proposal_id).values(state=state))
    return before.state, _read({**row, "state": state})


def end_between(connection: sa.Connection, one: uuid.UUID, other: uuid.UUID) -> None:
    """End what was proposed to two people, as if one had declined; neither is told."""
    pairs = sa.tuple_(proposal.c.rider_id, proposal.c.driver_id).in_([(one, other), (other, one)])
    connection.execute(
        proposal.update()
        .where(pairs, proposal.c.state.in_(LIVE))
        .values(state=ProposalState.DECLINED)
    )


def forget_proposals(connection: sa.Connection, ids: Collection[uuid.UUID]) -> None:
    """Drop proposals that nobody can answer any more, but for who is not proposed to whom again."""
    own = among(proposal.c.id, ids)
    pairs = _declined().where(own).order_by(proposal.c.rider_id, proposal.c.driver_id)
    names = list(declined_pair.c.keys())
    connection.execute(pg.insert(declined_pair).from_select(names, pairs).on_conflict_do_nothing())
    connection.execute(proposal.delete().where(own))


def _declined() -> sa.Select[Any]:
    """Rider and driver of whom one has declined."""
    pair = sa.select(proposal.c.rider_id, proposal.c.driver_id).distinct()
    return pair.where(proposal.c.state == ProposalState.DECLINED)


def _seen_by(rider_id: uuid.UUID | None, driver_id: uuid.UUID | None) -> sa.ColumnElement[bool]:
    """A driver sees nothing but what a rider has said yes to."""
    return sa.or_(
        proposal.c.rider_id == rider_id,
        sa.and_(proposal.c.driver_id == driver_id, proposal.c.state == ProposalState.INTERESTED),
    )


def _live(now: dt.datetime) -> sa.Select[Any]:
    back = offer.alias("back")
    return (
        sa.select(proposal)
        .join(wish, wish.c.id == proposal.c.wish_id)
        .join(offer, offer.c.id == proposal.c.offer_id)
        .outerjoin(back, back.c.id == proposal.c.back_offer_id)
        .where(
            wish.c.open,
            wish.c.valid_to >= now.date(),
            offer.c.state == "published",
            sa.func.coalesce(back.c.state, "published") == "published",
            sa.or_(
                proposal.c.state == ProposalState.INTERESTED,
                sa.and_(proposal.c.state == ProposalState.OPEN, proposal.c.until > now),
            ),
        )
    )


def _read(row: Mapping[str, Any] | sa.RowMapping) -> Proposal:
    names = Proposal.__dataclass_fields__
    values = {name: row[name] for name in names}
    return Proposal(**{**values, "state": ProposalState(values["state"])})
