"""Matches regular commuters: wishes and offers of all, at once, into proposals to both people."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from carpool.audience import Person, may_ride
from carpool.bundles import Bundle, Driven, RiderLeg, Stops, list_bundles
from carpool.commuters import Pair, Weeks, ends_m, find_pairs, leg_of
from carpool.crews import CORRIDOR_S, CorridorResult, choose_crews
from carpool.offers import write_clock
from carpool.ports import PublishedOffer
from carpool.ride_plans import RideWay
from carpool.wishes import Direction
from core.ids import OfferId
from mobility.actions.match_wishes import OFFER_WANTED, WANTED_EVERY
from mobility.actions.way_without_car import without_car_s
from mobility.db.changes import latest_position
from mobility.db.circles import read_people
from mobility.db.engine import Connection, Engine
from mobility.db.notices import tell, was_told
from mobility.db.offers import OFFER_CHANGED
from mobility.db.proposals import (
    OPEN_DAYS,
    Proposal,
    ProposalState,
    add_proposal,
    lapse,
    note_matched,
    read_standing,
    still_free,
    taking_turn,
)
from mobility.db.wishes import list_changes
from mobility.wish_book import Looked, WishBook
from mobility.world import World

PROPOSAL_MADE = "proposal_made"
CHANGES_LIMIT = 100_000
"""Changes of a world's offers since it was read: whatever a few seconds can bring."""


@dataclass(frozen=True, slots=True)
class Matched:
    """What a run has done."""

    wish_count: int
    offer_count: int
    pair_count: int
    bundle_count: int
    corridors: Sequence[CorridorResult]
    proposal_count: int
    overtaken_count: int
    """Bundles of which a wish or an offer changed while the run went on."""


def match_commuters(
    engine: Engine,
    world: World,
    book: WishBook,
    *,
    now: dt.datetime,
    time_limit_s: float = CORRIDOR_S,
    on_step: Callable[[str], None] = lambda _: None,
) -> Matched:
    """
    Propose riders and drivers to each other who could travel together week after week.

    Who has a live proposal keeps it and is left alone. Nothing is written before the end, all in
    one transaction, for whoever is still free then: a run that is cut off leaves nothing.

    Raises
    ------
    MatchingUnderWay
        Another process does the same.
    """
    with taking_turn(engine):
        run = _Run(engine, world, book, now)
        on_step("riders and drivers who fit")
        pairs = run.pairs()
        on_step("ways without a car")
        legs = run.legs(pairs)
        on_step("bundles of riders")
        bundles = run.bundles(legs)
        on_step("corridors")
        chosen, corridors = run.choose(bundles, time_limit_s, on_step)
        on_step("proposals")
        proposed = run.propose(chosen)
    return Matched(
        wish_count=len(run.looked),
        offer_count=len(run.offers),
        pair_count=len(pairs),
        bundle_count=len(bundles),
        corridors=corridors,
        proposal_count=sum(len(bundle.riders) for bundle in proposed),
        overtaken_count=len(chosen) - len(proposed),
    )


