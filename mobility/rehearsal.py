"""A rehearsal: an installation served from this process, by a clock of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from core.errors import Unavailable
from core.time import Clock
from mobility.app import create_app
from mobility.settings import LogLevel, Settings

START_LIMIT_S = 300
"""The first start compiles the kernels, which takes about a minute."""
POLL_S = 0.1


@contextmanager
def served(settings: Settings, clock: Clock, port: int) -> Iterator[str]:
    """Serve an installation from this process by a clock; gives its address."""
    quiet = settings.model_copy(update={"log_level": LogLevel.ERROR})
    config = uvicorn.Config(create_app(quiet, clock), port=port, log_config=None, access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="rehearsal")
    thread.start()
    try:
        until_s = time.monotonic() + START_LIMIT_S
        while not server.started:
            if not thread.is_alive() or time.monotonic() > until_s:
                raise Unavailable("the server did not start")
            time.sleep(POLL_S)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
