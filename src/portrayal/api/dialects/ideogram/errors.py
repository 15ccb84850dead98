"""Errors in Ideogram's form: ``{"error": "<sentence>"}``.

v1 documents 400, 401, 422 and 429, and 403 in the place of 401 for remix and /upscale. v2 adds 402 and 404, and an
object with a `reject_reason` for 402 and 429; v1 gets the same object with its 429.
"""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse, Response

from portrayal.errors import (
    ConflictError,
    ForbiddenError,
    LimitError,
    MissingDataError,
    NotFoundError,
    PolicyError,
    PortrayalError,
    UnauthenticatedError,
)

_FAILED = "The server failed; its log says more."


def v1(error: PortrayalError | Exception, request: Request) -> Response:
    """An error of a v1 call."""
    return _answer(error, _status(error))


def v1_forbidding(error: PortrayalError | Exception, request: Request) -> Response:
    """An error of a v1 call that says 403 where the others say 401."""
    return _answer(error, 403 if isinstance(error, UnauthenticatedError) else _status(error))


def v2(error: PortrayalError | Exception, request: Request) -> Response:
    """An error of a v2 call. The day's limit is 402 there: waiting for one's own jobs does not help."""
    daily = isinstance(error, LimitError) and error.reason == "daily_limit"
    return _answer(error, 402 if daily else _status(error))


def _status(error: Exception) -> int:
    kinds: tuple[tuple[type[PortrayalError], int], ...] = (
        (UnauthenticatedError, 401),
        (ForbiddenError, 403),
        (NotFoundError, 404),
        (ConflictError, 409),
        (PolicyError, 422),
        (LimitError, 429),
        (MissingDataError, 500),
        (PortrayalError, 400),
    )
    return next((status for kind, status in kinds if isinstance(error, kind)), 500)


def _answer(error: Exception, status: int) -> Response:
    body: dict[str, Any] = {"error": str(error) if isinstance(error, PortrayalError) else _FAILED}
    headers: dict[str, str] = {}
    if isinstance(error, LimitError):
        body["reject_reason"] = error.reason
        if error.reason == "inflight_limit":
            body |= {"max_inflight_requests": error.limit, "task_completion_speed": "fast"}
        headers["retry-after"] = str(error.retry_after)
    return JSONResponse(body, status, headers)
