"""Problem details (RFC 9457) for the native API, and the status that each cause has."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse, Response

from portrayal.errors import (
    ConflictError,
    ForbiddenError,
    ImageTooLargeError,
    LimitError,
    MissingDataError,
    NotFoundError,
    PolicyError,
    PortrayalError,
    UnauthenticatedError,
)

_STATUS: tuple[tuple[type[PortrayalError], int, str], ...] = (
    (UnauthenticatedError, 401, "Unauthenticated"),
    (ForbiddenError, 403, "Forbidden"),
    (NotFoundError, 404, "Not found"),
    (ConflictError, 409, "Conflict"),
    (ImageTooLargeError, 413, "Picture too large"),
    (LimitError, 429, "Too many requests"),
    (MissingDataError, 500, "Data missing"),
    (PolicyError, 422, "Refused by policy"),
    (PortrayalError, 422, "Invalid request"),
)


def status_of(error: Exception) -> tuple[int, str]:
    """HTTP status and title of an error; 500 for what is no PortrayalError."""
    return next(
        ((code, title) for kind, code, title in _STATUS if isinstance(error, kind)), (500, "Internal server error")
    )


def problem(error: PortrayalError | Exception, request: Request) -> Response:
    """An error as application/problem+json."""
    status, title = status_of(error)
    body: dict[str, Any] = {"type": "about:blank", "title": title, "status": status}
    headers: dict[str, str] = {}
    if isinstance(error, PortrayalError):
        cause = type(error).__name__
        body |= {"detail": error.message, "field": error.field, "remedy": error.remedy, "error": cause}
    else:
        body["detail"] = "The server failed; its log says more."
    if isinstance(error, PolicyError):
        body["category"] = error.category
    if isinstance(error, LimitError):
        body |= {"reason": error.reason, "limit": error.limit}
        headers["retry-after"] = str(error.retry_after)
    if isinstance(error, UnauthenticatedError):
        headers["www-authenticate"] = "Bearer"
    return JSONResponse(body, status, headers, media_type="application/problem+json")
