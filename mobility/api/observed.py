"""Every request has an id, a line in the log and a place in the metrics; bugs end here."""

from __future__ import annotations

import re
import time
import uuid

import structlog
from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mobility.api.errors import answer_bug
from mobility.metrics import REQUEST_S, REQUESTS_UNDER_WAY

log = structlog.get_logger()
ID_HEADER = "x-request-id"
GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
"""Ids that a proxy may hand on; others are replaced, so that nobody writes into the log."""
METHODS = frozenset(("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"))
OTHER = "other"
"""Endpoint that no route takes, method that nobody knows: probing cannot grow the metrics."""
QUIET = ("/healthz", "/readyz", "/metrics", "/assets/")
"""Asked all the time; logged when they fail."""


class Observed:
    """
    The outermost layer of the application.

    The log names the path and never the query, which says where people are.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and tell of it when it is answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        status, begun_s = 0, time.perf_counter()

        async def send_known(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[ID_HEADER] = request_id
            await send(message)

        REQUESTS_UNDER_WAY.inc()
        try:
            await self._app(scope, receive, send_known)
        except Exception as error:
            log.exception("a request met a bug", path=scope["path"])
            if status:
                raise  # half an answer is out: the connection must break
            await answer_bug(Request(scope), error)(scope, receive, send_known)
        finally:
            REQUESTS_UNDER_WAY.dec()
            _tell(scope, status, time.perf_counter() - begun_s)


def _request_id(scope: Scope) -> str:
    given = Headers(scope=scope).get(ID_HEADER, "")
    return given if GIVEN_ID.fullmatch(given) else uuid.uuid4().hex


def _tell(scope: Scope, status: int, took_s: float) -> None:
    endpoint = getattr(scope.get("route"), "path", None) or OTHER
    method = scope["method"] if scope["method"] in METHODS else OTHER
    REQUEST_S.labels(method, endpoint, str(status)).observe(took_s)
    if status < 500 and scope["path"].startswith(QUIET):
        return
    write = log.info if 0 < status < 500 else log.warning
    write(
        "request", method=method, path=scope["path"], endpoint=endpoint, status=status,
        took_ms=round(took_s * 1000, 1),
    )  # fmt: skip
