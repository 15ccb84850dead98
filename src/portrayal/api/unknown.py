"""Paths and methods that are not served: the answer is in the form of the door whose paths they resemble."""

from __future__ import annotations

import functools

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException

from portrayal.api.doors import Encoder
from portrayal.api.problems import problem
from portrayal.errors import NotFoundError


def answer_unknown(app: FastAPI) -> None:
    """Add the answers to an application that has all its routes."""

    @functools.cache
    def beginnings() -> dict[str, Encoder | None]:
        """Beginnings of paths -> who words the errors there; None where several doors share it."""
        found: dict[str, Encoder | None] = {}
        for route in iter_route_contexts(app.routes):
            encode = getattr(route.original_route, "encode", None)
            parts = (route.path or "").partition("{")[0].strip("/").split("/")
            for number in range(1, len(parts) + 1) if encode is not None else ():
                start = "/".join(parts[:number])
                known = found.get(start, encode)
                found[start] = known if known is not None and known.__module__ == encode.__module__ else None
        return found

    @app.exception_handler(404)
    async def missing(request: Request, _: Exception) -> Response:
        start = request.url.path.strip("/")
        while start and start not in beginnings():
            start = start.rpartition("/")[0]
        encode = beginnings().get(start) or problem
        return encode(NotFoundError(f"there is nothing at {request.url.path[:200]}", remedy="See /docs."), request)

    @app.exception_handler(405)
    async def other_method(request: Request, error: HTTPException) -> Response:
        detail = f"{request.method[:20]} does nothing here"
        body = {"type": "about:blank", "title": "Method not allowed", "status": 405, "detail": detail, "error": detail}
        return JSONResponse(body, 405, error.headers, media_type="application/problem+json")
