"""
Wake-ups between processes and rate limits: the one door to redis.

The stream says only "something changed"; what changed is read from PostgreSQL. Losing Valkey
costs half a second of freshness, since every process also polls, and lets each process count
for itself how often something was asked.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import Any

import redis

from core.errors import TooOften

STREAM = "mobility:changes"
STREAM_LENGTH = 1000
BLOCK_MS = 500
"""Longest wait for a wake-up; then the process looks for itself."""
LIMIT_PREFIX = "mobility:limit:"
OWN_LIMITS = 10_000
"""Windows that one process counts without Valkey; beyond that the oldest are forgotten."""


class Wakeups:
    """Announces changes and waits for those of others."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(url, socket_timeout=5)
        self._seen = "$"

    def announce(self, revision: int) -> bool:
        """Tell the other processes; False when Valkey is away (they will poll)."""
        try:
            self._client.xadd(STREAM, {"revision": revision}, maxlen=STREAM_LENGTH)
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


def _last_id(found: Any) -> str:  # noqa: ANN401 — [[stream, [(id, fields), …]]], or a mapping
    """Id of the last entry of an answer to XREAD."""
    entries = found[0][1] if isinstance(found, list) else next(iter(found.values()))[0]
    last: str = entries[-1][0]
    return last
