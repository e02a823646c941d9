"""What has to happen without anybody asking: rides end, series go on, drivers are asked."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from functools import partial

import structlog

from core.errors import MobilityError
from core.time import Clock
from mobility.actions.ask_not_left import ask_not_left
from mobility.actions.bill_rides import bill_rides
from mobility.actions.book_series import continue_series
from mobility.actions.change_booking import sweep
from mobility.actions.close_month import correct_months
from mobility.actions.erase_fares import erase_fares
from mobility.actions.forget_rides import forget_rides
from mobility.actions.forget_usage import forget_usage
from mobility.actions.keep_books import keep_books
from mobility.actions.match_wishes import match_wishes
from mobility.actions.ride_desk import RideDesk
from mobility.db.engine import DatabaseError
from mobility.installation import Installation
from mobility.wish_book import WishBook
from mobility.world_keeper import WorldKeeper

log = structlog.get_logger()
EVERY_S = 1.0
CHANCES_EVERY = dt.timedelta(minutes=10)
"""How a driver's rides end is known to searches so soon."""
FORGET_EVERY = dt.timedelta(minutes=10)
CORRECT_EVERY = dt.timedelta(seconds=5)
BOOKS_EVERY = dt.timedelta(hours=1)


class Upkeep:
    """
    Looks every second for what is due: a thread of each API process, which share the work.

    Parameters
    ----------
    book
        Open wishes, which requests of this process look into as well.
    """

    def __init__(
        self, installation: Installation, keeper: WorldKeeper, book: WishBook, clock: Clock
    ) -> None:
        self._here, self._keeper, self._book = installation, keeper, book
        self._clock = clock
        self._done_at: dict[str, dt.datetime] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="upkeep", daemon=True)

    def start(self) -> None:
        """Begin, in the background."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def _follow(self) -> None:
        while not self._stop.wait(EVERY_S):
            world = self._keeper.world
            desk = RideDesk(self._here.engine, self._here.wakeups, world.snapshot, world.epoch)
            now = self._clock()
            engine = self._here.engine
            if self._is_due("chances", CHANCES_EVERY, now):
                self._try(partial(self._keeper.renew_chances, now))
            if self._is_due("forget", FORGET_EVERY, now):
                # Rides before legs: a booking says whose its leg was.
                self._try(partial(forget_rides, engine, now))
                self._try(partial(forget_usage, engine, now))
                self._try(partial(erase_fares, engine, now))
            if self._is_due("correct", CORRECT_EVERY, now):
                self._try(partial(correct_months, engine, world.tariffs, now=now))
            if self._is_due("books", BOOKS_EVERY, now):
                self._try(partial(keep_books, engine, now))
            self._try(partial(sweep, desk, now=now))
            self._try(partial(bill_rides, engine, world, now=now))
            self._try(partial(continue_series, desk, now=now))
            self._try(partial(ask_not_left, desk, now=now))
            self._try(partial(match_wishes, engine, world, self._book, now=now))

    def _is_due(self, what: str, every: dt.timedelta, now: dt.datetime) -> bool:
        """Whether something that is done seldom is to be done now; it counts as done then."""
        last = self._done_at.get(what)
        if last is not None and now < last + every:
            return False
        self._done_at[what] = now
        return True

    def _try(self, act: Callable[[], int]) -> None:
        try:
            act()
        except (DatabaseError, MobilityError) as error:
            log.warning("upkeep not done, trying again", reason=type(error).__name__)
        except Exception:  # the thread must outlive any one failure
            log.exception("upkeep not done, trying again")
