"""Tell other operators what becomes of their bookings, beside all else that a worker does."""

from __future__ import annotations

import datetime as dt
import threading

import structlog

from mobility.actions.tell_partners import tell_partners
from mobility.db.engine import DatabaseError, Engine
from mobility.partner_client import PartnerClient

log = structlog.get_logger()
LOOK_S = 2.0
"""How soon an event is told; slow operators hold up nobody but each other."""


class PartnerCourier:
    """One thread that delivers; of several workers each event is told by one."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._deliver, name="partner-courier", daemon=True)

    def start(self) -> None:
        """Begin to deliver."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after what is on the way."""
        self._stopped.set()
        self._thread.join(timeout=5)

    def _deliver(self) -> None:
        while not self._stopped.wait(LOOK_S):
            try:
                tell_partners(self._engine, PartnerClient, now=dt.datetime.now(dt.UTC))
            except DatabaseError as error:
                log.warning("other operators not told, trying again", reason=type(error).__name__)
            except Exception:  # the thread must outlive any one failure
                log.exception("other operators not told, trying again")
