"""fal's two forms of errors.

What is wrong with an input is a list, as FastAPI's own: ``{"detail": [{"loc", "msg", "type", "url"}]}`` with status 422
(https://docs.fal.ai/errors). What is wrong with a request is flat: ``{"detail": "...", "error_type": "..."}``, and
the header `X-Fal-Error-Type` says the type again (https://fal.ai/docs/documentation/model-apis/request-errors).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, Final

from fastapi import Request
from fastapi.responses import JSONResponse, Response

from portrayal.api import queueing
from portrayal.api.dialects.character_input import field_of
from portrayal.api.problems import status_of
from portrayal.errors import (
    ConflictError,
    ForbiddenError,
    ImageReadError,
    ImageTooLargeError,
    ImageTooSmallError,
    InvalidRequestError,
    LimitError,
    MissingDataError,
    NoSubjectError,
    NotFoundError,
    PolicyError,
    PortrayalError,
    UnauthenticatedError,
)
from portrayal.service.envelope import Job
from portrayal.service.fetching import FetchError

DOCS: Final = "https://docs.fal.ai/errors#"
NO_USER: Final = "No user found for Key ID and Secret"
NO_KEY: Final = "Authentication is required to access this application"
BAD_KEY: Final = "Invalid Key Authorization header format. Expected '<key_id>:<key_secret>'."

# A part of the message -> the type that pydantic has for it.
_TYPES: Final = (
    ("is required", "missing"),
    ("is no JSON", "json_invalid"),
    ("is not one of", "literal_error"),
    ("is no whole number", "int_parsing"),
    ("is no number", "float_parsing"),
    ("is neither true nor false", "bool_parsing"),
    ("is no text", "string_type"),
    ("is no URL", "string_type"),
    ("that are no text", "string_unicode"),
    ("is longer than", "string_too_long"),
    ("are too many", "too_long"),
)
_RANGE: Final = re.compile(r"(\S+) is not within (\S+) to (\S+)")
_KINDS: Final[tuple[tuple[type[PortrayalError], str], ...]] = (
    (PolicyError, "content_policy_violation"),
    (ImageTooSmallError, "image_too_small"),
    (ImageReadError, "image_load_error"),
    (NoSubjectError, "face_detection_error"),
)
_OF_JOBS: Final = {"content_policy": "content_policy_violation", "image": "image_load_error"}


class BadRequestError(InvalidRequestError):
    """A header or a query of the request is malformed; told in the flat form."""


@dataclass(frozen=True)
class Failure:
    """An error as it is told: HTTP status, body, and the type for machines."""

    status: int
    body: dict[str, Any]
    type: str
    user_timeout: bool = False

    def headers(self) -> dict[str, str]:
        """The headers that go with it."""
        headers = {"x-fal-retryable": str(self.status in (429, 500, 503)).lower(), "x-fal-billable-units": "0"}
        if "error_type" in self.body:
            headers["x-fal-error-type"] = self.type
        if self.user_timeout:
            headers["x-fal-request-timeout-type"] = "user"
        return headers

    def message(self) -> str:
        """One line."""
        detail = self.body["detail"]
        return str(detail if isinstance(detail, str) else detail[0]["msg"])


def flat(status: int, text: str, kind: str, *, user_timeout: bool = False) -> Failure:
    """An error of the request."""
    return Failure(status, {"detail": text, "error_type": kind}, kind, user_timeout)


def of_job(job: Job) -> Failure | None:
    """Why a job gives no picture; None for one that succeeded or has not ended."""
    if job.state == "canceled":
        if _started_too_late(job):
            return flat(504, "The request did not start within its timeout", "startup_timeout", user_timeout=True)
        return flat(499, "The request was cancelled", "client_cancelled")
    if job.state != "failed":
        return None
    error = job.error
    if error is None or error.type in ("internal", "engine"):
        return flat(500, "The runner failed" if error is None else error.message, "runner_server_error")
    kind = _OF_JOBS.get(error.type, "value_error")
    return _listed(field_of(error), _sentence(error.message, error.remedy), kind)


def _started_too_late(job: Job) -> bool:
    limit = job.wire.get("start_timeout")
    if not isinstance(limit, int | float) or job.started_at is not None or job.completed_at is None:
        return False
    return (job.completed_at - job.created_at).total_seconds() >= limit


def encode(error: PortrayalError | Exception, request: Request) -> Response:
    """Any error of a call."""
    failure = _failure(error, request)
    headers = {"x-fal-request-id": queueing.echoed_id(getattr(request.state, "request_id", "")), **failure.headers()}
    if isinstance(error, LimitError):
        headers["retry-after"] = str(error.retry_after)
    return JSONResponse(failure.body, failure.status, headers)


def _failure(error: PortrayalError | Exception, request: Request) -> Failure:
    if isinstance(error, MissingDataError) or not isinstance(error, PortrayalError):
        return flat(500, "An unexpected internal error occurred", "internal_error")
    if isinstance(error, UnauthenticatedError):
        return Failure(401, {"detail": _unauthenticated(request)}, "unauthorized")
    if isinstance(error, BadRequestError):
        return flat(400, str(error), "bad_request")
    if isinstance(error, LimitError):
        return flat(429, str(error), error.reason)
    if isinstance(error, NotFoundError | ForbiddenError):
        return Failure(status_of(error)[0], {"detail": str(error)}, "not_found")
    # A conflict as 409 would be tried again ten times by the Python client; no repetition cures it.
    return _of_input(error, request)


def _unauthenticated(request: Request) -> str:
    header = request.headers.get("authorization", "")
    if not header:
        return NO_KEY
    return NO_USER if len(header.split(None, 1)) == 2 else BAD_KEY


def _of_input(error: PortrayalError, request: Request) -> Failure:
    field = field_of(error)
    kind, context = _kind(error)
    text = "Field required" if kind == "missing" else _sentence(error.message, error.remedy)
    if isinstance(error, PolicyError):
        context = {"category": error.category}
    if kind == "missing":
        context = {"remedy": error.remedy}
    failure = _listed(field, text, kind, context)
    given = getattr(request.state, "given", {}).get(field.split(".")[0])
    if _can_be_shown(given):
        failure.body["detail"][0]["input"] = given
    return failure


def _listed(field: str, text: str, kind: str, context: dict[str, Any] | None = None) -> Failure:
    where = [] if field in ("", "body") else field.split(".")
    detail: dict[str, Any] = {"loc": ["body", *where], "msg": text, "type": kind, "url": DOCS + kind}
    if context:
        detail["ctx"] = context
    return Failure(422, {"detail": [detail]}, kind)


def _kind(error: PortrayalError) -> tuple[str, dict[str, Any]]:
    """The type of an error, and its numbers."""
    if isinstance(error, FetchError):
        kinds = {"too_large": "file_too_large", "not_an_image": "image_load_error"}
        return kinds.get(error.kind, "file_download_error"), {}
    if isinstance(error, ImageTooLargeError):
        return ("file_too_large" if " MB" in error.message else "image_too_large"), {}
    for kind, name in _KINDS:
        if isinstance(error, kind):
            return name, {}
    match = _RANGE.fullmatch(error.message)
    if match is not None:
        value, least, most = (float(part) for part in match.groups())
        return ("greater_than_equal", {"ge": least}) if value < least else ("less_than_equal", {"le": most})
    if isinstance(error, ConflictError):
        return "conflict", {}
    found = next((kind for part, kind in _TYPES if part in error.message), "value_error")
    if found == "literal_error":
        return found, {"expected": error.message.partition(" is not one of ")[2]}
    return found, {}


def _sentence(message: str, remedy: str) -> str:
    return f"{message}. {remedy}" if remedy else message


def _can_be_shown(value: Any) -> bool:
    """Short single values only: no picture and no long prompt goes back."""
    if isinstance(value, str):
        return len(value) <= 200 and value.isprintable()
    return isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value))
