"""Match regular commuters every night, in a process of its own."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys

import structlog

from mobility.db.engine import DatabaseError, Engine
from mobility.db.proposals import matched_day

log = structlog.get_logger()
NIGHT_HOURS = range(2, 6)
"""When a run may begin, on the clock of the territory; one that was missed waits for the next."""
AGAIN = dt.timedelta(minutes=15)
"""After a run that came to nothing, or while another worker's goes on."""
COMMAND = (sys.executable, "-m", "mobility.cli", "offers", "match", "--json")


class NightlyMatch:
    """
    Starts one run a day; of several workers one at a time comes to do it.

    A run takes minutes, memory and the solver: the worker itself loads nothing of it, and a run
    that dies with its process leaves nothing behind.
    """

    def __init__(self, command: tuple[str, ...] = COMMAND) -> None:
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._not_before = dt.datetime.min.replace(tzinfo=dt.UTC)

    def look(self, engine: Engine, local: dt.datetime) -> None:
        """Start a run where one is due; `local` is the time on the territory's clock."""
        if self._is_running() or local.hour not in NIGHT_HOURS or local < self._not_before:
            return
        self._not_before = local + AGAIN
        try:
            with engine.connect() as connection:
                if matched_day(connection) >= local.date().toordinal():
                    return
        except DatabaseError as error:
            log.warning("commuters not matched, trying again", reason=type(error).__name__)
            return
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)

    def stop(self) -> None:
        """End a run under way: the next worker begins it anew."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()

    def _is_running(self) -> bool:
        if self._process is None:
            return False
        code = self._process.poll()
        if code is None:
            return True
        log.info("commuters matched" if code == 0 else "commuters not matched", exit_code=code)
        self._process = None
        return False
