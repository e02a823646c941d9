"""
Sign-in by an OpenID Connect issuer: authorization code with PKCE.

References
----------
OpenID Connect Core 1.0 (3.1), Discovery 1.0; RFC 7636 (PKCE); RFC 9700 (state, one use of a code).
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from core.errors import NotSignedIn, Unavailable

ALGORITHMS = ["RS256", "ES256"]
"""Signatures that are taken; `none` and shared secrets are not."""
TIMEOUT_S, KEPT_S = 5.0, 3_600.0
AWAY_S = 20.0
"""How long an issuer that did not answer is not asked again: those who wait hold threads."""
LEEWAY_S = 60
"""Clocks of two organisations may differ by this."""


class OidcRefused(NotSignedIn):
    """The issuer did not vouch for anybody, or not in a way that can be relied on."""

    code = "oidc_refused"


@dataclass(frozen=True, slots=True)
class Started:
    """A sign-in under way: what only the asking browser and this server know."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Vouched:
    """Whom an issuer vouches for."""

    issuer: str
    subject: str
    name: str | None


class OpenIdIssuer:
    """An issuer by its discovery document; what it publishes is kept for an hour."""

    def __init__(self, issuer: str, client_id: str, client_secret: str | None) -> None:
        self._issuer = issuer.rstrip("/")
        self._client_id, self._client_secret = client_id, client_secret
        self._known: tuple[float, dict[str, Any], KeySet] | None = None
        self._away_until_s = 0.0
        self._lock = threading.Lock()

    def begin(self, redirect_uri: str) -> tuple[Started, str]:
        """Begin a sign-in; returns also the address to which the browser is sent."""
        started = Started(*(secrets.token_urlsafe(32) for _ in range(3)))
        challenge = hashlib.sha256(started.verifier.encode()).digest()
        parameters = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": redirect_uri,
            "scope": "openid profile",
            "state": started.state,
            "nonce": started.nonce,
            "code_challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        address = str(self._published()[0]["authorization_endpoint"])
        return started, f"{address}{'&' if '?' in address else '?'}{urlencode(parameters)}"

    def finish(self, code: str, redirect_uri: str, started: Started) -> Vouched:
        """
        Exchange a code and check what comes.

        Raises
        ------
        OidcRefused
            The code, or the signature, issuer, audience, time or nonce of the token is wrong.
        Unavailable
            The issuer does not answer.
        """
        document, keys = self._published()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "client_id": self._client_id,
            "code_verifier": started.verifier,
        }
        if self._client_secret is not None:
            form["client_secret"] = self._client_secret
        answer = _ask("POST", document["token_endpoint"], data=form)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise OidcRefused("the issuer did not say who signed in")
        return self._checked(token, keys, started.nonce)

    def find_named(self, token: str) -> Vouched | None:
        """
        Whom a token of the issuer names, whomever it was given to and however long ago.

        This signs nobody in: it says to whom something is told that somebody else vouches for.

        Raises
        ------
        Unavailable
            The issuer does not answer.
        """
        rules = jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": self._issuer_said()}, sub={"essential": True}
        )
        try:
            claims = jwt.decode(token, self._published()[1], algorithms=ALGORITHMS).claims
            rules.validate({name: claims[name] for name in ("iss", "sub")})
        except (JoseError, ValueError, KeyError):
            return None
        return Vouched(self._issuer, str(claims["sub"]), None)

    def _checked(self, token: str, keys: KeySet, nonce: str) -> Vouched:
        rules = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_S,
            iss={"essential": True, "value": self._issuer_said()},
            aud={"essential": True, "value": self._client_id},
            nonce={"essential": True, "value": nonce},
            exp={"essential": True},
            sub={"essential": True},
        )
        try:
            try:
                claims = jwt.decode(token, keys, algorithms=ALGORITHMS).claims
            except InvalidKeyIdError:  # the issuer has new keys
                claims = jwt.decode(token, self._published(anew=True)[1], ALGORITHMS).claims
            rules.validate(claims)
        except (JoseError, ValueError) as error:
            raise OidcRefused(f"the issuer's token does not hold: {error}") from error
        name = claims.get("preferred_username") or claims.get("name")
        return Vouched(self._issuer, str(claims["sub"]), str(name) if name else None)

    def _issuer_said(self) -> str:
        return str(self._published()[0]["issuer"])

    def _published(self, *, anew: bool = False) -> tuple[dict[str, Any], KeySet]:
        if not self._lock.acquire(timeout=TIMEOUT_S):
            raise Unavailable("the OpenID Connect issuer does not answer: try again")
        try:
            now_s = time.monotonic()
            if now_s < self._away_until_s:
                raise Unavailable("the OpenID Connect issuer does not answer: try again later")
            if self._known is None or anew or now_s - self._known[0] > KEPT_S:
                self._away_until_s = now_s + AWAY_S  # until it has answered
                where = f"{self._issuer}/.well-known/openid-configuration"
                document = _ask("GET", where)
                if str(document.get("issuer", "")).rstrip("/") != self._issuer:
                    raise Unavailable(f"{where} is of another issuer")
                keys = KeySet.import_key_set(_ask("GET", document["jwks_uri"]))  # type: ignore[arg-type] # checked there
                self._known, self._away_until_s = (now_s, document, keys), 0.0
            return self._known[1:]
        finally:
            self._lock.release()


def _ask(method: str, address: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 — passed on
    try:
        answer = httpx.request(method, address, timeout=TIMEOUT_S, **more)
        if answer.status_code in (400, 401, 403):
            raise OidcRefused("the issuer refuses this sign-in: begin again")
        answer.raise_for_status()
        content = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise Unavailable(f"the OpenID Connect issuer does not answer: {error}") from error
    if not isinstance(content, dict):
        raise Unavailable("the OpenID Connect issuer answers something else than JSON objects")
    return content
