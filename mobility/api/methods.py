"""HEAD wherever GET answers, and plain words for wrong methods and unknown paths."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ALL = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

fallback = APIRouter(include_in_schema=False)
"""Included last: what no other route of the API's prefixes takes."""


class HeadAsGet:
    """Answers HEAD as GET, without the body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_head(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self._app({**scope, "method": "GET"}, receive, send_head)


@fallback.api_route("/api/{path:path}", methods=ALL)
@fallback.api_route("/mobility/{path:path}", methods=ALL)
@fallback.api_route("/standard-covoiturage/{path:path}", methods=ALL)
def nothing_here(request: Request) -> Any:  # noqa: ANN401 — it never returns
    """Say which methods a path takes, or that there is none."""
    methods = _methods(request)
    path = request.url.path[:200]
    if not methods:
        raise HTTPException(404, f"no such path: {path}")
    allowed = ", ".join(methods)
    message = f"{path} does not take {request.method}: use {allowed}"
    raise HTTPException(405, message, headers={"allow": allowed})


def _methods(request: Request) -> list[str]:
    """Methods that the API's own document has for this path."""
    found: set[str] = set()
    for template, operations in request.app.openapi()["paths"].items():
        if compile_path(template)[0].match(request.url.path):
            found |= {method.upper() for method in operations}
    if "GET" in found:
        found.add("HEAD")
    return sorted(found)
