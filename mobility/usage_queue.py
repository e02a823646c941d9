"""Batches that come while another is stored are stored together, in one transaction."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from mobility.actions.take_usage import take_usage
from mobility.db.engine import Engine
from mobility.world import World
from payments.taps import Used

TOGETHER = 400
"""Events of one transaction, unless one batch alone has more."""


@dataclass(slots=True)
class _Batch:
    used: Sequence[Used]
    new: int | Exception | None = None
    """How many were new, or why none was stored; None: it waits."""


class UsageQueue:
    """
    What readers have told a process and is not stored yet.

    A transaction costs as much as some twenty taps, and one process gains nothing by several at
    once. Whoever's batch waits the longest stores those of the others with it, and they only look.
    """

    def __init__(self) -> None:
        self._waiting: list[_Batch] = []
        self._guard, self._turn = threading.Lock(), threading.Lock()

    def take(self, engine: Engine, world: World, used: Sequence[Used], now: dt.datetime) -> int:
        """Store a batch, as `take_usage`; returns how many of its events had not come before."""
        own = _Batch(used)
        with self._guard:
            self._waiting.append(own)
        with self._turn:
            while own.new is None:
                batches = self._next()
                try:
                    self._store(engine, world, batches, now)
                finally:
                    for left in batches:  # a process that ends: nobody waits for ever
                        left.new = InterruptedError() if left.new is None else left.new
        if isinstance(own.new, Exception):
            raise own.new
        return own.new

    def _next(self) -> list[_Batch]:
        with self._guard:
            count = 0
            batches: list[_Batch] = []
            while self._waiting and (not batches or count + len(self._waiting[0].used) <= TOGETHER):
                batches.append(self._waiting.pop(0))
                count += len(batches[-1].used)
        return batches

    def _store(
        self, engine: Engine, world: World, batches: Sequence[_Batch], now: dt.datetime
    ) -> None:
        try:
            new = take_usage(engine, world, [each for own in batches for each in own.used], now)
        except Exception as error:  # noqa: BLE001 — each batch is told its own
            if len(batches) == 1:
                batches[0].new = error
                return
            for own in batches:
                self._store(engine, world, [own], now)
            return
        for own in batches:
            ids = {each.what.id for each in own.used} & new
            own.new = len(ids)
            new -= ids