class _Run:
    def __init__(self, engine: Engine, world: World, book: WishBook, now: dt.datetime) -> None:
        self._engine, self._world, self._now = engine, world, now
        self._today = now.astimezone(world.network.zone).date()
        with engine.connect() as connection:
            self._standing = read_standing(connection, now)
            changed = _changed_offers(connection, world)
            looked = book.open_wishes(connection, world.snapshot, self._today)
            self._people = read_people(connection, {wish.rider_id for wish, _ in looked})
        standing = self._standing
        self.looked: list[Looked] = [one for one in looked if one[0].id not in standing.busy_wishes]
        self.offers: list[PublishedOffer] = [
            published
            for offer_id, published in sorted(world.own_published.items())
            if offer_id in standing.driver_of
            and offer_id not in standing.busy_offers
            and offer_id not in changed
        ]
        self._driver = [standing.driver_of[one.offer.id] for one in self.offers]
        self._weeks = Weeks(
            [wish for wish, _ in self.looked], [one.offer for one in self.offers], self._today
        )
        self._match: dict[tuple[int, int, Direction], Pair] = {}
        self._driven: dict[Direction, list[Driven]] = {}

    def pairs(self) -> list[Pair]:
        """
        Riders and offers that fit and are for each other.

        Left out are those of one person, or of whom one said no.
        """
        found = []
        for some in find_pairs(self._world.network, self.looked, self.offers, self._weeks):
            for pair in some:
                rider, driver = self.looked[pair.rider][0].rider_id, self._driver[pair.offer]
                together = rider != driver and (rider, driver) not in self._standing.declined
                if together and self._may_ride(pair.rider, pair.offer, self._people):
                    found.append(pair)
        self._match = {(pair.rider, pair.offer, pair.direction): pair for pair in found}
        return found

    def _may_ride(self, rider: int, offer: int, people: Mapping[uuid.UUID, Person]) -> bool:
        wish = self.looked[rider][0]
        seeker = wish.seeker(people[wish.rider_id])
        return may_ride(seeker, self.offers[offer].offer, self._driver[offer])

    def legs(self, pairs: Sequence[Pair]) -> Mapping[Direction, list[dict[int, RiderLeg]]]:
        """Of each offer, how its riders would ride."""
        network = self._world.network
        without = {
            (rider, direction): without_car_s(
                self._world, self.looked[rider][0], direction, self._today
            )
            for rider, direction in sorted({(pair.rider, pair.direction) for pair in pairs})
        }
        legs: dict[Direction, list[dict[int, RiderLeg]]] = {
            direction: [{} for _ in self.offers] for direction in Direction
        }
        for pair in pairs:
            wish = self.looked[pair.rider][0]
            without_s = without[pair.rider, pair.direction]
            leg = leg_of(network, wish, pair, without_s)
            legs[pair.direction][pair.offer][pair.rider] = leg
        return legs

    def bundles(self, legs: Mapping[Direction, list[dict[int, RiderLeg]]]) -> list[Bundle]:
        """Sets of riders for each driver."""
        drive_s = self._world.network.ground.drive_s
        ways = [
            RideWay(
                one.body, drive_s, one.offer.depart_from_s, one.offer.depart_to_s,
                one.offer.seat_count,
            )
            for one in self.offers
        ]  # fmt: skip
        asked = [self._standing.asked.get(driver, 0) for driver in self._driver]
        self._driven = {
            direction: [
                Driven(way, own, often) for way, own, often in zip(ways, of, asked, strict=True)
            ]
            for direction, of in legs.items()
        }
        return list(
            list_bundles(
                self._driven[Direction.OUT],
                self._driven[Direction.BACK],
                self._returns(),
                wants_back=[wish.back is not None for wish, _ in self.looked],
                same_day=lambda out, back, rider: bool(self._days(out, back, rider)),
            )
        )

    def _returns(self) -> dict[int, list[int]]:
        """Of each offer, the other ones of its driver that take somebody back, later that day."""
        of_driver: dict[uuid.UUID, list[int]] = defaultdict(list)
        for row, driver in enumerate(self._driver):
            if self._driven[Direction.BACK][row].legs:
                of_driver[driver].append(row)
        leaves_s = [one.offer.depart_from_s for one in self.offers]
        return {
            out: [back for back in of_driver[driver] if leaves_s[back] > leaves_s[out]]
            for out, driver in enumerate(self._driver)
        }

    def _days(self, out: int, back: int | None, rider: int) -> tuple[str, ...]:
        return self._weeks.together(rider, out, *([] if back is None else [back]))

    def choose(
        self, bundles: Sequence[Bundle], time_limit_s: float, on_step: Callable[[str], None]
    ) -> tuple[list[Bundle], list[CorridorResult]]:
        """Bundles that exclude no one another, worth as much as can be."""
        rows = {driver: row for row, driver in enumerate(sorted(set(self._driver)))}

        def told(result: CorridorResult) -> None:
            on_step(
                f"corridor: {result.rider_count} riders, {result.driver_count} drivers, "
                f"{result.gap:.1%} of the bound open"
            )

        return choose_crews(
            bundles,
            driver_of=np.array([rows[driver] for driver in self._driver], np.int64),
            seats_of=np.array([one.offer.seat_count for one in self.offers], np.int64),
            ends_m=ends_m([wish for wish, _ in self.looked]),
            time_limit_s=time_limit_s,
            on_corridor=told,
        )

    def propose(self, chosen: Sequence[Bundle]) -> list[Bundle]:
        """Write and tell what can still be had; returns it."""
        told = []
        with self._engine.begin() as connection:
            lapse(connection, self._now)
            for bundle in chosen:
                rows = [bundle.out, *([] if bundle.back is None else [bundle.back])]
                ids = [self.offers[row].offer.id for row in rows]
                versions = {of: self._standing.version_of[of] for of in ids}
                wishes = [self.looked[rider][0].id for rider in bundle.riders]
                people = read_people(
                    connection, {self.looked[rider][0].rider_id for rider in bundle.riders}
                )
                back = () if bundle.back is None else self._coming(bundle)
                for_each_other = all(
                    self._may_ride(rider, row, people)
                    for row, riders in zip(rows, (bundle.riders, back), strict=False)
                    for rider in riders
                )
                if for_each_other and still_free(connection, wishes, versions):
                    self._write(connection, bundle, ids)
                    told.append(bundle)
            note_matched(connection, self._today)
        return told

    def _write(self, connection: Connection, bundle: Bundle, ids: Sequence[OfferId]) -> None:
        """A proposal to each rider; his driver hears that he is wanted, not where nor by whom."""
        driver_id = self._driver[bundle.out]
        back = () if bundle.back is None else self._coming(bundle)
        for rider in bundle.riders:
            wish = self.looked[rider][0]
            comes_back = rider in back
            content: dict[str, Any] = {
                "weekdays": self._days(bundle.out, bundle.back if comes_back else None, rider),
                "out": self._told(Direction.OUT, bundle.out, bundle.riders, rider),
                "back": None,
            }
            if comes_back and bundle.back is not None:
                content["back"] = self._told(Direction.BACK, bundle.back, back, rider)
            made = Proposal(
                id=uuid.uuid4(),
                wish_id=wish.id,
                offer_id=uuid.UUID(ids[0]),
                back_offer_id=uuid.UUID(ids[1]) if comes_back else None,
                rider_id=wish.rider_id,
                driver_id=driver_id,
                state=ProposalState.OPEN,
                content=content,
                at=self._now,
                until=self._now + dt.timedelta(days=OPEN_DAYS),
            )
            add_proposal(connection, made)
            notice = {"proposal_id": str(made.id), "wish_id": str(wish.id), **content}
            tell(connection, wish.rider_id, PROPOSAL_MADE, notice, self._now)
        if not was_told(connection, driver_id, OFFER_WANTED, since=self._now - WANTED_EVERY):
            tell(connection, driver_id, OFFER_WANTED, {"offer_id": ids[0]}, self._now)

    def _coming(self, bundle: Bundle) -> tuple[int, ...]:
        return tuple(rider for rider in bundle.riders if self.looked[rider][0].back is not None)

    def _told(
        self, direction: Direction, offer: int, riders: tuple[int, ...], rider: int
    ) -> dict[str, Any]:
        stops = self._driven[direction][offer].stops(riders)
        assert isinstance(stops, Stops)
        pickup_s, dropoff_s = stops.at_s[riders.index(rider)]
        match = self._match[rider, offer, direction].match
        point = self._world.network.points.id
        return {
            "pickup_point": point[match.pickup],
            "dropoff_point": point[match.dropoff],
            "pickup_at": write_clock(pickup_s),
            "dropoff_at": write_clock(dropoff_s),
            "arrival_at": write_clock(dropoff_s + match.arrival_s - match.dropoff_s),
        }


def _changed_offers(connection: Connection, world: World) -> set[OfferId]:
    """Offers that the world does not know as they are now."""
    position = latest_position(connection)
    if position.epoch != world.epoch:  # of before a restore
        return set(world.published)
    changes = list_changes(connection, world.revision, position.revision, CHANGES_LIMIT)
    return {OfferId(str(of)) for _, kind, of in changes if kind == OFFER_CHANGED}
