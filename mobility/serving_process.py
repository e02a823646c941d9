"""
Entry of a process that serves: `mobility serve` has as many as it is told.

What is imported stays, so looking for garbage meanwhile finds none and takes a fifth of the time
until a process that was killed is replaced.
"""

import gc

gc.disable()
from mobility.app import create_app  # noqa: E402

gc.freeze()
gc.enable()

__all__ = ["create_app"]
