"""Batches that come at once are stored together, and each is told what became of its own."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest

from core.errors import InvalidInput
from mobility import usage_queue
from mobility.usage_queue import TOGETHER, UsageQueue
from payments.taps import Tap, TapKind, Used

pytestmark = pytest.mark.unit
NOW = dt.datetime(2027, 3, 24, 8, tzinfo=dt.UTC)
NOTHING = cast("Any", None)


def used(*ids: str) -> list[Used]:
    return [Used(b"card", Tap(id_, NOW, TapKind.BOARD, "stop", "bus")) for id_ in ids]


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Ids of each transaction; "wrong" fails, with all that is stored with it."""
    known: set[str] = set()
    transactions: list[list[str]] = []
    running = threading.Lock()

    def take(_engine: Any, _world: Any, given: Sequence[Used], _now: dt.datetime) -> set[str]:
        assert running.acquire(blocking=False), "two at once"
        try:
            time.sleep(0.05)
            ids = [each.what.id for each in given]
            transactions.append(ids)
            if "wrong" in ids:
                raise InvalidInput("wrong")
            new = set(ids) - known
            known.update(new)
            return new
        finally:
            running.release()

    monkeypatch.setattr(usage_queue, "take_usage", take)
    return transactions


def tell(queue: UsageQueue, batches: Sequence[list[Used]]) -> list[int | str]:
    def one(batch: list[Used]) -> int | str:
        try:
            return queue.take(NOTHING, NOTHING, batch, NOW)
        except InvalidInput as error:
            return str(error)

    with ThreadPoolExecutor(len(batches)) as pool:
        return list(pool.map(one, batches))


def test_what_waits_is_stored_together_and_counted_apart(stored: list[list[str]]) -> None:
    queue = UsageQueue()
    batches = [used(f"{n}a", f"{n}b", *["shared"] * (n % 2)) for n in range(12)]
    found = [int(count) for count in tell(queue, batches)]
    assert sum(found) == 25
    assert all(count in (2, 3) for count in found)
    assert len(stored) < 6
    assert sorted(id_ for ids in stored for id_ in ids if id_ != "shared") == sorted(
        f"{n}{x}" for n in range(12) for x in "ab"
    )
    assert tell(queue, batches) == [0] * 12


def test_one_batch_that_fails_fails_alone(stored: list[list[str]]) -> None:
    batches = [used(str(n)) for n in range(6)] + [used("wrong")]
    assert tell(UsageQueue(), batches) == [1] * 6 + ["wrong"]
    assert ["wrong"] in stored


def test_a_transaction_holds_no_more_than_its_limit(stored: list[list[str]]) -> None:
    many = [used(*(f"{n} {i}" for i in range(TOGETHER // 2))) for n in range(7)]
    large = used(*(f"large {i}" for i in range(2 * TOGETHER)))
    assert tell(UsageQueue(), [*many, large]) == [TOGETHER // 2] * 7 + [2 * TOGETHER]
    assert all(len(ids) <= TOGETHER or len(ids) == 2 * TOGETHER for ids in stored)
