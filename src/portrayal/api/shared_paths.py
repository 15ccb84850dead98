"""Paths that two hosts share, above their dialects: `GET /v1/models` is a list at Replicate and at OpenAI.

Nothing in the call tells the two apart, so the answer is both: Replicate's clients read `results`, OpenAI's `data`.
`/v1/files` needs no help: only Replicate's is served.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from portrayal.api.dialects import openai_images, replicate
from portrayal.api.doors import TheCaller, TheService, speaking
from portrayal.errors import PortrayalError


def _encode(error: PortrayalError | Exception, request: Request) -> Response:
    answer = openai_images.encode(error, request)
    status, body = replicate.error_body(error, request)
    headers = {name: answer.headers[name] for name in ("retry-after", "www-authenticate") if name in answer.headers}
    return JSONResponse({**body, **openai_images.error_body(error, request)[1]}, status, headers)


router = APIRouter(route_class=speaking(_encode), tags=["Replicate", "OpenAI Images"])


@router.get("/v1/models")
async def models(request: Request, service: TheService, caller: TheCaller) -> dict[str, Any]:
    """The models, as both hosts' clients read them."""
    return {**await replicate.models_page(request, service, caller), **openai_images.models_list(caller)}
