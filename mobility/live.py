"""
Wake-ups between processes, rate limits, cars under way: the one door to redis.

The stream says only "something changed"; what changed is read from PostgreSQL. Losing Valkey
costs half a second of freshness, since every process also polls, and lets each process count
for itself how often something was asked. Where cars are is nowhere else, and kept for hours.
"""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import orjson
import redis
import redis.asyncio

from core.errors import TooOften, Unavailable

STREAM = "mobility:changes"
STREAM_LENGTH = 1000
BLOCK_MS = 500
"""Longest wait for a wake-up; then the process looks for itself."""
LIMIT_PREFIX = "mobility:limit:"
OWN_LIMITS = 10_000
"""Windows that one process counts without Valkey; beyond that the oldest are forgotten."""

CAR_PREFIX = "mobility:car:"
"""Key of where a ride's car is, and channel on which that is told."""
CAR_KEPT_S = 6 * 3600
"""After its last position; 24 hours are the most that riders were promised."""
KEEP_NEWER = """
local at = redis.call('HGET', KEYS[1], 'at')
if at and tonumber(at) >= tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'at', ARGV[1], 'car', ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('PUBLISH', KEYS[1], ARGV[2])
return 1
"""
"""One step for Valkey: of two processes the one with the newer position wins."""
STREAMS_PREFIX = "mobility:streams:"
STREAM_COUNTED_S = 60
"""A stream that has not said for so long that it goes on is over."""
STREAM_LOOK_S = 1.0


class CarsAway(Unavailable):
    """Valkey is away: nobody knows where cars are."""

    code = "cars_away"


class Wakeups:
    """Announces changes and waits for those of others."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(url, socket_timeout=5)
        self._seen = "$"

    def announce(self, revision: int | None = None) -> bool:
        """Tell the other processes; False when Valkey is away (they will poll)."""
        try:
            self._client.xadd(STREAM, {"revision": revision or ""}, maxlen=STREAM_LENGTH)
        except redis.RedisError:
            return False
        return True

    def wait(self) -> bool:
        """Wait for an announcement, at most `BLOCK_MS`; False when Valkey is away."""
        try:
            found = self._client.xread({STREAM: self._seen}, count=STREAM_LENGTH, block=BLOCK_MS)
        except redis.RedisError:
            return False
        if found:
            self._seen = _last_id(found)
        return True

    def close(self) -> None:
        """Let the connection go."""
        self._client.close()


class RateLimits:
    """Counts how often something is asked, over all processes."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(url, socket_timeout=1)
        self._own: dict[str, tuple[int, float]] = {}
        """Without Valkey: counts and ends of this process's windows, the last counted last."""
        self._lock = threading.Lock()

    def count(self, key: str, *, most: int, per_s: int) -> None:
        """
        Count once more; the window begins with the first.

        Raises
        ------
        TooOften
            More than `most` in `per_s` seconds.
        """
        name = LIMIT_PREFIX + key
        try:
            with self._client.pipeline() as both:
                both.incr(name)
                both.expire(name, per_s, nx=True)
                both.ttl(name)
                counted, _, left_s = both.execute()
        except redis.RedisError:
            counted, left_s = self._count_alone(name, per_s)
        if counted > most:
            wait_s = max(int(left_s), 1)
            raise TooOften(f"too many tries: again in {-(-wait_s // 60)} minutes", wait_s)

    def forget(self, key: str) -> None:
        """Begin to count anew."""
        name = LIMIT_PREFIX + key
        with self._lock:
            self._own.pop(name, None)
        with suppress(redis.RedisError):
            self._client.delete(name)

    def _count_alone(self, name: str, per_s: int) -> tuple[int, int]:
        now_s = time.monotonic()
        with self._lock:
            counted, until_s = self._own.pop(name, (0, now_s + per_s))
            if until_s <= now_s:
                counted, until_s = 0, now_s + per_s
            while len(self._own) >= OWN_LIMITS:
                del self._own[next(iter(self._own))]  # the one counted longest ago
            self._own[name] = counted + 1, until_s
        return counted + 1, int(until_s - now_s)

    def close(self) -> None:
        """Let the connection go."""
        self._client.close()


