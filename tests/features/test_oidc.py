"""Sign-in by an OpenID Connect issuer: one of our own, over HTTP, that can be made to misbehave."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey

from mobility.app import create_app
from mobility.installation import open_installation
from mobility.settings import Settings
from tests.conftest import free_port
from tests.support.answering import answering

CLIENT = "mobilité"
SECRET = "un secret de l'émetteur"


class Issuer(ThreadingHTTPServer):
    """Gives a token for every code that a test has made; checks PKCE and secret as issuers do."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.key = RSAKey.generate_key(2048, parameters={"kid": "first"})
        self.codes: dict[str, tuple[str, dict[str, Any]]] = {}
        self.changes: dict[str, Any] = {}
        self.signed_by: RSAKey | None = None
        self.keys_asked = 0

    def vouch(self, address: str, subject: str, name: str | None) -> tuple[str, str]:
        """What happens at the issuer: returns the code and state that the browser brings back."""
        asked = {k: v[0] for k, v in parse_qs(urlsplit(address).query).items()}
        assert address.startswith(f"{self.url}/authorize?")
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        now = int(time.time())
        claims = {
            "iss": self.url, "aud": CLIENT, "sub": subject, "nonce": asked["nonce"],
            "iat": now, "exp": now + 60, "preferred_username": name,
        } | self.changes  # fmt: skip
        code = secrets.token_urlsafe()
        self.codes[code] = asked["code_challenge"], claims
        return code, asked["state"]


class Handler(BaseHTTPRequestHandler):
    """Discovery document, keys and tokens."""

    server: Issuer

    def do_GET(self) -> None:
        where = self.server.url
        if self.path.endswith("/openid-configuration"):
            self._answer(
                200,
                {
                    "issuer": where, "authorization_endpoint": f"{where}/authorize",
                    "token_endpoint": f"{where}/token", "jwks_uri": f"{where}/keys",
                },
            )  # fmt: skip
        else:
            self.server.keys_asked += 1
            self._answer(200, {"keys": [self.server.key.as_dict(private=False)]})

    def do_POST(self) -> None:
        length = int(self.headers["content-length"])
        form = {k: v[0] for k, v in parse_qs(self.rfile.read(length).decode()).items()}
        challenge, claims = self.server.codes.pop(form["code"], ("", {}))
        hashed = hashlib.sha256(form["code_verifier"].encode()).digest()
        proved = base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()
        if proved != challenge or form["client_secret"] != SECRET:
            self._answer(400, {"error": "invalid_grant"})
            return
        key = self.server.signed_by or self.server.key
        header = {"alg": "RS256", "kid": self.server.key.kid}
        self._answer(200, {"id_token": jwt.encode(header, claims, key)})

    def _answer(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with answering(Issuer()) as server:
        yield server


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    """Serve the application without a world, which nothing here asks for; where it answers."""
    app = create_app(settings)
    app.state.installation = installation = open_installation(settings)
    port = free_port()
    config = uvicorn.Config(app, port=port, lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    until = time.monotonic() + 30
    while not server.started:
        assert time.monotonic() < until
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()
    installation.close()


@pytest.fixture
def browser(issuer: Issuer, demo_home: Path) -> Iterator[httpx.Client]:
    settings = Settings(
        home=demo_home, oidc_issuer=issuer.url, oidc_client_id=CLIENT, oidc_client_secret=SECRET
    )
    with served(settings) as address, httpx.Client(base_url=address, timeout=30) as client:
        yield client


def sign_in(browser: httpx.Client, issuer: Issuer, subject: str, name: str | None = None) -> Any:
    begun = browser.get("/mobility/v1/oidc/start")
    assert begun.status_code == 302, begun.text
    code, state = issuer.vouch(begun.headers["location"], subject, name)
    return browser.get("/mobility/v1/oidc/callback", params={"code": code, "state": state})


def me(browser: httpx.Client, answer: Any) -> Any:
    assert answer.status_code == 200, answer.text
    bearer = {"authorization": f"Bearer {answer.json()['secret']}"}
    return browser.get("/mobility/v1/users/me", headers=bearer).json()


def test_who_is_vouched_for_becomes_a_user_once(browser: httpx.Client, issuer: Issuer) -> None:
    subject = secrets.token_hex()
    first = sign_in(browser, issuer, subject, f"Léa {subject[:8]}")
    assert first.headers["cache-control"] == "no-store"
    known = me(browser, first)
    assert (known["alias"], known["email"]) == (f"Léa {subject[:8]}", None)
    assert known["scopes"] == ["driver", "rider"]
    assert me(browser, sign_in(browser, issuer, subject, "Another Name"))["id"] == known["id"]
    namesake = me(browser, sign_in(browser, issuer, secrets.token_hex(), f"Léa {subject[:8]}"))
    assert namesake["alias"] == f"Léa {subject[:8]} 2"
    assert namesake["id"] != known["id"]


def test_an_issuers_new_keys_are_asked_for(browser: httpx.Client, issuer: Issuer) -> None:
    for _ in range(2):
        assert sign_in(browser, issuer, secrets.token_hex()).status_code == 200
    assert issuer.keys_asked == 1  # and kept
    issuer.key = RSAKey.generate_key(2048, parameters={"kid": "second"})
    assert sign_in(browser, issuer, secrets.token_hex()).status_code == 200
    assert issuer.keys_asked == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://issuer.invalid"},
        {"aud": "another client"},
        {"nonce": "of another sign-in"},
        {"exp": 1_000_000_000},
        {"sub": None},
    ],
)
def test_a_token_that_does_not_hold_is_refused(
    browser: httpx.Client, issuer: Issuer, changes: dict[str, Any]
) -> None:
    issuer.changes = changes
    refused = sign_in(browser, issuer, secrets.token_hex())
    assert (refused.status_code, refused.json()["code"]) == (401, "oidc_refused")


