"""What every path does with HEAD, wrong methods and mistakes of our own, without a server."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from mobility.api.errors import add_error_handlers
from mobility.api.methods import HeadAsGet, fallback
from mobility.api.observed import Observed

pytestmark = pytest.mark.unit


def small_app() -> FastAPI:
    app = FastAPI()
    add_error_handlers(app)

    @app.get("/api/v1/thing/{name}")
    def thing(name: str) -> dict[str, str]:
        return {"name": name}

    @app.put("/api/v1/thing/{name}")
    def put_thing(name: str) -> None:
        raise ZeroDivisionError(name)

    app.include_router(fallback)
    app.add_middleware(Observed)
    app.add_middleware(HeadAsGet)
    return app


def ask(method: str, path: str) -> httpx.Response:
    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(app=small_app())
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.request(method, path, headers={"x-request-id": "test"})

    return asyncio.run(asked())


def error_of(answer: httpx.Response) -> Any:
    return answer.json()["error"]


def test_head_is_get_without_the_body() -> None:
    got, headed = ask("GET", "/api/v1/thing/a"), ask("HEAD", "/api/v1/thing/a")
    assert got.json() == {"name": "a"}
    assert headed.status_code == 200
    assert headed.content == b""
    assert headed.headers == got.headers


def test_head_of_an_unknown_path_has_no_body_either() -> None:
    headed = ask("HEAD", "/api/v1/nothing")
    assert (headed.status_code, headed.content) == (404, b"")


@pytest.mark.parametrize("method", ["POST", "DELETE", "PATCH", "OPTIONS"])
def test_wrong_method_is_answered_with_the_right_ones(method: str) -> None:
    answer = ask(method, "/api/v1/thing/a")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD, PUT"
    assert error_of(answer) == f"/api/v1/thing/a does not take {method}: use GET, HEAD, PUT"


@pytest.mark.parametrize("path", ["/api/v1/thing", "/api/v1/thing/a/b", "/mobility/v1/nothing"])
def test_unknown_path_is_named(path: str) -> None:
    answer = ask("GET", path)
    assert answer.status_code == 404
    assert error_of(answer) == f"no such path: {path}"
    media = "application/json" if path.startswith("/api") else "application/problem+json"
    assert answer.headers["content-type"] == media


def test_mistake_of_our_own_is_confessed_without_its_details() -> None:
    answer = ask("PUT", "/api/v1/thing/secret")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert error_of(answer)
