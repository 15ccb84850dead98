"""The application factory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from portrayal._version import __version__
from portrayal.api.dialects import ROUTERS
from portrayal.api.files import router as files
from portrayal.api.guarding import BodyLimit, Shield
from portrayal.api.native import describe
from portrayal.api.native import router as native
from portrayal.api.operations import router as operations
from portrayal.api.reference import router as reference
from portrayal.api.shared_paths import router as shared_paths
from portrayal.api.storage import router as storage
from portrayal.api.unknown import answer_unknown
from portrayal.errors import PortrayalError
from portrayal.service.service import Service

MAX_BODY = 120_000_000
"""Bytes of a call: four of the largest pictures, or three as base64."""


def create_app(
    make: Callable[[], Service], *, hosts: frozenset[str] | None = None, max_body: int = MAX_BODY
) -> FastAPI:
    """The application around a service that `make` makes; it is opened and closed with the application.

    Args:
        hosts: names that the server is called by, where it needs no key; see `guarding.Shield`. None = any.
        max_body: bytes of a whole call.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        try:
            service = await asyncio.to_thread(make)
            app.state.service = service
            await asyncio.to_thread(service.open)
        except PortrayalError as error:
            app.state.refused = error  # for the command line, which says it in one line
            raise
        try:
            yield
        finally:
            await asyncio.to_thread(service.close)

    app = FastAPI(
        title="Portrayal",
        version=__version__,
        summary="One reference picture and a prompt in; the same person in new pictures out, each with a score.",
        description="`/api/v1` is the native API, with all its fields. The fields of the hosts' formats are in "
        "`docs/dialects` of the source.",
        lifespan=lifespan,
        docs_url=None,  # its page loads scripts from elsewhere; ours is in `reference`
        redoc_url=None,
    )
    app.add_middleware(BodyLimit, limit=max_body)
    if hosts is not None:
        app.add_middleware(Shield, hosts=hosts)
    for router in (operations, reference, files, storage, native, shared_paths, *ROUTERS):
        app.include_router(router)
    describe(app)

    answer_unknown(app)

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"type": "about:blank", "title": "Internal server error", "status": 500}, 500)

    return app
