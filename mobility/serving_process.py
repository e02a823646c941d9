"""
Entry of a process that serves: `mobility serve` has as many as it is told.

What is imported and loaded stays, so looking for garbage meanwhile finds none and takes a fifth of
the time until a process that was killed is replaced. The application looks for it once it serves.
"""

import gc

gc.disable()
from mobility.app import create_app  # noqa: E402

__all__ = ["create_app"]
