"""How every process writes its log: one JSON object a line, or plain lines at a terminal."""

from __future__ import annotations

import logging
import sys
from typing import Any

import orjson
import structlog
from structlog.typing import Processor

from mobility.settings import LogFormat, Settings

QUIET = ("alembic", "httpx", "uvicorn.access")
"""Loggers that tell below a warning what our own lines tell better, or nobody asks for."""


def set_up_logs(settings: Settings) -> None:
    """Send structlog's and the standard library's records to standard error, in one format."""
    wanted = settings.log_format
    json = wanted is LogFormat.JSON or (wanted is LogFormat.AUTO and not sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    ]
    last: list[Processor] = (
        [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=_as_json),
        ]
        if json
        else [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(),
                exception_formatter=structlog.dev.plain_traceback,  # values may be passwords
            )
        ]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(settings.log_level.number),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level.number)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _as_json(content: Any, **_: Any) -> str:  # noqa: ANN401 — what a log line holds
    return orjson.dumps(content, default=str).decode()
