"""
One tree of errors that a caller can cause.

    MobilityError
    ├── InvalidInput        what was asked cannot be understood or is contradictory   (422)
    │   └── NotSupported    understood, lawful, but not honoured yet                  (400)
    ├── NotSignedIn         nobody is signed in, or no longer                         (401)
    ├── NotAllowed          whoever is signed in may not do this                      (403)
    ├── NotFound            the thing named does not exist                            (404)
    ├── Conflict            it exists, in a state that forbids this                   (409)
    ├── TooOften            asked more often than anybody may                         (429)
    └── Unavailable         a part this needs is not there (server, snapshot, data)   (503)

Leaves live beside the code that raises them. `code` is stable and public: scripts and
clients may compare it; the message is for people and may change.
"""

from __future__ import annotations


class MobilityError(Exception):
    """Root of the errors that a caller can cause."""

    code = "error"


class InvalidInput(MobilityError):
    """What was asked cannot be understood or contradicts itself."""

    code = "invalid_input"


class NotSupported(InvalidInput):
    """What was asked is lawful but not honoured yet: said, never ignored."""

    code = "not_supported"


class NotSignedIn(MobilityError):
    """Nobody is signed in, or no longer."""

    code = "not_signed_in"


class NotAllowed(MobilityError):
    """Whoever is signed in may not do this."""

    code = "not_allowed"


class NotFound(MobilityError):
    """The thing named does not exist."""

    code = "not_found"


class Conflict(MobilityError):
    """The thing exists, in a state that forbids what was asked."""

    code = "conflict"


class TooOften(MobilityError):
    """Something was asked more often than anybody may; it may be again after a while."""

    code = "too_often"

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Unavailable(MobilityError):
    """A part that this needs is not there: a server, a snapshot, a data file."""

    code = "unavailable"
