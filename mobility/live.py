"""
Wake-ups between processes: the one door to redis.

The stream says only "something changed"; what changed is read from PostgreSQL. Losing Valkey
costs half a second of freshness, nothing else: every process also polls.
"""

from __future__ import annotations

from typing import Any

import redis

STREAM = "mobility:changes"
STREAM_LENGTH = 1000
BLOCK_MS = 500
"""Longest wait for a wake-up; then the process looks for itself."""


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


def _last_id(found: Any) -> str:  # noqa: ANN401 — [[stream, [(id, fields), …]]], or a mapping
    """Id of the last entry of an answer to XREAD."""
    entries = found[0][1] if isinstance(found, list) else next(iter(found.values()))[0]
    last: str = entries[-1][0]
    return last
