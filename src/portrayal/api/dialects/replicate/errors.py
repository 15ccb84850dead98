"""Errors as Replicate words them: `{title, detail, status}`, and `invalid_fields` for an input that is not taken."""

from __future__ import annotations

from typing import Any, NamedTuple

from fastapi import Request
from fastapi.responses import JSONResponse, Response

from portrayal.api.dialects.replicate.schema import NAMES
from portrayal.api.doors import presented_key
from portrayal.api.problems import status_of
from portrayal.errors import (
    InvalidRequestError,
    LimitError,
    NotFoundError,
    PolicyError,
    PortrayalError,
    UnauthenticatedError,
)

INVALID = "Input validation failed"


class Wrong(NamedTuple):
    """One wrong field, in the words of a JSON Schema validator: "required", "enum", "number_lte", ..."""

    type: str
    field: str
    description: str


class InvalidInputError(InvalidRequestError):
    """Several fields are wrong at once."""

    def __init__(self, wrong: list[Wrong]) -> None:
        self.wrong = wrong
        super().__init__(wrong[0].description, field=wrong[0].field)


def encode(error: PortrayalError | Exception, request: Request) -> Response:
    """An error as Replicate answers it."""
    status, body = error_body(error, request)
    headers = {}
    if isinstance(error, LimitError):
        headers["retry-after"] = str(error.retry_after)
    if isinstance(error, UnauthenticatedError):
        headers["www-authenticate"] = "Bearer"
    return JSONResponse(body, status, headers)


def error_body(error: PortrayalError | Exception, request: Request) -> tuple[int, dict[str, Any]]:
    """Status and body of an error."""
    status, title = status_of(error)
    if not isinstance(error, PortrayalError):
        return status, _problem(title, "The server failed; its log says more.", status)
    if isinstance(error, UnauthenticatedError):
        what = "a valid" if presented_key(request) else "an"
        return 401, _problem("Unauthenticated", f"You did not pass {what} authentication token", 401)
    if isinstance(error, NotFoundError):
        return 404, _problem("Not found", "The requested resource could not be found.", 404)
    if isinstance(error, PolicyError):
        detail = f"The input was flagged as sensitive: {error.message}. {error.remedy} (E005)"
        return 422, {**_problem("Flagged as sensitive", detail, 422), "category": error.category}
    if isinstance(error, LimitError):
        return 429, {**_problem(title, str(error), 429), "retry_after": error.retry_after}
    if status != 422:
        return status, _problem(title, str(error), status)
    if error.field == "body":
        return 400, _problem("Bad request", str(error), 400)
    wrong = error.wrong if isinstance(error, InvalidInputError) else [_wrong(error)]
    detail = "".join(f"- {w.field}: {w.description}\n" if w.field else f"- {w.description}\n" for w in wrong)
    return 422, {**_problem(INVALID, detail, 422), "invalid_fields": [w._asdict() for w in wrong]}


def _wrong(error: PortrayalError) -> Wrong:
    field = {"reference": "character_reference_image", "edit_mask": "mask"}.get(error.field, error.field)
    description = f"{error.message}. {error.remedy}" if error.remedy else error.message
    return Wrong("invalid", f"input.{field}" if field in NAMES else field, description)


def _problem(title: str, detail: str, status: int) -> dict[str, Any]:
    return {"title": title, "detail": detail, "status": status}
