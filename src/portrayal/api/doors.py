"""What all doors share: the service, who calls, the address that they use, and errors in each door's own form."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from portrayal.api.bodies import refuse_crowded
from portrayal.errors import ForbiddenError, InvalidRequestError, PortrayalError
from portrayal.service.envelope import Job
from portrayal.service.keys import Caller, Scope
from portrayal.service.service import Service

log = logging.getLogger("portrayal.api")

Encoder = Callable[[PortrayalError | Exception, Request], Response]
"""An error in a door's own form. What is no PortrayalError is a fault of ours: it is logged already, tell nothing."""


def _service(request: Request) -> Service:
    service = request.app.state.service
    assert isinstance(service, Service)
    return service


def presented_key(request: Request) -> str | None:
    """The key of a call, in any of the hosts' header forms; None when there is none."""
    for name in ("api-key", "x-api-key"):
        if value := request.headers.get(name, "").strip():
            return value
    words = request.headers.get("authorization", "").split(None, 1)
    if len(words) == 2 and words[0].lower() in ("bearer", "token", "key"):
        return words[1].strip() or None
    return None


async def _caller(request: Request) -> Caller:
    known: Caller | None = getattr(request.state, "caller", None)
    if known is None:
        known = await asyncio.to_thread(_service(request).keys.caller, presented_key(request))
        request.state.caller = known
    return known


def base_of(request: Request) -> str:
    """The address under which the caller reaches us, without a slash at the end."""
    public = _service(request).settings.public_url.rstrip("/")
    return public or f"{request.url.scheme}://{request.url.netloc}"


def bases_of(request: Request) -> tuple[str, ...]:
    """All addresses that are our own, for files that are given by address."""
    return tuple(dict.fromkeys((base_of(request), f"{request.url.scheme}://{request.url.netloc}")))


TheService = Annotated[Service, Depends(_service)]
TheCaller = Annotated[Caller, Depends(_caller)]


def may(caller: Caller, scope: Scope) -> None:
    """Refuse a caller whose key lacks a scope.

    Raises:
        ForbiddenError: it does.
    """
    if scope not in caller.scopes:
        raise ForbiddenError(f"this key may not do that: it lacks the scope {scope}", remedy="Use another key.")


def link_of(request: Request) -> Callable[[str, str], str]:
    """Makes the address of a file from its id and media type."""
    service, base = _service(request), base_of(request)
    return lambda file_id, media_type: service.files.address(file_id, media_type, base)


async def attended(request: Request, service: Service, job: Job, caller: Caller, seconds: float) -> Job:
    """The job as soon as it is final, or as it is after `seconds`; canceled when its caller goes away meanwhile.

    For a synchronous call whose body has been read.
    """
    waiting = asyncio.ensure_future(service.wait(job.id, seconds))
    leaving = asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait((waiting, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            await asyncio.to_thread(service.cancel, job.id, caller)
        return await waiting
    finally:
        for task in (waiting, leaving):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def _left(request: Request) -> None:
    """Ends when the caller closes the connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def score_headers(job: Job) -> dict[str, str]:
    """The proof, for answers that cannot carry an extra field."""
    headers = {"x-portrayal-id": job.id}
    score = job.score
    if score is not None:
        headers["x-portrayal-identity-score"] = f"{score.score:.4f}"
        headers["x-portrayal-same-person"] = str(score.same_person).lower()
        if score.distance is not None:
            headers["x-portrayal-identity-distance"] = f"{score.distance:.4f}"
    return headers


def proof(job: Job, position: int) -> dict[str, Any] | None:
    """The proof of one picture, for answers that can carry an extra field."""
    identity = job.pictures[position].identity
    return None if identity is None else identity.model_dump(mode="json", exclude_defaults=True)


def invalid(error: RequestValidationError) -> InvalidRequestError:
    """FastAPI's own complaint as ours: the first wrong field."""
    first = error.errors()[0]
    where = [str(part) for part in first["loc"] if part not in ("body", "query", "path", "header", "form")]
    return InvalidRequestError(str(first["msg"]).lower(), field=".".join(where) or "body", remedy="See /docs.")


def speaking(encode: Encoder) -> type[APIRoute]:
    """A route class whose errors all go through `encode`."""

    class Route(APIRoute):
        @property
        def encode(self) -> Encoder:
            return encode

        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def handler(request: Request) -> Response:
                try:
                    if self.body_field is not None:
                        # FastAPI reads and parses a body before it asks who calls: not that of somebody unknown.
                        await _caller(request)
                        if not request.headers.get("content-type", "").lower().startswith("multipart/"):
                            refuse_crowded(await request.body(), "body")
                    return await handle(request)
                except PortrayalError as error:
                    return encode(error, request)
                except RequestValidationError as error:
                    return encode(invalid(error), request)
                except HTTPException as error:  # e.g. a body that is no JSON, or a form that cannot be read
                    if isinstance(error.__cause__, PortrayalError):  # FastAPI wraps what the body's reading raised
                        return encode(error.__cause__, request)
                    return encode(InvalidRequestError(str(error.detail), field="body"), request)
                except ClientDisconnect:
                    return Response(status_code=400)  # nobody reads it, and nothing failed here
                except Exception as error:
                    log.error("a call failed", extra={"route": self.path, "error": type(error).__name__}, exc_info=True)
                    return encode(error, request)

            return handler

    return Route
