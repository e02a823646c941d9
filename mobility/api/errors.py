"""Error families → HTTP status; the one place that maps them."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from core.errors import (
    Conflict,
    InvalidInput,
    MobilityError,
    NotAllowed,
    NotFound,
    NotSignedIn,
    NotSupported,
    TooOften,
    Unavailable,
)
from mobility.db.engine import DatabaseAway, DatabaseBusy

STATUS: tuple[tuple[type[MobilityError], int], ...] = (
    (NotSupported, 400),
    (InvalidInput, 422),
    (NotSignedIn, 401),
    (NotAllowed, 403),
    (NotFound, 404),
    (Conflict, 409),
    (TooOften, 429),
    (Unavailable, 503),
    (MobilityError, 500),
)
MOTIS_STATUS = {409: 400, 503: 500}
"""The MOTIS API knows 400, 404, 422 and 500."""
PLAIN_PATHS = ("/geocode", "/reverse-geocode")
"""These know 400 alone of them."""
PARTNERS = "/standard-covoiturage/"
PARTNER_STATUS = {403: 401, 422: 400, 503: 500}
"""The Standard Covoiturage knows 400, 401, 404, 409, 429 and 500 …"""
PARTNER_POSTS = ("/bookings", "/booking_events")
"""… of which these know neither 404 nor 409."""
PARTNER_CODES = frozenset({"missing_booking", "missing_user", "status_already_set"})
"""What it wants in the place of a sentence."""
RETRY_AFTER_S = "2"
HTTP_CODES = {404: "not_found", 405: "method_not_allowed"}


def status_of(error: MobilityError) -> int:
    """HTTP status of an error's family."""
    return next(status for family, status in STATUS if isinstance(error, family))


def _headers(error: MobilityError) -> dict[str, str]:
    """What HTTP says beside some statuses: how to sign in, when to ask again."""
    if isinstance(error, NotSignedIn):
        return {"www-authenticate": "Bearer"}
    if isinstance(error, TooOften):
        return {"retry-after": str(error.retry_after_s)}
    return {}


def _answer(
    request: Request,
    status: int,
    code: str,
    message: str,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    path, error = request.url.path, message
    motis, partners = path.startswith("/api/"), path.startswith(PARTNERS)
    if partners:
        status = PARTNER_STATUS.get(status, status)
        if request.method == "POST" and path.endswith(PARTNER_POSTS):
            status = 400 if status in (404, 409) else status
        error = code if code in PARTNER_CODES else message
    if motis:
        status = MOTIS_STATUS.get(status, status)
        if path.endswith(PLAIN_PATHS):
            status = 400 if status == 422 else status
    body = {
        "type": f"urn:mobility:error:{code}",
        "title": code.replace("_", " "),
        "status": status,
        "detail": message,
        "code": code,
        "error": error,
    }
    media = "application/json" if motis or partners else "application/problem+json"
    return JSONResponse(body, status_code=status, media_type=media, headers=headers)


def add_error_handlers(app: FastAPI) -> None:
    """Answer every error in the shape that the path's readers expect."""

    @app.exception_handler(MobilityError)
    def on_error(request: Request, error: MobilityError) -> JSONResponse:
        return _answer(request, status_of(error), error.code, str(error), _headers(error))

    @app.exception_handler(DatabaseAway)
    @app.exception_handler(DatabaseBusy)
    def on_database_away(request: Request, _error: Exception) -> JSONResponse:
        message = "the database does not answer at the moment; nothing was stored, try again"
        return _answer(request, 503, "database_away", message, {"retry-after": RETRY_AFTER_S})

    @app.exception_handler(RequestValidationError)
    def on_invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return _answer(request, 422, "invalid_input", f"{where}: {first['msg']}")

    @app.exception_handler(HTTPException)
    def on_http(request: Request, error: HTTPException) -> JSONResponse:
        code = HTTP_CODES.get(error.status_code, "http_error")
        return _answer(request, error.status_code, code, str(error.detail), error.headers)


def answer_bug(request: Request, error: Exception) -> JSONResponse:
    """Answer to an error that no caller caused."""
    message = "this server made a mistake; its log says more"
    return _answer(request, 500, "internal_error", f"{type(error).__name__}: {message}")
