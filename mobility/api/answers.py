"""What every endpoint needs: the world of the process, JSON, the version and language asked."""

from __future__ import annotations

import re
from typing import Any

import orjson
from fastapi import Request, Response

from mobility.api.parameters import Parameters
from mobility.mapping.sentences import LANGUAGES
from mobility.world import World

NEWEST_VERSION = 6


def world_of(request: Request) -> World:
    """The current world; a request takes it once."""
    world: World = request.app.state.keeper.world
    return world


def json_answer(content: Any, **headers: str) -> Response:  # noqa: ANN401 — any JSON
    """Content as JSON."""
    return Response(
        orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY),
        media_type="application/json",
        headers=headers or None,
    )


def version_of(request: Request) -> int:
    """Version of the MOTIS API in the path; what is experimental there is as in the newest."""
    found = re.match(r"/api/v(\d)/", request.url.path)
    return NEWEST_VERSION if found is None else int(found[1])


def site_of(request: Request) -> str:
    """Address of this server as the asking app knows it, without a slash at its end."""
    return str(request.base_url).rstrip("/")


def language_of(given: Parameters) -> str:
    """First language asked for that there is; French otherwise."""
    wanted = (name.lower()[:2] for name in given.texts("language") or [])
    return next((name for name in wanted if name in LANGUAGES), LANGUAGES[0])
