"""What operators look at: is it alive, is it ready, what does it count, which key signs its webhooks."""

from __future__ import annotations

import asyncio
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from portrayal.api.doors import TheService, speaking
from portrayal.api.problems import problem

router = APIRouter(route_class=speaking(problem), tags=["operations"])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(service: TheService) -> Response:
    """The database and the store answer too."""

    def look() -> None:
        with service.database.session() as session:
            session.execute(sa.text("SELECT 1"))
        service.blobs.has("0" * 64)

    try:
        await asyncio.to_thread(look)
    except Exception as error:
        return JSONResponse({"status": "not ready", "cause": type(error).__name__}, 503)
    return JSONResponse({"status": "ready"})


@router.get("/metrics")
async def metrics(service: TheService) -> Response:
    """Counters in the text format of Prometheus."""
    return Response(service.metrics.page(), media_type="text/plain; version=0.0.4")


@router.get("/.well-known/jwks.json", tags=["webhooks"])
@router.get("/v1/.well-known/jwks.json", include_in_schema=False)
async def jwks(service: TheService) -> dict[str, Any]:
    """The public key (Ed25519) of the webhooks that are signed as Ideogram and fal sign theirs."""
    return service.secrets.jwks()
