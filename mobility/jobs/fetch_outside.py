"""Fetch other operators' offers when their time comes, in a process of its own."""

from __future__ import annotations

import datetime as dt

import structlog

from mobility.db.engine import DatabaseError, Engine
from mobility.db.operators import is_any_due
from mobility.jobs.separate_run import SeparateRun

log = structlog.get_logger()
AGAIN = dt.timedelta(minutes=1)
"""After a run that came to nothing, or while another worker's goes on."""


class OutsideWatch:
    """Starts a run where an operator is due; of several workers one at a time asks it."""

    def __init__(self, run: SeparateRun | None = None) -> None:
        self._run = run or SeparateRun.of("other operators asked", "partners", "fetch", "--json")
        self._not_before = dt.datetime.min.replace(tzinfo=dt.UTC)

    def look(self, engine: Engine, now: dt.datetime) -> None:
        """Start a run where one is due."""
        if self._run.is_running() or now < self._not_before:
            return
        try:
            with engine.connect() as connection:
                due = is_any_due(connection, now)
        except DatabaseError as error:
            log.warning("other operators not asked, trying again", reason=type(error).__name__)
            return
        if due:
            self._not_before = now + AGAIN
            self._run.start()

    def stop(self) -> None:
        """End a run under way: what it has taken up is begun anew after a while."""
        self._run.stop()
