"""
One tree of errors that a caller can cause.

    MobilityError
    ├── InvalidInput        what was asked cannot be understood or is contradictory   (422)
    │   └── NotSupported    understood, lawful, but not honoured yet                  (400)
    ├── NotFound            the thing named does not exist                            (404)
    ├── Conflict            it exists, in a state that forbids this                   (409)
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


class NotFound(MobilityError):
    """The thing named does not exist."""

    code = "not_found"


class Conflict(MobilityError):
    """The thing exists, in a state that forbids what was asked."""

    code = "conflict"


class Unavailable(MobilityError):
    """A part that this needs is not there: a server, a snapshot, a data file."""

    code = "unavailable"
