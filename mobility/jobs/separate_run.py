"""Work that a worker gives to a process of its own."""

from __future__ import annotations

import subprocess
import sys

import structlog

log = structlog.get_logger()


class SeparateRun:
    """
    Runs one command of `mobility` at a time.

    What takes minutes and memory is loaded there alone, and a run that dies with its process leaves
    nothing behind.

    Parameters
    ----------
    name
        What is done, for the log.
    """

    def __init__(self, name: str, command: tuple[str, ...]) -> None:
        self._name, self._command = name, command
        self._process: subprocess.Popen[bytes] | None = None

    @staticmethod
    def of(name: str, *arguments: str) -> SeparateRun:
        """Run of a command of `mobility`."""
        return SeparateRun(name, (sys.executable, "-m", "mobility.cli", *arguments))

    def start(self) -> None:
        """Begin a run."""
        assert self._process is None
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)

    def stop(self) -> None:
        """End a run under way."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()

    def is_running(self) -> bool:
        """Whether a run is under way; one that has ended is said in the log."""
        if self._process is None:
            return False
        code = self._process.poll()
        if code is None:
            return True
        log.info(self._name if code == 0 else f"{self._name}: it failed", exit_code=code)
        self._process = None
        return False
