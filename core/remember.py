"""Values made on demand and remembered, with a look at which are there (`lru_cache` has none)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """
    Make the value of a key once, and keep those made last.

    Threads that want different keys wait for each other while a value is made; those that want
    one that is there do not.
    """

    def __init__(self, make: Callable[[K], V], count: int) -> None:
        self._make = make
        self._count = count
        self._values: dict[K, V] = {}
        self._lock = threading.Lock()

    def __call__(self, key: K) -> V:
        """Value of a key, made when it is not there."""
        try:
            return self._values[key]
        except KeyError:
            pass
        with self._lock:
            if key not in self._values:
                value = self._make(key)
                kept = list(self._values.items())[1 - self._count :] if self._count > 1 else []
                self._values = {**dict(kept), key: value}  # swapped whole: readers take no lock
            return self._values[key]

    @property
    def keys(self) -> tuple[K, ...]:
        """Keys whose values are there, the oldest first."""
        return tuple(self._values)
