"""Errors as OpenAI words them: `{"error": {message, type, param, code}}`."""

from __future__ import annotations

from typing import Any, Final

from fastapi import Request
from fastapi.responses import JSONResponse, Response

from portrayal.api.problems import status_of
from portrayal.errors import (
    ConflictError,
    ForbiddenError,
    ImageReadError,
    ImageTooLargeError,
    InvalidRequestError,
    LimitError,
    MaskMismatchError,
    NotFoundError,
    PolicyError,
    PortrayalError,
    UnauthenticatedError,
    UnknownCharacterError,
)
from portrayal.service.envelope import Job, JobError
from portrayal.service.fetching import FetchError

_INVALID: Final = "invalid_request_error"
_PARAMS: Final = {
    "body": None,
    "": None,
    "reference": "character_reference_image",
    "characters": "image",
    "edit_mask": "mask",
    "num_images": "n",
    "speed": "quality",
}
_CODES: Final[tuple[tuple[type[PortrayalError], str], ...]] = (
    (FetchError, "invalid_image_url"),
    (ImageReadError, "invalid_image_file"),
    (ImageTooLargeError, "image_too_large"),
    (MaskMismatchError, "invalid_mask"),
    (UnknownCharacterError, "unknown_character"),
)
_MISSING: Final = ("is required", "is empty")
_NO_RETRY: Final = {"x-should-retry": "false"}
"""The clients try again after 409 and 5xx; the same request would end the same way, and cost the time once more."""


class ParameterError(InvalidRequestError):
    """A parameter that is not taken, with OpenAI's own code for why."""

    def __init__(self, message: str, *, field: str, code: str, remedy: str = "") -> None:
        super().__init__(message, field=field, remedy=remedy)
        self.code = code


def encode(error: PortrayalError | Exception, request: Request) -> Response:
    """An error as OpenAI answers it."""
    status, body = error_body(error, request)
    headers: dict[str, str] = {}
    if isinstance(error, LimitError):
        headers["retry-after"] = str(error.retry_after)
    if isinstance(error, ConflictError):
        headers |= _NO_RETRY
    if isinstance(error, UnauthenticatedError):
        headers["www-authenticate"] = "Bearer"
    return JSONResponse(body, status, headers)


def error_body(error: PortrayalError | Exception, _: Request) -> tuple[int, dict[str, Any]]:
    """Status and body of an error."""
    if not isinstance(error, PortrayalError):
        return 500, _body("The server had an error; its log says more.", "server_error", None, None)
    # An unknown parameter is called as it was given, though another of ours may have that name inside.
    param = error.field if isinstance(error, ParameterError) else _PARAMS.get(error.field, error.field)
    message = _words(error.message, param, error.remedy)
    if isinstance(error, UnauthenticatedError):
        return 401, _body(f"Incorrect API key: {message}", _INVALID, None, "invalid_api_key")
    if isinstance(error, ForbiddenError):
        return 403, _body(message, _INVALID, None, "insufficient_permissions")
    if isinstance(error, NotFoundError):
        return 404, _body(message, _INVALID, param, "model_not_found" if param == "model" else "not_found")
    if isinstance(error, ConflictError):
        return 409, _body(message, _INVALID, param, "conflict")
    if isinstance(error, LimitError):
        if error.reason == "daily_limit":
            return 429, _body(message, "insufficient_quota", None, "insufficient_quota")
        return 429, _body(message, "requests", None, "rate_limit_exceeded")
    if isinstance(error, PolicyError):
        body = _body(message, _INVALID, param, "content_policy_violation")
        body["error"]["category"] = error.category
        return 400, body
    status, _title = status_of(error)
    if status >= 500:
        return status, _body(message, "server_error", None, None)
    return 400, _body(message, _INVALID, param, _code(error))


def job_error(error: JobError) -> tuple[int, dict[str, Any]]:
    """Status and body for a job that failed."""
    param = _PARAMS.get(error.field, error.field)
    message = _words(error.message, param, error.remedy)
    if error.type in ("engine", "internal"):
        return 500, _body(message, "server_error", None, None)
    code = "content_policy_violation" if error.type == "content_policy" else "invalid_value"
    return 400, _body(message, _INVALID, param, code)


def not_made(job: Job) -> Response:
    """The answer for a job that did not succeed; one that is not final took too long."""
    if job.error is not None:
        status, body = job_error(job.error)
    elif job.final:
        status, body = 400, _body("The request was canceled on the server.", _INVALID, None, "canceled")
    else:
        status, body = 504, _body("The pictures were not made in time.", "server_error", None, "timeout")
    return JSONResponse(body, status, {**_NO_RETRY, "x-request-id": job.id})


def _words(message: str, param: str | None, remedy: str) -> str:
    head = f"'{param}': {message}" if param else message
    return f"{head}. {remedy}" if remedy else f"{head}."


def _code(error: PortrayalError) -> str:
    if isinstance(error, ParameterError):
        return error.code
    if error.message.startswith(_MISSING):
        return "missing_required_parameter"
    return next((code for kind, code in _CODES if isinstance(error, kind)), "invalid_value")


def _body(message: str, kind: str, param: str | None, code: str | None) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}
