"""Say in the log which feeds end soon: once a day, and whenever another snapshot is served."""

from __future__ import annotations

import datetime as dt

import structlog

from mobility.feed_expiry import Validity, list_expiries
from mobility.world import Snapshot

log = structlog.get_logger()


class ExpiryWatch:
    """Remembers what was said, so that nothing is said twice."""

    def __init__(self) -> None:
        self._said: tuple[str, dt.date] | None = None

    def look(self, snapshot: Snapshot, now: dt.datetime) -> None:
        """Log every feed that needs attention, unless that was done today for this snapshot."""
        today = now.astimezone(snapshot.network.zone).date()
        if self._said == (snapshot.folder.name, today):
            return
        self._said = (snapshot.folder.name, today)
        for expiry in list_expiries(snapshot.about, today):
            if not expiry.needs_attention:
                continue
            say = log.warning if expiry.validity is Validity.SOON else log.error
            say(
                "feed_expires",
                feed=expiry.feed,
                days_left=expiry.days_left,
                last_date=expiry.last_date.isoformat(),
                snapshot=snapshot.folder.name,
            )