class Cars:
    """Where cars of rides under way are, as JSON that `mobility.actions.follow_ride` makes."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(url, socket_timeout=5)
        self._keep_newer = self._client.register_script(KEEP_NEWER)

    def read(self, ride_ids: Sequence[uuid.UUID]) -> list[Any]:
        """What is kept of each ride, or None; raises `CarsAway`."""
        if not ride_ids:
            return []
        try:
            with self._client.pipeline(transaction=False) as all_at_once:
                for ride_id in ride_ids:
                    all_at_once.hget(f"{CAR_PREFIX}{ride_id}", "car")
                found = all_at_once.execute()
        except redis.RedisError as error:
            raise CarsAway("positions are not known at the moment: try again") from error
        return [None if car is None else orjson.loads(car) for car in found]

    def keep(self, ride_id: uuid.UUID, at_s: float, car: Any) -> bool:  # noqa: ANN401 — any JSON
        """Keep a newer position and tell who follows; False where one as new is kept already."""
        try:
            kept = self._keep_newer(
                keys=[f"{CAR_PREFIX}{ride_id}"], args=[repr(at_s), orjson.dumps(car), CAR_KEPT_S]
            )
        except redis.RedisError as error:
            raise CarsAway("positions cannot be kept at the moment: try again") from error
        return bool(kept)

    def close(self) -> None:
        """Let the connection go."""
        self._client.close()


class CarStream:
    """What is told of one ride's car; a stream takes no thread."""

    def __init__(self, pubsub: Any, client: Any, key: str, own: str) -> None:  # noqa: ANN401 — redis has no types here
        self._pubsub, self._client, self._key, self._own = pubsub, client, key, own

    async def next(self) -> Any:  # noqa: ANN401 — any JSON
        """The next word of the car, or None after a second without."""
        told = await self._pubsub.get_message(ignore_subscribe_messages=True, timeout=STREAM_LOOK_S)
        return None if told is None else orjson.loads(told["data"])

    async def go_on(self) -> None:
        """Say that the stream is not over."""
        await self._client.zadd(self._key, {self._own: time.time()})
        await self._client.expire(self._key, STREAM_COUNTED_S)


@asynccontextmanager
async def follow_car(
    url: str, ride_id: uuid.UUID, who: uuid.UUID, most: int
) -> AsyncIterator[CarStream]:
    """
    Follow a ride's car for somebody, in any process.

    Raises
    ------
    TooOften
        He has `most` streams already, over all processes.
    CarsAway
        Valkey is away.
    """
    client = redis.asyncio.Redis.from_url(url, socket_timeout=5)
    key, own = f"{STREAMS_PREFIX}{who}", uuid.uuid4().hex
    pubsub = client.pubsub()
    try:
        try:
            now_s = time.time()
            async with client.pipeline() as both:
                both.zremrangebyscore(key, 0, now_s - STREAM_COUNTED_S)
                both.zadd(key, {own: now_s})
                both.zcard(key)
                both.expire(key, STREAM_COUNTED_S)
                _, _, count, _ = await both.execute()
            if count > most:
                raise TooOften(f"you follow {most} rides already: close one", STREAM_COUNTED_S)
            await pubsub.subscribe(f"{CAR_PREFIX}{ride_id}")
        except redis.RedisError as error:
            raise CarsAway("positions are not known at the moment: try again") from error
        yield CarStream(pubsub, client, key, own)
    finally:
        # Whoever goes away cancels what is awaited here: it goes on beside.
        leaving = asyncio.create_task(_leave(client, pubsub, key, own))
        _leaving.add(leaving)
        leaving.add_done_callback(_leaving.discard)


_leaving: set[asyncio.Task[None]] = set()
"""Streams that are being closed: a task that nobody holds may end before it has."""


async def _leave(client: Any, pubsub: Any, key: str, own: str) -> None:  # noqa: ANN401 — redis has no types here
    with suppress(redis.RedisError):
        await client.zrem(key, own)
    with suppress(redis.RedisError):
        await pubsub.aclose()
    await client.aclose()


def _last_id(found: Any) -> str:  # noqa: ANN401 — [[stream, [(id, fields), …]]], or a mapping
    """Id of the last entry of an answer to XREAD."""
    entries = found[0][1] if isinstance(found, list) else next(iter(found.values()))[0]
    last: str = entries[-1][0]
    return last
