"""Who makes a request: the bearer secret in its header, and whether that is enough."""

from __future__ import annotations

import datetime as dt
import ipaddress
import uuid
from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Header, Request, Response, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.security import APIKeyCookie, APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from carpool.audience import NOBODY, Person
from core.errors import NotAllowed, NotSignedIn
from core.time import Clock
from mobility.actions.assist_rider import stand_in
from mobility.db.circles import read_person
from mobility.db.users import find_principal
from mobility.installation import Installation
from mobility.users.bearer import digest
from mobility.users.scopes import Principal, Scope

COOKIE = "mobility_session"
COOKIE_PATH = "/mobility"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_bearer = HTTPBearer(
    auto_error=False, description="Secret of a session or token, as `POST /mobility/v1/sessions`."
)
_cookie = APIKeyCookie(
    name=COOKIE, auto_error=False, description="The same, kept by a browser: this server's pages."
)
_key = APIKeyHeader(
    name="X-API-Key", auto_error=False, description="A token, as other operators' programs send it."
)


class CrossSite(NotAllowed):
    """A browser acts for somebody who is signed in, on behalf of another site."""

    code = "cross_site"


def installation_of(request: Request) -> Installation:
    """Database, limits and settings of this process."""
    installation: Installation = request.app.state.installation
    return installation


def now_of(request: Request) -> dt.datetime:
    """The time, by the clock of this process."""
    clock: Clock = request.app.state.clock
    return clock()


def address_of(request: Request) -> str:
    """Network that a request comes from: whoever has one IPv6 address has 2⁶⁴ of them."""
    host = "unknown" if request.client is None else request.client.host
    if ":" not in host:
        return host
    return str(ipaddress.ip_network((host.split("%")[0], 64), strict=False))


def keep_in_cookie(request: Request, response: Response, secret: str, until: dt.datetime) -> None:
    """Let the browser keep a secret that no script of a page can read."""
    response.set_cookie(
        COOKIE, secret, expires=until, path=COOKIE_PATH, httponly=True, samesite="strict",
        secure=request.url.scheme == "https",
    )  # fmt: skip


def forget_cookie(response: Response) -> None:
    """Let the browser forget it."""
    response.delete_cookie(COOKIE, path=COOKIE_PATH, httponly=True, samesite="strict")


def _require_same_site(request: Request) -> None:
    """Raise `CrossSite` for what a page of another site lets a browser do."""
    if request.method in SAFE_METHODS:
        return
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    own = f"{request.url.scheme}://{request.headers.get('host')}"
    if site not in (None, "same-origin") or (site is None and origin not in (None, own)):
        raise CrossSite("another site may not act for you")


def _signed_in(
    request: Request,
    given: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
    kept: Annotated[str | None, Security(_cookie)],
) -> Principal:
    """Whoever makes the request; raises `NotSignedIn`, or `CrossSite`."""
    if given is not None:
        secret = given.credentials
    elif kept:
        _require_same_site(request)
        secret = kept
    else:
        raise NotSignedIn("sign in first: POST /mobility/v1/sessions, then Authorization: Bearer …")
    return _principal(request, secret)


def _principal(request: Request, secret: str) -> Principal:
    with installation_of(request).engine.begin() as connection:
        found = find_principal(connection, digest(secret), now_of(request))
    if found is None:
        raise NotSignedIn("this session is over, or there never was one: sign in again")
    return found


def _partner(
    request: Request,
    given: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
    key: Annotated[str | None, Security(_key)],
) -> Principal:
    """Program of another operator; raises `NotSignedIn` or `NotAllowed`."""
    secret = key if given is None else given.credentials
    if not secret:
        raise NotSignedIn("a token with the scope app is needed: Authorization: Bearer …")
    principal = _principal(request, secret)
    principal.require((Scope.APP,))
    return principal


async def _somebody(
    request: Request,
    given: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
    kept: Annotated[str | None, Security(_cookie)],
) -> Principal | None:
    """
    Whoever makes a request that anybody may make; a page whose session is over is nobody.

    Nobody is known at once; a secret is looked up in another thread.
    """
    if given is not None:
        return await run_in_threadpool(_principal, request, given.credentials)
    if not kept:
        return None
    _require_same_site(request)
    try:
        return await run_in_threadpool(_principal, request, kept)
    except NotSignedIn:
        return None


def person_of(request: Request, principal: Principal | None) -> Person:
    """What decides with whom a rider rides; nothing for a program that may not ride."""
    if principal is None or Scope.RIDER not in principal.scopes:
        return NOBODY
    with installation_of(request).engine.connect() as connection:
        return read_person(connection, principal.person_id)


SignedIn = Annotated[Principal, Depends(_signed_in)]
"""Anybody who is signed in."""
Somebody = Annotated[Principal | None, Depends(_somebody)]
"""Anybody; who it is, where somebody is signed in."""


def having(*scopes: Scope) -> Callable[[Principal], Principal]:
    """Dependency on somebody who has one of these scopes."""

    def check(principal: SignedIn) -> Principal:
        principal.require(scopes)
        return principal

    return check


def _in_person(principal: SignedIn) -> Principal:
    """Somebody himself, not a program that he gave a token."""
    principal.require_person()
    return principal


def _rider(
    request: Request,
    principal: SignedIn,
    on_behalf_of: Annotated[
        uuid.UUID | None,
        Header(
            alias="On-Behalf-Of",
            description="From an agent (scope operator): the person for whom he acts.",
        ),
    ] = None,
) -> Principal:
    """A rider, or whom an agent acts for; raises `NotAllowed` or `AssistedNotFound`."""
    if on_behalf_of is None:
        principal.require((Scope.RIDER,))
        return principal
    what = f"{request.method} {request.url.path}"
    return stand_in(installation_of(request).engine, principal, on_behalf_of, what)


InPerson = Annotated[Principal, Depends(_in_person)]
Staff = Annotated[Principal, Depends(having(Scope.OPERATOR, Scope.AUTHORITY))]
Authority = Annotated[Principal, Depends(having(Scope.AUTHORITY))]
Driver = Annotated[Principal, Depends(having(Scope.DRIVER))]
Rider = Annotated[Principal, Depends(_rider)]
Agent = Annotated[Principal, Depends(having(Scope.OPERATOR))]
Partner = Annotated[Principal, Depends(_partner)]
PARTNERS_ONLY = [Depends(_partner)]
IdempotencyKey = Annotated[str | None, Header(alias="Idempotency-Key", max_length=200)]
"""By which a request that comes twice is known to be the same."""
