"""
Passwords: the one door to argon2.

References
----------
RFC 9106 (Argon2id, second recommended option: 64 MiB, three passes); NIST SP 800-63B, 5.1.1.2:
length counts, no rules of composition.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from core.errors import InvalidInput, Unavailable

SHORTEST, LONGEST = 10, 200
LEAST_KNOWN = 4
"""Shorter parts of names stand in many words."""
BUSY_S = 5.0
HASHES_AT_ONCE = 2
"""Each takes 64 MiB and a core for a moment: a crowd that signs in waits, the planner does not."""
_hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
_turns = threading.Semaphore(HASHES_AT_ONCE)


class PasswordWeak(InvalidInput):
    """A password that is too short, too long or given away."""

    code = "password_weak"


def check_password(password: str, *known: str) -> None:
    """Raise `PasswordWeak` for what is soon guessed; `known` is what others know of its user."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise PasswordWeak(f"a password has {SHORTEST} to {LONGEST} characters")
    lowered = password.casefold()
    if len(set(lowered)) < 4 or any(
        len(part) >= LEAST_KNOWN and part.casefold() in lowered for part in known
    ):
        raise PasswordWeak("this password is too easy to guess: choose several words")


def hash_password(password: str) -> str:
    """Hash with its own salt and parameters; takes about 0.1 s on purpose."""
    with _turn():
        return _hasher.hash(password)


def is_password(hashed: str | None, password: str) -> bool:
    """Whether a password is the hashed one; without a hash as slow, and never."""
    with _turn():
        try:
            return _hasher.verify(hashed or _nobodys_hash(), password) and hashed is not None
        except (VerificationError, InvalidHashError):
            return False


@contextmanager
def _turn() -> Iterator[None]:
    """Wait for a turn, but not for long: whoever waits holds a thread that journeys need."""
    if not _turns.acquire(timeout=BUSY_S):
        raise Unavailable("many people sign in at the moment: try again")
    try:
        yield
    finally:
        _turns.release()


@cache
def _nobodys_hash() -> str:
    """Hash of what nobody knows: an address without a user takes as long to refuse as one with."""
    return _hasher.hash(secrets.token_urlsafe())


def is_outdated(hashed: str) -> bool:
    """Whether a hash was made with other parameters than new ones are."""
    return _hasher.check_needs_rehash(hashed)
