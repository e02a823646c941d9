"""Bearer secrets: random, shown once, stored as a digest."""

from __future__ import annotations

import hashlib
import secrets

PREFIX = "mob_"
"""Scanners of published code know a secret by it."""
SECRET_BYTES = 32


def new_secret() -> str:
    """Make a secret that nobody guesses."""
    return PREFIX + secrets.token_urlsafe(SECRET_BYTES)


def digest(secret: str) -> bytes:
    """What is stored of a secret: it is random, so that no salt or slowness is needed."""
    return hashlib.sha256(secret.encode()).digest()
