"""Processes that must not outlive each other, and the port that they hand on."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import wait

import structlog

from core.errors import Unavailable
from mobility.db.engine import DatabaseError

PORT_WAIT_S = 10.0
"""How long the processes of a server that was killed may take to leave its port."""
POLL_S = 0.2
RESTART_PAUSE_S = 1.0
CANNOT_START = 75
"""Exit code of a process that a server's absence kept from starting (EX_TEMPFAIL)."""

log = structlog.get_logger()


class PortTaken(Unavailable):
    """Something else listens on the port."""

    code = "port_taken"


def end_with_parent() -> None:
    """
    End this process when the one that started it dies: an orphan would hold the port.

    Does nothing in a process that `multiprocessing` did not start.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def follow() -> None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=follow, name="end-with-parent", daemon=True).start()


@contextmanager
def tried_again_by_parent() -> Iterator[None]:
    """
    Start what needs the servers: if one is away, this process ends and its parent starts another.

    An error that the application raises while it starts would stop the parent and the processes
    that serve, since uvicorn takes it for one that comes back at every start. What is wrong with
    the installation was said by `mobility serve` before there were processes. A process without
    such a parent gets the error as it is.
    """
    try:
        yield
    except (DatabaseError, Unavailable) as error:
        if multiprocessing.parent_process() is None:
            raise
        log.warning("process_cannot_start", error=str(error))
        time.sleep(RESTART_PAUSE_S)
        os._exit(CANNOT_START)  # an exception would be reported as the application's


def wait_for_port(host: str, port: int) -> None:
    """Wait until the port can be listened on; raises `PortTaken` when it cannot."""
    deadline_s = time.monotonic() + PORT_WAIT_S
    while True:
        try:
            socket.create_server((host, port), family=_family(host)).close()
        except OSError as error:
            if time.monotonic() > deadline_s:
                raise PortTaken(
                    f"{host}:{port} cannot be listened on ({error.strerror}): stop what listens "
                    "there, or choose another port with --port"
                ) from error
            time.sleep(POLL_S)
        else:
            return


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