def test_a_token_signed_by_somebody_else_is_refused(browser: httpx.Client, issuer: Issuer) -> None:
    issuer.signed_by = RSAKey.generate_key(2048, parameters={"kid": "first"})
    refused = sign_in(browser, issuer, secrets.token_hex())
    assert refused.json()["code"] == "oidc_refused"


def test_a_return_is_good_once_and_in_the_browser_that_began(
    browser: httpx.Client, issuer: Issuer
) -> None:
    begun = browser.get("/mobility/v1/oidc/start")
    code, state = issuer.vouch(begun.headers["location"], secrets.token_hex(), None)
    back = {"code": code, "state": state}
    cookies = dict(browser.cookies)
    browser.cookies.clear()
    stolen = browser.get("/mobility/v1/oidc/callback", params=back)  # a link sent to somebody
    assert stolen.json()["code"] == "sign_in_unknown"
    browser.cookies.update(cookies)
    assert browser.get("/mobility/v1/oidc/callback", params=back).status_code == 200
    browser.cookies.update(cookies)
    again = browser.get("/mobility/v1/oidc/callback", params=back)
    assert again.json()["code"] == "sign_in_unknown"


def test_a_code_that_the_issuer_does_not_know_is_refused(
    browser: httpx.Client, issuer: Issuer
) -> None:
    begun = browser.get("/mobility/v1/oidc/start")
    _, state = issuer.vouch(begun.headers["location"], secrets.token_hex(), None)
    back = {"code": "invented", "state": state}
    refused = browser.get("/mobility/v1/oidc/callback", params=back)
    assert (refused.status_code, refused.json()["code"]) == (401, "oidc_refused")


def test_an_issuer_that_is_away_is_said_to_be(browser: httpx.Client, issuer: Issuer) -> None:
    issuer.shutdown()
    issuer.server_close()
    answer = browser.get("/mobility/v1/oidc/start")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


def test_without_an_issuer_it_is_off(demo_home: Path) -> None:
    settings = Settings(home=demo_home)
    with served(settings) as address:
        answer = httpx.get(f"{address}/mobility/v1/oidc/start")
    assert (answer.status_code, answer.json()["code"]) == (404, "oidc_off")
