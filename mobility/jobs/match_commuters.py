"""Match regular commuters every night, in a process of its own."""

from __future__ import annotations

import datetime as dt

import structlog

from mobility.db.engine import DatabaseError, Engine
from mobility.db.proposals import matched_day
from mobility.jobs.separate_run import SeparateRun

log = structlog.get_logger()
NIGHT_HOURS = range(2, 6)
"""When a run may begin, on the clock of the territory; one that was missed waits for the next."""
AGAIN = dt.timedelta(minutes=15)
"""After a run that came to nothing, or while another worker's goes on."""


class NightlyMatch:
    """Starts one run a day; of several workers one at a time comes to do it."""

    def __init__(self, run: SeparateRun | None = None) -> None:
        self._run = run or SeparateRun.of("commuters matched", "offers", "match", "--json")
        self._not_before = dt.datetime.min.replace(tzinfo=dt.UTC)

    def look(self, engine: Engine, local: dt.datetime) -> None:
        """Start a run where one is due; `local` is the time on the territory's clock."""
        if self._run.is_running() or local.hour not in NIGHT_HOURS or local < self._not_before:
            return
        self._not_before = local + AGAIN
        try:
            with engine.connect() as connection:
                if matched_day(connection) >= local.date().toordinal():
                    return
        except DatabaseError as error:
            log.warning("commuters not matched, trying again", reason=type(error).__name__)
            return
        self._run.start()

    def stop(self) -> None:
        """End a run under way: the next worker begins it anew."""
        self._run.stop()
