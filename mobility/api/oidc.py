"""Sign-in by an OpenID Connect issuer: /mobility/v1/oidc."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Cookie, Query, Request, Response
from fastapi.responses import RedirectResponse

from core.errors import NotFound, NotSignedIn
from mobility.actions.sign_in_by_issuer import SignInUnknown, begin_by_issuer, finish_by_issuer
from mobility.api.access import address_of, installation_of, now_of
from mobility.api.answers import site_of
from mobility.api.users import SIGN_INS, WINDOW_S, SessionBegun, begun
from mobility.db.identities import LONGEST

if TYPE_CHECKING:  # loaded only where an issuer is set
    from mobility.users.oidc import OpenIdIssuer

router = APIRouter(prefix="/mobility/v1/oidc", tags=["users"])
STATE = "mobility_sign_in"
Code = Annotated[str, Query(max_length=4_000)]


class SignInRefused(NotSignedIn):
    """Whoever went to the issuer came back without being let in."""

    code = "sign_in_refused"


class OidcOff(NotFound):
    """No issuer is set for the installation."""

    code = "oidc_off"


@router.get("/start", status_code=302, response_class=RedirectResponse)
def start(request: Request) -> Response:
    """Send the browser to the issuer."""
    here, issuer = installation_of(request), _issuer(request)
    here.limits.count(f"sign-in-from:{address_of(request)}", most=SIGN_INS, per_s=WINDOW_S)
    state, address = begin_by_issuer(here.engine, issuer, _back(request), now_of(request))
    answer = RedirectResponse(address, status_code=302)
    # Only the browser that began may come back: nobody is signed in as somebody else by a link.
    answer.set_cookie(
        STATE, state, max_age=int(LONGEST.total_seconds()), path="/mobility/v1/oidc",
        httponly=True, samesite="lax", secure=request.url.scheme == "https",
    )  # fmt: skip
    return answer


@router.get("/callback")
def callback(
    request: Request,
    response: Response,
    state: Annotated[str, Query(max_length=200)],
    code: Code = "",
    error: Annotated[str, Query(max_length=200)] = "",
    brought: Annotated[str | None, Cookie(alias=STATE)] = None,
) -> SessionBegun:
    """Come back from the issuer, signed in."""
    here, issuer = installation_of(request), _issuer(request)
    if brought is None or not secrets.compare_digest(brought.encode(), state.encode()):
        raise SignInUnknown("another browser began this sign-in: begin again")
    if error or not code:
        raise SignInRefused("the issuer let nobody in: begin again, or sign in with a password")
    issued = finish_by_issuer(here.engine, issuer, _back(request), state, code, now_of(request))
    response.delete_cookie(STATE, path="/mobility/v1/oidc")
    response.headers["cache-control"] = "no-store"
    return begun(issued)


def _issuer(request: Request) -> OpenIdIssuer:
    issuer = installation_of(request).issuer
    if issuer is None:
        raise OidcOff("sign-in by OpenID Connect is off: MOBILITY_OIDC_ISSUER is not set")
    return issuer


def _back(request: Request) -> str:
    return f"{site_of(request)}/mobility/v1/oidc/callback"
